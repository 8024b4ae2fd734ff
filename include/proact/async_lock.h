/* SPDX-License-Identifier: MIT */
/* Locks and meetings for async methods: mutex, readers/writer lock, event, barrier, countdown. Waiting holds no thread.
 *
 * What all have in common. The wait gives a task; it succeeds when it is one's turn, and then nothing takes the turn
 * back (SEM-313).
 * @how's time ends it with PRO_E_TIMEOUT, its token cancels it; a cancelled token is looked at first. What is there at
 * once is taken without allocating. Waiters are served first come, first served; their continuations never run inside
 * the call that lets them go on (SEM-312). No lock has an owner: any thread may unlock, none is re-entrant (SEM-314).
 * Freeing fails who still waits with PRO_E_BROKEN_PROMISE; no other call may be under way then. Wrong arguments:
 * PRO_E_INVALID (misuse), and so is NULL but for the frees. What makes one gives it, or PRO_E_NO_MEMORY. Every function here is
 * [any thread]. */
#ifndef PROACT_ASYNC_LOCK_H
#define PROACT_ASYNC_LOCK_H

#include <proact/task.h>

PRO_BEGIN_DECLS

/* ---- mutex: new SemaphoreSlim(1, 1), with an unlock that is checked ---- */
struct pro_async_mutex;
/* Gives a mutex that nobody has; frees it. [any thread] */
PRO_API int pro_async_mutex_new(struct pro_async_mutex **ret_mutex);
PRO_API void pro_async_mutex_free(struct pro_async_mutex *mutex); /* NULL is legal */
/* Gives a task that succeeds when the mutex is its. The other form takes it if it is free: true; else, and for NULL, false.
   [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_async_mutex_lock_async(struct pro_async_mutex *mutex, struct pro_how how);
PRO_API bool pro_async_mutex_try_lock(struct pro_async_mutex *mutex);
/* Hands it to the next. PRO_E_STATE (misuse): it is not locked. [any thread] */
PRO_API int pro_async_mutex_unlock(struct pro_async_mutex *mutex);

/* ---- readers/writer lock ---- */
/* Many readers or one writer; a writer that waits goes before readers that come later, and before those that wait. */
struct pro_async_rwlock;
/* Gives a lock that nobody has; frees it. The waits give tasks that succeed when one may read, or write. [any thread] */
PRO_API int pro_async_rwlock_new(struct pro_async_rwlock **ret_lock);
PRO_API void pro_async_rwlock_free(struct pro_async_rwlock *lock); /* NULL is legal */
PRO_API PRO_NODISCARD struct pro_task *pro_async_rwlock_read_async(struct pro_async_rwlock *lock, struct pro_how how);
PRO_API PRO_NODISCARD struct pro_task *pro_async_rwlock_write_async(struct pro_async_rwlock *lock, struct pro_how how);
/* One reader less; no writer. PRO_E_STATE (misuse): nobody reads; nobody writes. [any thread] */
PRO_API int pro_async_rwlock_read_unlock(struct pro_async_rwlock *lock);
PRO_API int pro_async_rwlock_write_unlock(struct pro_async_rwlock *lock);

/* ---- event ---- */
enum pro_event_reset {
    PRO_EVENT_MANUAL, /* once set it lets all go on, until it is reset (ManualResetEvent) */
    PRO_EVENT_AUTO    /* one set lets one go on: who waits longest, or the next to come (AutoResetEvent) */
};
struct pro_async_event;
/* Gives an event, @set or not; frees it. PRO_E_INVALID (misuse): @reset is neither. [any thread] */
PRO_API int pro_async_event_new(enum pro_event_reset reset, bool set, struct pro_async_event **ret_event);
PRO_API void pro_async_event_free(struct pro_async_event *event); /* NULL is legal */
/* Sets it: lets go on who waits, all or one. Setting a set event, and resetting one that is not, changes nothing. Is it set? The wait gives
   a task that succeeds when it is; of an automatic one, that wait alone. [any thread] */
PRO_API int pro_async_event_set(struct pro_async_event *event);
PRO_API int pro_async_event_reset(struct pro_async_event *event);
PRO_API bool pro_async_event_is_set(const struct pro_async_event *event);
PRO_API PRO_NODISCARD struct pro_task *pro_async_event_wait_async(struct pro_async_event *event, struct pro_how how);

/* ---- barrier: phase by phase, all @participants meet ---- */
struct pro_async_barrier;
/* Gives a barrier for so many, at least 1; frees it. [any thread] */
PRO_API int pro_async_barrier_new(int participants, struct pro_async_barrier **ret_barrier);
PRO_API void pro_async_barrier_free(struct pro_async_barrier *barrier); /* NULL is legal */
/* Has come, and waits for the others; the last one ends the phase and finds its task complete. A wait that its limits
   end takes its coming back. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_async_barrier_signal_and_wait_async(struct pro_async_barrier *barrier,
                                                                               struct pro_how how);
/* The phases that have ended; those who have yet to come in this one. Of NULL (misuse) 0 and PRO_E_INVALID. [any thread] */
PRO_API uint64_t pro_async_barrier_phase(const struct pro_async_barrier *barrier);
PRO_API int pro_async_barrier_remaining(const struct pro_async_barrier *barrier);

/* ---- countdown: CountdownEvent ---- */
struct pro_countdown;
/* Gives a countdown from @count; 0: it is over from the start. PRO_E_INVALID (misuse): negative. Frees it. [any thread] */
PRO_API int pro_countdown_new(int count, struct pro_countdown **ret_countdown);
PRO_API void pro_countdown_free(struct pro_countdown *countdown); /* NULL is legal */
/* Counts @count down; 1 when that ended it, else 0. PRO_E_STATE (misuse): that many are not left; nothing changes.
   [any thread] */
PRO_API int pro_countdown_signal(struct pro_countdown *countdown, int count);
/* Counts up. PRO_E_STATE: it is over, or the count would exceed INT32_MAX (TryAddCount gives false there); nothing
 * changes. What is left; of NULL (misuse) PRO_E_INVALID. The wait gives a task that succeeds when it is over.
 * [any thread] */
PRO_API int pro_countdown_add(struct pro_countdown *countdown, int count);
PRO_API int pro_countdown_count(const struct pro_countdown *countdown);
PRO_API PRO_NODISCARD struct pro_task *pro_countdown_wait_async(struct pro_countdown *countdown, struct pro_how how);
/* Blocks until it is over: PRO_OK, PRO_E_TIMEOUT, PRO_E_CANCELED, PRO_E_NO_MEMORY, PRO_E_BROKEN_PROMISE. @site: where,
 * for reports. [any thread] */
PRO_API int pro_countdown_wait(struct pro_countdown *countdown, struct pro_how how, struct pro_site site);
#define PRO_COUNTDOWN_WAIT(countdown) pro_countdown_wait((countdown), PRO_HOW_DEFAULT, PRO_HERE)

PRO_END_DECLS

#endif
