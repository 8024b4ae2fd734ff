/* SPDX-License-Identifier: MIT */
/* The report of blocked threads: each line says what it must, from live objects. */
#include <proact/proact.h>

#include "gate.h"
#include "loops.h"

#include <stdarg.h>

enum { LINES = 40, LENGTH = 400 };

struct lines {
    char text[LINES][LENGTH];
    int count;
};

static void keep_line(const char *line, void *user)
{
    struct lines *const lines = user;

    if (lines->count < LINES)
        snprintf(lines->text[lines->count++], LENGTH, "%s", line);
}

static void no_line(const char *line, void *user) { (void)line, (void)user; }

/* Is there a line with all of these words, which end with NULL? */
static bool has_line(const struct lines *lines, ...)
{
    for (int i = 0; i < lines->count; i++) {
        const char *word;
        bool all = true;
        va_list words;

        va_start(words, lines);
        while (all && (word = va_arg(words, const char *)) != NULL)
            all = strstr(lines->text[i], word) != NULL;
        va_end(words);
        if (all)
            return true;
    }
    for (int i = 0; i < lines->count; i++)
        test_note("%s", lines->text[i]);
    return false;
}

TEST(nothing_blocked_is_said_so)
{
    // Kills: silence.
    struct lines lines = { .count = 0 };

    CHECK_EQ(pro_report_blocked(keep_line, &lines), 0);
    CHECK_EQ(lines.count, 1);
    CHECK_STR(lines.text[0], "no thread is blocked in a wait");
}

struct scene {
    struct pro_task *task; /* what the thread waits for */
    struct pro_how how;
    int line;
    struct pro_pump *pump;
    struct pro_completion_source *source;
    struct pro_task *outside;
};

static void block_there(void *arg)
{
    struct scene *const it = arg;

    pro_thread_set_name("the blocked one");
    it->line = __LINE__ + 1;
    PRO_WAIT_HOW(it->task, it->how);
}

static void wait_until_blocked(int count)
{
    while (pro_report_blocked(no_line, NULL) < count)
        ;
}

static struct pro_completion_source *source_new(struct pro_task **ret_task)
{
    struct pro_completion_source *source = NULL;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    *ret_task = pro_completion_source_task(source);
    return source;
}

TEST(a_blocked_thread_is_told_with_its_name_line_task_and_limit)
{
    // Kills: any of these left out.
    for (int bounded = 0; bounded < 2; bounded++) {
        struct scene it = { .how = bounded ? PRO_WITHIN(PRO_S(3600)) : PRO_HOW_DEFAULT };
        struct pro_completion_source *const source = source_new(&it.task);
        struct lines lines = { .count = 0 };
        struct proi_thread thread;
        char place[40];

        pro_task_set_name(it.task, "the order");
        REQUIRE(proi_thread_start(&thread, "blocked", block_there, &it, 0) == PRO_OK);
        wait_until_blocked(1);
        CHECK_EQ(pro_report_blocked(keep_line, &lines), 1);
        snprintf(place, sizeof place, "report.c:%d", it.line);
        CHECK(has_line(&lines, "the blocked one", "is blocked", "block_there", place, NULL));
        CHECK_EQ(strstr(lines.text[0], "with a limit") != NULL, bounded);
        CHECK(has_line(&lines, "waits for", "\"the order\"", "completion source", NULL));
        CHECK(has_line(&lines, "somebody outside must complete", NULL));
        CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
        proi_thread_join(&thread);
        pro_task_unref(it.task);
        pro_completion_source_free(source);
    }
}

/* ---- the ring ---- */

struct inner {
    PRO_FRAME;
    struct pro_task *outside; /* borrowed */
};

static int inner_line;

PRO_ASYNC(inner_move_next, struct inner, self)
    inner_line = __LINE__ + 1;
    PRO_AWAIT(pro_borrow(self->outside));
PRO_ASYNC_END

static struct pro_task *inner_async(struct pro_task *outside)
{
    struct inner *const self = PRO_NEW_FRAME_VOID(struct inner, inner_move_next);

    REQUIRE(self != NULL);
    self->outside = outside;
    return PRO_START(self);
}

struct outer {
    PRO_FRAME;
    struct pro_task *outside; /* borrowed */
};

PRO_ASYNC(outer_move_next, struct outer, self)
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(inner_async(self->outside), PRO_AWAIT_NONE));
PRO_ASYNC_END

static struct pro_task *outer_async(struct pro_task *outside)
{
    struct outer *const self = PRO_NEW_FRAME_VOID(struct outer, outer_move_next);

