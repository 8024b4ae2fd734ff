/* SPDX-License-Identifier: MIT */
/* SEM-029…030, 050, 084…086, 250…258: the execution context, and the async-locals in it. */
#include <proact/async.h>

#include "semantics.h"

static struct pro_async_local *local;
static int one, two, three;
static char text[200];

static const char *name_of(const void *value)
{
    return value == &one ? "1" : value == &two ? "2" : value == &three ? "3" : "-";
}
static void note_value(void) { strcat(text, name_of(pro_async_local_get(local))); }

static void begin(const struct pro_async_local_options *options)
{
    REQUIRE(pro_async_local_new(options, &local) == PRO_OK);
    text[0] = '\0';
}

static void end(void)
{
    CHECK_EQ(pro_async_local_set(local, NULL), PRO_OK);
    pro_async_local_unref(local);
}

static void set(int *value) { CHECK_EQ(pro_async_local_set(local, value), PRO_OK); }

/* ---- methods ---- */
struct setting {
    PRO_FRAME;
    struct pro_task *task;
    int *before, *after;
};

PRO_ASYNC(setting_move_next, struct setting, self)
    if (self->before)
        set(self->before);
    note_value();
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(self->task, PRO_AWAIT_NONE));
    note_value();
    if (self->after)
        set(self->after);
PRO_ASYNC_END

static struct pro_task *setting_async(struct pro_task *task, int *before, int *after)
{
    struct setting *self = PRO_NEW_FRAME_VOID(struct setting, setting_move_next);

    if (!self)
        return pro_task_no_memory();
    self->task = task;
    self->before = before;
    self->after = after;
    return PRO_START(self);
}

TEST(values_flow_down_and_over_awaits_and_never_up)
{
    /* SEM-029, SEM-050, SEM-084…086, SEM-253, SEM-254. Kills: a flow that is not restored after the start, not captured
       at the suspension, not left after the resumption, or shared by siblings. */
    struct pro_completion_source *const first = source_new(0), *const second = source_new(0);
    struct pro_task *methods[3];

    begin(NULL);
    set(&one);
    methods[0] = setting_async(pro_completion_source_task(first), NULL, &three); /* notes 1 */
    note_value();
    methods[1] = setting_async(pro_completion_source_task(second), &two, NULL); /* notes 2 */
    note_value();
    methods[2] = setting_async(pro_task_completed(), &two, &three); /* synchronous: notes 2, 2 */
    note_value();
    set(NULL);
    source_end(first); /* notes 1 */
    note_value();
    source_end(second); /* notes 2 */
    note_value();
    CHECK_STR(text, "1121221"
                    "1-2-");
    for (int i = 0; i < 3; i++)
        pro_task_unref(methods[i]);
    end();
}

static void note_in_continuation(struct pro_continuation *continuation)
{
    (void)continuation;
    note_value();
}

TEST(the_raw_form_flows_the_context_and_the_unsafe_one_does_not)
{
    /* SEM-030. Kills: the same behaviour of both. */
    struct pro_completion_source *const source = source_new(0);
    struct pro_task *const task = pro_completion_source_task(source);
    struct pro_continuation safe, unsafe;

    begin(NULL);
    pro_continuation_init(&safe, note_in_continuation);
    pro_continuation_init(&unsafe, note_in_continuation);
    set(&one);
    CHECK_EQ(pro_awaiter_on_completed(pro_task_get_awaiter(task), &safe, PRO_AWAIT_NONE), PRO_OK);
    set(&two);
    source_end(source); /* one continuation alone, so that it runs inline */
    CHECK_STR(text, "1");
    pro_task_unref(task);

    {
        struct pro_completion_source *const again = source_new(0);
        struct pro_task *const second = pro_completion_source_task(again);

        CHECK_EQ(pro_awaiter_unsafe_on_completed(pro_task_get_awaiter(second), &unsafe, PRO_AWAIT_NONE), PRO_OK);
        set(&three);
        source_end(again);
        CHECK_STR(text, "13");
        pro_task_unref(second);
    }
    end();
}

/* ---- work ---- */
static struct pro_error *note_in_body(void *unused, void *ret_result)
{
    (void)unused, (void)ret_result;
    note_value();
    set(&three); /* stays in the body */
    return NULL;
}

static struct gate ran;
static void note_in_post(void *unused)
{
    (void)unused;
    note_value();
    gate_add(&ran);
}

