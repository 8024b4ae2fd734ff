/* SPDX-License-Identifier: MIT */
/* The request context: any pool thread, one at a time, in order; who blocks keeps the turn. */
#include "harness.h"

#include <proact/context.h>
#include <proact/scheduler.h>

#include "gate.h"

enum { MANY = 2000 };

struct turns {
    struct pro_sync_context *context;
    uint32_t inside; /* how many items run now */
    int next, count; /* written by whoever has the turn */
    bool in_order, alone, current, on_pool;
    struct gate done;
};
struct turn {
    struct pro_work work;
    struct turns *turns;
    int number;
};

static void turn_run(struct pro_work *work)
{
    struct turn *turn = PRO_CONTAINER(work, struct turn, work);
    struct turns *turns = turn->turns;

    if (proi_fetch_add(&turns->inside, 1, PROI_RELAXED) != 0)
        turns->alone = false;
    turns->in_order = turns->in_order && turn->number == turns->next++;
    turns->current = turns->current && pro_sync_context_current() == turns->context;
    turns->on_pool = turns->on_pool && pro_pool_is_worker();
    turns->count++;
    proi_fetch_sub(&turns->inside, 1, PROI_RELAXED);
    gate_add(&turns->done);
}

static struct pro_sync_context *context_new(void)
{
    struct pro_sync_context *context = NULL;

    REQUIRE(pro_request_context_new("request", &context) == PRO_OK);
    return context;
}

TEST(items_run_one_at_a_time_and_in_order_on_pool_threads)
{
    /* Kills: posting each item to the pool by itself; forgetting to make the context current. */
    static struct turn items[MANY];
    struct turns turns = { .in_order = true, .alone = true, .current = true, .on_pool = true };

    turns.context = context_new();
    for (int i = 0; i < MANY; i++) {
        items[i] = (struct turn){ .work = { .run = turn_run }, .turns = &turns, .number = i };
        CHECK_EQ(pro_sync_context_post_work(turns.context, &items[i].work), PRO_OK);
    }
    gate_wait(&turns.done, MANY);
    CHECK_EQ(turns.count, MANY);
    CHECK(turns.in_order);
    CHECK(turns.alone);
    CHECK(turns.current);
    CHECK(turns.on_pool);
    pro_sync_context_unref(turns.context);
}

struct held {
    struct pro_sync_context *context;
    struct gate inside, leave, second;
    uint64_t thread;
};

static void hold_turn(void *arg)
{
    struct held *held = arg;

    held->thread = pro_thread_id();
    gate_add(&held->inside);
    gate_wait(&held->leave, 1);
}
static void come_second(void *arg) { gate_add(&((struct held *)arg)->second); }
static void count_item(struct pro_work *work, void *arg)
{
    (void)work;
    ++*(int *)arg;
}

TEST(a_thread_that_blocks_in_an_item_keeps_the_turn)
{
    /* Kills: letting the next item in while one blocks (SEM-124); not telling reports who has the turn. */
    struct held held = { .context = context_new() };
    const struct pro_sync_context_vtable *vtable = held.context->vtable;
    struct held other = { .context = NULL };
    uint64_t owner = 0;
    int queued = 0;

    CHECK(!vtable->owner_thread(held.context, &owner));
    pro_sync_context_post(held.context, hold_turn, &held);
    gate_wait(&held.inside, 1);
    pro_sync_context_post(held.context, come_second, &held);
    /* The pool is free to run other things meanwhile: what does not come is the second item. */
    CHECK_EQ(pro_pool_set_min_threads(4), PRO_OK);
    pro_pool_post(come_second, &other);
    gate_wait(&other.second, 1);
    CHECK_EQ(gate_count(&held.second), 0);
    CHECK_EQ(pro_request_context_pending(held.context), 1);
    CHECK(vtable->owner_thread(held.context, &owner));
    CHECK_EQ(owner, held.thread);
    vtable->for_each_queued(held.context, count_item, &queued);
    CHECK_EQ(queued, 1);
    gate_add(&held.leave);
    gate_wait(&held.second, 1);
    pro_sync_context_unref(held.context);
}

struct who {
    struct pro_sync_context *context, *seen;
    uint64_t thread, outer;
    struct gate done;
};

static void tell_who(void *arg)
{
    struct who *who = arg;

    who->thread = pro_thread_id();
    who->seen = pro_sync_context_current();
    gate_add(&who->done);
}
static void send_inside(void *arg)
{
    struct who *who = arg;

    who->outer = pro_thread_id();
    CHECK_EQ(pro_sync_context_send(who->context, tell_who, who), PRO_OK);
    CHECK_EQ(gate_count(&who->done), 1);
    gate_add(&who->done);
}

TEST(send_runs_inline_for_whoever_has_the_turn_and_waits_for_it_elsewhere)
{
    /* Kills: waiting for one's own turn; running beside the item that has it. */
    struct who inner = { .context = context_new() }, outer = { .context = inner.context };

    pro_sync_context_post(inner.context, send_inside, &inner);
    gate_wait(&inner.done, 2);
    CHECK_EQ(inner.thread, inner.outer);
    CHECK_EQ(pro_sync_context_send(inner.context, tell_who, &outer), PRO_OK);
    CHECK_EQ(gate_count(&outer.done), 1);
    CHECK(outer.thread != pro_thread_id());
    CHECK(outer.seen == inner.context);
    pro_sync_context_unref(inner.context);
}

TEST(items_keep_a_context_alive_that_its_user_has_let_go)
{
    /* Kills: taking no reference for the turn (seen by AddressSanitizer). */
    struct held held = { .context = context_new() };

    pro_sync_context_post(held.context, hold_turn, &held);
    pro_sync_context_post(held.context, come_second, &held);
    gate_wait(&held.inside, 1);
    pro_sync_context_unref(held.context);
    gate_add(&held.leave);
    gate_wait(&held.second, 1);
}

static void ignore_misuse(int code, const char *sentence, void *user)
{
    (void)code;
    (void)sentence;
    (void)user;
}

TEST(missing_arguments_are_invalid)
{
    /* Kills: leaving out the check. */
    struct pro_sync_context other;

    pro_set_misuse_handler(ignore_misuse, NULL);
    CHECK_EQ(pro_request_context_new("x", NULL), PRO_E_INVALID);
    pro_set_misuse_handler(NULL, NULL);
    pro_sync_context_init(&other, NULL, "other");
    CHECK_EQ(pro_request_context_pending(&other), 0);
    CHECK_EQ(pro_request_context_pending(NULL), 0);
}
