/* SPDX-License-Identifier: MIT */
/* Mailbox: the queue of an actor. Messages of one type are handled one at a time, in the order of posting, so what the
   handler touches needs no lock. */
#ifndef PROACT_MAILBOX_H
#define PROACT_MAILBOX_H

#include <proact/task.h>

PRO_BEGIN_DECLS

struct pro_mailbox;
struct pro_mailbox_options {
    struct pro_type message; /* copied by post; size 0 is legal: a mere signal */
    /* Handles one message. Gives NULL, or a task (its reference is taken): the next message is handled when that is
       complete. @message is a copy that stays until then and is the handler's: what it owns is the handler's to
       release. Runs under the execution context of the poster, with @scheduler current, so that awaits in it come back
       there. */
    struct pro_task *(*handle)(void *actor, void *message);
    /* Told of a task that did not succeed; borrows @error. The mailbox then goes on. NULL: the first failure stops the
       mailbox, and its completion faults with that error. */
    void (*failed)(void *actor, struct pro_error *error);
    void (*drop)(void *message); /* releases what a message that will not be handled owns; NULL: nothing to release */
    void *actor;
    /* Where the handler runs: the exclusive scheduler of a pair, to share its exclusion, or any other; NULL: the pool.
       Held. When it refuses, the mailbox stops, and its completion faults with PRO_E_SCHEDULER. */
    struct pro_task_scheduler *scheduler;
};

/* Gives a mailbox with one reference. Copies *@options. PRO_E_INVALID: no handler; PRO_E_NO_MEMORY. A second reference; NULL gives NULL.
   [any thread] */
PRO_API int pro_mailbox_new(const struct pro_mailbox_options *options, struct pro_mailbox **ret_mailbox);
PRO_API struct pro_mailbox *pro_mailbox_ref(struct pro_mailbox *mailbox);
/* Drops a reference; the last one is as pro_mailbox_complete(): what was posted is still handled. NULL is legal.
   [any thread] */
PRO_API void pro_mailbox_unref(struct pro_mailbox *mailbox);
/* Copies *@message into the queue. Never blocks, and never runs the handler (unless the scheduler is one that runs what
   it is given inside the call). PRO_E_CLOSED: complete or stopped, the message stays the caller's; PRO_E_TYPE
   (misuse): of another type; PRO_E_NO_MEMORY. [any thread, also inside the handler] */
PRO_API int pro_mailbox_post(struct pro_mailbox *mailbox, const void *message, struct pro_type type);
#define PRO_POST(mailbox, message) pro_mailbox_post((mailbox), (message), PRO_TYPE_OF(message))
/* How many messages wait; the one being handled is not counted. [any thread] */
PRO_API size_t pro_mailbox_pending(struct pro_mailbox *mailbox);
/* Drain: accepts no more; what was posted is handled. Gives the completion. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_mailbox_complete(struct pro_mailbox *mailbox);
/* Stop: accepts no more, and drops what waits; the message being handled is let finish. Gives the completion.
   [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_mailbox_stop(struct pro_mailbox *mailbox);
/* Gives the task that completes after the last message, once complete or stopped. Its continuations never run inside
   the handler. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_mailbox_completion(struct pro_mailbox *mailbox);

PRO_END_DECLS

#endif