TEST(work_runs_under_the_context_of_its_making)
{
    /* SEM-251, SEM-252. Kills: a task, a continuation of one or a posted call that does not capture; a body's change
     * that stays. */
    struct pro_task *task, *continuation;

    begin(NULL);
    set(&one);
    task = pro_task_new(note_in_body, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT);
    set(&two);
    CHECK_EQ(pro_task_run_synchronously(task, NULL), PRO_OK);
    note_value();
    pro_task_unref(task);
    continuation = pro_task_run(note_in_body, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE);
    CHECK_EQ(wait_some(continuation), PRO_OK);
    pro_task_unref(continuation);
    CHECK_EQ(pro_pool_post(note_in_post, NULL), PRO_OK);
    set(&one);
    gate_wait(&ran, 1);
    CHECK_STR(text, "1222");
    end();
}

static void note_in_callback(void *unused)
{
    (void)unused;
    note_value();
}

TEST(registrations_flow_and_unsafe_ones_do_not)
{
    /* SEM-238. Kills: the same behaviour of both. */
    struct pro_cancellation_source *const source = cancellation_new();
    const struct pro_cancellation_token token = pro_cancellation_source_token(source);
    struct pro_cancellation_registration safe = { 0 }, unsafe = { 0 };
    struct pro_cancellation_callback how = { .callback = note_in_callback };

    begin(NULL);
    set(&one);
    CHECK_EQ(pro_cancellation_register_callback(token, &safe, &how), PRO_OK);
    how.without_flow = true;
    CHECK_EQ(pro_cancellation_register_callback(token, &unsafe, &how), PRO_OK);
    set(&two);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    note_value();
    CHECK_STR(text, "212");
    pro_cancellation_source_unref(source);
    end();
}

/* ---- contexts by hand ---- */
static void note_and_set(void *value)
{
    note_value();
    set(value);
    pro_sync_context_set(NULL);
}

TEST(a_captured_context_can_be_run_under_many_times_and_is_never_changed)
{
    /* SEM-250, SEM-252, SEM-257, SEM-116. Kills: changing the map in place; leaving flow or context behind. */
    struct pro_sync_context mine;
    struct pro_execution_context *context;

    begin(NULL);
    REQUIRE(pro_sync_context_init(&mine, NULL, "mine") == PRO_OK);
    set(&one);
    context = pro_execution_context_capture();
    REQUIRE(context != NULL);
    set(&two);
    pro_sync_context_set(&mine);
    CHECK_EQ(pro_execution_context_run(context, note_and_set, &three), PRO_OK);
    CHECK(pro_sync_context_current() == &mine);
    CHECK_EQ(pro_execution_context_run(context, note_and_set, &three), PRO_OK);
    note_value();
    CHECK_STR(text, "112");
    CHECK_EQ(pro_execution_context_restore(context), PRO_OK);
    note_value();
    CHECK_STR(text, "1121");
    pro_sync_context_set(NULL);
    pro_execution_context_unref(context);
    end();
}

static struct pro_sync_context *current_inside;
static void look_at_context(void *unused)
{
    (void)unused;
    current_inside = pro_sync_context_current();
    gate_add(&ran);
}

TEST(the_current_context_is_no_part_of_the_execution_context)
{
    /* SEM-110, SEM-115. Kills: a context that flows with a captured execution context, or into the pool. */
    struct pro_sync_context mine;
    struct pro_execution_context *context;

    begin(NULL);
    set(&one);
    REQUIRE(pro_sync_context_init(&mine, NULL, "mine") == PRO_OK);
    pro_sync_context_set(&mine);
    context = pro_execution_context_capture();
    ran = (struct gate){ 0 };
    current_inside = &mine;
    CHECK_EQ(pro_pool_post(look_at_context, NULL), PRO_OK);
    gate_wait(&ran, 1);
    CHECK(current_inside == NULL);
    pro_sync_context_set(NULL);
    current_inside = &mine;
    CHECK_EQ(pro_execution_context_run(context, look_at_context, NULL), PRO_OK);
    CHECK(current_inside == NULL);
    pro_execution_context_unref(context);
    end();
}

static struct pro_work *kept_item;
static int keep_item(struct pro_sync_context *unused, struct pro_work *work)
{
    (void)unused;
    kept_item = work;
    return PRO_OK;
}

static struct gate noted;
static void note(void *unused)
{
    (void)unused;
    note_value();
    gate_add(&noted);
}

