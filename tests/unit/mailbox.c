/* SPDX-License-Identifier: MIT */
/* Mailboxes handle one message at a time, in order, until they are drained or stopped; progress reports go where it was
 * made. */
#include "harness.h"

#include <proact/proact.h>

#include "gate.h"
#include "told.h"

enum { MANY = 2000, POSTERS = 3 };

struct actor {
    struct pro_mailbox *mailbox;
    int sum, count, last; /* written by the handler alone: no lock */
    bool in_order;
    uint32_t inside, beside;
    struct pro_completion_source *hold;
    struct pro_task_scheduler *scheduler;
    struct gate begun, leave, dropped, failed;
    int failure;
};

static struct pro_task *add(void *arg, void *message)
{
    struct actor *actor = arg;
    const int value = *(int *)message;

    if (proi_fetch_add(&actor->inside, 1, PROI_RELAXED))
        proi_store(&actor->beside, 1, PROI_RELAXED);
    actor->in_order = actor->in_order && value > actor->last;
    actor->last = value;
    actor->sum += value;
    actor->count++;
    actor->scheduler = pro_task_scheduler_current();
    proi_fetch_sub(&actor->inside, 1, PROI_RELAXED);
    return NULL;
}

static void note_drop(void *message)
{
    struct actor **actor = message;

    gate_add(&(*actor)->dropped);
}

static struct pro_mailbox *mailbox_new(struct actor *actor, struct pro_task *(*handle)(void *, void *),
                                       struct pro_task_scheduler *scheduler)
{
    const struct pro_mailbox_options options = {
        .message = PRO_TYPE(int), .handle = handle, .actor = actor, .scheduler = scheduler
    };

    REQUIRE(pro_mailbox_new(&options, &actor->mailbox) == PRO_OK);
    return actor->mailbox;
}

static void finish(struct pro_task *task)
{
    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    pro_task_unref(task);
}

TEST(messages_are_handled_one_at_a_time_and_in_order)
{
    /* Kills: a turn for each post; last in, first out. */
    struct actor actor = { .in_order = true, .last = -1 };
    struct pro_mailbox *mailbox = mailbox_new(&actor, add, NULL);

    for (int i = 0; i < MANY; i++)
        CHECK_EQ(PRO_POST(mailbox, &i), PRO_OK);
    finish(pro_mailbox_complete(mailbox));
    CHECK_EQ(actor.count, MANY);
    CHECK(actor.in_order);
    CHECK_EQ(pro_mailbox_pending(mailbox), 0);
    pro_mailbox_unref(mailbox);
}

static void post_many(void *arg)
{
    struct actor *actor = arg;
    const int one = 1;

    for (int i = 0; i < MANY; i++)
        PRO_POST(actor->mailbox, &one);
    gate_add(&actor->begun);
}

TEST(posts_from_many_threads_are_all_handled_and_never_beside_each_other)
{
    /* Kills: losing the wake-up of a post that meets the end of a turn. */
    struct actor actor = { .last = 0 };
    struct pro_exclusive_pair *pair = NULL;

    REQUIRE(pro_exclusive_pair_new(NULL, 0, &pair) == PRO_OK);
    mailbox_new(&actor, add, pro_exclusive_pair_exclusive(pair));
    for (int i = 0; i < POSTERS; i++)
        pro_pool_post(post_many, &actor);
    gate_wait(&actor.begun, POSTERS);
    finish(pro_mailbox_complete(actor.mailbox));
    CHECK_EQ(actor.sum, POSTERS * MANY);
    CHECK_EQ(actor.beside, 0);
    CHECK(actor.scheduler == pro_exclusive_pair_exclusive(pair));
    pro_mailbox_unref(actor.mailbox);
    pro_exclusive_pair_free(pair);
}

static struct pro_task *hold(void *arg, void *message)
{
    struct actor *actor = arg;

    (void)message;
    actor->count++;
    gate_add(&actor->begun);
    return pro_completion_source_task(actor->hold);
}

TEST(the_next_message_waits_for_the_handlers_task)
{
    /* Kills: ending the turn when the handler returns. */
    struct actor actor = { .count = 0 };
    struct pro_mailbox *mailbox;
    struct pro_task *done;
    const int one = 1;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &actor.hold) == PRO_OK);
    mailbox = mailbox_new(&actor, hold, NULL);
    CHECK_EQ(PRO_POST(mailbox, &one), PRO_OK);
    CHECK_EQ(PRO_POST(mailbox, &one), PRO_OK);
    gate_wait(&actor.begun, 1);
    CHECK_EQ(pro_mailbox_pending(mailbox), 1);
    done = pro_mailbox_complete(mailbox);
    CHECK_EQ(PRO_POST(mailbox, &one), PRO_E_CLOSED);
    CHECK_EQ(PRO_WAIT_HOW(done, PRO_WITHIN(PRO_MS(20))), PRO_E_TIMEOUT);
    CHECK_EQ(gate_count(&actor.begun), 1);
    pro_completion_source_set_result(actor.hold, NULL, PRO_NO_RESULT);
    finish(done);
    CHECK_EQ(actor.count, 2);
    pro_completion_source_free(actor.hold);
    pro_mailbox_unref(mailbox);
}

