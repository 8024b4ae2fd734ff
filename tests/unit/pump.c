/* SPDX-License-Identifier: MIT */
/* The pump: order, its context, nesting, stopping, sending, and what becomes of leftovers. */
#include "harness.h"

#include <proact/proact.h>

#include "gate.h"

enum { MANY = 100 };

struct log {
    struct pro_pump *pump;
    int count, values[MANY];
    bool always_current;
    struct gate done;
};

struct entry {
    struct pro_work work;
    struct log *log;
    int value;
};

static void entry_run(struct pro_work *work)
{
    struct entry *entry = PRO_CONTAINER(work, struct entry, work);
    struct log *log = entry->log;

    log->values[log->count++] = entry->value;
    log->always_current = log->always_current && pro_sync_context_current() == pro_pump_context(log->pump);
    pro_sync_context_set(NULL); /* rude: the next item must find the context again */
    gate_add(&log->done);
}

static void entries_post(struct log *log, struct entry *entries, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        entries[i] = (struct entry){ .work = { .run = entry_run }, .log = log, .value = i };
        CHECK_EQ(pro_sync_context_post_work(pro_pump_context(log->pump), &entries[i].work), PRO_OK);
    }
}

static void stop(void *pump) { CHECK_EQ(pro_pump_stop(pump), PRO_OK); }

static struct pro_pump *pump_new(void)
{
    struct pro_pump *pump = NULL;

    REQUIRE(pro_pump_new("ui", &pump) == PRO_OK);
    return pump;
}

static void count_misuse(int code, const char *sentence, void *user)
{
    (void)code;
    (void)sentence;
    ++*(int *)user;
}

TEST(items_run_in_order_and_each_finds_the_context_current)
{
    /* Kills: installing the context once for the whole run; last in, first out. */
    struct log log = { .pump = pump_new(), .always_current = true };
    struct entry entries[10];

    entries_post(&log, entries, 0, 10);
    CHECK_EQ(pro_pump_pending(log.pump), 10);
    pro_sync_context_post(pro_pump_context(log.pump), stop, log.pump);
    CHECK_EQ(pro_pump_run(log.pump), PRO_OK);
    CHECK_EQ(log.count, 10);
    for (int i = 0; i < log.count; i++)
        CHECK_EQ(log.values[i], i);
    CHECK(log.always_current);
    CHECK(pro_sync_context_current() == NULL);
    CHECK_EQ(pro_pump_free(log.pump), PRO_OK);
}

TEST(a_stop_before_the_run_is_not_lost_and_is_used_up_by_it)
{
    /* Kills: clearing the request when a run begins; not clearing it when the outermost ends. */
    struct log log = { .pump = pump_new(), .always_current = true };
    struct entry entries[1];

    entries_post(&log, entries, 0, 1);
    pro_pump_stop(log.pump);
    CHECK_EQ(pro_pump_run(log.pump), PRO_OK);
    CHECK_EQ(log.count, 0);
    pro_sync_context_post(pro_pump_context(log.pump), stop, log.pump);
    CHECK_EQ(pro_pump_run(log.pump), PRO_OK);
    CHECK_EQ(log.count, 1);
    pro_pump_free(log.pump);
}

static void run_pump(void *pump) { CHECK_EQ(pro_pump_run(pump), PRO_OK); }

TEST(a_sleeping_pump_wakes_for_posts_of_other_threads)
{
    /* Kills: not signalling in post. */
    struct log log = { .pump = pump_new(), .always_current = true };
    struct entry entries[MANY];
    struct proi_thread thread;

    REQUIRE(proi_thread_start(&thread, "ui", run_pump, log.pump, 0) == PRO_OK);
    for (int i = 0; i < MANY; i++) {
        entries_post(&log, entries, i, 1);
        gate_wait(&log.done, (uint32_t)i + 1);
    }
    pro_pump_stop(log.pump);
    proi_thread_join(&thread);
    CHECK_EQ(log.count, MANY);
    pro_pump_free(log.pump);
}

struct who {
    struct gate done;
    uint64_t thread;
    struct pro_sync_context *context;
};

