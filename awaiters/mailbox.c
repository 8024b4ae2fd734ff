/* SPDX-License-Identifier: MIT */
/* The mailbox: a list of copied messages, and one turn at a time that hands the oldest to the handler. A turn is an
   item of the scheduler; while a handler's task is pending there is none. */
#include "internal.h"

#include <proact/mailbox.h>

#include <string.h>

struct message {
    struct message *next;
    void *flow; /* of the poster */
    _Alignas(16) unsigned char value[];
};

struct pro_mailbox {
    struct pro_mailbox_options options;
    uint32_t references;                      /* shared: the users', counted as one, and the turn's */
    uint32_t users;                           /* shared */
    struct pro_completion_source *completion; /* its continuations never run inside */

    struct proi_mutex lock; /* guards what follows, up to the next empty line */
    struct message *oldest, *newest;
    size_t count;
    bool closed;             /* accepts no more */
    bool busy;               /* a turn is queued, running, or waits for the handler's task */
    struct pro_error *error; /* what it stopped for */

    /* the turn's */
    struct pro_work turn;
    struct pro_continuation continuation;
    struct message *current;
    struct pro_task *pending; /* the handler's; held */
};

/* ---- memory ---- */

static void free_message(struct pro_mailbox *mailbox, struct message *message)
{
    proi_flow_drop(message->flow);
    proi_block_free(message, sizeof *message + mailbox->options.message.size);
}

static void drop_reference(struct pro_mailbox *mailbox)
{
    /* Acquire: the last one sees what the turns and the posters did. */
    if (proi_fetch_sub(&mailbox->references, 1u, PROI_ACQ_REL) != 1)
        return;
    pro_completion_source_free(mailbox->completion);
    pro_task_scheduler_unref(mailbox->options.scheduler);
    pro_error_unref(mailbox->error);
    proi_free(mailbox);
}

/* Those that nobody will handle. Not under the lock: the user's function is called. */
static void drop_messages(struct pro_mailbox *mailbox, struct message *message)
{
    while (message) {
        struct message *const next = message->next;

        if (mailbox->options.drop)
            mailbox->options.drop(message->value);
        free_message(mailbox, message);
        message = next;
    }
}

/* ---- the end ---- */

/* Under the lock: takes out all that waits. */
static struct message *empty(struct pro_mailbox *mailbox)
{
    struct message *const all = mailbox->oldest;

    mailbox->oldest = mailbox->newest = NULL;
    mailbox->count = 0;
    return all;
}

/* Nothing is busy any more and nothing can become so. It tries: closing and the last turn may both find that. */
static void finish(struct pro_mailbox *mailbox)
{
    if (mailbox->error)
        pro_completion_source_try_set_error(mailbox->completion, pro_error_ref(mailbox->error));
    else
        pro_completion_source_try_set_result(mailbox->completion, NULL, PRO_NO_RESULT);
}

static void close_mailbox(struct pro_mailbox *mailbox, bool drop, struct pro_error *error)
{
    struct message *dropped;
    bool over;

    proi_lock(&mailbox->lock);
    mailbox->closed = true;
    if (error && !mailbox->error)
        mailbox->error = pro_error_ref(error);
    dropped = drop ? empty(mailbox) : NULL;
    over = !mailbox->busy && !mailbox->count;
    proi_unlock(&mailbox->lock);
    drop_messages(mailbox, dropped);
    if (over)
        finish(mailbox);
}

/* ---- turns ---- */

static void end_turn(struct pro_mailbox *mailbox);

/* The busy flag and a reference are held. A scheduler that refuses stops the mailbox. */
static void queue_turn(struct pro_mailbox *mailbox, bool fairly)
{
    const int code = proi_scheduler_queue(mailbox->options.scheduler, &mailbox->turn, fairly);
    struct pro_error *why;

    if (code >= 0)
        return;
    why = pro_error_caused_by(PRO_E_SCHEDULER, PRO_SITE_UNKNOWN, pro_error_of(code));
    close_mailbox(mailbox, true, why);
    pro_error_unref(why);
    end_turn(mailbox);
}

/* What comes after a message: the next one, or rest. */
static void end_turn(struct pro_mailbox *mailbox)
{
    bool more, over;

    proi_lock(&mailbox->lock);
    more = mailbox->count != 0;
    mailbox->busy = more;
    over = !more && mailbox->closed;
    proi_unlock(&mailbox->lock);
    if (more) {
        queue_turn(mailbox, false); /* an item for each message: others of the scheduler come in between */
        return;
    }
    /* Not busy any more: a post may begin a turn of its own elsewhere. */
    if (over)
        finish(mailbox);
    drop_reference(mailbox);
}

static void message_done(struct pro_mailbox *mailbox)
{
    struct pro_task *const task = mailbox->pending;

    free_message(mailbox, mailbox->current);
    mailbox->current = NULL;
    mailbox->pending = NULL;
    if (task && !pro_task_is_succeeded(task)) {
        if (mailbox->options.failed)
            mailbox->options.failed(mailbox->options.actor, pro_task_error(task));
        else
            close_mailbox(mailbox, true, pro_task_error(task));
    }
    pro_task_unref(task);
    end_turn(mailbox);
}

static void task_completed(struct pro_continuation *continuation)
{
    message_done(PRO_CONTAINER(continuation, struct pro_mailbox, continuation));
}

static struct message *take_message(struct pro_mailbox *mailbox)
{
    struct message *message;

    proi_lock(&mailbox->lock);
    message = mailbox->oldest;
    if (message) {
        mailbox->oldest = message->next;
        if (!mailbox->oldest)
            mailbox->newest = NULL;
        mailbox->count--;
    }
    proi_unlock(&mailbox->lock);
    return message;
}