TEST(a_post_flows_with_the_base_class_and_with_a_context_that_says_so)
{
    /* SEM-112. Kills: a flow for every context; none for the base class, a vtable without a post, or the pump; a flow
       that stays on the thread. */
    static const struct pro_sync_context_vtable bare = { .post = keep_item },
                                                flows = { .post = keep_item, .post_flows = true }, empty;
    struct pro_sync_context contexts[4];
    struct pro_pump *pump;

    begin(NULL);
    REQUIRE(pro_sync_context_init(&contexts[0], &bare, "bare") == PRO_OK);
    REQUIRE(pro_sync_context_init(&contexts[1], &flows, "flows") == PRO_OK);
    REQUIRE(pro_sync_context_init(&contexts[2], &empty, "derived") == PRO_OK);
    REQUIRE(pro_sync_context_init(&contexts[3], NULL, "base") == PRO_OK);
    REQUIRE(pro_pump_new("pump", &pump) == PRO_OK);
    for (int i = 0; i < 2; i++) {
        set(&one);
        CHECK_EQ(pro_sync_context_post(&contexts[i], note, NULL), PRO_OK);
        set(&two);
        pro_work_run(kept_item);
        CHECK(pro_async_local_get(local) == &two);
    }
    CHECK_STR(text, "21");
    set(&three);
    CHECK_EQ(pro_sync_context_post(pro_pump_context(pump), note, NULL), PRO_OK);
    set(&two);
    CHECK_EQ(pro_pump_run_pending(pump), 1);
    for (int i = 2; i < 4; i++) {
        CHECK_EQ(pro_sync_context_post(&contexts[i], note, NULL), PRO_OK);
        gate_wait(&noted, (uint32_t)i + 2);
    }
    CHECK_STR(text, "21322");
    end();
    CHECK_EQ(pro_pump_free(pump), PRO_OK);
}

TEST(suppressed_flow_captures_nothing_until_it_is_undone)
{
    /* SEM-256. Kills: values that cannot be read meanwhile; an inner undo that ends the outer suppression. */
    struct pro_task *task;
    bool outer, inner;

    begin(NULL);
    set(&one);
    outer = pro_execution_context_suppress_flow();
    inner = pro_execution_context_suppress_flow();
    CHECK(!outer && inner);
    note_value();
    pro_execution_context_undo_suppress(inner);
    CHECK(pro_execution_context_is_flow_suppressed());
    CHECK(pro_execution_context_capture() == NULL);
    task = pro_task_run(note_in_body, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE);
    CHECK_EQ(wait_some(task), PRO_OK);
    pro_task_unref(task);
    pro_execution_context_undo_suppress(outer);
    CHECK(!pro_execution_context_is_flow_suppressed());
    task = pro_task_run(note_in_body, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE);
    CHECK_EQ(wait_some(task), PRO_OK);
    pro_task_unref(task);
    CHECK_STR(text, "1-1");
    end();
}

TEST(a_method_suspended_with_flow_suppressed_goes_on_under_what_the_thread_has)
{
    /* SEM-258. Kills: going on under an empty context. */
    struct pro_completion_source *const source = source_new(0);
    struct pro_task *method;
    bool outer;

    begin(NULL);
    set(&one);
    outer = pro_execution_context_suppress_flow();
    method = setting_async(pro_completion_source_task(source), NULL, NULL);
    pro_execution_context_undo_suppress(outer);
    set(&two);
    source_end(source);
    CHECK_STR(text, "12");
    pro_task_unref(method);
    end();
}

/* ---- notifications ---- */
static void note_change(struct pro_async_local *changed, void *previous, void *current, bool context_switch, void *user)
{
    (void)changed, (void)user;
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s>%s%s ", name_of(previous), name_of(current),
             context_switch ? "!" : "");
}

TEST(changes_are_told_with_their_reason)
{
    /* SEM-255. Kills: telling an assignment of the same object; a switch told as an assignment, or not at all. */
    const struct pro_async_local_options options = { .changed = note_change };
    struct pro_execution_context *context;

    begin(&options);
    set(&one);
    set(&one);
    context = pro_execution_context_capture();
    set(&two);
    CHECK_STR(text, "->1 1>2 ");
    text[0] = '\0';
    CHECK_EQ(pro_execution_context_restore(context), PRO_OK);
    CHECK_STR(text, "2>1! ");
    pro_execution_context_unref(context);
    end();
}