static void tell_who(void *arg)
{
    struct who *who = arg;

    who->thread = pro_thread_id();
    who->context = pro_sync_context_current();
    gate_add(&who->done);
}

static void stop_it(void *pump) { pro_pump_stop(pump); }

TEST(send_from_another_thread_runs_on_the_pump_before_it_returns)
{
    /* Kills: running the item on the sender's thread; returning before it has run. */
    struct pro_pump *pump = pump_new();
    struct proi_thread thread;
    struct who runner = { .thread = 0 }, sent = { .thread = 0 };

    REQUIRE(proi_thread_start(&thread, "ui", run_pump, pump, 0) == PRO_OK);
    pro_sync_context_post(pro_pump_context(pump), tell_who, &runner);
    gate_wait(&runner.done, 1);
    CHECK_EQ(pro_sync_context_send(pro_pump_context(pump), tell_who, &sent), PRO_OK);
    CHECK_EQ(gate_count(&sent.done), 1);
    CHECK_EQ(sent.thread, runner.thread);
    CHECK(sent.context == pro_pump_context(pump));
    stop_it(pump);
    proi_thread_join(&thread);
    pro_pump_free(pump);
}

struct sender {
    struct pro_pump *pump;
    struct who who;
    struct pro_sync_context *afterwards;
};

static void send_to_own(void *arg)
{
    struct sender *sender = arg;

    pro_sync_context_set(NULL);
    CHECK_EQ(pro_sync_context_send(pro_pump_context(sender->pump), tell_who, &sender->who), PRO_OK);
    sender->afterwards = pro_sync_context_current();
    pro_pump_stop(sender->pump);
}

TEST(send_from_the_pumps_own_thread_runs_inline_with_the_context_current)
{
    /* Kills: queueing and waiting for oneself; leaving the context installed afterwards. */
    struct sender sender = { .pump = pump_new(), .afterwards = NULL };

    pro_sync_context_post(pro_pump_context(sender.pump), send_to_own, &sender);
    pro_pump_run(sender.pump);
    CHECK_EQ(sender.who.thread, pro_thread_id());
    CHECK(sender.who.context == pro_pump_context(sender.pump));
    CHECK(sender.afterwards == NULL);
    pro_pump_free(sender.pump);
}

TEST(run_pending_ignores_a_stop_and_leaves_it_to_the_next_run)
{
    /* Kills: using the stop up. */
    struct log log = { .pump = pump_new(), .always_current = true };
    struct entry entries[3];

    pro_pump_stop(log.pump);
    entries_post(&log, entries, 0, 3);
    CHECK_EQ(pro_pump_run_pending(log.pump), 3);
    CHECK_EQ(pro_pump_run_pending(log.pump), 0);
    CHECK_EQ(pro_pump_run(log.pump), PRO_OK);
    pro_pump_free(log.pump);
}

struct again {
    struct pro_pump *pump;
    int left;
};

static void post_again(void *arg)
{
    struct again *again = arg;

    if (again->left-- > 0)
        CHECK_EQ(pro_sync_context_post(pro_pump_context(again->pump), post_again, again), PRO_OK);
}

TEST(an_item_that_posts_itself_does_not_keep_run_pending_busy)
{
    /* Kills: running until the queue is empty. */
    struct again again = { .pump = pump_new(), .left = 3 };

    post_again(&again);
    CHECK_EQ(pro_pump_run_pending(again.pump), 1);
    CHECK_EQ(pro_pump_pending(again.pump), 1);
    CHECK_EQ(pro_pump_run_pending(again.pump), 1);
    CHECK_EQ(pro_pump_run_pending(again.pump), 1);
    CHECK_EQ(pro_pump_run_pending(again.pump), 0);
    CHECK_EQ(again.left, -1);
    pro_pump_free(again.pump);
}

struct second {
    struct pro_pump *pump;
    struct gate inside, leave;
    int code;
};

static void hold_pump(void *arg)
{
    struct second *second = arg;
    uint64_t owner = 0;
    struct pro_sync_context *context = pro_pump_context(second->pump);

    CHECK(context->vtable->owner_thread(context, &owner));
    CHECK_EQ(owner, pro_thread_id());
    gate_add(&second->inside);
    gate_wait(&second->leave, 1);
    pro_pump_stop(second->pump);
}