    REQUIRE(self != NULL);
    self->outside = outside;
    return PRO_START(self);
}

static void block_the_ui(void *arg)
{
    struct scene *const it = arg;
    struct pro_task *const task = outer_async(it->outside);

    pro_thread_set_name("the user interface");
    CHECK_EQ(PRO_WAIT_HOW(task, it->how), PRO_E_CANCELED);
    pro_task_unref(task);
    CHECK_EQ(pro_pump_stop(it->pump), PRO_OK);
}

static void run_ui(void *arg)
{
    struct scene *const it = arg;

    CHECK_EQ(pro_sync_context_post(pro_pump_context(it->pump), block_the_ui, it), PRO_OK);
    CHECK_EQ(pro_pump_run(it->pump), PRO_OK);
}

TEST(the_ring_is_told_from_the_blocked_thread_through_the_awaits_to_its_own_queue)
{
    // Kills: a chain that stops at the first task; a queue or a thread that is not the real one.
    struct pro_cancellation_source *canceller = NULL;
    struct lines lines = { .count = 0 };
    struct scene it = { .line = 0 };
    struct proi_thread thread;
    char place[40];

    REQUIRE(pro_cancellation_source_new(&canceller) == PRO_OK);
    REQUIRE(pro_pump_new("ui", &it.pump) == PRO_OK);
    it.how.token = pro_cancellation_source_token(canceller);
    it.source = source_new(&it.outside);
    REQUIRE(proi_thread_start(&thread, "ui", run_ui, &it, 0) == PRO_OK);
    wait_until_blocked(1);
    CHECK_EQ(pro_completion_source_set_result(it.source, NULL, PRO_NO_RESULT),
             PRO_OK); /* its step is posted to the ui */
    CHECK_EQ(pro_report_blocked(keep_line, &lines), 1);
    snprintf(place, sizeof place, "report.c:%d", inner_line);
    CHECK(has_line(&lines, "the user interface", "is blocked in block_the_ui()", NULL));
    CHECK(has_line(&lines, "waits for", "\"outer_async\"", "outer_move_next", NULL));
    CHECK(has_line(&lines, "which awaits", "\"inner_async\"", "inner_move_next", NULL));
    CHECK(has_line(&lines, "suspended at", place, NULL));
    CHECK(has_line(&lines, "queued in context \"ui\"", NULL));
    CHECK(has_line(&lines, "only thread", "the user interface", "the ring closes here", NULL));
    CHECK(has_line(&lines, "cures:", NULL));
    CHECK_EQ(pro_cancellation_source_cancel(canceller), PRO_OK);
    proi_thread_join(&thread);
    CHECK_EQ(pro_pump_run_pending(it.pump), 1);
    CHECK_EQ(pro_pump_free(it.pump), PRO_OK);
    pro_task_unref(it.outside);
    pro_completion_source_free(it.source);
    pro_cancellation_source_unref(canceller);
}

/* ---- an operation ---- */

struct receiving {
    PRO_FRAME;
    struct pro_op op;
    struct pro_loop *loop;
};

PRO_ASYNC(receiving_move_next, struct receiving, self)
    PRO_AWAIT(pro_sleep(&self->op, self->loop, PRO_S(3600), PRO_HOW_DEFAULT));
PRO_ASYNC_END

TEST(an_awaited_operation_is_told_with_its_loop)
{
    // Kills: a chain that ends in silence at an op.
    struct pro_loop *const loop = loop_on(NULL, "the loop", false);
    struct receiving *const self = PRO_NEW_FRAME_VOID(struct receiving, receiving_move_next);
    struct lines lines = { .count = 0 };
    struct scene it = { .line = 0 };
    struct proi_thread thread;

    REQUIRE(self != NULL);
    CHECK_EQ(pro_loop_run_once(loop, 0), 0);
    self->loop = loop;
    it.task = PRO_START(self);
    REQUIRE(proi_thread_start(&thread, "blocked", block_there, &it, 0) == PRO_OK);
    wait_until_blocked(1);
    CHECK_EQ(pro_report_blocked(keep_line, &lines), 1);
    CHECK(has_line(&lines, "awaits an operation of loop \"the loop\"", NULL));
    loop_end(loop); /* ends the op, the method, and the wait */
    proi_thread_join(&thread);
    pro_task_unref(it.task);
}

/* ---- two that await each other ---- */

struct knot {
    PRO_FRAME;
    struct pro_task **other; /* borrowed */
    struct pro_task *first;  /* borrowed */
};

PRO_ASYNC(knot_move_next, struct knot, self)
    PRO_AWAIT(pro_borrow(self->first));
    PRO_AWAIT(pro_borrow(*self->other));
