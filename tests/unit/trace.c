/* SPDX-License-Identifier: MIT */
/* What the listener is told, in which order: the sequences of events are those that .NET 10 prints for the same four
   programs, but where a comment says otherwise. The table of active tasks, the methods that have not ended, and
   activities. */
#include <proact/proact.h>

#include "awaiters/internal.h"
#include "gate.h"
#include "harness.h"

/* ---- a listener that writes down ---- */

enum { LINES = 60, LENGTH = 100, TASKS = 20 };

struct record {
    uint64_t main; /* this thread's lines go to [0], those of all others to [1] */
    char text[2][LINES * LENGTH];
    uint64_t tasks[TASKS]; /* a number is written as a letter, in order of appearance */
    int count;
    bool numbers; /* NewID is written, too */
    uint64_t last_ns;
    bool disorder;
    struct gate completed; /* TaskCompleted, and the end of a continuation */
};

static char letter_of(struct record *record, uint64_t id)
{
    if (!id)
        return '-';
    for (int i = 0; i < record->count; i++)
        if (record->tasks[i] == id)
            return (char)('a' + i);
    if (record->count == TASKS)
        return '?';
    record->tasks[record->count++] = id;
    return (char)('a' + record->count - 1);
}

static void write_down(const struct pro_trace_event *event, void *user)
{
    struct record *const record = user;
    char *const text = record->text[event->thread != record->main];
    size_t used = strlen(text);

    if (event->time_ns < record->last_ns)
        record->disorder = true;
    record->last_ns = event->time_ns;
    if (event->kind == PRO_TRACE_NEW_ID && !record->numbers)
        return;
    used += (size_t)snprintf(text + used, sizeof record->text[0] - used, "%s %c", pro_trace_kind_name(event->kind),
                             letter_of(record, event->task));
    if (event->name)
        snprintf(text + used, sizeof record->text[0] - used, " %s\n", event->name);
    else if (event->kind == PRO_TRACE_WAIT_BEGIN)
        snprintf(text + used, sizeof record->text[0] - used, " %d then %c\n", event->detail,
                 letter_of(record, event->other));
    else
        snprintf(text + used, sizeof record->text[0] - used, " %d\n", event->detail);
    if (event->kind == PRO_TRACE_TASK_COMPLETED)
        gate_add(&record->completed);
}

static void listen_with(struct record *record)
{
    *record = (struct record){ .main = pro_thread_id() };
    pro_trace_set_listener(write_down, record);
}

static void check_lines(struct record *record, const char *here, const char *elsewhere)
{
    pro_trace_set_listener(NULL, NULL);
    CHECK_STR(record->text[0], here);
    CHECK_STR(record->text[1], elsewhere);
    CHECK(!record->disorder);
}

/* ---- what is traced ---- */

static struct pro_error *body_at_gate(void *arg, void *ret_result)
{
    (void)ret_result;
    if (arg)
        gate_wait(arg, 1);
    return NULL;
}

static struct pro_task *run_at(struct gate *gate)
{
    return pro_task_run(body_at_gate, gate, PRO_NO_RESULT, PRO_TOKEN_NONE);
}

static struct pro_error *then_nothing(struct pro_task *antecedent, void *arg, void *ret_result)
{
    (void)antecedent, (void)arg, (void)ret_result;
    return NULL;
}

struct waiting {
    PRO_FRAME;
    struct pro_task *task; /* its reference is awaited away */
    uint64_t activity;     /* set before the await; seen after it */
    uint64_t *seen;        /* may be NULL */
};

static int waiting_line;

PRO_ASYNC(waiting_move_next, struct waiting, self)
    if (self->activity)
        CHECK_EQ(pro_activity_set_id(self->activity), PRO_OK);
    waiting_line = __LINE__ + 1;
    PRO_AWAIT(self->task);
    if (self->seen)
        *self->seen = pro_activity_id();
PRO_ASYNC_END