TEST(only_one_thread_runs_a_pump_and_it_cannot_be_freed_meanwhile)
{
    /* Kills: letting a second thread in; freeing under a running pump. */
    struct second second = { .pump = pump_new() };
    struct pro_sync_context *context = pro_pump_context(second.pump);
    struct proi_thread thread;
    uint64_t owner = 0;
    int told = 0;

    CHECK(!context->vtable->owner_thread(context, &owner));
    pro_sync_context_post(context, hold_pump, &second);
    REQUIRE(proi_thread_start(&thread, "ui", run_pump, second.pump, 0) == PRO_OK);
    gate_wait(&second.inside, 1);
    pro_set_misuse_handler(count_misuse, &told);
    CHECK_EQ(pro_pump_run(second.pump), PRO_E_STATE);
    CHECK_EQ(pro_pump_run_pending(second.pump), PRO_E_STATE);
    CHECK_EQ(pro_pump_free(second.pump), PRO_E_STATE);
    CHECK_EQ(told, 3);
    pro_set_misuse_handler(NULL, NULL);
    gate_add(&second.leave);
    proi_thread_join(&thread);
    CHECK(!context->vtable->owner_thread(context, &owner));
    CHECK_EQ(pro_pump_free(second.pump), PRO_OK);
}

TEST(freeing_hands_leftovers_to_the_pool_and_later_posts_follow_them)
{
    /* Kills: dropping leftovers; accepting posts that nobody will run. */
    struct pro_pump *pump = pump_new();
    struct pro_sync_context *context = pro_sync_context_ref(pro_pump_context(pump));
    struct who left = { .context = context }, late = { .context = context };

    pro_sync_context_post(context, tell_who, &left);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
    gate_wait(&left.done, 1);
    CHECK(left.thread != pro_thread_id());
    CHECK(left.context == NULL);
    CHECK_EQ(pro_sync_context_post(context, tell_who, &late), PRO_OK);
    gate_wait(&late.done, 1);
    CHECK(late.thread != pro_thread_id());
    pro_sync_context_unref(context);
}

static void visit_entry(struct pro_work *work, void *arg)
{
    struct log *log = arg;

    log->values[log->count++] = PRO_CONTAINER(work, struct entry, work)->value;
}

TEST(a_report_sees_the_queue_oldest_first)
{
    /* Kills: visiting newest first. */
    struct log log = { .pump = pump_new(), .always_current = true }, seen = { .count = 0 };
    struct pro_sync_context *context = pro_pump_context(log.pump);
    struct entry entries[3];

    entries_post(&log, entries, 0, 3);
    context->vtable->for_each_queued(context, visit_entry, &seen);
    CHECK_EQ(seen.count, 3);
    for (int i = 0; i < seen.count; i++)
        CHECK_EQ(seen.values[i], i);
    CHECK_EQ(pro_pump_run_pending(log.pump), 3);
    pro_pump_free(log.pump);
}

/* ---- run_until ---- */
struct until {
    struct pro_pump *pump;
    struct pro_completion_source *source;
    struct pro_task *task;
    struct gate inside;
    int code, value;
};

static void until_new(struct until *until)
{
    *until = (struct until){ .pump = pump_new() };
    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &until->source) == PRO_OK);
    until->task = pro_completion_source_task(until->source);
}

static void until_free(struct until *until)
{
    pro_task_unref(until->task);
    pro_completion_source_free(until->source);
    CHECK_EQ(pro_pump_free(until->pump), PRO_OK);
}

static void tell_inside(void *arg) { gate_add(&((struct until *)arg)->inside); }
static void complete(void *arg)
{
    pro_completion_source_set_result(((struct until *)arg)->source, NULL, PRO_NO_RESULT);
}
static void wait_inside_then_complete(void *arg)
{
    gate_wait(&((struct until *)arg)->inside, 1);
    complete(arg);
}

