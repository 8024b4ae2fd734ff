/* SPDX-License-Identifier: MIT */
/* For the tests of the semantics (docs/semantics.md): sources, a scheduler worked by hand, a method that awaits and
 * notes where it went on, an error of a test. */
#ifndef PROACT_TEST_SEMANTICS_H
#define PROACT_TEST_SEMANTICS_H

#include <proact/proact.h>

#include "gate.h"
#include "harness.h"
#include "told.h"

/* ---- a scheduler whose items run when the test says so; one thread ---- */
struct hand {
    struct pro_task_scheduler base;
    struct pro_work *items[16];
    size_t count, offered;
    bool inlines, refuses;
};

static inline int hand_queue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    struct hand *const hand = PRO_CONTAINER(scheduler, struct hand, base);

    if (hand->refuses || hand->count == 16)
        return PRO_E_STATE;
    hand->items[hand->count++] = work;
    return PRO_OK;
}

static inline bool hand_dequeue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    struct hand *const hand = PRO_CONTAINER(scheduler, struct hand, base);

    for (size_t i = 0; i < hand->count; i++)
        if (hand->items[i] == work) {
            memmove(&hand->items[i], &hand->items[i + 1], (--hand->count - i) * sizeof *hand->items);
            return true;
        }
    return false;
}

static inline bool hand_inline(struct pro_task_scheduler *scheduler, struct pro_work *work, bool was_queued)
{
    struct hand *const hand = PRO_CONTAINER(scheduler, struct hand, base);

    hand->offered++;
    if (!hand->inlines || (was_queued && !hand_dequeue(scheduler, work)))
        return false;
    pro_work_run(work);
    return true;
}

static inline void hand_open(struct hand *hand)
{
    static const struct pro_task_scheduler_vtable vtable = { .queue = hand_queue,
                                                             .try_inline = hand_inline,
                                                             .try_dequeue = hand_dequeue };

    *hand = (struct hand){ 0 };
    REQUIRE(pro_task_scheduler_init(&hand->base, &vtable, "hand") == PRO_OK);
}

/* Runs what was queued first; false: there is nothing. */
static inline bool hand_run_one(struct hand *hand)
{
    struct pro_work *const work = hand->count ? hand->items[0] : NULL;

    if (!work || !hand_dequeue(&hand->base, work))
        return false;
    pro_work_run(work);
    return true;
}

/* ---- sources ---- */
static inline struct pro_completion_source *source_new(unsigned options)
{
    struct pro_completion_source *source = NULL;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, options, &source) == PRO_OK);
    return source;
}

/* Completes and frees it; the task is the caller's. */
static inline void source_end(struct pro_completion_source *source)
{
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT), PRO_OK);
    pro_completion_source_free(source);
}

static inline struct pro_error *test_error(const char *sentence)
{
    return pro_error_new(PRO_E_USER, PRO_SITE_UNKNOWN, "%s", sentence);
}

static inline struct pro_task *faulted(const char *sentence) { return pro_task_from_error(test_error(sentence)); }

static inline struct pro_cancellation_source *cancellation_new(void)
{
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    return source;
}

/* ---- a method that awaits one task and notes where it went on ---- */
struct where {
    uint64_t thread;
    struct pro_sync_context *context;
    struct pro_task_scheduler *scheduler;
    int status;
    void (*then)(void); /* called after the await, unless NULL */
    struct gate gate;
};

struct noting_method {
    PRO_FRAME;
    struct pro_configured_awaiter awaited;
    struct where *where;
};

PRO_ASYNC(noting_move_next, struct noting_method, self)
    PRO_AWAIT_STATUS(self->awaited);
    self->where->status = PRO_STATUS;
    self->where->thread = pro_thread_id();
    self->where->context = pro_sync_context_current();
    self->where->scheduler = pro_task_scheduler_current();
    if (self->where->then)
        self->where->then();
    gate_add(&self->where->gate);
PRO_ASYNC_END

/* Takes the reference to @task. */
static inline struct pro_task *noting_async(struct pro_task *task, unsigned options, struct where *where)
{
    struct noting_method *self = PRO_NEW_FRAME_VOID(struct noting_method, noting_move_next);

    if (!self)
        return pro_task_no_memory();
    self->awaited = pro_configure_await(task, options);
    self->where = where;
    return PRO_START(self);
}

/* ---- bodies ---- */
static inline struct pro_error *body_nothing(void *unused, void *ret_result)
{
    (void)unused, (void)ret_result;
    return NULL;
}

static inline struct pro_error *body_fails(void *sentence, void *ret_result)
{
    (void)ret_result;
    return test_error(sentence ? sentence : "body");
}

/* Waits 20 s at most, so that a hang is a failure and not a watchdog. */
static inline int wait_some(struct pro_task *task) { return PRO_WAIT_HOW(task, PRO_WITHIN(PRO_S(20))); }

#endif
