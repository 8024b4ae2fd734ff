/* SPDX-License-Identifier: MIT */
/* What an awaited no-op of the kernel costs at least, step by step, in nanoseconds: 64 methods in turn, as in
 * bench/await.
 *
 *     nop_uring          prints as JSON, each step with all before it:
 *
 *     bare_ns            no methods: 64 are submitted, 64 answers read, again and again
 *     method_ns          state machines, run by the answer, each of which submits the next one itself; task, frame and
 *                        operation are as large as proact's
 *     queues_ns          nothing is delivered in the call that starts it: two queues
 *     cancel_ns          can be cancelled, and closed under: state, generation, a list of what is pending
 *     context_ns         resumes in its context, and a report finds what it waits for
 *
 * The best of several rounds. */
#include <liburing.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { METHODS = 64, NOPS = 192000, ROUNDS = 15 };
enum step { QUEUES = 1, CANCEL = 2, CONTEXT = 4 }; /* each with those before it */

/* The operation, as it lies in memory here. */
struct op {
    long long result;
    int native;
    unsigned char kind, state, why, place;
    unsigned short flags, generation;
    unsigned number;
    void *loop;
    struct op *next;
    struct op *pending_next, *pending_previous;
    void *data[5];
    size_t transferred;
    void (*done)(struct op *op);
    struct method *waiter;
    void *rest[4];
};

struct method {
    void *task[13]; /* what nobody touches while it waits */
    void *awaits, *awaits_context, *line;
    bool (*move_next)(struct method *method); /* true: awaits one more */
    unsigned pc, count;
    void *awaited[2], *continuation[8], *captured, *value[3];
    struct op op;
};

static struct io_uring ring;
static struct method *methods[METHODS];
static struct op *ready, **ready_end = &ready, *over, **over_end = &over, *pending;
static unsigned live;
static _Thread_local void *context; /* of whoever runs */
static volatile int sum;

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static inline void push(struct op ***end, struct op *op)
{
    op->next = NULL;
    **end = op;
    *end = &op->next;
}

static inline void submit(struct op *op, unsigned steps)
{
    struct io_uring_sqe *const sqe = io_uring_get_sqe(&ring); /* as many as methods: there is one */

    if (steps & CANCEL) {
        op->state = 3;
        op->native = -1;
    }
    io_uring_prep_nop(sqe);
    sqe->user_data = (unsigned long)op | (steps & CANCEL ? (unsigned long long)op->generation << 48 : 0);
}

static inline void start(struct method *method, unsigned steps)
{
    struct op *const op = &method->op;

    op->waiter = method;
    if (steps & CANCEL) {
        op->result = -1;
        op->transferred = 0;
        op->flags = 1;
        op->state = 2;
        op->loop = &ring;
        op->pending_previous = NULL;
        op->pending_next = pending;
        if (pending)
            pending->pending_previous = op;
        pending = op;
    }
    if (steps & CONTEXT) {
        method->captured = context;
        method->awaited[0] = method->awaited[1] = op;
        method->awaits = op->loop;
    }
    if (steps & QUEUES)
        push(&ready_end, op);
    else
        submit(op, steps);
}

static inline void resume(struct op *op, unsigned steps)
{
    struct method *const method = op->waiter;
    void *const outer = context;

    if (steps & CONTEXT) {
        context = method->captured;
        method->awaits = NULL;
    }
    if (method->move_next(method))
        start(method, steps);
    else
        live--;
    if (steps & CONTEXT)
        context = outer;
}

static inline void finish(struct op *op, unsigned steps)
{
    if (!(steps & CANCEL))
        return;
    if (op->pending_previous)
        op->pending_previous->pending_next = op->pending_next;
    else
        pending = op->pending_next;
    if (op->pending_next)
        op->pending_next->pending_previous = op->pending_previous;
    op->state = 0;
    op->generation++;
}

/* What the kernel answers: submits what is queued, and takes all that is over. */
static inline void turn(unsigned steps)
{
    struct io_uring_cqe *answers[METHODS];
    unsigned count;

    for (struct op *op = ready; op; op = op->next)
        submit(op, steps);
    ready = NULL;
    ready_end = &ready;
    io_uring_submit_and_wait(&ring, 1);
    count = io_uring_peek_batch_cqe(&ring, answers, METHODS);
    for (unsigned i = 0; i < count; i++) {
        struct op *const op = (struct op *)(unsigned long)(answers[i]->user_data & 0xffffffffffff);

        op->result = answers[i]->res;
        finish(op, steps);
        if (steps & QUEUES)
            push(&over_end, op);
        else
            resume(op, steps);
    }
    io_uring_cq_advance(&ring, count);
    for (struct op *op = over, *next; op; op = next) {
        next = op->next;
        resume(op, steps);
    }
    over = NULL;
    over_end = &over;
}

static bool await_again(struct method *method)
{
    method->pc = 1;
    return method->count-- > 0;
}

static inline void run_methods(unsigned steps)
{
    live = METHODS;
    for (unsigned i = 0; i < METHODS; i++) {
        methods[i]->move_next = await_again;
        methods[i]->count = NOPS / METHODS - 1;
        start(methods[i], steps);
    }
    while (live)
        turn(steps);
}

static void bare(void)
{
    struct io_uring_cqe *answers[METHODS];

    for (unsigned done = 0; done < NOPS; done += METHODS) {
        for (unsigned i = 0; i < METHODS; i++)
            io_uring_prep_nop(io_uring_get_sqe(&ring));
        io_uring_submit_and_wait(&ring, METHODS);
        for (unsigned i = 0, count = io_uring_peek_batch_cqe(&ring, answers, METHODS); i < count; i++)
            sum += answers[i]->res;
        io_uring_cq_advance(&ring, METHODS);
    }
}

/* Each with its steps known when it is compiled. */
static void as_methods(void) { run_methods(0); }
static void with_queues(void) { run_methods(QUEUES); }
static void with_cancel(void) { run_methods(QUEUES | CANCEL); }
static void with_context(void) { run_methods(QUEUES | CANCEL | CONTEXT); }

static const struct {
    const char *key;
    void (*run)(void);
} steps[] = { { "bare_ns", bare },
              { "method_ns", as_methods },
              { "queues_ns", with_queues },
              { "cancel_ns", with_cancel },
              { "context_ns", with_context } };
enum { STEPS = sizeof steps / sizeof *steps };

int main(void)
{
    struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN };
    const int code = io_uring_queue_init_params(METHODS, &ring, &params);
    double best[STEPS];

    if (code < 0) {
        fprintf(stderr, "nop_uring: io_uring: %s\n", strerror(-code));
        return 1;
    }
    io_uring_register_ring_fd(&ring);
    for (unsigned i = 0; i < METHODS; i++) {
        methods[i] = calloc(1, sizeof **methods);
        if (!methods[i])
            return 1;
    }
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < STEPS; i++) {
            const double start_ns = now_ns();
            double each;

            steps[i].run();
            each = (now_ns() - start_ns) / NOPS;
            if (!round || each < best[i])
                best[i] = each;
        }
    for (unsigned i = 0; i < STEPS; i++)
        printf("%s\"%s\":%.1f", i ? "," : "{", steps[i].key, best[i]);
    printf("}\n");
    return 0;
}
