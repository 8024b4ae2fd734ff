/* SPDX-License-Identifier: MIT */
/* What awaiting costs, in nanoseconds; the best of several rounds, on one thread, printed as one JSON object.
 *
 *     await [SHARE]      SHARE of the usual number of awaits, 1 of 100 for example: 0.01
 *
 *     ready_ns           awaiting a task that is complete already
 *     call_ns            calling an async method that does not wait, and awaiting it
 *     chain10_ns         the same, ten methods deep
 *     suspend_resume_ns  giving way to the loop's queue, and being resumed
 *     op_await_ns        64 methods, each awaiting one no-op of the kernel after the other; for each no-op
 *
 * Frames always come from the library's lists, so the "_pooled" keys are the same calls, measured once more. */
#include <proact/proact.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 7, CALLS = 1000000, CHAINS = 100000, YIELDS = 200000, METHODS = 64, NOPS = 192000 };

static volatile int opaque; /* keeps results from being known beforehand */
static double share = 1;

/* ---- what is called ---- */
struct leaf {
    PRO_FRAME;
};

PRO_ASYNC(leaf_move_next, struct leaf, self)
    PRO_RETURN(int, 1 + opaque);
PRO_ASYNC_END

static struct pro_task *leaf_async(void)
{
    struct leaf *self = PRO_NEW_FRAME(struct leaf, leaf_move_next, int);

    return self ? PRO_START(self) : pro_task_no_memory();
}

struct deep {
    PRO_FRAME;
    int depth, below;
};
static struct pro_task *deep_async(int depth);

PRO_ASYNC(deep_move_next, struct deep, self)
    if (self->depth > 1)
        PRO_AWAIT_TO(&self->below, deep_async(self->depth - 1));
    PRO_RETURN(int, self->below + 1 + opaque);
PRO_ASYNC_END

static struct pro_task *deep_async(int depth)
{
    struct deep *self = PRO_NEW_FRAME(struct deep, deep_move_next, int);

    if (!self)
        return pro_task_no_memory();
    self->depth = depth;
    return PRO_START(self);
}

/* ---- what is measured: each method repeats one await, its task's result is the time of one ---- */
struct measure {
    PRO_FRAME;
    struct pro_task *task;
    int count, i, value, sum;
    uint64_t start_ns;
    struct pro_op op;
};

static double each_ns(const struct measure *self) { return (double)(pro_now() - self->start_ns) / self->count; }

PRO_ASYNC(ready_move_next, struct measure, self)
    self->task = leaf_async();
    self->start_ns = pro_now();
    for (self->i = 0; self->i < self->count; self->i++)
        PRO_AWAIT(pro_keep(self->task));
    pro_task_unref(self->task);
    PRO_RETURN(double, each_ns(self));
PRO_ASYNC_END

PRO_ASYNC(call_move_next, struct measure, self)
    self->start_ns = pro_now();
    for (self->i = 0; self->i < self->count; self->i++) {
        PRO_AWAIT_TO(&self->value, leaf_async());
        self->sum += self->value;
    }
    PRO_RETURN(double, each_ns(self));
PRO_ASYNC_END

PRO_ASYNC(chain_move_next, struct measure, self)
    self->start_ns = pro_now();
    for (self->i = 0; self->i < self->count; self->i++) {
        PRO_AWAIT_TO(&self->value, deep_async(10));
        self->sum += self->value;
    }
    PRO_RETURN(double, each_ns(self));
PRO_ASYNC_END

PRO_ASYNC(yield_move_next, struct measure, self)
    self->start_ns = pro_now();
    for (self->i = 0; self->i < self->count; self->i++)
        PRO_AWAIT(pro_yield());
    PRO_RETURN(double, each_ns(self));
PRO_ASYNC_END

PRO_ASYNC(nop_move_next, struct measure, self)
    for (self->i = 0; self->i < self->count; self->i++)
        PRO_AWAIT(pro_nop(&self->op, NULL, PRO_HOW_DEFAULT));
    PRO_RETURN(double, 0.0);
PRO_ASYNC_END

typedef struct pro_step move_next_fn(struct pro_frame *frame);

static struct pro_task *measure_async(move_next_fn *move_next, int count)
{
    struct measure *self = PRO_NEW_FRAME(struct measure, move_next, double);

    if (!self)
        return pro_task_no_memory();
    self->count = count;
    return PRO_START(self);
}

struct nops {
    PRO_FRAME;
    struct pro_task *tasks[METHODS];
    uint64_t start_ns;
    int count;
};

PRO_ASYNC(nops_move_next, struct nops, self)
    self->count = (int)(NOPS / METHODS * share);
    self->start_ns = pro_now();
    for (int i = 0; i < METHODS; i++)
        self->tasks[i] = measure_async(nop_move_next, self->count);
    PRO_AWAIT(pro_when_all(self->tasks, METHODS));
    for (int i = 0; i < METHODS; i++)
        pro_task_unref(self->tasks[i]);
    PRO_RETURN(double, (double)(pro_now() - self->start_ns) / self->count / METHODS);
PRO_ASYNC_END

static struct pro_task *nops_async(void)
{
    struct nops *self = PRO_NEW_FRAME(struct nops, nops_move_next, double);

    return self ? PRO_START(self) : pro_task_no_memory();
}

/* ---- the rounds ---- */
static const struct kind {
    const char *key;
    move_next_fn *move_next; /* NULL: the no-ops */
    int count;
} kinds[] = {
    { "ready_ns", ready_move_next, CALLS },
    { "call_ns", call_move_next, CALLS },
    { "call_pooled_ns", call_move_next, CALLS },
    { "chain10_ns", chain_move_next, CHAINS },
    { "chain10_pooled_ns", chain_move_next, CHAINS },
    { "suspend_resume_ns", yield_move_next, YIELDS },
    { "op_await_ns", NULL, 0 },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

struct rounds {
    PRO_FRAME;
    double best[KINDS], took;
    int round, kind;
};

static void results_print(const struct rounds *self)
{
    for (int i = 0; i < KINDS; i++)
        printf("%s\"%s\":%.2f", i ? "," : "{", kinds[i].key, self->best[i]);
    printf("}\n");
}

PRO_ASYNC(rounds_move_next, struct rounds, self)
    for (self->round = 0; self->round < ROUNDS; self->round++) {
        for (self->kind = 0; self->kind < KINDS; self->kind++) {
            if (kinds[self->kind].move_next)
                PRO_AWAIT_TO(&self->took,
                             measure_async(kinds[self->kind].move_next, (int)(kinds[self->kind].count * share)));
            else
                PRO_AWAIT_TO(&self->took, nops_async());
            if (self->round == 0 || self->took < self->best[self->kind])
                self->best[self->kind] = self->took;
        }
    }
    results_print(self);
PRO_ASYNC_END

static struct pro_task *rounds_async(void *arg)
{
    struct rounds *self = PRO_NEW_FRAME_VOID(struct rounds, rounds_move_next);

    (void)arg;
    return self ? PRO_START(self) : pro_task_no_memory();
}

int main(int argument_count, char **arguments)
{
    if (argument_count > 1)
        share = atof(arguments[1]);
    if (!(share >= 0.001 && share <= 1000)) {
        fprintf(stderr, "usage: await [SHARE], SHARE of the usual number of awaits being 0.001 to 1000\n");
        return 2;
    }
    return pro_run(rounds_async, NULL) < 0;
}
