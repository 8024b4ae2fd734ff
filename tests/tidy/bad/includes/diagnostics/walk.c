/* SPDX-License-Identifier: MIT */
#include <proactor/internal.h>
#include "task.h"
#include <pthread.h>
