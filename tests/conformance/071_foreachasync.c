/* SPDX-License-Identifier: MIT */
/* ForEachAsync: a degree of one keeps the order; never more bodies at once than the degree; the first failure and a
   cancellation stop it. */
#include "harness.h"

struct numbers {
    int next, end; /* the source gives next … end - 1 */
};

static int give_number(void *arg, void *ret_item)
{
    struct numbers *numbers = arg;
    if (numbers->next >= numbers->end)
        return 0;
    *(int *)ret_item = numbers->next++;
    return 1;
}

struct body {
    PRO_FRAME;
    int i;
    struct pro_cancellation_token ct;
};

/* Every lambda of the scenario is one of these. */
static struct pro_task *start_body(struct pro_step (*move_next)(struct pro_frame *), void *item,
                                   struct pro_cancellation_token ct)
{
    struct body *self = PRO_NEW_FRAME_VOID(struct body, move_next);
    if (!self)
        return pro_task_no_memory();
    self->i = *(int *)item, self->ct = ct;
    return PRO_START(self);
}

static struct pro_task *for_each_async(struct numbers *numbers, unsigned degree, struct pro_cancellation_token token,
                                       struct pro_task *(*body)(void *, void *, struct pro_cancellation_token))
{
    const struct pro_for_each loop = {
        .item = PRO_TYPE(int),
        .next = give_number,
        .body = body,
        .arg = numbers,
        .options = { .degree = degree, .token = token },
    };
    return pro_for_each_async(&loop);
}

/* ---- a ---- */
PRO_ASYNC(a_move_next, struct body, self)
    PRO_AWAIT(pro_yield());
    trace_log("item %d, context=%s", self->i, who_context());
PRO_ASYNC_END

static struct pro_task *a_body(void *arg, void *item, struct pro_cancellation_token ct)
{
    (void)arg;
    return start_body(a_move_next, item, ct);
}

/* ---- b ---- */
static atomic_int inside, most, count;
static struct gate *full;

static void wait_full(void *arg)
{
    (void)arg;
    gate_wait(full);
}

static void enter(void)
{
    const int n = atomic_fetch_add(&inside, 1) + 1;
    int m = atomic_load(&most);
    while (m < n && !atomic_compare_exchange_weak(&most, &m, n))
        ;
    if (n == 3)
        gate_open(full);
}

PRO_ASYNC(b_move_next, struct body, self)
    enter();
    if (self->i < 3)
        PRO_AWAIT(run(wait_full, NULL));
    else
        PRO_AWAIT(pro_yield());
    atomic_fetch_sub(&inside, 1);
    atomic_fetch_add(&count, 1);
PRO_ASYNC_END

static struct pro_task *b_body(void *arg, void *item, struct pro_cancellation_token ct)
{
    (void)arg;
    return start_body(b_move_next, item, ct);
}

/* ---- c ---- */
PRO_ASYNC(c_move_next, struct body, self)
    PRO_AWAIT(pro_yield());
    trace_log("item %d", self->i);
    if (self->i == 2)
        PRO_THROW(test_error("item 2"));
PRO_ASYNC_END

static struct pro_task *c_body(void *arg, void *item, struct pro_cancellation_token ct)
{
    (void)arg;
    return start_body(c_move_next, item, ct);
}

/* ---- d ---- */
static struct pro_cancellation_source *cts;

PRO_ASYNC(d_move_next, struct body, self)
    PRO_AWAIT(pro_yield());
    trace_log("item %d, requested: %s", self->i, text_of_bool(pro_cancellation_token_is_canceled(self->ct)));
    if (self->i == 1) {
        pro_cancellation_source_cancel(cts);
        trace_log("cancelled, requested: %s", text_of_bool(pro_cancellation_token_is_canceled(self->ct)));
    }
PRO_ASYNC_END

static struct pro_task *d_body(void *arg, void *item, struct pro_cancellation_token ct)
{
    (void)arg;
    return start_body(d_move_next, item, ct);
}

static struct pro_task *no_body(void *arg, void *item, struct pro_cancellation_token ct)
{
    (void)arg, (void)item, (void)ct;
    return pro_task_completed();
}

SCENARIO(071)
{
    struct numbers one_to_three = { 1, 4 };
    struct pro_task *a = for_each_async(&one_to_three, 1, PRO_TOKEN_NONE, a_body);
    harness_finish(a, "a");
    trace_log("%s", status_of(a));

    full = gate_new("three inside");
    struct numbers thirty = { 0, 30 };
    struct pro_task *b = for_each_async(&thirty, 3, PRO_TOKEN_NONE, b_body);
    harness_finish(b, "b");
    trace_log("all run: %s, the most at once: %d", text_of_bool(atomic_load(&count) == 30), atomic_load(&most));

    struct numbers ten = { 0, 10 };
    struct pro_task *c = for_each_async(&ten, 1, PRO_TOKEN_NONE, c_body);
    harness_finish(c, "c");
    trace_log("%s", harness_describe(c));

    cts = cancellation_new();
    struct numbers ten_more = { 0, 10 };
    struct pro_task *d = for_each_async(&ten_more, 1, pro_cancellation_source_token(cts), d_body);
    harness_finish(d, "d");
    trace_log("%s", harness_describe(d));
    struct numbers one = { 0, 1 };
    trace_log("cancelled before: %s", status_of(for_each_async(&one, 0, pro_cancellation_source_token(cts), no_body)));
}
