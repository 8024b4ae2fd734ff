/* SPDX-License-Identifier: MIT */
#include "internal.h"
#include <proact/task.h>
#include <proactor/internal.h>
#include <awaiters/task.h>
