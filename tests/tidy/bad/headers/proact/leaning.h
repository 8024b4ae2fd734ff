/* SPDX-License-Identifier: MIT */
#include <stdint.h>
struct pro_x { uint32_t a; size_t b; };