static struct pro_task *waiting_async(struct pro_task *task, uint64_t activity, uint64_t *seen)
{
    struct waiting *const self = PRO_NEW_FRAME_VOID(struct waiting, waiting_move_next);

    REQUIRE(self != NULL);
    self->task = task;
    self->activity = activity;
    self->seen = seen;
    return PRO_START(self);
}

struct yielding {
    PRO_FRAME;
};

PRO_ASYNC(yielding_move_next, struct yielding, self)
    PRO_AWAIT(pro_yield());
PRO_ASYNC_END

static struct pro_completion_source *source_new(struct pro_task **ret_task)
{
    struct pro_completion_source *source = NULL;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    *ret_task = pro_completion_source_task(source);
    return source;
}

/* ---- sequences ---- */

TEST(an_awaited_task_run_tells_what_dotnet_tells)
{
    // Kills: any event of it left out, told twice, or at another place.
    struct gate gate = { 0 };
    struct record record;
    struct pro_task *task;

    listen_with(&record);
    task = waiting_async(run_at(&gate), 0, NULL);
    gate_add(&gate);
    gate_wait(&record.completed, 1);
    check_lines(&record,
                "TraceOperationBegin a Task\n"
                "TaskScheduled a 0\n"
                "TraceOperationBegin b Async\n"
                "TaskWaitBegin a 2 then b\n",
                "TaskStarted a 0\n"
                "TraceSynchronousWorkBegin a 2\n"
                "TraceSynchronousWorkEnd a 2\n"
                "TraceOperationEnd a 1\n"
                "TraceSynchronousWorkBegin a 0\n"
                "TaskWaitEnd a 0\n"
                "TraceSynchronousWorkBegin b 2\n"
                "TraceOperationEnd b 1\n"
                "TraceSynchronousWorkEnd b 2\n"
                "TaskWaitContinuationComplete a 0\n"
                "TraceSynchronousWorkEnd a 0\n"
                "TaskCompleted a 0\n");
    CHECK(pro_task_is_succeeded(task));
    pro_task_unref(task);
}

TEST(a_method_suspended_and_resumed_inside_the_completion_tells_what_dotnet_tells)
{
    // Kills: the pairs of notification and execution nested the other way round; a completion source told as an
    // operation.
    struct record record;
    struct pro_task *promise, *task;
    struct pro_completion_source *const source = source_new(&promise);

    listen_with(&record);
    task = waiting_async(pro_task_ref(promise), 0, NULL);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    check_lines(&record,
                "TraceOperationBegin a Async\n"
                "TaskWaitBegin b 2 then a\n"
                "TraceSynchronousWorkBegin b 0\n"
                "TaskWaitEnd b 0\n"
                "TraceSynchronousWorkBegin a 2\n"
                "TraceOperationEnd a 1\n"
                "TraceSynchronousWorkEnd a 2\n"
                "TaskWaitContinuationComplete b 0\n"
                "TraceSynchronousWorkEnd b 0\n",
                "");
    pro_task_unref(task);
    pro_task_unref(promise);
    pro_completion_source_free(source);
}

TEST(a_yield_tells_that_its_continuation_is_scheduled_started_and_complete)
{
    // Kills: silence where nothing is waited for; .NET makes a number for the continuation, here it bears the method's.
    struct yielding *const self = PRO_NEW_FRAME_VOID(struct yielding, yielding_move_next);
    struct pro_pump *pump = NULL;
    struct pro_sync_context *before;
    struct record record;
    struct pro_task *task;

    REQUIRE(self != NULL && pro_pump_new("trace", &pump) == PRO_OK);
    before = pro_sync_context_set(pro_pump_context(pump));
    listen_with(&record);
    task = PRO_START(self);
    CHECK_EQ(pro_pump_run_until(pump, task), PRO_OK);
    check_lines(&record,
                "TraceOperationBegin a Async\n"
                "AwaitTaskContinuationScheduled a 0\n"
                "TaskWaitContinuationStarted a 0\n"
                "TraceSynchronousWorkBegin a 2\n"
                "TraceOperationEnd a 1\n"
                "TraceSynchronousWorkBegin a 0\n" /* the pump waits for it */
                "TraceSynchronousWorkEnd a 0\n"
                "TraceSynchronousWorkEnd a 2\n"
                "TaskWaitContinuationComplete a 0\n",
                "");
    pro_sync_context_set(before);
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
    pro_task_unref(task);
}

