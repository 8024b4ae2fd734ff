/* SPDX-License-Identifier: MIT */
/* PeriodicTimer: ticks for one consumer, who awaits them (SEM-304). */
#ifndef PROACT_PERIODIC_TIMER_H
#define PROACT_PERIODIC_TIMER_H

#include <proact/value_task.h>

PRO_BEGIN_DECLS

struct pro_periodic_timer;

/* Gives a timer that ticks every @period_ns from now on, at least PRO_MS(1) (else PRO_E_INVALID). It sleeps on the thread's loop, which
   then runs until the timer is disposed of; else on the background loop, and its ticks come on the pool. PRO_E_NO_THREAD: no loop.
   [any thread] */
PRO_API int pro_periodic_timer_new(int64_t period_ns, struct pro_periodic_timer **ret_timer);
/* A value task of bool: true at the next tick, at once when one was missed, however many were; false when the timer was disposed of.
   @token ends this wait alone, with PRO_E_CANCELED. A wait before the last one's result was taken: PRO_E_STATE (misuse).
   [any thread; one consumer] */
PRO_API PRO_NODISCARD struct pro_value_task pro_periodic_timer_wait(struct pro_periodic_timer *timer,
                                                                    struct pro_cancellation_token token);
/* Stops it: the pending wait and all later ones give false. The pending one's continuation may run inside the call. Again: nothing.
   [any thread] */
PRO_API int pro_periodic_timer_dispose(struct pro_periodic_timer *timer);
/* Disposes of it, and frees it when the pending wait's result has been taken. NULL is legal. [any thread] */
PRO_API void pro_periodic_timer_free(struct pro_periodic_timer *timer);

PRO_END_DECLS

#endif
