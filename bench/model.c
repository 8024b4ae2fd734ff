/* SPDX-License-Identifier: MIT */
/* What C#'s model costs here: nanoseconds and calls of the allocator for each of seven things, the best of several
 * rounds after a warm-up. bench/dotnet/Model.cs measures the same seven in .NET; given the file with what it printed,
 * the table has both.
 *
 *     model [FILE]
 *
 *     await_completed      an await of a task that is complete
 *     suspend_resume       an await that gives way to the loop's queue, and is resumed
 *     call_synchronous     a call of an async method that does not wait, and the await of its task
 *     task_round           a completion source made, its task awaited while pending, completed, and freed
 *     post                 a call posted to a pump's context, and run there
 *     run_on_pool          an await of a body run on the pool, from the pool
 *     registration         a callback registered on a token and unregistered
 */
#include <proact/proact.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 7, WARM_UP = 1000, BATCH = 1000 };

static volatile int opaque; /* keeps results from being known beforehand */

/* ---- the allocator that counts ---- */
static atomic_ullong allocations;

static void *count_allocate(size_t size, void *unused)
{
    (void)unused;
    atomic_fetch_add(&allocations, 1);
    return malloc(size);
}

static void *count_resize(void *block, size_t size, void *unused)
{
    (void)unused;
    atomic_fetch_add(&allocations, 1);
    return realloc(block, size);
}

static void count_release(void *block, void *unused)
{
    (void)unused;
    free(block);
}

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

struct waiter {
    PRO_FRAME;
    struct pro_task *task;
};

PRO_ASYNC(waiter_move_next, struct waiter, self)
    PRO_AWAIT(self->task);
PRO_ASYNC_END

static struct pro_task *waiter_async(struct pro_task *task)
{
    struct waiter *self = PRO_NEW_FRAME_VOID(struct waiter, waiter_move_next);

    if (!self)
        return pro_task_no_memory();
    self->task = task;
    return PRO_START(self);
}

static struct pro_error *do_nothing(void *unused, void *ret_result)
{
    (void)unused, (void)ret_result;
    return NULL;
}

static void count_one(void *counter) { ++*(int *)counter; }
static void ignore(void *unused) { (void)unused; }

/* ---- what is measured: each does its thing self->count times ---- */
struct measure {
    PRO_FRAME;
    int count, i, value, sum;
    struct pro_task *task;
    struct pro_completion_source *source;
    struct pro_error *error;
};

PRO_ASYNC(completed_move_next, struct measure, self)
    self->task = leaf_async();
    for (self->i = 0; self->i < self->count; self->i++)
        PRO_AWAIT(pro_borrow(self->task));
    pro_task_unref(self->task);
PRO_ASYNC_END

PRO_ASYNC(yield_move_next, struct measure, self)
    for (self->i = 0; self->i < self->count; self->i++)
        PRO_AWAIT(pro_yield());
PRO_ASYNC_END

PRO_ASYNC(call_move_next, struct measure, self)
    for (self->i = 0; self->i < self->count; self->i++) {
        PRO_AWAIT_TO(&self->value, leaf_async());
        self->sum += self->value;
    }
PRO_ASYNC_END

/* The method that awaits is started by this one, which then completes the source: the continuation runs inside. */
PRO_ASYNC(round_move_next, struct measure, self)
    for (self->i = 0; self->i < self->count; self->i++) {
        if (pro_completion_source_new(PRO_NO_RESULT, PRO_TASK_DEFAULT, &self->source) < 0)
            PRO_THROW_NEW(PRO_E_NO_MEMORY, "no completion source");
        self->task = waiter_async(pro_completion_source_task(self->source));
        pro_completion_source_set_result(self->source, NULL, PRO_NO_RESULT);
        pro_completion_source_free(self->source);
        PRO_AWAIT(self->task);
    }
PRO_ASYNC_END

PRO_ASYNC(pool_move_next, struct measure, self)
    PRO_AWAIT(pro_switch_to(NULL));
    for (self->i = 0; self->i < self->count; self->i++)
        PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_task_run(do_nothing, NULL, PRO_NO_RESULT, PRO_TOKEN_NONE), PRO_AWAIT_NONE));
PRO_ASYNC_END

/* The two that wait for nothing are plain functions. */
static struct pro_error *posts(int count)
{
    struct pro_pump *pump;
    int ran = 0;

    if (pro_pump_new("bench", &pump) < 0)
        return pro_error_of(PRO_E_NO_MEMORY);
    for (int done = 0; done < count; done += BATCH) {
        for (int k = 0; k < BATCH; k++)
            pro_sync_context_post(pro_pump_context(pump), count_one, &ran);
        pro_pump_run_pending(pump);
    }
    pro_pump_free(pump);
    return ran == count ? NULL : pro_error_new(PRO_E_FAILED, PRO_HERE, "a post was lost");
}

static struct pro_error *registrations(int count)
{
    struct pro_cancellation_registration registration = { 0 };
    struct pro_cancellation_source *source;