struct on_loop {
    PRO_FRAME;
    struct pro_op op;
};

PRO_ASYNC(on_loop_move_next, struct on_loop, self)
    PRO_AWAIT(pro_yield());
    PRO_AWAIT(pro_nop(&self->op, pro_loop_current(), PRO_HOW_DEFAULT));
PRO_ASYNC_END

static struct pro_task *on_loop_async(void *arg)
{
    struct on_loop *const self = PRO_NEW_FRAME_VOID(struct on_loop, on_loop_move_next);

    REQUIRE(self != NULL);
    listen_with(arg);
    return PRO_START(self);
}

TEST(on_a_loop_a_yield_is_scheduled_and_an_operation_is_waited_for)
{
    // Kills: the loop's own queue left out; silence at an operation, for which .NET has no event.
    struct record record;
    const char *const end = "TraceOperationEnd a 1\n";
    char *at;

    CHECK_EQ(pro_run(on_loop_async, &record), PRO_OK);
    pro_trace_set_listener(NULL, NULL);
    at = strstr(record.text[0], end);
    REQUIRE(at != NULL);
    at[strlen(end)] = 0; /* how the loop's run is told of the end is another matter */
    CHECK_STR(record.text[0], "TraceOperationBegin a Async\n"
                              "AwaitTaskContinuationScheduled a 0\n"
                              "TaskWaitContinuationStarted a 0\n"
                              "TraceSynchronousWorkBegin a 2\n"
                              "TaskWaitBegin - 2 then a\n"
                              "TraceSynchronousWorkEnd a 2\n"
                              "TaskWaitContinuationComplete a 0\n"
                              "TaskWaitEnd - 0\n"
                              "TraceSynchronousWorkBegin a 2\n"
                              "TraceOperationEnd a 1\n");
}

TEST(a_blocking_wait_tells_what_dotnet_tells)
{
    // Kills: a wait told as asynchronous; an end that is missing.
    struct record record;
    struct pro_task *promise;
    struct pro_completion_source *const source = source_new(&promise);

    listen_with(&record);
    CHECK_EQ(PRO_WAIT_HOW(promise, PRO_WITHIN(1)), PRO_E_TIMEOUT);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    CHECK_EQ(PRO_WAIT(promise), PRO_OK); /* complete: no wait */
    check_lines(&record,
                "TaskWaitBegin a 1 then -\n"
                "TaskWaitEnd a 0\n"
                "TaskWaitContinuationComplete a 0\n",
                "");
    pro_task_unref(promise);
    pro_completion_source_free(source);
}

TEST(a_continuation_task_tells_what_dotnet_tells)
{
    // Kills: the relation left out; scheduled told twice when it is offered for inlining first.
    struct gate gate = { 0 };
    struct record record;
    struct pro_task *task, *then;

    listen_with(&record);
    task = run_at(&gate);
    then = pro_task_then(task, then_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_THEN_EXECUTE_SYNCHRONOUSLY, NULL);
    gate_add(&gate);
    gate_wait(&record.completed, 2);
    check_lines(&record,
                "TraceOperationBegin a Task\n"
                "TaskScheduled a 0\n"
                "TraceOperationBegin b Task.ContinueWith\n",
                "TaskStarted a 0\n"
                "TraceSynchronousWorkBegin a 2\n"
                "TraceSynchronousWorkEnd a 2\n"
                "TraceOperationEnd a 1\n"
                "TraceSynchronousWorkBegin a 0\n"
                "TraceOperationRelation b 0\n"
                "TaskScheduled b 0\n"
                "TaskStarted b 0\n"
                "TraceSynchronousWorkBegin b 2\n"
                "TraceSynchronousWorkEnd b 2\n"
                "TraceOperationEnd b 1\n"
                "TaskCompleted b 0\n"
                "TraceSynchronousWorkEnd a 0\n"
                "TaskCompleted a 0\n");
    pro_task_unref(task);
    pro_task_unref(then);
}