/* The handler sees what the body of a task would: its scheduler, the poster's flow, no task. */
static struct pro_task *handle(struct pro_mailbox *mailbox, struct message *message)
{
    const struct proi_ambient saved = proi_ambient;
    struct pro_task *task;
    void *flow;

    proi_ambient.task = NULL;
    proi_ambient.scheduler = mailbox->options.scheduler;
    flow = proi_flow_enter(message->flow);
    message->flow = NULL;
    task = mailbox->options.handle(mailbox->options.actor, message->value);
    proi_flow_leave(flow);
    proi_ambient_leave(saved);
    return task;
}

static void run_turn(struct pro_work *work)
{
    struct pro_mailbox *const mailbox = PRO_CONTAINER(work, struct pro_mailbox, turn);

    mailbox->current = take_message(mailbox);
    if (!mailbox->current) { /* dropped by a stop */
        end_turn(mailbox);
        return;
    }
    mailbox->pending = handle(mailbox, mailbox->current);
    if (mailbox->pending && !pro_task_is_completed(mailbox->pending)) {
        proi_continuation_make(&mailbox->continuation, task_completed, PROI_CONTINUATION_ACTION);
        if (proi_task_add(mailbox->pending, &mailbox->continuation))
            return;
    }
    message_done(mailbox);
}

/* ---- the interface ---- */

int pro_mailbox_new(const struct pro_mailbox_options *options, struct pro_mailbox **ret_mailbox)
{
    struct pro_mailbox *mailbox;
    int code;

    if (!options || !options->handle || !ret_mailbox ||
        (options->scheduler && (!options->scheduler->vtable || !options->scheduler->vtable->queue)))
        return proi_misuse(PRO_E_INVALID, "pro_mailbox_new: the handler, ret_mailbox or the scheduler is missing");
    mailbox = proi_alloc_zeroed(sizeof *mailbox);
    if (!mailbox)
        return PRO_E_NO_MEMORY;
    code = pro_completion_source_new(PRO_NO_RESULT, PRO_TASK_ASYNC_CONTINUATIONS, &mailbox->completion);
    if (code < 0) {
        proi_free(mailbox);
        return code;
    }
    mailbox->options = *options;
    pro_task_scheduler_ref(options->scheduler);
    mailbox->references = mailbox->users = 1;
    mailbox->turn.run = run_turn;
    *ret_mailbox = mailbox;
    return PRO_OK;
}

struct pro_mailbox *pro_mailbox_ref(struct pro_mailbox *mailbox)
{
    if (mailbox)
        proi_fetch_add(&mailbox->users, 1u, PROI_RELAXED); /* who adds one has one */
    return mailbox;
}

void pro_mailbox_unref(struct pro_mailbox *mailbox)
{
    if (!mailbox || proi_fetch_sub(&mailbox->users, 1u, PROI_ACQ_REL) != 1)
        return;
    close_mailbox(mailbox, false, NULL);
    drop_reference(mailbox);
}

static struct message *new_message(struct pro_mailbox *mailbox, const void *value)
{
    const size_t size = mailbox->options.message.size;
    struct message *const message = proi_block_alloc(sizeof *message + size);

    if (!message)
        return NULL;
    message->next = NULL;
    message->flow = proi_flow_capture();
    if (value) /* else there is nothing in a message */
        memcpy(message->value, value, size);
    return message;
}

int pro_mailbox_post(struct pro_mailbox *mailbox, const void *value, struct pro_type type)
{
    struct message *message;
    bool accepted, begins = false;

    if (!mailbox || (!value && type.size))
        return proi_misuse(PRO_E_INVALID, "pro_mailbox_post: an argument is NULL");
    if (!proi_type_fits(mailbox->options.message, type))
        return proi_misuse(PRO_E_TYPE,
                           "pro_mailbox_post: the message is of another type than the mailbox was made for");
    message = new_message(mailbox, value);
    if (!message)
        return PRO_E_NO_MEMORY;
    proi_lock(&mailbox->lock);
    accepted = !mailbox->closed;
    if (accepted) {
        if (mailbox->newest)
            mailbox->newest->next = message;
        else
            mailbox->oldest = message;
        mailbox->newest = message;
        mailbox->count++;
        begins = !mailbox->busy;
        mailbox->busy = true;
        if (begins)
            proi_fetch_add(&mailbox->references, 1u, PROI_RELAXED); /* the turn's; the poster has one */
    }
    proi_unlock(&mailbox->lock);
    if (!accepted)
        free_message(mailbox, message);
    else if (begins)
        queue_turn(mailbox, true);
    return accepted ? PRO_OK : PRO_E_CLOSED;
}

size_t pro_mailbox_pending(struct pro_mailbox *mailbox)
{
    size_t count;

    if (!mailbox) {
        proi_misuse(PRO_E_INVALID, "pro_mailbox_pending: the mailbox is NULL");
        return 0;
    }
    proi_lock(&mailbox->lock);
    count = mailbox->count;
    proi_unlock(&mailbox->lock);
    return count;
}

struct pro_task *pro_mailbox_completion(struct pro_mailbox *mailbox)
{
    if (mailbox)
        return pro_completion_source_task(mailbox->completion);
    return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_mailbox_completion: the mailbox is NULL")));
}

struct pro_task *pro_mailbox_complete(struct pro_mailbox *mailbox)
{
    if (mailbox)
        close_mailbox(mailbox, false, NULL);
    return pro_mailbox_completion(mailbox);
}

struct pro_task *pro_mailbox_stop(struct pro_mailbox *mailbox)
{
    if (mailbox)
        close_mailbox(mailbox, true, NULL);
    return pro_mailbox_completion(mailbox);
}
