/* SPDX-License-Identifier: MIT */
#include "internal.h"
#include "platform.h"
#include <string.h>
#include <proact/task.h>
#include "offload.h"
#include <unistd.h>
#include "../sync_context/queue.h"
/* #include <unistd.h> */