TEST(what_is_offered_for_inlining_and_then_queued_is_scheduled_once)
{
    // Kills: TaskScheduled told again when the scheduler would not inline.
    struct pro_task_scheduler *limited = NULL;
    struct pro_task *promise, *then;
    struct pro_completion_source *const source = source_new(&promise);
    struct record record;

    REQUIRE(pro_limited_scheduler_new("limited", NULL, 1, &limited) == PRO_OK);
    listen_with(&record);
    then = pro_task_then(promise, then_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_THEN_EXECUTE_SYNCHRONOUSLY,
                         limited);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    gate_wait(&record.completed, 1);
    check_lines(&record,
                "TraceOperationBegin a Task.ContinueWith\n"
                "TraceSynchronousWorkBegin b 0\n"
                "TraceOperationRelation a 0\n"
                "TaskScheduled a 0\n"
                "TraceSynchronousWorkEnd b 0\n",
                "TaskStarted a 0\n"
                "TraceSynchronousWorkBegin a 2\n"
                "TraceSynchronousWorkEnd a 2\n"
                "TraceOperationEnd a 1\n"
                "TaskCompleted a 0\n");
    pro_task_unref(then);
    pro_task_unref(promise);
    pro_completion_source_free(source);
    pro_task_scheduler_unref(limited);
}

TEST(a_combination_tells_each_member_that_joins)
{
    // Kills: a relation told once only; an end before the last has joined.
    struct record record;
    struct pro_task *tasks[2], *all;
    struct pro_completion_source *const first = source_new(&tasks[0]), *const second = source_new(&tasks[1]);

    listen_with(&record);
    all = pro_when_all(tasks, 2);
    CHECK_EQ(pro_completion_source_set_result(first, NULL, PRO_NO_RESULT), PRO_OK);
    CHECK_EQ(pro_completion_source_set_result(second, NULL, PRO_NO_RESULT), PRO_OK);
    check_lines(&record,
                "TraceOperationBegin a Task.WhenAll\n"
                "TraceSynchronousWorkBegin b 0\n"
                "TraceOperationRelation a 1\n"
                "TraceSynchronousWorkEnd b 0\n"
                "TraceSynchronousWorkBegin c 0\n"
                "TraceOperationRelation a 1\n"
                "TraceOperationEnd a 1\n"
                "TraceSynchronousWorkEnd c 0\n",
                "");
    pro_task_unref(all);
    pro_task_unref(tasks[0]);
    pro_task_unref(tasks[1]);
    pro_completion_source_free(first);
    pro_completion_source_free(second);
}

TEST(what_is_complete_at_once_tells_nothing)
{
    // Kills: a hook on the way of an await that does not suspend.
    struct record record;

    listen_with(&record);
    pro_task_unref(waiting_async(pro_task_completed(), 0, NULL));
    check_lines(&record, "", "");
}

TEST(a_number_is_told_when_it_is_given_and_only_then)
{
    // Kills: NewID told at every question.
    struct record record;
    struct pro_task *task;
    struct pro_completion_source *const source = source_new(&task);

    listen_with(&record);
    record.numbers = true;
    CHECK_EQ(pro_task_id(task), pro_task_id(task));
    check_lines(&record, "NewID a 0\n", "");
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    pro_task_unref(task);
    pro_completion_source_free(source);
}

