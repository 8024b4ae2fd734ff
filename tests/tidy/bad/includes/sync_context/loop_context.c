/* SPDX-License-Identifier: MIT */
#include <proactor/internal.h>
