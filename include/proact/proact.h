/* SPDX-License-Identifier: MIT */
/* The front door: everything, in reading order. */
#ifndef PROACT_H
#define PROACT_H

#include <proact/base.h>
#include <proact/error.h>
#include <proact/cancellation.h>
#include <proact/op.h>
#include <proact/timer.h>
#include <proact/net.h>
#include <proact/lease.h>
#include <proact/file.h>
#include <proact/context.h>
#include <proact/loop.h>
#include <proact/scheduler.h>
#include <proact/task.h>
#include <proact/schedulers.h>
#include <proact/async_local.h>
#include <proact/value_task.h>
#include <proact/awaiter.h>
#include <proact/async.h>
#include <proact/semaphore.h>
#include <proact/async_lock.h>
#include <proact/channel.h>
#include <proact/stream.h>
#include <proact/periodic_timer.h>
#include <proact/parallel.h>
#include <proact/mailbox.h>
#include <proact/progress.h>
#include <proact/diagnostics.h>

#endif