    if (pro_cancellation_source_new(&source) < 0)
        return pro_error_of(PRO_E_NO_MEMORY);
    for (int i = 0; i < count; i++) {
        pro_cancellation_register(pro_cancellation_source_token(source), &registration, ignore, NULL);
        pro_cancellation_unregister_wait(&registration);
    }
    pro_cancellation_source_unref(source);
    return NULL;
}

PRO_ASYNC(post_move_next, struct measure, self)
    self->error = posts(self->count);
    if (self->error)
        PRO_THROW(self->error);
PRO_ASYNC_END

PRO_ASYNC(registration_move_next, struct measure, self)
    self->error = registrations(self->count);
    if (self->error)
        PRO_THROW(self->error);
PRO_ASYNC_END

typedef struct pro_step move_next_fn(struct pro_frame *frame);

static const struct kind {
    const char *key, *words;
    move_next_fn *move_next;
    int count;
} kinds[] = {
    { "await_completed", "await of a completed task", completed_move_next, 1000000 },
    { "suspend_resume", "suspend and resume", yield_move_next, 500000 },
    { "call_synchronous", "async call that completes synchronously", call_move_next, 1000000 },
    { "task_round", "task created, awaited, completed", round_move_next, 300000 },
    { "post", "post to a context, and run", post_move_next, 500000 },
    { "run_on_pool", "run on the pool, awaited", pool_move_next, 50000 },
    { "registration", "cancellation registered and unregistered", registration_move_next, 1000000 },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct pro_task *measure_async(const struct kind *kind, int count)
{
    struct measure *self = PRO_NEW_FRAME_VOID(struct measure, kind->move_next);

    if (!self)
        return pro_task_no_memory();
    self->count = count;
    return PRO_START(self);
}

/* ---- the table ---- */
static char dotnet[4096]; /* what bench/dotnet printed: {"key":{"ns":1.0,"bytes":2.0},…}; "" without it */

/* The number behind "key":{…"name": in what .NET printed; false when it is not there. */
static bool dotnet_figure(const char *key, const char *name, double *ret_figure)
{
    char pattern[64];
    const char *at;

    snprintf(pattern, sizeof pattern, "\"%s\":{", key);
    at = strstr(dotnet, pattern);
    snprintf(pattern, sizeof pattern, "\"%s\":", name);
    at = at ? strstr(at, pattern) : NULL;
    if (!at)
        return false;
    *ret_figure = strtod(at + strlen(pattern), NULL);
    return true;
}

static void print_row(const struct kind *kind, double best_ns, double each_allocations)
{
    double ns, bytes;

    printf("| %-41s | %8.1f | %11.4f |", kind->words, best_ns, each_allocations);
    if (dotnet_figure(kind->key, "ns", &ns) && dotnet_figure(kind->key, "bytes", &bytes))
        printf(" %8.1f | %6.0f |", ns, bytes);
    printf("\n");
}

struct rounds {
    PRO_FRAME;
    int round, kind;
    uint64_t start_ns;
    unsigned long long start_allocations;
    double best_ns, each_allocations;
};

static void round_end(struct rounds *self)
{
    const int count = kinds[self->kind].count;
    const double ns = (double)(pro_now() - self->start_ns) / count;
    const double each = (double)(atomic_load(&allocations) - self->start_allocations) / count;

    if (self->round == 0 || ns < self->best_ns)
        self->best_ns = ns;
    if (self->round == 0 || each < self->each_allocations)
        self->each_allocations = each;
}

PRO_ASYNC(rounds_move_next, struct rounds, self)
    printf("| %-41s | %8s | %11s |%s\n", "", "ns", "allocations", dotnet[0] ? "  .NET ns |  bytes |" : "");
    for (self->kind = 0; self->kind < KINDS; self->kind++) {
        PRO_AWAIT(measure_async(&kinds[self->kind], WARM_UP));
        for (self->round = 0; self->round < ROUNDS; self->round++) {
            self->start_allocations = atomic_load(&allocations);
            self->start_ns = pro_now();
            PRO_AWAIT(measure_async(&kinds[self->kind], kinds[self->kind].count));
            round_end(self);
        }
        print_row(&kinds[self->kind], self->best_ns, self->each_allocations);
    }
PRO_ASYNC_END

static struct pro_task *rounds_async(void *unused)
{
    struct rounds *self = PRO_NEW_FRAME_VOID(struct rounds, rounds_move_next);

    (void)unused;
    return self ? PRO_START(self) : pro_task_no_memory();
}

int main(int argc, char **argv)
{
    const struct pro_allocator counting = { count_allocate, count_resize, count_release, NULL };

    if (argc > 1) {
        FILE *file = fopen(argv[1], "r");

        if (!file) {
            fprintf(stderr, "%s cannot be read\n", argv[1]);
            return 1;
        }
        dotnet[fread(dotnet, 1, sizeof dotnet - 1, file)] = '\0';
        fclose(file);
    }
    if (pro_set_allocator(&counting) < 0)
        return 1;
    return pro_run(rounds_async, NULL) < 0;
}