TEST(run_until_returns_when_another_thread_completes_the_task)
{
    /* Kills: waking only for posts: nothing is posted when the task completes. */
    struct until until;
    struct proi_thread thread;

    until_new(&until);
    pro_sync_context_post(pro_pump_context(until.pump), tell_inside, &until);
    REQUIRE(proi_thread_start(&thread, "completer", wait_inside_then_complete, &until, 0) == PRO_OK);
    CHECK_EQ(pro_pump_run_until(until.pump, until.task), PRO_OK);
    CHECK(pro_task_is_completed(until.task));
    CHECK_EQ(pro_pump_pending(until.pump), 0);
    proi_thread_join(&thread);
    until_free(&until);
}

TEST(run_until_with_a_complete_task_runs_nothing)
{
    /* Kills: running one item before looking. */
    struct until until;

    until_new(&until);
    complete(&until);
    pro_sync_context_post(pro_pump_context(until.pump), tell_inside, &until);
    CHECK_EQ(pro_pump_run_until(until.pump, until.task), PRO_OK);
    CHECK_EQ(gate_count(&until.inside), 0);
    CHECK_EQ(pro_pump_run_pending(until.pump), 1);
    until_free(&until);
}

static void run_nested(void *arg)
{
    struct until *until = arg;

    until->code = pro_pump_run_until(until->pump, until->task);
    until->value = (int)gate_count(&until->inside);
    CHECK(pro_sync_context_current() == pro_pump_context(until->pump));
}

TEST(a_nested_run_lets_other_items_run_inside_the_one_that_waits)
{
    /* Kills: a nested run that refuses its own thread; one that goes on after the task is complete. */
    struct until until;

    until_new(&until);
    pro_sync_context_post(pro_pump_context(until.pump), run_nested, &until);
    pro_sync_context_post(pro_pump_context(until.pump), tell_inside, &until);
    pro_sync_context_post(pro_pump_context(until.pump), complete, &until);
    pro_sync_context_post(pro_pump_context(until.pump), tell_inside, &until);
    pro_sync_context_post(pro_pump_context(until.pump), stop, until.pump);
    CHECK_EQ(pro_pump_run(until.pump), PRO_OK);
    CHECK_EQ(until.code, PRO_OK);
    CHECK_EQ(until.value, 1);
    CHECK_EQ(gate_count(&until.inside), 2);
    until_free(&until);
}

TEST(a_stop_ends_every_nested_run_and_the_task_may_complete_long_after)
{
    /* Kills: a nested run that uses the stop up; a wake-up that touches the run which is gone, or the pump which is
     * freed. */
    struct until until;

    until_new(&until);
    pro_sync_context_post(pro_pump_context(until.pump), run_nested, &until);
    pro_sync_context_post(pro_pump_context(until.pump), stop, until.pump);
    CHECK_EQ(pro_pump_run(until.pump), PRO_OK);
    CHECK_EQ(until.code, PRO_E_CANCELED);
    CHECK_EQ(pro_pump_free(until.pump), PRO_OK);
    complete(&until);
    pro_task_unref(until.task);
    pro_completion_source_free(until.source);
}

TEST(missing_arguments_are_invalid)
{
    /* Kills: leaving out one of the checks. */
    struct pro_pump *pump = pump_new();
    int told = 0;

    pro_set_misuse_handler(count_misuse, &told);
    CHECK_EQ(pro_pump_new("x", NULL), PRO_E_INVALID);
    CHECK_EQ(pro_pump_run(NULL), PRO_E_INVALID);
    CHECK_EQ(pro_pump_run_until(NULL, NULL), PRO_E_INVALID);
    CHECK_EQ(pro_pump_run_until(pump, NULL), PRO_E_INVALID);
    CHECK_EQ(pro_pump_run_pending(NULL), PRO_E_INVALID);
    CHECK_EQ(pro_pump_stop(NULL), PRO_E_INVALID);
    CHECK_EQ(told, 6);
    CHECK_EQ(pro_pump_free(NULL), PRO_OK);
    CHECK_EQ(pro_pump_pending(NULL), 0);
    CHECK(pro_pump_context(NULL) == NULL);
    pro_set_misuse_handler(NULL, NULL);
    pro_pump_free(pump);
}
