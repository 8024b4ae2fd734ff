/* SPDX-License-Identifier: MIT */
/* The loop: it owns handles and operations, drives one backend, and delivers on one thread. */
#ifndef PROACT_LOOP_H
#define PROACT_LOOP_H

#include <proact/context.h>
#include <proact/op.h>

PRO_BEGIN_DECLS

struct pro_task;

/* The simulated kernel: what "sim" does to the operations of a loop. Zero is the gentle default: completions in a
   seeded order, nothing short, nothing failing. */
struct pro_sim_options {
    uint64_t seed;            /* the same seed gives the same run, whatever the machine does */
    unsigned short_percent;   /* transfers cut at a random byte                              */
    unsigned error_percent;   /* operations that fail with PRO_E_IO or PRO_E_RESET           */
    int64_t max_delay_ns;     /* completions come up to this much later, on the virtual clock */
    unsigned socket_buffer;   /* bytes that fit between two ends, 0: 65536                   */
    unsigned starve_percent;  /* leased receives that find no buffer at first                */
};

struct pro_loop_options {
    const char *name;    /* borrowed and copied; NULL: "loop-N"                                             */
    const char *backend; /* "io_uring", "epoll", "iocp", "sim"; NULL: $PROACT_BACKEND, else the system's best */
    bool strict;         /* use of its handles from another loop, and of others' from it: PRO_E_WRONG_LOOP  */
    unsigned entries;    /* submission slots in the kernel, a power of two; 0: the default                  */
    unsigned lease_bytes; /* size of a buffer of pro_recv_lease(), 64 to 16 MiB; 0: 65536                   */
    unsigned lease_most;  /* so many of these at most, up to 32,768; 0: 1,024. None is made before the first such receive */
    struct pro_sim_options sim;
};

/* Gives a loop. @options NULL: defaults. It belongs to the thread that first runs it. PRO_E_NOT_SUPPORTED: there is no
   such backend, or the kernel refuses it; the sentence goes to the notice handler. Where no backend is named, or
   $PROACT_BACKEND names one that this system has not, a backend that is not to be had is replaced by the next one, and
   pro_loop_backend_reason() says why. [any thread] */
PRO_API int pro_loop_new(const struct pro_loop_options *options, struct pro_loop **ret_loop);

/* Drains and closes: cancels what is pending, delivers every completion, closes the handles still open, and frees. New
   operations and posted items answer PRO_E_LOOP_CLOSED from the moment of the call, for ever. What methods have still to
   do here, PRO_FINALLY included, runs on this thread before it returns: the loop's context takes posts until nothing is
   in flight and nothing is queued, so a method that gives way for ever is waited for, for ever. One that awaits a task of
   somebody else's is not: it goes on on the pool, should that task complete after all; pro_loop_run() before waits for
   it. PRO_E_STATE (misuse): it is running. NULL is legal. [loop, or any thread when the loop never ran] */
PRO_API int pro_loop_free(struct pro_loop *loop);

/* Runs turns until nothing is in flight, queued, or suspended with this loop's context captured; or until
   pro_loop_stop(). Runs nested inside itself: PRO_E_STATE. PRO_E_LOOP_CLOSED. The first thread that runs a loop is its thread from then
   on; on another one the run functions answer PRO_E_STATE (misuse). [loop] */
PRO_API int pro_loop_run(struct pro_loop *loop);
/* Runs turns until @task is complete: PRO_OK, whatever the task's outcome. Legal inside a callback of this very loop:
   the nested form. It does not return while the task is pending, unless pro_loop_stop() is called: PRO_E_STATE.
   Borrows @task. [loop] */
PRO_API int pro_loop_run_until(struct pro_loop *loop, struct pro_task *task);
/* One turn: waits at most @timeout_ns (0: not at all, PRO_INFINITE: no limit); may return early with 0; gives how many
   completions, timers and posted items it delivered. [loop] */
PRO_API int pro_loop_run_once(struct pro_loop *loop, int64_t timeout_ns);
/* Makes the innermost pro_loop_run() return after its present turn. [any thread; also in a signal handler on Linux] */
PRO_API int pro_loop_stop(struct pro_loop *loop);

/* Runs @fn(@arg) on the loop's thread with its context current, in the order of posting. Allocates. [any thread] */
PRO_API int pro_loop_post(struct pro_loop *loop, pro_work_fn *fn, void *arg);
/* The same without an allocation: takes @work until it runs. Both: PRO_E_LOOP_CLOSED, and then nothing was taken. [any thread] */
PRO_API int pro_loop_post_work(struct pro_loop *loop, struct pro_work *work);

/* The loop that is running on this thread; NULL: none. Borrowed. [any thread] */
PRO_API struct pro_loop *pro_loop_current(void);
/* The background loop that serves threads without one; started on first use, never freed; NULL: it cannot be
   started. It runs no user code: continuations go to their contexts or to the pool. [any thread] */
PRO_API struct pro_loop *pro_loop_default(void);
/* The loop as a SynchronizationContext, borrowed from the loop. [any thread] */
PRO_API struct pro_sync_context *pro_loop_context(struct pro_loop *loop);

/* What it is called; what serves it; why not something better; its clock. Texts are the loop's. Of NULL: "", and
   pro_now(). [any thread] */
PRO_API const char *pro_loop_name(const struct pro_loop *loop);
PRO_API const char *pro_loop_backend(const struct pro_loop *loop);        /* "io_uring"                            */
PRO_API const char *pro_loop_backend_reason(const struct pro_loop *loop); /* why not a better one; "" when it is the best */
PRO_API uint64_t pro_loop_now(const struct pro_loop *loop);               /* virtual on "sim", else pro_now()     */

struct pro_loop_stats {
    uint64_t turns, submitted, delivered, timers_fired, posted, system_calls;
    size_t pending;  /* operations between submission and delivery */
    size_t handles;  /* open handles                               */
    size_t timers;   /* armed timers                               */
    size_t captured; /* continuations that captured this loop's context and have not run */
    size_t leases;   /* buffers lent by pro_recv_lease() and not returned                 */
    size_t lease_buffers; /* made for it so far                                           */
};
/* [loop] */
PRO_API int pro_loop_get_stats(struct pro_loop *loop, struct pro_loop_stats *ret_stats);

/* Memory that reads and writes of files will use again and again: the kernel looks it up once, now, instead of at each of them. What
   lies outside is read and written as ever. One region for a loop; a call replaces the one before, NULL and 0 take it away, and may
   wait for the transfers that are using it. Lends @memory until then, or until the loop is freed. io_uring only (registered
   buffers): elsewhere PRO_OK, and no difference. [loop] PRO_E_NO_MEMORY: it is more than may be locked (ulimit -l);
   PRO_E_TOO_LARGE: more than 1 GiB; PRO_E_WRONG_LOOP, PRO_E_INVALID (misuse). On failure there is no region. */
PRO_API int pro_loop_register_memory(struct pro_loop *loop, void *memory, size_t size);

/* Makes a loop, starts async_main(arg) with the loop's context current, runs until its task is complete, frees the
   loop, and gives the task's outcome: PRO_OK or the error's code; the error's sentence goes to the notice handler. The short way
   in for programs. @async_main gives its task. PRO_E_INVALID (misuse): NULL. [any thread] */
PRO_API int pro_run(struct pro_task *(*async_main)(void *arg), void *arg);

PRO_END_DECLS

#endif