static struct pro_task *hold_pointer(void *arg, void *message)
{
    (void)message;
    return hold(arg, NULL);
}

TEST(stop_drops_what_waits_and_lets_the_present_message_finish)
{
    /* Kills: handling what waits after a stop; not telling drop; completing before the present one has. */
    struct actor actor = { .count = 0 }, *self = &actor;
    const struct pro_mailbox_options options = {
        .message = PRO_TYPE(struct actor *), .handle = hold_pointer, .drop = note_drop, .actor = &actor
    };
    struct pro_task *done;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &actor.hold) == PRO_OK);
    REQUIRE(pro_mailbox_new(&options, &actor.mailbox) == PRO_OK);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(PRO_POST(actor.mailbox, &self), PRO_OK);
    gate_wait(&actor.begun, 1);
    done = pro_mailbox_stop(actor.mailbox);
    CHECK_EQ(gate_count(&actor.dropped), 2);
    CHECK(!pro_task_is_completed(done));
    pro_completion_source_set_result(actor.hold, NULL, PRO_NO_RESULT);
    finish(done);
    CHECK_EQ(actor.count, 1);
    pro_completion_source_free(actor.hold);
    pro_mailbox_unref(actor.mailbox);
}

static struct pro_task *fail(void *arg, void *message)
{
    struct actor *actor = arg;

    (void)message;
    actor->count++;
    return pro_task_from_error(pro_error_new(PRO_E_USER - 5, PRO_HERE, "no"));
}

static void note_failure(void *arg, struct pro_error *error)
{
    struct actor *actor = arg;

    actor->failure = pro_error_code(error);
    gate_add(&actor->failed);
}

TEST(a_failure_stops_the_mailbox_unless_somebody_takes_it)
{
    /* Kills: ignoring a failed task; stopping although it was taken. */
    struct actor actor = { .count = 0 }, tolerant = { .count = 0 };
    const struct pro_mailbox_options options = {
        .message = PRO_NO_RESULT, .handle = fail, .failed = note_failure, .actor = &tolerant
    };
    struct pro_mailbox *mailbox = mailbox_new(&actor, fail, NULL);
    struct pro_task *done = pro_mailbox_completion(mailbox);
    const int one = 1;

    PRO_POST(mailbox, &one);
    CHECK_EQ(PRO_WAIT(done), PRO_E_AGGREGATE);
    CHECK_EQ(pro_error_code(pro_task_error(done)), PRO_E_USER - 5);
    CHECK_EQ(PRO_POST(mailbox, &one), PRO_E_CLOSED);
    pro_task_unref(done);
    pro_mailbox_unref(mailbox);

    REQUIRE(pro_mailbox_new(&options, &tolerant.mailbox) == PRO_OK);
    CHECK_EQ(pro_mailbox_post(tolerant.mailbox, NULL, PRO_NO_RESULT), PRO_OK);
    CHECK_EQ(pro_mailbox_post(tolerant.mailbox, NULL, PRO_NO_RESULT), PRO_OK);
    finish(pro_mailbox_complete(tolerant.mailbox));
    CHECK_EQ(gate_count(&tolerant.failed), 2);
    CHECK_EQ(tolerant.failure, PRO_E_USER - 5);
    pro_mailbox_unref(tolerant.mailbox);
}

TEST(a_mailbox_whose_scheduler_refuses_faults)
{
    /* Kills: leaving the message without a turn for ever. */
    struct actor actor = { .count = 0 };
    struct pro_exclusive_pair *pair = NULL;
    struct pro_task *done;
    const int one = 1;

    REQUIRE(pro_exclusive_pair_new(NULL, 0, &pair) == PRO_OK);
    pro_exclusive_pair_complete(pair);
    mailbox_new(&actor, add, pro_exclusive_pair_exclusive(pair));
    done = pro_mailbox_completion(actor.mailbox);
    CHECK_EQ(PRO_POST(actor.mailbox, &one), PRO_OK);
    CHECK_EQ(PRO_WAIT(done), PRO_E_AGGREGATE);
    CHECK_EQ(pro_error_code(pro_task_error(done)), PRO_E_SCHEDULER);
    pro_task_unref(done);
    pro_mailbox_unref(actor.mailbox);
    pro_exclusive_pair_free(pair);
}

TEST(the_last_reference_drains_a_mailbox)
{
    /* Kills: freeing it under its turn; dropping what was posted. */
    static struct actor actor;
    struct pro_task *done;

    mailbox_new(&actor, add, NULL);
    done = pro_mailbox_completion(actor.mailbox);
    for (int i = 1; i <= 100; i++)
        PRO_POST(actor.mailbox, &i);
    pro_mailbox_unref(actor.mailbox);
    finish(done);
    CHECK_EQ(actor.sum, 5050);
}

