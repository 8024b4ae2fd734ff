/* SPDX-License-Identifier: MIT */
/* For loop_order.c: sentences that are tested on every backend, and things that note in a line that it was their turn.
 */
#ifndef PROACT_TEST_LOOP_ORDER_H
#define PROACT_TEST_LOOP_ORDER_H

#include "loops.h"

enum { SENTENCES_MOST = 64, HOUR_S = 3600 };

static struct pro_loop *loop; /* of the present sentence and backend */
static char line[400];
static const char *tested[SENTENCES_MOST];
static size_t tested_count;

static void note(const char *word)
{
    const size_t length = strlen(line);

    snprintf(line + length, sizeof line - length, "%s%s", length ? " " : "", word);
}

static void on_every_backend(void (*sentence)(void))
{
    for (const char *const *backend = test_backends(); *backend; backend++) {
        loop = loop_on(*backend, "order", false);
        line[0] = '\0';
        sentence();
        CHECK_EQ(pro_loop_free(loop), PRO_OK);
    }
}

#define SENTENCE(name)                                                                                                 \
    static void name##_here(void);                                                                                     \
    __attribute__((constructor)) static void name##_is_tested(void) { tested[tested_count++] = #name; }                \
    TEST(name) { on_every_backend(name##_here); }                                                                      \
    static void name##_here(void)

/* ---- things that note their name ---- */

struct noting {
    struct pro_op op;
    struct pro_work work;
    const char *word;
    void (*also)(struct noting *self);
    int64_t result;
};

static void note_delivery(struct pro_op *op)
{
    struct noting *const self = PRO_CONTAINER(op, struct noting, op);

    self->result = op->result;
    note(self->word);
    if (self->also)
        self->also(self);
}

static void note_work(struct pro_work *work)
{
    struct noting *const self = PRO_CONTAINER(work, struct noting, work);

    note(self->word);
    if (self->also)
        self->also(self);
}

static void start_sleep(struct noting *self, int64_t duration_ns)
{
    CHECK_EQ(pro_then(pro_sleep(&self->op, loop, duration_ns, PRO_HOW_DEFAULT), note_delivery), PRO_OK);
}

static void start_sleep_until(struct noting *self, uint64_t moment)
{
    CHECK_EQ(pro_then(pro_sleep_until(&self->op, loop, moment, PRO_HOW_DEFAULT), note_delivery), PRO_OK);
}

static void post(struct noting *self)
{
    self->work = (struct pro_work){ .run = note_work };
    CHECK_EQ(pro_loop_post_work(loop, &self->work), PRO_OK);
}

static void one_turn(void) { REQUIRE(pro_loop_run_once(loop, 0) >= 0); }

static void run_dry(void)
{
    struct pro_loop_stats stats;

    do {
        REQUIRE(pro_loop_run_once(loop, PRO_MS(20)) >= 0);
        REQUIRE(pro_loop_get_stats(loop, &stats) == PRO_OK);
    } while (stats.pending || stats.captured);
}

static void on_another_thread(void (*fn)(void *arg), void *arg)
{
    struct proi_thread thread;

    REQUIRE(proi_thread_start(&thread, "other", fn, arg, 0) == PRO_OK);
    proi_thread_join(&thread);
}

/* A method that awaits an op, or a task, or nothing but its turn, and then notes its name. */
struct method {
    PRO_FRAME;
    struct pro_op *op;
    struct pro_task *task;
    const char *word;
};

PRO_ASYNC(method_move_next, struct method, self)
    if (self->op)
        PRO_AWAIT(self->op);
    else if (self->task)
        PRO_AWAIT(self->task);
    else
        PRO_AWAIT(pro_yield());
    note(self->word);
PRO_ASYNC_END

static struct pro_task *method_async(const char *word, struct pro_op *op, struct pro_task *task)
{
    struct method *self = PRO_NEW_FRAME_VOID(struct method, method_move_next);

    if (!self)
        return pro_task_no_memory();
    self->word = word;
    self->op = op;
    self->task = task;
    return PRO_START(self);
}

#endif