static void ask_back(const struct pro_trace_event *event, void *user)
{
    struct pro_task **const task = user;

    if (event->kind == PRO_TRACE_TASK_SCHEDULED) {
        CHECK(pro_task_id(*task) != 0); /* a number given inside the listener: no event of its own */
        pro_trace_set_listener(NULL, NULL);
    }
}

TEST(a_listener_may_ask_and_may_remove_itself)
{
    // Kills: an event inside the listener, which would wait for itself.
    struct pro_task *promise, *task;
    struct pro_completion_source *const source = source_new(&promise);

    pro_trace_set_listener(ask_back, &promise);
    task = run_at(NULL);
    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    pro_task_unref(task);
    pro_task_unref(promise);
    pro_completion_source_free(source);
}

TEST(every_kind_of_event_has_a_name_and_other_numbers_have_none)
{
    // Kills: a name read beyond the list.
    CHECK_STR(pro_trace_kind_name(PRO_TRACE_TASK_SCHEDULED), "TaskScheduled");
    CHECK_STR(pro_trace_kind_name(PRO_TRACE_SYNCHRONOUS_WORK_END), "TraceSynchronousWorkEnd");
    CHECK_STR(pro_trace_kind_name((enum pro_trace_kind)(PRO_TRACE_SYNCHRONOUS_WORK_END + 1)), "unknown");
    CHECK_STR(pro_trace_kind_name((enum pro_trace_kind)0), "unknown");
}

/* ---- the table ---- */

static void keep_id(struct pro_task *task, void *user)
{
    uint64_t *const ids = user;

    ids[++ids[0]] = pro_task_id(task);
}

TEST(active_tasks_are_listed_in_the_order_of_their_numbers_until_they_are_complete)
{
    // Kills: an entry that stays after completion, or is lost when the table grows; any other order.
    enum { MANY = 200 };
    struct pro_task *promise, *tasks[MANY];
    struct pro_completion_source *source = source_new(&promise);
    uint64_t ids[MANY + 2] = { 0 };

    while (pro_task_id(promise) % 256 != 150) { /* so that the order of numbers is not that of the table's chains */
        CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
        pro_task_unref(promise);
        pro_completion_source_free(source);
        source = source_new(&promise);
    }
    pro_async_debugging_enable(true);
    for (int i = 0; i < MANY; i++)
        tasks[i] = waiting_async(pro_task_ref(promise), 0, NULL);
    CHECK_EQ(pro_active_tasks_for_each(keep_id, ids), MANY);
    CHECK_EQ(ids[0], MANY);
    for (int i = 0; i < MANY; i++) {
        struct pro_task *const found = pro_active_task_from_id(ids[i + 1]);

        CHECK_EQ(ids[i + 1], pro_task_id(tasks[i]));
        CHECK(found == tasks[i]);
        pro_task_unref(found);
    }
    CHECK(pro_active_task_from_id(0) == NULL);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    for (int i = 0; i < MANY; i++)
        CHECK_EQ(PRO_WAIT(tasks[i]), PRO_OK); /* all but the first go on on the pool (SEM-061) */
    CHECK_EQ(pro_active_tasks_for_each(keep_id, (uint64_t[4]){ 0 }), 0);
    CHECK(pro_active_task_from_id(ids[1]) == NULL);
    for (int i = 0; i < MANY; i++)
        pro_task_unref(tasks[i]);
    pro_async_debugging_enable(false);
    pro_task_unref(promise);
    pro_completion_source_free(source);
}

static void look_for_it(const struct pro_trace_event *event, void *user)
{
    int *const ended = user;

    if (event->kind != PRO_TRACE_OPERATION_END)
        return;
    CHECK(pro_active_task_from_id(event->task) == NULL);
    (*ended)++;
}