TEST(a_message_of_another_type_is_refused)
{
    /* Kills: copying as many bytes as the mailbox was made for from something smaller. */
    struct actor actor = { .count = 0 };
    const char small = 1;

    mailbox_new(&actor, add, NULL);
    told_listen();
    CHECK_MISUSE(PRO_POST(actor.mailbox, &small), PRO_E_TYPE);
    told_stop();
    pro_mailbox_unref(actor.mailbox);
}

/* ---- progress ---- */
struct listener {
    int values[4];
    uint32_t count;
    struct pro_sync_context *seen;
    bool on_pool;
    struct pro_async_local *local; /* may be NULL */
    void *value;                   /* what is heard of it */
    struct gate heard, closed;
};

static void hear(void *arg, const void *value)
{
    struct listener *listener = arg;

    listener->seen = pro_sync_context_current();
    listener->on_pool = pro_pool_is_worker();
    if (listener->local)
        listener->value = pro_async_local_get(listener->local);
    listener->values[proi_fetch_add(&listener->count, 1, PROI_RELAXED)] = *(const int *)value;
    gate_add(&listener->heard);
}

static void note_closed(void *arg) { gate_add(&((struct listener *)arg)->closed); }

TEST(reports_are_posted_to_the_context_of_construction)
{
    /* Kills: using the reporter's context; keeping the pointer instead of the value; calling inside report. */
    struct listener listener = { .count = 0 };
    struct pro_pump *pump = NULL;
    struct pro_progress *progress = NULL;
    int value = 7;

    REQUIRE(pro_pump_new("ui", &pump) == PRO_OK);
    pro_sync_context_set(pro_pump_context(pump));
    REQUIRE(pro_progress_new(PRO_TYPE(int), hear, &listener, note_closed, &progress) == PRO_OK);
    CHECK_EQ(PRO_REPORT(progress, &value), PRO_OK);
    pro_sync_context_set(NULL);
    value = 8;
    CHECK_EQ(PRO_REPORT(progress, &value), PRO_OK);
    value = 0;
    CHECK_EQ(listener.count, 0);
    pro_progress_unref(progress); /* what is under way keeps it */
    CHECK_EQ(gate_count(&listener.closed), 0);
    CHECK_EQ(pro_pump_run_pending(pump), 2);
    CHECK_EQ(gate_count(&listener.closed), 1);
    CHECK_EQ(listener.values[0], 7);
    CHECK_EQ(listener.values[1], 8);
    CHECK(listener.seen == pro_pump_context(pump));
    pro_pump_free(pump);
}

TEST(without_a_context_reports_go_to_the_pool)
{
    /* Kills: calling the listener on the reporting thread. */
    struct listener listener = { .count = 0 };
    struct pro_progress *progress = NULL;
    const int value = 3;
    const char small = 0;

    REQUIRE(pro_progress_new(PRO_TYPE(int), hear, &listener, NULL, &progress) == PRO_OK);
    CHECK_EQ(PRO_REPORT(progress, &value), PRO_OK);
    gate_wait(&listener.heard, 1);
    CHECK(listener.on_pool);
    CHECK_EQ(listener.values[0], 3);
    told_listen();
    CHECK_MISUSE(PRO_REPORT(progress, &small), PRO_E_TYPE);
    told_stop();
    pro_progress_unref(progress);
}

static struct pro_work *posted;
static int keep_posted(struct pro_sync_context *context, struct pro_work *work)
{
    (void)context;
    posted = work;
    return PRO_OK;
}

TEST(a_report_carries_the_reporters_values_to_the_pool_and_to_a_context_that_flows)
{
    /* SEM-112, SEM-122. Kills: values of the reporter on a context that does not flow; none on one that does, or on the
       pool. */
    for (int flows = -1; flows < 2; flows++) { /* -1: no context, the pool */
        const struct pro_sync_context_vtable vtable = { .post = keep_posted, .post_flows = flows == 1 };
        struct pro_sync_context context;
        struct listener listener = { .value = &listener };
        struct pro_progress *progress = NULL;
        const int value = 3;
        int mine;

        REQUIRE(pro_async_local_new(NULL, &listener.local) == PRO_OK);
        REQUIRE(pro_sync_context_init(&context, &vtable, "own") == PRO_OK);
        pro_sync_context_set(flows < 0 ? NULL : &context);
        REQUIRE(pro_progress_new(PRO_TYPE(int), hear, &listener, note_closed, &progress) == PRO_OK);
        pro_sync_context_set(NULL);
        CHECK_EQ(pro_async_local_set(listener.local, &mine), PRO_OK);
        CHECK_EQ(PRO_REPORT(progress, &value), PRO_OK);
        CHECK_EQ(pro_async_local_set(listener.local, NULL), PRO_OK);
        if (flows >= 0)
            pro_work_run(posted);
        pro_progress_unref(progress);
        gate_wait(&listener.closed, 1);
        CHECK(listener.value == (flows ? &mine : NULL));
        pro_async_local_unref(listener.local);
    }
}
