/* SPDX-License-Identifier: MIT */
/* The body of a delegate task: shared by delegate.c (running it), scope.c (attached children) and then.c
 * (ContinueWith). */
#ifndef PROACT_AWAITERS_DELEGATE_H
#define PROACT_AWAITERS_DELEGATE_H

#include "internal.h"

struct delegate {
    struct pro_work work; /* the queue's; it holds a reference to the task */
    pro_task_fn *body;
    void *arg;
    struct pro_cancellation_token token; /* its source is held */
    struct pro_cancellation_registration registration;
    struct pro_task_scheduler *scheduler; /* held; NULL: the pool */
    void *flow;                           /* captured; dropped when the body starts */
    unsigned options;
    uint32_t started; /* shared: a cold task's starter sets it, once */

    /* ContinueWith */
    pro_then_fn *then; /* instead of body */
    unsigned then_options;
    struct pro_task *antecedent;          /* held */
    struct pro_continuation continuation; /* hangs on the antecedent */

    /* the scope */
    struct pro_task *parent;                 /* attached to: held; NULL: none */
    uint32_t open;                           /* shared: the body, and each attached child that is not complete */
    struct proi_mutex lock;                  /* guards the list */
    struct delegate *faulted, *faulted_tail; /* attached children that failed, each task held, in order of completion */
    struct delegate *next_faulted;
    struct pro_error *error; /* the body's outcome, while children are open */
    bool cancels;
};

static inline struct delegate *proi_delegate_of(struct pro_task *task) { return proi_task_body(task); }

/* ---- delegate.c ---- */
bool proi_is_delegate(const struct pro_task *task);
/* Gives a task that nobody has queued; NULL: no memory. */
struct pro_task *proi_delegate_new(struct delegate init, struct pro_type type, enum pro_task_status status,
                                   unsigned options);
/* Once; its status is WaitingToRun. PRO_E_SCHEDULER: refused, and the task has faulted with that. */
int proi_delegate_queue(struct pro_task *task);
/* Asks its scheduler, which is not the pool, to run here what is not queued: PRO_OK: it was run, PRO_E_BUSY: no.
   PRO_E_SCHEDULER: it says yes and has not; the task has faulted with that (SEM-149), which counts as seen if
   @observed. */
int proi_delegate_offer(struct pro_task *task, bool observed);
struct pro_error *proi_delegate_scheduler_lied(struct pro_task *task);
bool proi_delegate_advance(struct pro_task *task, enum pro_task_status status); /* false: it is claimed, leave it */
bool proi_delegate_claim(struct pro_task *task); /* exactly one of run, inline and cancel gets true */
void proi_delegate_run_claimed(struct pro_task *task);
void proi_delegate_cancel_claimed(struct pro_task *task);
bool proi_delegate_listen(struct pro_task *task); /* to its token; false: it was cancelled on the spot */

/* ---- scope.c ---- */
void proi_scope_attach(struct pro_task *task); /* to the task whose body runs here, if that lets it */
/* The body has ended with @error (taken; NULL: none). */
void proi_scope_end_body(struct pro_task *task, struct pro_error *error, bool cancels);

#endif
