/* SPDX-License-Identifier: MIT */
/* What allocates, and what must not. The first test leaves no memory at all: whatever needs a block then fails, be it
   one from the library's lists. The second counts calls of the allocator in steady state. On every backend. */
#include <proact/async.h>
#include <proact/async_local.h>

#include "loops.h"

#include <stdlib.h>

enum { TIMES = 300, HELD_MOST = 100000 };

/* ---- the allocator: counts, and refuses when told to ---- */
static uint32_t asked, refuses;

static void *counted_allocate(size_t size, void *unused)
{
    (void)unused;
    proi_fetch_add(&asked, 1u, PROI_RELAXED);
    return proi_load(&refuses, PROI_ACQUIRE) ? NULL : malloc(size);
}

static void *counted_resize(void *block, size_t size, void *unused)
{
    (void)unused;
    proi_fetch_add(&asked, 1u, PROI_RELAXED);
    return proi_load(&refuses, PROI_ACQUIRE) ? NULL : realloc(block, size);
}

static void counted_release(void *block, void *unused)
{
    (void)unused;
    free(block);
}

__attribute__((constructor)) static void count_from_the_start(void)
{
    const struct pro_allocator counting = { counted_allocate, counted_resize, counted_release, NULL };

    pro_set_allocator(&counting);
    proi_slabs_of_one = true; /* each block that is taken anew is counted */
}

/* Every block of every list is taken out. */
static struct held {
    void *block;
    size_t size;
    enum proi_block_kind kind;
} held[HELD_MOST];
static size_t held_count;

static void exhaust_memory(void)
{
    enum { STEP = 1 << PROI_STEP_BITS, LAST_STEP = 1 << PROI_LAST_STEP_BITS };

    proi_store(&refuses, 1u, PROI_RELEASE);
    for (size_t size = STEP; size <= 65536; size += size < LAST_STEP ? STEP : size) {
        const size_t shared = size <= LAST_STEP ? size - sizeof(char *) : size; /* the link is in a small block */
        const unsigned class = proi_block_class(size);
        void *block;

        while (held_count < HELD_MOST && (block = proi_block_alloc(shared)) != NULL)
            held[held_count++] = (struct held){ block, shared, PROI_BLOCKS_SHARED };
        while (held_count < HELD_MOST && ((block = proi_block_take_warm(PROI_BLOCKS_OF_TASKS, class)) != NULL ||
                                          (block = proi_block_take(PROI_BLOCKS_OF_TASKS, class, size)) != NULL))
            held[held_count++] = (struct held){ block, size, PROI_BLOCKS_OF_TASKS };
    }
    REQUIRE(held_count < HELD_MOST);
}

static void restore_memory(void)
{
    proi_store(&refuses, 0u, PROI_RELEASE);
    while (held_count) {
        held_count--;
        if (held[held_count].kind == PROI_BLOCKS_SHARED)
            proi_block_free(held[held_count].block, held[held_count].size);
        else
            proi_block_give(PROI_BLOCKS_OF_TASKS, proi_block_class(held[held_count].size), held[held_count].block);
    }
}

/* ---- methods ---- */
struct leaf {
    PRO_FRAME;
    bool yields;
};

PRO_ASYNC(leaf_move_next, struct leaf, self)
    if (self->yields)
        PRO_AWAIT(pro_yield());
    PRO_RETURN(int, 1);
PRO_ASYNC_END

static struct pro_task *leaf_async(bool yields)
{
    struct leaf *self = PRO_NEW_FRAME(struct leaf, leaf_move_next, int);

    if (!self)
        return pro_task_no_memory();
    self->yields = yields;
    return PRO_START(self);
}

struct walk {
    PRO_FRAME;
    struct pro_task *begin, *done;
    struct pair *pair;
    struct pro_op send, receive, other;
    char sent, received;
    int i, value, sum;
    uint32_t before;
};

