/* SPDX-License-Identifier: MIT */
/* Schedulers, parallel loops, mailboxes and progress without memory: every allocation fails once; the call says so and
   nothing is lost or leaked. All of it runs on one thread: the target is the inline scheduler. */
#include "sweep.h"

static int ran;

static struct pro_error *run_one(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    ran++;
    return NULL;
}

/* The code of a task that is complete; drops it. */
static int code_of(struct pro_task *task)
{
    const int code = pro_task_is_succeeded(task) ? PRO_OK : pro_error_code(pro_task_error(task));

    CHECK(pro_task_is_completed(task));
    pro_task_unref(task);
    return code;
}

static int start_on(struct pro_task_scheduler *scheduler)
{
    const int before = ran;
    const int code = code_of(pro_task_start_new(run_one, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE, 0, scheduler));

    CHECK_EQ(ran - before, code == PRO_OK);
    return code;
}

static int pair_story(void)
{
    struct pro_exclusive_pair *pair = NULL;
    int code = pro_exclusive_pair_new(pro_task_scheduler_inline(), 2, &pair);

    if (code == PRO_OK)
        code = start_on(pro_exclusive_pair_exclusive(pair));
    if (code == PRO_OK)
        code = start_on(pro_exclusive_pair_concurrent(pair));
    if (pair) {
        CHECK_EQ(pro_exclusive_pair_complete(pair), PRO_OK);
        CHECK_EQ(code_of(pro_exclusive_pair_completion(pair)), PRO_OK);
    }
    pro_exclusive_pair_free(pair);
    return code;
}

TEST(an_exclusive_pair_without_memory_says_so)
{
    /* Kills: a pair half made; leaking the completion of one. */
    sweep(pair_story);
}

static int schedulers_story(void)
{
    struct pro_task_scheduler *limited = NULL, *of_context = NULL;
    struct pro_sync_context *serial = NULL;
    int code = pro_limited_scheduler_new("limited", pro_task_scheduler_inline(), 1, &limited);

    if (code == PRO_OK)
        code = start_on(limited);
    if (code == PRO_OK)
        code = pro_serial_context_new("serial", pro_task_scheduler_inline(), &serial);
    pro_sync_context_set(serial);
    if (code == PRO_OK)
        code = pro_task_scheduler_from_current_context(&of_context);
    pro_sync_context_set(NULL);
    if (code == PRO_OK)
        code = start_on(of_context);
    pro_task_scheduler_unref(of_context);
    pro_sync_context_unref(serial);
    pro_task_scheduler_unref(limited);
    return code;
}

TEST(schedulers_on_others_without_memory_say_so)
{
    /* Kills: a scheduler whose parts are not given back. */
    sweep(schedulers_story);
}

static struct pro_error *fail_index(size_t index, void *arg)
{
    (void)arg;
    return pro_error_new(PRO_E_USER, PRO_HERE, "index %zu", index);
}

static int parallel_story(void)
{
    const struct pro_parallel_options options = { .degree = 2, .scheduler = pro_task_scheduler_inline() };
    struct pro_error *error = NULL;
    const int code = pro_parallel_for(0, 4, fail_index, NULL, &options, &error);
    const bool whole = code == PRO_E_AGGREGATE && pro_error_inner_count(error) == 1; /* the first failure stops it */

    CHECK(code == PRO_E_AGGREGATE || code == PRO_E_NO_MEMORY);
    pro_error_unref(error);
    return whole ? PRO_OK : PRO_E_NO_MEMORY;
}

TEST(a_parallel_loop_without_memory_says_so)
{
    /* Kills: losing the failure with the memory for its aggregate. */
    sweep(parallel_story);
}

static int next_of_three(void *arg, void *ret_item)
{
    int *next = arg;

    if (*next == 3)
        return 0;
    *(int *)ret_item = (*next)++;
    return 1;
}

static struct pro_task *count_item(void *arg, void *item, struct pro_cancellation_token token)
{
    (void)arg, (void)token;
    ran += *(int *)item;
    return pro_task_completed();
}

static int for_each_story(void)
{
    int next = 0;
    const struct pro_for_each loop = { .item = PRO_TYPE(int),
                                       .next = next_of_three,
                                       .body = count_item,
                                       .arg = &next,
                                       .options = { .degree = 2, .scheduler = pro_task_scheduler_inline() } };

    return code_of(pro_for_each_async(&loop));
}

TEST(for_each_without_memory_says_so)
{
    /* Kills: a loop without a token source; leaking the loop when that could not be made. */
    sweep(for_each_story);
}

static struct pro_task *handle(void *actor, void *message)
{
    (void)actor;
    ran += *(int *)message;
    return NULL;
}

static int mailbox_story(void)
{
    const struct pro_mailbox_options options = { .message = PRO_TYPE(int),
                                                 .handle = handle,
                                                 .scheduler = pro_task_scheduler_inline() };
    struct pro_mailbox *mailbox = NULL;
    const int one = 1;
    int code = pro_mailbox_new(&options, &mailbox);

    ran = 0;
    if (code == PRO_OK)
        code = PRO_POST(mailbox, &one);
    CHECK_EQ(ran, code == PRO_OK);
    if (mailbox)
        CHECK_EQ(code_of(pro_mailbox_complete(mailbox)), PRO_OK);
    pro_mailbox_unref(mailbox);
    return code;
}

TEST(a_post_without_memory_says_so)
{
    /* Kills: counting a message that could not be copied. */
    sweep(mailbox_story);
}

static void hear(void *arg, const void *value)
{
    (void)arg;
    ran += *(const int *)value;
}

static int progress_story(void)
{
    struct pro_sync_context *serial = NULL;
    struct pro_progress *progress = NULL;
    const int one = 1;
    int code = pro_serial_context_new("serial", pro_task_scheduler_inline(), &serial);

    ran = 0;
    pro_sync_context_set(serial);
    if (code == PRO_OK)
        code = pro_progress_new(PRO_TYPE(int), hear, NULL, NULL, &progress);
    pro_sync_context_set(NULL);
    if (code == PRO_OK)
        code = PRO_REPORT(progress, &one);
    CHECK_EQ(ran, code == PRO_OK);
    pro_progress_unref(progress);
    pro_sync_context_unref(serial);
    return code;
}

TEST(a_report_without_memory_says_so)
{
    /* Kills: keeping a reference for a report that could not be made. */
    sweep(progress_story);
}
