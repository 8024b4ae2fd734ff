/* SPDX-License-Identifier: MIT */
/* Small tools shared by the contexts of this folder: a function call as a work item, and sending made of posting and
   waiting. */
#ifndef PROACT_SYNC_CONTEXT_CALL_H
#define PROACT_SYNC_CONTEXT_CALL_H

#include "internal.h"

/* Gives an item that calls fn(@arg) and frees itself just before; NULL: no memory. @flows: under the execution context
   of this call, not under that of the thread that runs it. */
struct pro_work *proi_call_new(pro_work_fn *fn, void *arg, bool flows);

/* Posts to @context, refused posts going to the pool, and returns when @work has run. Takes @work. The caller has made
   sure that it is not the thread that would have to run it. */
void proi_context_post_and_wait(struct pro_sync_context *context, struct pro_work *work);

#endif