static struct pro_how in_an_hour(void) { return PRO_WITHIN(PRO_S(3600)); }

PRO_ASYNC(poor_move_next, struct walk, self)
    PRO_AWAIT(self->begin); /* from here there is no memory */
    for (self->i = 0; self->i < TIMES; self->i++) {
        PRO_AWAIT(pro_borrow(self->done));
        PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_borrow(self->done),
                                      PRO_AWAIT_FORCE_YIELDING | PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT));
        PRO_AWAIT(pro_yield());
        PRO_AWAIT(pro_sleep(&self->other, NULL, 0, PRO_HOW_DEFAULT));
        if (!self->pair)
            continue;
        PRO_AWAIT(pro_nop(&self->other, NULL, PRO_HOW_DEFAULT));
        pro_start(pro_recv(&self->receive, &self->pair->server, &self->received, 1, PRO_HOW_DEFAULT));
        PRO_AWAIT(pro_send(&self->send, &self->pair->client, &self->sent, 1, PRO_HOW_DEFAULT));
        PRO_AWAIT(&self->receive);
        /* A timeout needs a block, and says so before anything was asked of the kernel. */
        PRO_AWAIT_STATUS(pro_send(&self->send, &self->pair->client, &self->sent, 1, in_an_hour()));
        CHECK_EQ(PRO_STATUS, PRO_E_NO_MEMORY);
        CHECK_EQ(self->send.state, PRO_OP_IDLE);
    }
    PRO_AWAIT_STATUS(leaf_async(false)); /* this does need some */
    PRO_RETURN(int, PRO_STATUS);
PRO_ASYNC_END

PRO_ASYNC(rich_move_next, struct walk, self)
    for (self->i = 0; self->i < 2 * TIMES; self->i++) {
        if (self->i == TIMES)
            self->before = proi_load(&asked, PROI_RELAXED); /* warm */
        PRO_AWAIT_TO(&self->value, leaf_async(false));
        self->sum += self->value;
        PRO_AWAIT_TO(&self->value, leaf_async(true));
        self->sum += self->value;
        if (!self->pair)
            continue;
        pro_start(pro_recv(&self->receive, &self->pair->server, &self->received, 1, in_an_hour()));
        PRO_AWAIT(pro_send(&self->send, &self->pair->client, &self->sent, 1, in_an_hour()));
        PRO_AWAIT(&self->receive);
    }
    CHECK_EQ(self->sum, 4 * TIMES);
    PRO_RETURN(int, (int)(proi_load(&asked, PROI_RELAXED) - self->before));
PRO_ASYNC_END

/* ---- the tests ---- */
static struct pro_loop *loop;
static struct pair pair;
static struct pro_task *begin, *done, *walk;

static struct pro_task *walk_async(struct pro_step (*move_next)(struct pro_frame *))
{
    struct walk *self = PRO_NEW_FRAME(struct walk, move_next, int);

    if (!self)
        return pro_task_no_memory();
    self->begin = begin;
    self->done = done;
    /* A simulated kernel keeps its requests in this process's memory; a real one has its own. */
    self->pair = strcmp(pro_loop_backend(loop), "sim") == 0 ? NULL : &pair;
    return PRO_START(self);
}

static void start_poor(void *unused)
{
    (void)unused;
    walk = walk_async(poor_move_next);
}

static void start_rich(void *unused)
{
    (void)unused;
    walk = walk_async(rich_move_next);
}

static int result_of_walk(void)
{
    int result = -1;

    CHECK_EQ(pro_task_read(walk, &result, PRO_TYPE(int)), PRO_OK);
    pro_task_unref(walk);
    return result;
}