PRO_ASYNC_END

static struct pro_task *knot_async(struct pro_task *first, struct pro_task **other)
{
    struct knot *const self = PRO_NEW_FRAME_VOID(struct knot, knot_move_next);

    REQUIRE(self != NULL);
    self->first = first;
    self->other = other;
    return PRO_START(self);
}

TEST(two_methods_that_await_each_other_are_told_as_a_ring)
{
    // Kills: a walk that never ends.
    static struct pro_task *a, *b; /* they keep each other for ever: no thread or context can help */
    struct pro_task *gate;
    struct pro_completion_source *const source = source_new(&gate);
    struct lines lines = { .count = 0 };
    struct scene it = { .how = PRO_HOW_DEFAULT };
    struct pro_cancellation_source *canceller = NULL;
    struct proi_thread thread;

    REQUIRE(pro_cancellation_source_new(&canceller) == PRO_OK);
    a = knot_async(gate, &b);
    b = knot_async(gate, &a);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    it.task = a;
    it.how.token = pro_cancellation_source_token(canceller);
    REQUIRE(proi_thread_start(&thread, "blocked", block_there, &it, 0) == PRO_OK);
    wait_until_blocked(1);
    do { /* one of them gets there by way of the pool */
        lines.count = 0;
        CHECK_EQ(pro_report_blocked(keep_line, &lines), 1);
    } while (!strstr(lines.text[lines.count - 2], "await each other"));
    CHECK(has_line(&lines, "await each other", "the ring closes here", NULL));
    CHECK(has_line(&lines, "cures: one of them must not wait", NULL));
    CHECK_EQ(pro_cancellation_source_cancel(canceller), PRO_OK);
    proi_thread_join(&thread);
    pro_task_unref(gate);
    pro_completion_source_free(source);
    pro_cancellation_source_unref(canceller);
}

/* ---- what a report may meet on its way ---- */

struct slot {
    struct pro_sync_context base;
    struct pro_work *posted;
    bool is_gone;
};

static int slot_post(struct pro_sync_context *context, struct pro_work *work)
{
    PRO_CONTAINER(context, struct slot, base)->posted = work;
    return PRO_OK;
}

static void slot_destroy(struct pro_sync_context *context)
{
    PRO_CONTAINER(context, struct slot, base)->is_gone = true;
}

static const struct pro_sync_context_vtable slot_vtable = { .post = slot_post, .destroy = slot_destroy };

struct switching {
    PRO_FRAME;
    struct pro_sync_context *to; /* borrowed */
};

PRO_ASYNC(switching_move_next, struct switching, self)
    PRO_AWAIT(pro_switch_to(self->to));
PRO_ASYNC_END

TEST(a_context_to_which_a_method_switches_stays_until_the_method_has_gone_on)
{
    // Kills: a switch that does not hold its context, which reports would read after it has gone.
    struct slot slot = { .posted = NULL };
    struct switching *const self = PRO_NEW_FRAME_VOID(struct switching, switching_move_next);
    struct lines lines = { .count = 0 };
    struct pro_task *task;

    REQUIRE(self != NULL);
    CHECK_EQ(pro_sync_context_init(&slot.base, &slot_vtable, "the slot"), PRO_OK);
    pro_async_debugging_enable(true);
    self->to = &slot.base;
    task = PRO_START(self);
    pro_sync_context_unref(&slot.base);
    CHECK(!slot.is_gone);
    CHECK_EQ(pro_report_incomplete(keep_line, &lines), 1);
    CHECK(has_line(&lines, "context \"the slot\"", NULL));
    REQUIRE(slot.posted != NULL);
    pro_work_run(slot.posted);
    CHECK(slot.is_gone);
    CHECK(pro_task_is_succeeded(task));
    pro_task_unref(task);
    pro_async_debugging_enable(false);
}

static void ask_again(const char *line, void *user)
{
    (void)line;
    CHECK_EQ(pro_report_blocked(no_line, user), 1);
}

TEST(a_line_of_a_report_may_ask_for_another_report)
{
    // Kills: lines that are told while the report keeps others from going.
    struct scene it = { .how = PRO_HOW_DEFAULT };
    struct pro_completion_source *const source = source_new(&it.task);
    struct proi_thread thread;

    REQUIRE(proi_thread_start(&thread, "blocked", block_there, &it, 0) == PRO_OK);
    wait_until_blocked(1);
    CHECK_EQ(pro_report_blocked(ask_again, NULL), 1);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    proi_thread_join(&thread);
    pro_task_unref(it.task);
    pro_completion_source_free(source);
}
