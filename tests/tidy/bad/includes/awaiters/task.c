/* SPDX-License-Identifier: MIT */
#include <sync_context/internal.h>
#include "task.h"
#include <sync_context/queue.h>
#include <proactor/internal.h>
#include "graph.h"
#include <windows.h>
