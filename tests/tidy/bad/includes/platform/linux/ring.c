/* SPDX-License-Identifier: MIT */
#include "platform.h"
#include <proactor/backend.h>
#include <sys/socket.h>
#include <proactor/internal.h>
#include <proact/task.h>
