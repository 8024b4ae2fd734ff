/* SPDX-License-Identifier: MIT */
/* Sleeping. Calendar time is not handled here. */
#ifndef PROACT_TIMER_H
#define PROACT_TIMER_H

#include <proact/op.h>

PRO_BEGIN_DECLS

/* Completes with PRO_OK @duration_ns from now (0: at the loop's next turn), never early; with PRO_E_TIMEOUT when
   @how's deadline comes first. @loop NULL: the thread's loop, else the default background loop. Like every verb it only
   fills the op and returns it. [any thread] */
PRO_API struct pro_op *pro_sleep(struct pro_op *op, struct pro_loop *loop, int64_t duration_ns, struct pro_how how);

/* The same, until the moment @deadline_ns of pro_loop_now(); UINT64_MAX: until it is cancelled. [any thread] */
PRO_API struct pro_op *pro_sleep_until(struct pro_op *op, struct pro_loop *loop, uint64_t deadline_ns,
                                       struct pro_how how);

PRO_END_DECLS

#endif