TEST(a_task_is_not_active_from_its_completion_on_and_the_table_holds_it_no_longer)
{
    // Kills: a task found in the table between its completion and its removal; a reference that stays there.
    int ended = 0;
    struct pro_task *inner, *outer, *promise;
    struct pro_completion_source *const source = source_new(&promise);

    pro_async_debugging_enable(true);
    inner = waiting_async(pro_task_ref(promise), 0, NULL);
    outer = waiting_async(pro_task_ref(inner), 0, NULL);
    CHECK_EQ(proi_load(&outer->references, PROI_RELAXED), 3); /* ours, its frame's, the table's */
    pro_trace_set_listener(look_for_it, &ended);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    pro_trace_set_listener(NULL, NULL);
    CHECK_EQ(ended, 2);
    CHECK_EQ(proi_load(&inner->references, PROI_RELAXED), 1);
    CHECK_EQ(proi_load(&outer->references, PROI_RELAXED), 1);
    pro_async_debugging_enable(false);
    pro_task_unref(inner);
    pro_task_unref(outer);
    pro_task_unref(promise);
    pro_completion_source_free(source);
}

TEST(a_queued_task_that_is_cancelled_leaves_the_table_and_one_switched_off_forgets_all)
{
    // Kills: a removal on one way of ending only; references kept after the table was switched off.
    struct pro_cancellation_source *canceller = NULL;
    struct pro_task *promise, *waiting, *then;
    struct pro_completion_source *const source = source_new(&promise);

    REQUIRE(pro_cancellation_source_new(&canceller) == PRO_OK);
    pro_async_debugging_enable(true);
    then = pro_task_then(promise, then_nothing, NULL, PRO_NO_RESULT, pro_cancellation_source_token(canceller), 0, NULL);
    waiting = waiting_async(pro_task_ref(promise), 0, NULL);
    CHECK_EQ(pro_active_tasks_for_each(keep_id, (uint64_t[4]){ 0 }), 2);
    CHECK_EQ(pro_cancellation_source_cancel(canceller), PRO_OK);
    CHECK(pro_task_is_canceled(then));
    CHECK_EQ(pro_active_tasks_for_each(keep_id, (uint64_t[4]){ 0 }), 1);
    pro_async_debugging_enable(false);
    CHECK_EQ(pro_active_tasks_for_each(keep_id, (uint64_t[4]){ 0 }), 0);
    CHECK_EQ(proi_load(&waiting->references, PROI_RELAXED), 2); /* ours, and its frame's */
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    CHECK(pro_task_is_succeeded(waiting));
    pro_task_unref(waiting);
    pro_task_unref(then);
    pro_task_unref(promise);
    pro_cancellation_source_unref(canceller);
    pro_completion_source_free(source);
}

struct voiding {
    PRO_FRAME;
    struct pro_task *task;
};

PRO_ASYNC(voiding_move_next, struct voiding, self)
    PRO_AWAIT(self->task);
PRO_ASYNC_END

TEST(an_async_void_method_is_in_the_table_while_it_is_suspended)
{
    // Kills: an entry of async void that nobody takes out.
    struct voiding *const self = PRO_NEW_FRAME_VOID(struct voiding, voiding_move_next);
    uint64_t ids[4] = { 0 };
    struct pro_task *promise, *task, *both[2], *all;
    struct pro_completion_source *const source = source_new(&promise);

    REQUIRE(self != NULL);
    pro_async_debugging_enable(true);
    self->task = pro_task_ref(promise);
    PRO_START_VOID(self);
    CHECK_EQ(pro_active_tasks_for_each(keep_id, ids), 1);
    task = pro_active_task_from_id(ids[1]);
    REQUIRE(task != NULL);
    both[0] = task;
    both[1] = promise;
    all = pro_when_all(both, 2); /* Kills: an end that tells nobody who waits */
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    CHECK_EQ(proi_load(&task->references, PROI_RELAXED), 2); /* ours, and that of all: neither the frame's nor the table's is left */
    CHECK(pro_task_is_succeeded(all));
    pro_task_unref(all);
    pro_task_unref(task);
    pro_async_debugging_enable(false);
    pro_task_unref(promise);
    pro_completion_source_free(source);
}

