/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>
#include "../../awaiters/task.h"
