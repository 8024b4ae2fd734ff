/* SPDX-License-Identifier: MIT */
#include <proact/task.h>
#include <signal.h>
#include "../platform/platform.h"