/* ---- methods that have not ended ---- */

struct report {
    char text[2000];
};

static void keep_line(const char *line, void *user)
{
    struct report *const report = user;
    const size_t used = strlen(report->text);

    snprintf(report->text + used, sizeof report->text - used, "%s\n", line);
}

TEST(methods_that_have_not_ended_are_told_with_the_line_where_they_wait_and_for_what)
{
    // Kills: a method left out; the line of its start in place of the one that waits; a delegate told as a method.
    struct gate gate = { 0 };
    struct report report = { "" };
    struct pro_task *promise, *inner, *outer, *other;
    struct pro_completion_source *const source = source_new(&promise);
    char place[60];

    pro_async_debugging_enable(true);
    other = run_at(&gate);
    inner = waiting_async(pro_task_ref(promise), 0, NULL);
    outer = waiting_async(pro_task_ref(inner), 0, NULL);
    pro_task_set_name(promise, "the order");
    pro_task_set_name(inner, "the inner one");
    CHECK_EQ(pro_report_incomplete(keep_line, &report), 2);
    snprintf(place, sizeof place, "suspended at trace.c:%d", waiting_line);
    CHECK(strstr(report.text, place) != NULL);
    CHECK(strstr(report.text, "not ended: task \"the inner one\" (waiting_move_next), made at trace.c:") != NULL);
    CHECK(strstr(report.text, "which awaits task \"the order\" (completion source)") != NULL);
    CHECK(strstr(report.text, "which awaits task \"the inner one\"") != NULL);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    report.text[0] = 0;
    CHECK_EQ(pro_report_incomplete(keep_line, &report), 0);
    CHECK_STR(report.text, "every async method in the table of active tasks has ended\n");
    gate_add(&gate);
    CHECK_EQ(PRO_WAIT(other), PRO_OK);
    pro_async_debugging_enable(false);
    pro_task_unref(other);
    pro_task_unref(inner);
    pro_task_unref(outer);
    pro_task_unref(promise);
    pro_completion_source_free(source);
}

/* ---- activities ---- */

static struct pro_error *give_activity(void *arg, void *ret_result)
{
    const uint64_t id = pro_activity_id();

    (void)arg;
    memcpy(ret_result, &id, sizeof id);
    return NULL;
}

static void keep_activity(const struct pro_trace_event *event, void *user)
{
    uint64_t *const kept = user;

    if (event->kind == PRO_TRACE_TASK_STARTED)
        *kept = event->activity;
}

TEST(an_activity_flows_into_tasks_and_through_awaits_and_not_out_of_a_method)
{
    // Kills: a number of the thread in place of one that flows; events that bear the listener's own.
    const uint64_t first = pro_activity_new_id(), second = pro_activity_new_id();
    uint64_t seen = 0, told = 0, given = 0;
    struct pro_task *promise, *task;
    struct pro_completion_source *const source = source_new(&promise);

    CHECK(first && second && first != second);
    CHECK_EQ(pro_activity_id(), 0);
    CHECK_EQ(pro_activity_set_id(first), PRO_OK);
    pro_trace_set_listener(keep_activity, &told);
    task = pro_task_run(give_activity, NULL, PRO_TYPE(uint64_t), PRO_TOKEN_NONE);
    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    pro_trace_set_listener(NULL, NULL);
    CHECK_EQ(pro_task_read(task, &given, PRO_TYPE(uint64_t)), PRO_OK);
    CHECK_EQ(given, first);
    CHECK_EQ(told, first);
    pro_task_unref(task);

    task = waiting_async(pro_task_ref(promise), second, &seen);
    CHECK_EQ(pro_activity_id(), first); /* the method's own stays in it */
    CHECK_EQ(pro_activity_set_id(0), PRO_OK);
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    CHECK_EQ(seen, second);
    CHECK_EQ(pro_activity_id(), 0);
    pro_task_unref(task);
    pro_task_unref(promise);
    pro_completion_source_free(source);
}
