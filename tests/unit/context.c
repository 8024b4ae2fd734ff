/* SPDX-License-Identifier: MIT */
/* SynchronizationContext: the interface, the base class, references, captures, thread names. */
#include "harness.h"

#include "gate.h"
#include "sync_context/internal.h"

struct seen {
    struct gate done;
    struct pro_sync_context *context;
    bool on_pool;
    uint64_t thread;
};

static void look(void *arg)
{
    struct seen *seen = arg;

    seen->context = pro_sync_context_current();
    seen->on_pool = pro_pool_is_worker();
    seen->thread = pro_thread_id();
    gate_add(&seen->done);
}

static void ignore_misuse(int code, const char *sentence, void *user)
{
    (void)code;
    (void)sentence;
    ++*(int *)user;
}

TEST(a_new_thread_starts_without_a_context)
{
    /* Kills: making the current context process-wide. */
    struct pro_sync_context context;
    struct seen seen = { .context = &context };
    struct proi_thread thread;

    CHECK_EQ(pro_sync_context_init(&context, NULL, "base"), PRO_OK);
    pro_sync_context_set(&context);
    REQUIRE(proi_thread_start(&thread, "look", look, &seen, 0) == PRO_OK);
    proi_thread_join(&thread);
    CHECK(seen.context == NULL);
    CHECK(pro_sync_context_set(NULL) == &context);
}

TEST(set_gives_back_the_context_that_was_current)
{
    /* Kills: returning the new context from set. */
    struct pro_sync_context first, second;

    pro_sync_context_init(&first, NULL, "first");
    pro_sync_context_init(&second, NULL, "second");
    CHECK(pro_sync_context_set(&first) == NULL);
    CHECK(pro_sync_context_set(&second) == &first);
    CHECK(pro_sync_context_current() == &second);
    CHECK(pro_sync_context_set(NULL) == &second);
    CHECK(pro_sync_context_current() == NULL);
}

static const struct pro_sync_context_vtable adds_nothing = { .post = NULL };

TEST(the_base_class_posts_to_the_pool_and_is_not_current_there)
{
    /* Kills: running a base-class post inline; setting the context around it (SEM-112). */
    struct pro_sync_context base, derived;
    struct seen seen = { .context = &base };

    pro_sync_context_init(&base, NULL, "base");
    pro_sync_context_init(&derived, &adds_nothing, "derived");
    CHECK_EQ(pro_sync_context_post(&base, look, &seen), PRO_OK);
    gate_wait(&seen.done, 1);
    CHECK(seen.on_pool);
    CHECK(seen.context == NULL);

    seen.on_pool = false;
    CHECK_EQ(pro_sync_context_post(&derived, look, &seen), PRO_OK);
    gate_wait(&seen.done, 2);
    CHECK(seen.on_pool);
}

TEST(the_base_class_sends_inline)
{
    /* Kills: sending through the pool when the vtable has no send. */
    struct pro_sync_context base;
    struct seen seen = { .on_pool = true };

    pro_sync_context_init(&base, NULL, "base");
    CHECK_EQ(pro_sync_context_send(&base, look, &seen), PRO_OK);
    CHECK_EQ(seen.thread, pro_thread_id());
    CHECK(seen.context == NULL);
}

static int refuse(struct pro_sync_context *context, struct pro_work *work)
{
    (void)context;
    (void)work;
    return PRO_E_STATE;
}

TEST(a_refused_post_runs_on_the_pool)
{
    /* Kills: dropping the item when the context's post fails. */
    static const struct pro_sync_context_vtable refuses = { .post = refuse };
    struct pro_sync_context context;
    struct seen seen = { .on_pool = false };

    pro_sync_context_init(&context, &refuses, "refuses");
    CHECK_EQ(pro_sync_context_post(&context, look, &seen), PRO_OK);
    gate_wait(&seen.done, 1);
    CHECK(seen.on_pool);
}

struct counted {
    struct pro_sync_context context;
    int captured, released, destroyed;
};
static void count_captured(struct pro_sync_context *context)
{
    PRO_CONTAINER(context, struct counted, context)->captured++;
}
static void count_released(struct pro_sync_context *context)
{
    PRO_CONTAINER(context, struct counted, context)->released++;
}
static void count_destroyed(struct pro_sync_context *context)
{
    PRO_CONTAINER(context, struct counted, context)->destroyed++;
}
static const struct pro_sync_context_vtable counts = {
    .captured = count_captured,
    .released = count_released,
    .destroy = count_destroyed,
};

TEST(a_capture_keeps_the_context_and_the_last_reference_destroys_it_once)
{
    /* Kills: capturing without a reference; telling released after the reference is gone. */
    struct counted counted = { .captured = 0 };

    pro_sync_context_init(&counted.context, &counts, "counted");
    CHECK(pro_sync_context_ref(&counted.context) == &counted.context);
    proi_context_capture(&counted.context);
    pro_sync_context_unref(&counted.context);
    pro_sync_context_unref(&counted.context);
    CHECK_EQ(counted.captured, 1);
    CHECK_EQ(counted.destroyed, 0);
    proi_context_release(&counted.context);
    CHECK_EQ(counted.released, 1);
    CHECK_EQ(counted.destroyed, 1);
    pro_sync_context_unref(NULL);
    CHECK(pro_sync_context_ref(NULL) == NULL);
}

