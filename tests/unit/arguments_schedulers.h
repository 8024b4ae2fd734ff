/* SPDX-License-Identifier: MIT */
/* The rows of arguments.c for schedulers, parallel loops, mailboxes and progress. Only arguments.c includes this. */
#ifndef PROACT_TEST_ARGUMENTS_SCHEDULERS_H
#define PROACT_TEST_ARGUMENTS_SCHEDULERS_H

#include "arguments_tasks.h"

/* A scheduler that nobody has initialised. */
static struct pro_task_scheduler no_scheduler;

/* ---- schedulers.h ---- */

static void try_pro_task_scheduler_from_current_context(void)
{
    struct pro_task_scheduler *scheduler = NULL;

    CHECK_MISUSE(pro_task_scheduler_from_current_context(NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_task_scheduler_from_current_context(&scheduler), PRO_E_STATE);
    CHECK(scheduler == NULL);
}
static void try_pro_limited_scheduler_new(void)
{
    struct pro_task_scheduler *scheduler = NULL;

    CHECK_MISUSE(pro_limited_scheduler_new("x", NULL, 1, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_limited_scheduler_new("x", NULL, 0, &scheduler), PRO_E_INVALID);
    CHECK_MISUSE(pro_limited_scheduler_new("x", &no_scheduler, 1, &scheduler), PRO_E_INVALID);
    CHECK(scheduler == NULL);
}
static void try_pro_exclusive_pair_new(void)
{
    struct pro_exclusive_pair *exclusive = NULL;

    CHECK_MISUSE(pro_exclusive_pair_new(NULL, 0, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_exclusive_pair_new(&no_scheduler, 0, &exclusive), PRO_E_INVALID);
    CHECK(exclusive == NULL);
}
static void try_pro_exclusive_pair_free(void) { pro_exclusive_pair_free(NULL); }
static void try_pro_exclusive_pair_exclusive(void) { CHECK_TELLS(CHECK(pro_exclusive_pair_exclusive(NULL) == NULL)); }
static void try_pro_exclusive_pair_concurrent(void) { CHECK_TELLS(CHECK(pro_exclusive_pair_concurrent(NULL) == NULL)); }
static void try_pro_exclusive_pair_complete(void) { CHECK_MISUSE(pro_exclusive_pair_complete(NULL), PRO_E_INVALID); }
static void try_pro_exclusive_pair_completion(void) { CHECK_TASK(pro_exclusive_pair_completion(NULL)); }
static void try_pro_serial_context_new(void)
{
    struct pro_sync_context *context = NULL;

    CHECK_MISUSE(pro_serial_context_new("x", NULL, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_serial_context_new("x", &no_scheduler, &context), PRO_E_INVALID);
    CHECK(context == NULL);
}

/* ---- parallel.h ---- */

static struct pro_error *no_index(size_t index, void *arg)
{
    (void)index, (void)arg;
    return NULL;
}
static int no_item(void *arg, void *ret_item)
{
    (void)arg, (void)ret_item;
    return 0;
}
static struct pro_task *no_loop_body(void *arg, void *item, struct pro_cancellation_token token)
{
    (void)arg, (void)item, (void)token;
    return pro_task_completed();
}

static void try_pro_parallel_for(void)
{
    const struct pro_parallel_options broken = { .scheduler = &no_scheduler };

    CHECK_MISUSE(pro_parallel_for(0, 1, NULL, NULL, NULL, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_parallel_for(0, 1, no_index, NULL, &broken, NULL), PRO_E_INVALID);
}
static void try_pro_for_each_async(void)
{
    const struct pro_for_each no_source = { .body = no_loop_body }, without_body = { .next = no_item };
    const struct pro_for_each broken = { .next = no_item,
                                         .body = no_loop_body,
                                         .options = { .scheduler = &no_scheduler } };

    CHECK_TASK(pro_for_each_async(NULL));
    CHECK_TASK(pro_for_each_async(&no_source));
    CHECK_TASK(pro_for_each_async(&without_body));
    CHECK_TASK(pro_for_each_async(&broken));
}

/* ---- mailbox.h ---- */

static struct pro_task *no_message(void *actor, void *message)
{
    (void)actor, (void)message;
    return NULL;
}

static void try_pro_mailbox_new(void)
{
    const struct pro_mailbox_options empty = { .handle = NULL }, whole = { .handle = no_message };
    const struct pro_mailbox_options broken = { .handle = no_message, .scheduler = &no_scheduler };
    struct pro_mailbox *mailbox = NULL;

    CHECK_MISUSE(pro_mailbox_new(NULL, &mailbox), PRO_E_INVALID);
    CHECK_MISUSE(pro_mailbox_new(&empty, &mailbox), PRO_E_INVALID);
    CHECK_MISUSE(pro_mailbox_new(&broken, &mailbox), PRO_E_INVALID);
    CHECK_MISUSE(pro_mailbox_new(&whole, NULL), PRO_E_INVALID);
    CHECK(mailbox == NULL);
}
static void try_pro_mailbox_ref(void) { CHECK(pro_mailbox_ref(NULL) == NULL); }
static void try_pro_mailbox_unref(void) { pro_mailbox_unref(NULL); }
static void try_pro_mailbox_post(void)
{
    const struct pro_mailbox_options options = { .message = PRO_TYPE(int), .handle = no_message };
    struct pro_mailbox *mailbox = NULL;
    const int message = 1;
    const char other = 1;

    REQUIRE(pro_mailbox_new(&options, &mailbox) == PRO_OK);
    CHECK_MISUSE(PRO_POST(NULL, &message), PRO_E_INVALID);
    CHECK_MISUSE(pro_mailbox_post(mailbox, NULL, PRO_TYPE(int)), PRO_E_INVALID);
    CHECK_MISUSE(PRO_POST(mailbox, &other), PRO_E_TYPE);
    pro_mailbox_unref(mailbox);
}
static void try_pro_mailbox_pending(void) { CHECK_MISUSE(pro_mailbox_pending(NULL), 0); }
static void try_pro_mailbox_complete(void) { CHECK_TASK(pro_mailbox_complete(NULL)); }
static void try_pro_mailbox_stop(void) { CHECK_TASK(pro_mailbox_stop(NULL)); }
static void try_pro_mailbox_completion(void) { CHECK_TASK(pro_mailbox_completion(NULL)); }

/* ---- progress.h ---- */

static void no_report(void *arg, const void *value) { (void)arg, (void)value; }

static void try_pro_progress_new(void)
{
    struct pro_progress *progress = NULL;

    CHECK_MISUSE(pro_progress_new(PRO_TYPE(int), NULL, NULL, NULL, &progress), PRO_E_INVALID);
    CHECK_MISUSE(pro_progress_new(PRO_TYPE(int), no_report, NULL, NULL, NULL), PRO_E_INVALID);
    CHECK(progress == NULL);
}
static void try_pro_progress_ref(void) { CHECK(pro_progress_ref(NULL) == NULL); }
static void try_pro_progress_unref(void) { pro_progress_unref(NULL); }
static void try_pro_progress_report(void)
{
    struct pro_progress *progress = NULL;
    const int value = 1;
    const char other = 1;

    REQUIRE(pro_progress_new(PRO_TYPE(int), no_report, NULL, NULL, &progress) == PRO_OK);
    CHECK_MISUSE(PRO_REPORT(NULL, &value), PRO_E_INVALID);
    CHECK_MISUSE(pro_progress_report(progress, NULL, PRO_TYPE(int)), PRO_E_INVALID);
    CHECK_MISUSE(PRO_REPORT(progress, &other), PRO_E_TYPE);
    pro_progress_unref(progress);
}

/* ---- task.h ---- */

static void try_pro_task_dispose(void) { CHECK_MISUSE(pro_task_dispose(NULL), PRO_E_INVALID); }

#endif