static void await_without_memory(const char *backend)
{
    struct pro_completion_source *source;
    struct pro_async_local *local;
    int nothing = 0, result;

    loop = loop_on(backend, "poor", false);
    pair = (struct pair){ 0 };
    loop_connect(loop, &pair);
    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, PRO_TASK_DEFAULT, &source) == PRO_OK);
    REQUIRE(pro_async_local_new(NULL, &local) == PRO_OK);
    REQUIRE(pro_async_local_set(local, &nothing) == PRO_OK); /* there is an execution context to flow */
    begin = pro_completion_source_task(source);
    done = pro_task_completed();
    REQUIRE(pro_loop_post(loop, start_poor, NULL) == PRO_OK);
    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    exhaust_memory();
    CHECK_EQ(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT),
             PRO_OK); /* posts to the loop: no memory either */
    while (!pro_task_is_completed(walk) && pro_loop_run_once(loop, PRO_INFINITE) >= 0)
        ;
    restore_memory();
    result = result_of_walk();
    CHECK_EQ(result, PRO_E_NO_MEMORY);
    CHECK_EQ(pro_async_local_set(local, NULL), PRO_OK);
    pro_async_local_unref(local);
    pro_task_unref(done);
    pro_completion_source_free(source);
    loop_end(loop);
}

TEST(awaits_suspensions_and_operations_need_no_memory)
{
    /* Kills: any allocation in an await of what is complete, in a suspension and its resumption (also posted, also
       under an execution context), in an awaited op; a timeout that is dropped when there is no block for it. */
    for (const char *const *backend = test_backends(); *backend; backend++)
        await_without_memory(*backend);
}

TEST(async_calls_and_timeouts_ask_the_allocator_for_nothing_once_warm)
{
    /* Kills: a frame, task, result or limit that does not come from, or does not go back to, the lists; a second block
     * per call. */
    for (const char *const *backend = test_backends(); *backend; backend++) {
        loop = loop_on(*backend, "rich", false);
        pair = (struct pair){ 0 };
        loop_connect(loop, &pair);
        REQUIRE(pro_loop_post(loop, start_rich, NULL) == PRO_OK);
        CHECK_EQ(pro_loop_run(loop), PRO_OK);
        CHECK_EQ(result_of_walk(), 0);
        loop_end(loop);
    }
}

static void round_trip(void)
{
    struct pro_completion_source *source;
    struct pro_task *task;

    REQUIRE(pro_completion_source_new(PRO_TYPE(int), PRO_TASK_DEFAULT, &source) == PRO_OK);
    task = pro_completion_source_task(source);
    CHECK_EQ(pro_completion_source_set_result(source, &(int){ 5 }, PRO_TYPE(int)), PRO_OK);
    pro_completion_source_free(source);
    pro_task_unref(task);
}

static void count_one(void *counter) { ++*(unsigned *)counter; }

static void register_and_unregister(void)
{
    struct pro_cancellation_registration registration = { 0 };
    struct pro_cancellation_source *source;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, count_one, NULL), PRO_OK);
    CHECK(pro_cancellation_unregister(&registration));
    pro_cancellation_source_unref(source);
}

static void post_and_run(void)
{
    static struct pro_pump *pump;
    unsigned count = 0;

    if (!pump)
        REQUIRE(pro_pump_new("pump", &pump) == PRO_OK);
    CHECK_EQ(pro_sync_context_post(pro_pump_context(pump), count_one, &count), PRO_OK);
    CHECK_EQ(pro_pump_run_pending(pump), 1);
    CHECK_EQ(count, 1);
}

TEST(sources_registrations_and_posts_ask_the_allocator_for_nothing_once_warm)
{
    /* Kills: a block of any of them that is not reused. */
    static void (*const things[])(void) = { round_trip, register_and_unregister, post_and_run };

    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        uint32_t before = 0;

        for (int round = 0; round < 2 * TIMES; round++) {
            if (round == TIMES)
                before = proi_load(&asked, PROI_RELAXED);
            things[i]();
        }
        CHECK_EQ(proi_load(&asked, PROI_RELAXED) - before, 0);
    }
}