static void name_myself(void *arg)
{
    uint64_t *id = arg;

    *id = pro_thread_id();
    pro_thread_set_name("first");
    pro_thread_set_name("second");
    CHECK_STR(proi_thread_name(*id), "second");
}

static int operations;
static void one_more(struct pro_sync_context *context) { (void)context, operations++; }
static void one_less(struct pro_sync_context *context) { (void)context, operations -= 10; }

TEST(a_program_may_tell_a_context_of_operations_of_its_own)
{
    /* Kills: a call that reaches the other entry, or none; one that needs an entry (SEM-111, SEM-112). */
    static const struct pro_sync_context_vtable vtable = { .operation_started = one_more,
                                                           .operation_completed = one_less };
    struct pro_sync_context context, derived, base;

    REQUIRE(pro_sync_context_init(&context, &vtable, "counts") == PRO_OK);
    REQUIRE(pro_sync_context_init(&derived, &adds_nothing, "derived") == PRO_OK);
    REQUIRE(pro_sync_context_init(&base, NULL, "base") == PRO_OK);
    pro_sync_context_operation_started(&context);
    CHECK_EQ(operations, 1);
    pro_sync_context_operation_completed(&context);
    CHECK_EQ(operations, -9);
    pro_sync_context_operation_started(&derived);
    pro_sync_context_operation_completed(&derived);
    pro_sync_context_operation_started(&base);
    pro_sync_context_operation_completed(&base);
    CHECK_EQ(operations, -9);
}

TEST(a_thread_is_known_by_its_name_until_it_ends)
{
    /* Kills: not removing the entry at the thread's end; adding a second one for a second name. */
    struct proi_thread thread;
    uint64_t id = 0;

    REQUIRE(proi_thread_start(&thread, "named", name_myself, &id, 0) == PRO_OK);
    proi_thread_join(&thread);
    CHECK(id != 0 && id != pro_thread_id());
    CHECK(proi_thread_name(id) == NULL);
    CHECK(proi_thread_name(pro_thread_id()) == NULL);
}

TEST(the_scheduler_of_a_thread_is_the_default_one_unless_a_task_says_otherwise)
{
    /* Kills: giving NULL as the current scheduler. */
    struct pro_task_scheduler_vtable vtable = *pro_task_scheduler_default()->vtable;
    struct pro_task_scheduler mine;

    CHECK(pro_task_scheduler_current() == pro_task_scheduler_default());
    CHECK_EQ(pro_task_scheduler_init(&mine, &vtable, "mine"), PRO_OK);
    proi_ambient.scheduler = &mine;
    CHECK(pro_task_scheduler_current() == &mine);
    proi_ambient.scheduler = NULL;
    CHECK(proi_scheduler_is_default(NULL));
    CHECK(!proi_scheduler_is_default(&mine));
}

TEST(missing_arguments_are_invalid)
{
    /* Kills: leaving out one of the checks. */
    struct pro_sync_context context;
    struct pro_task_scheduler scheduler;
    struct pro_task_scheduler_vtable no_queue = { .queue = NULL };
    struct pro_work no_run = { .run = NULL };
    int told = 0;

    pro_set_misuse_handler(ignore_misuse, &told);
    CHECK_EQ(pro_sync_context_init(NULL, NULL, "x"), PRO_E_INVALID);
    pro_sync_context_init(&context, NULL, "x");
    CHECK_EQ(pro_sync_context_post(NULL, look, NULL), PRO_E_INVALID);
    CHECK_EQ(pro_sync_context_post(&context, NULL, NULL), PRO_E_INVALID);
    CHECK_EQ(pro_sync_context_post_work(NULL, &no_run), PRO_E_INVALID);
    CHECK_EQ(pro_sync_context_post_work(&context, NULL), PRO_E_INVALID);
    CHECK_EQ(pro_sync_context_post_work(&context, &no_run), PRO_E_INVALID);
    CHECK_EQ(pro_sync_context_send(NULL, look, NULL), PRO_E_INVALID);
    CHECK_EQ(pro_sync_context_send(&context, NULL, NULL), PRO_E_INVALID);
    CHECK_EQ(pro_task_scheduler_init(NULL, pro_task_scheduler_default()->vtable, "x"), PRO_E_INVALID);
    CHECK_EQ(pro_task_scheduler_init(&scheduler, NULL, "x"), PRO_E_INVALID);
    CHECK_EQ(pro_task_scheduler_init(&scheduler, &no_queue, "x"), PRO_E_INVALID);
    pro_work_run(NULL);
    CHECK_EQ(told, 12);
    pro_set_misuse_handler(NULL, NULL);
}
