/* SPDX-License-Identifier: MIT */
#include <proact/base.h>
#include <stdint.h>
#include <sys/types.h>
#include "base.h"
