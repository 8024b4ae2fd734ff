/* SPDX-License-Identifier: MIT */
/* Schedulers that stand on others: the exclusive pair, limited concurrency, inline, of a context; and the serial
 * context. */
#include "harness.h"

#include <proact/proact.h>

#include "gate.h"
#include "told.h"

enum { MANY = 300 };

static struct pro_task *start(pro_task_fn *body, void *arg, struct pro_task_scheduler *scheduler)
{
    return pro_task_start_new(body, arg, PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_DEFAULT, scheduler);
}

static void finish(struct pro_task *task)
{
    CHECK_EQ(PRO_WAIT(task), PRO_OK);
    pro_task_unref(task);
}

static struct pro_exclusive_pair *pair_new(struct pro_task_scheduler *target, unsigned level)
{
    struct pro_exclusive_pair *pair = NULL;

    REQUIRE(pro_exclusive_pair_new(target, level, &pair) == PRO_OK);
    return pair;
}

/* ---- the pair ---- */
struct room {
    struct pro_exclusive_pair *pair;
    uint32_t readers, writers, most_readers;
    uint32_t broken;
    struct gate two, leave;
};

static struct pro_error *read_room(void *arg, void *ret_result)
{
    struct room *room = arg;
    const uint32_t readers = proi_fetch_add(&room->readers, 1, PROI_SEQ_CST) + 1;
    uint32_t most = proi_load(&room->most_readers, PROI_RELAXED);

    (void)ret_result;
    while (most < readers && !proi_compare_exchange(&room->most_readers, &most, readers, PROI_ACQ_REL))
        ;
    if (proi_load(&room->writers, PROI_SEQ_CST))
        proi_store(&room->broken, 1, PROI_RELAXED);
    proi_fetch_sub(&room->readers, 1, PROI_SEQ_CST);
    return NULL;
}

static struct pro_error *write_room(void *arg, void *ret_result)
{
    struct room *room = arg;

    (void)ret_result;
    if (proi_fetch_add(&room->writers, 1, PROI_SEQ_CST) || proi_load(&room->readers, PROI_SEQ_CST))
        proi_store(&room->broken, 1, PROI_RELAXED);
    proi_fetch_sub(&room->writers, 1, PROI_SEQ_CST);
    return NULL;
}

TEST(an_exclusive_task_runs_beside_nothing_and_concurrent_ones_up_to_the_level)
{
    /* Kills: starting an exclusive runner while concurrent ones are at work; more runners than the level. */
    struct pro_task *tasks[MANY];
    struct room room = { .pair = pair_new(NULL, 2) };

    CHECK_EQ(pro_pool_set_min_threads(4), PRO_OK);
    for (int i = 0; i < MANY; i++)
        tasks[i] = i % 3 ? start(read_room, &room, pro_exclusive_pair_concurrent(room.pair))
                         : start(write_room, &room, pro_exclusive_pair_exclusive(room.pair));
    for (int i = 0; i < MANY; i++)
        finish(tasks[i]);
    CHECK_EQ(room.broken, 0);
    CHECK(room.most_readers <= 2);
    pro_exclusive_pair_free(room.pair);
}

static struct pro_error *stay(void *arg, void *ret_result)
{
    struct room *room = arg;

    (void)ret_result;
    gate_add(&room->two);
    gate_wait(&room->leave, 1);
    return NULL;
}

TEST(concurrent_tasks_run_at_the_same_time)
{
    /* Kills: one runner for the whole concurrent queue. */
    struct room room = { .pair = pair_new(NULL, 2) };
    struct pro_task *one, *two;

    CHECK_EQ(pro_pool_set_min_threads(4), PRO_OK);
    one = start(stay, &room, pro_exclusive_pair_concurrent(room.pair));
    two = start(stay, &room, pro_exclusive_pair_concurrent(room.pair));
    gate_wait(&room.two, 2);
    gate_add(&room.leave);
    finish(one);
    finish(two);
    pro_exclusive_pair_free(room.pair);
}

struct nested {
    struct pro_task_scheduler *scheduler;
    int code;
    uint64_t outer_thread, inner_thread;
};

static struct pro_error *note_thread(void *arg, void *ret_result)
{
    (void)ret_result;
    ((struct nested *)arg)->inner_thread = pro_thread_id();
    return NULL;
}

static struct pro_error *wait_for_nested(void *arg, void *ret_result)
{
    struct nested *nested = arg;
    struct pro_task *task = start(note_thread, nested, nested->scheduler);

    (void)ret_result;
    nested->outer_thread = pro_thread_id();
    nested->code = PRO_WAIT(task);
    pro_task_unref(task);
    return NULL;
}

TEST(a_wait_for_the_same_mode_runs_the_task_in_place_and_leaves_its_entry_harmless)
{
    /* Kills: refusing to inline in the own mode; one reference for the inlined run and the entry that stays queued. */
    struct pro_exclusive_pair *pair = pair_new(NULL, 0);
    struct pro_task_scheduler *exclusive = pro_exclusive_pair_exclusive(pair);
    struct nested nested = { .scheduler = exclusive };

    finish(start(wait_for_nested, &nested, exclusive));
    CHECK_EQ(nested.code, PRO_OK);
    CHECK_EQ(nested.inner_thread, nested.outer_thread);
    pro_exclusive_pair_free(pair);
}

static void never_run(struct pro_work *work)
{
    (void)work;
    test_fail(__FILE__, __LINE__, "an item ran where it must not");
}

static bool offer_inline(struct pro_task_scheduler *scheduler)
{
    struct pro_work work = { .run = never_run };

    return scheduler->vtable->try_inline(scheduler, &work, false);
}

static struct pro_error *offer_other_mode(void *arg, void *ret_result)
{
    (void)ret_result;
    CHECK(!offer_inline(arg));
    return NULL;
}

TEST(an_item_is_never_inlined_in_the_other_mode_nor_outside_the_pair)
{
    /* Kills: inlining for any lane of the pair: an exclusive body would run beside concurrent ones. */
    struct pro_exclusive_pair *pair = pair_new(NULL, 2);
    struct pro_task_scheduler *exclusive = pro_exclusive_pair_exclusive(pair);
    struct pro_task_scheduler *concurrent = pro_exclusive_pair_concurrent(pair);

    finish(start(offer_other_mode, exclusive, concurrent));
    finish(start(offer_other_mode, concurrent, exclusive));
    CHECK(!offer_inline(exclusive));
    pro_exclusive_pair_free(pair);
}

struct segments {
    PRO_FRAME;
    struct pro_task *task;
    struct pro_task_scheduler *after;
    struct room *room;
};

static struct pro_task_scheduler *resumed_under;

PRO_ASYNC(segments_move_next, struct segments, self)
    PRO_AWAIT(pro_borrow(self->task));
    resumed_under = pro_task_scheduler_current();
PRO_ASYNC_END

static struct pro_error *begin_segments(void *arg, void *ret_result)
{
    struct segments *self = PRO_NEW_FRAME_VOID(struct segments, segments_move_next);

    if (!self)
        return pro_error_of(PRO_E_NO_MEMORY);
    self->task = arg;
    *(struct pro_task **)ret_result = PRO_START(self);
    return NULL;
}

TEST(an_await_gives_the_exclusivity_up_and_takes_it_again_to_go_on)
{
    /* Kills: holding the exclusive runner until the async method is complete (SEM-276). */
    struct pro_exclusive_pair *pair = pair_new(NULL, 0);
    struct pro_task_scheduler *exclusive = pro_exclusive_pair_exclusive(pair);
    struct pro_completion_source *source = NULL;
    struct room room = { .pair = pair };
    struct pro_task *awaited, *outer, *method = NULL;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    awaited = pro_completion_source_task(source);
    outer = pro_task_start_new(begin_segments, awaited, PRO_TYPE(struct pro_task *), PRO_TOKEN_NONE, 0, exclusive);
    CHECK_EQ(PRO_RESULT(outer, &method), PRO_OK);
    finish(start(write_room, &room, exclusive)); /* gets in while the method waits */
    resumed_under = NULL;
    pro_completion_source_set_result(source, NULL, PRO_NO_RESULT);
    finish(method);
    CHECK(resumed_under == exclusive);
    pro_task_unref(outer);
    pro_task_unref(awaited);
    pro_completion_source_free(source);
    pro_exclusive_pair_free(pair);
}

TEST(a_suspended_method_keeps_the_scheduler_it_will_go_on_with)
{
    /* Kills: capturing a scheduler without a reference. */
    struct pro_exclusive_pair *pair = pair_new(NULL, 0);
    struct pro_completion_source *source = NULL;
    struct pro_task *awaited, *outer, *method = NULL;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    awaited = pro_completion_source_task(source);
    outer = pro_task_start_new(begin_segments, awaited, PRO_TYPE(struct pro_task *), PRO_TOKEN_NONE, 0,
                               pro_exclusive_pair_exclusive(pair));
    CHECK_EQ(PRO_RESULT(outer, &method), PRO_OK);
    pro_task_unref(outer);
    pro_exclusive_pair_free(pair);
    resumed_under = NULL;
    pro_completion_source_set_result(source, NULL, PRO_NO_RESULT);
    finish(method);
    CHECK(resumed_under != NULL && resumed_under != pro_task_scheduler_default());
    pro_task_unref(awaited);
    pro_completion_source_free(source);
}

TEST(a_completed_pair_refuses_and_its_completion_waits_for_what_is_queued)
{
    /* Kills: accepting after complete; completing while a queue is not empty. */
    struct pro_exclusive_pair *pair = pair_new(NULL, 0);
    struct room room = { .pair = pair };
    struct pro_task *busy = start(stay, &room, pro_exclusive_pair_exclusive(pair)), *refused, *completion;

    gate_wait(&room.two, 1);
    completion = pro_exclusive_pair_completion(pair);
    CHECK_EQ(pro_exclusive_pair_complete(pair), PRO_OK);
    CHECK(!pro_task_is_completed(completion));
    refused = start(write_room, &room, pro_exclusive_pair_concurrent(pair));
    CHECK_EQ(pro_error_code(pro_task_error(refused)), PRO_E_SCHEDULER);
    CHECK_EQ(pro_error_code(pro_error_inner(pro_task_error(refused), 0)), PRO_E_STATE);
    gate_add(&room.leave);
    finish(busy);
    finish(completion);
    pro_task_unref(refused);
    pro_exclusive_pair_free(pair);
}

TEST(a_pair_that_is_freed_runs_what_is_queued)
{
    /* Kills: freeing the pair with its handle; losing the runner's reference. */
    struct room room = { .pair = pair_new(NULL, 0) };
    struct pro_task *tasks[MANY];

    for (int i = 0; i < MANY; i++)
        tasks[i] = start(i % 2 ? read_room : write_room, &room,
                         i % 2 ? pro_exclusive_pair_concurrent(room.pair) : pro_exclusive_pair_exclusive(room.pair));
    pro_exclusive_pair_free(room.pair);
    for (int i = 0; i < MANY; i++)
        finish(tasks[i]);
    CHECK_EQ(room.broken, 0);
}

/* A target that takes so many items and then refuses; those it took it runs when told. */
struct fickle {
    struct pro_task_scheduler scheduler;
    struct pro_work *first, *last;
    int takes;
};

static int fickle_queue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    struct fickle *fickle = (struct fickle *)scheduler;

    if (!fickle->takes)
        return PRO_E_USER;
    fickle->takes--;
    work->next = NULL;
    if (fickle->last)
        fickle->last->next = work;
    else
        fickle->first = work;
    fickle->last = work;
    return PRO_OK;
}

static void fickle_run(struct fickle *fickle)
{
    while (fickle->first) {
        struct pro_work *work = fickle->first;

        fickle->first = work->next;
        if (!fickle->first)
            fickle->last = NULL;
        pro_work_run(work);
    }
}

static const struct pro_task_scheduler_vtable fickle_vtable = { .queue = fickle_queue };

TEST(a_target_that_refuses_faults_the_completion_and_nothing_accepted_is_lost)
{
    /* Kills: dropping the refusal; leaving the waiting items without a runner. */
    static struct fickle fickle = { .takes = 1 };
    struct pro_exclusive_pair *pair;
    struct room room = { .pair = NULL };
    struct pro_task *first, *waiting, *refused, *completion;

    pro_task_scheduler_init(&fickle.scheduler, &fickle_vtable, "fickle");
    room.pair = pair = pair_new(&fickle.scheduler, 0);
    completion = pro_exclusive_pair_completion(pair);
    first = start(write_room, &room, pro_exclusive_pair_exclusive(pair));
    waiting = start(read_room, &room, pro_exclusive_pair_concurrent(pair)); /* accepted: a runner is on its way */
    fickle_run(&fickle);                                                    /* the concurrent runner is refused */
    finish(first);
    finish(waiting);
    CHECK_EQ(PRO_WAIT(completion), PRO_E_AGGREGATE);
    CHECK_EQ(pro_error_code(pro_task_error(completion)), PRO_E_SCHEDULER);
    refused = start(write_room, &room, pro_exclusive_pair_exclusive(pair));
    CHECK_EQ(pro_error_code(pro_task_error(refused)), PRO_E_SCHEDULER);
    pro_task_unref(refused);
    pro_task_unref(completion);
    pro_exclusive_pair_free(pair);
}

/* A target that, asked to take the first runner, lets others come to the item and queue a new one at its address, and
   then refuses. */
struct sly {
    struct pro_task_scheduler scheduler, *above;
    struct pro_work item, other, *kept; /* the address in question; another item; a runner that it took */
    int depth;
    struct gate runs; /* of items at the address */
    bool keeps;       /* the second runner stays here; else it is refused, too */
    int answer;       /* to the second item at the address */
};

static void count_run(struct pro_work *work) { gate_add(&PRO_CONTAINER(work, struct sly, item)->runs); }
static void run_nothing(struct pro_work *work) { (void)work; }

static int sly_queue(struct pro_task_scheduler *scheduler, struct pro_work *work)
{
    struct sly *const sly = PRO_CONTAINER(scheduler, struct sly, scheduler);

    switch (++sly->depth) {
    case 1: /* the runner for the item, which is run meanwhile, and comes again */
        sly->other = (struct pro_work){ .run = run_nothing };
        CHECK_EQ(sly->above->vtable->queue(sly->above, &sly->other), PRO_OK);
        CHECK_EQ(gate_count(&sly->runs), 1);
        sly->item = (struct pro_work){ .run = count_run };
        sly->answer = sly->above->vtable->queue(sly->above, &sly->item);
        return PRO_E_USER;
    case 2: /* the runner for the other one works through the queue */
        pro_work_run(work);
        return PRO_OK;
    default:
        if (!sly->keeps)
            return PRO_E_USER;
        sly->kept = work;
        return PRO_OK;
    }
}

static const struct pro_task_scheduler_vtable sly_vtable = { .queue = sly_queue };

TEST(a_refused_item_is_not_taken_for_a_new_one_at_its_address)
{
    /* Kills: looking for a refused item by its address alone (limited; the pair's lanes). */
    static struct sly below_limited, below_pair = { .keeps = true }; /* the pool drops the last runner when it will */
    struct pro_exclusive_pair *pair;

    pro_task_scheduler_init(&below_limited.scheduler, &sly_vtable, "sly");
    REQUIRE(pro_limited_scheduler_new("limited", &below_limited.scheduler, 2, &below_limited.above) == PRO_OK);
    below_limited.item = (struct pro_work){ .run = count_run };
    CHECK_EQ(below_limited.above->vtable->queue(below_limited.above, &below_limited.item), PRO_OK); /* it was run */
    CHECK_EQ(below_limited.answer, PRO_OK);
    pro_task_scheduler_unref(below_limited.above);
    gate_wait(&below_limited.runs, 2); /* on the pool */

    pro_task_scheduler_init(&below_pair.scheduler, &sly_vtable, "sly");
    pair = pair_new(&below_pair.scheduler, 2);
    below_pair.above = pro_exclusive_pair_concurrent(pair);
    below_pair.item = (struct pro_work){ .run = count_run };
    CHECK_EQ(below_pair.above->vtable->queue(below_pair.above, &below_pair.item), PRO_OK);
    CHECK_EQ(below_pair.answer, PRO_OK);
    REQUIRE(below_pair.kept != NULL);
    pro_work_run(below_pair.kept);
    CHECK_EQ(gate_count(&below_pair.runs), 2);
    pro_exclusive_pair_free(pair);
}

TEST(an_item_that_the_target_refuses_at_once_is_refused)
{
    /* Kills: answering that it was accepted, and leaving it in the queue for ever. */
    static struct fickle fickle = { .takes = 0 };
    struct pro_exclusive_pair *pair;
    struct pro_task_scheduler *limited = NULL;
    struct room room = { .pair = NULL };
    struct pro_task *task;

    pro_task_scheduler_init(&fickle.scheduler, &fickle_vtable, "fickle");
    pair = pair_new(&fickle.scheduler, 0);
    task = start(write_room, &room, pro_exclusive_pair_exclusive(pair));
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_SCHEDULER);
    pro_task_unref(task);
    pro_exclusive_pair_free(pair);

    REQUIRE(pro_limited_scheduler_new("limited", &fickle.scheduler, 1, &limited) == PRO_OK);
    task = start(write_room, &room, limited);
    CHECK_EQ(pro_error_code(pro_task_error(task)), PRO_E_SCHEDULER);
    CHECK_EQ(pro_error_code(pro_error_inner(pro_task_error(task), 0)), PRO_E_USER);
    pro_task_unref(task);
    pro_task_scheduler_unref(limited);
}

/* ---- limited concurrency ---- */
TEST(a_limited_scheduler_never_runs_more_than_its_level)
{
    /* Kills: a runner for every item. */
    struct pro_task_scheduler *limited = NULL;
    struct room room = { .pair = NULL };
    struct pro_task *tasks[MANY];

    CHECK_EQ(pro_pool_set_min_threads(4), PRO_OK);
    REQUIRE(pro_limited_scheduler_new("two", NULL, 2, &limited) == PRO_OK);
    for (int i = 0; i < MANY; i++)
        tasks[i] = start(read_room, &room, limited);
    pro_task_scheduler_unref(limited); /* the tasks keep it */
    for (int i = 0; i < MANY; i++)
        finish(tasks[i]);
    CHECK(room.most_readers <= 2);
}

struct order {
    int numbers[8];
    uint32_t count;
};
struct numbered {
    struct order *order;
    int number;
};

static struct pro_error *note_number(void *arg, void *ret_result)
{
    struct numbered *numbered = arg;

    (void)ret_result;
    numbered->order->numbers[proi_fetch_add(&numbered->order->count, 1, PROI_RELAXED)] = numbered->number;
    return NULL;
}

TEST(a_limited_scheduler_of_one_keeps_the_order_and_a_cancelled_item_leaves_it_at_once)
{
    /* Kills: last in, first out; no try_dequeue. */
    struct pro_task_scheduler *limited = NULL;
    struct pro_cancellation_source *source = NULL;
    struct room room = { .pair = NULL };
    struct order order = { .count = 0 };
    struct numbered items[3] = { { &order, 0 }, { &order, 1 }, { &order, 2 } };
    struct pro_task *busy, *tasks[3];

    REQUIRE(pro_limited_scheduler_new("one", NULL, 1, &limited) == PRO_OK);
    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    busy = start(stay, &room, limited);
    gate_wait(&room.two, 1);
    for (int i = 0; i < 3; i++)
        tasks[i] = pro_task_start_new(note_number, &items[i], PRO_NO_RESULT,
                                      i == 1 ? pro_cancellation_source_token(source) : PRO_TOKEN_NONE, 0, limited);
    pro_cancellation_source_cancel(source);
    CHECK(pro_task_is_canceled(tasks[1]));
    gate_add(&room.leave);
    finish(busy);
    finish(tasks[0]);
    finish(tasks[2]);
    pro_task_unref(tasks[1]);
    CHECK_EQ(order.count, 2);
    CHECK_EQ(order.numbers[0], 0);
    CHECK_EQ(order.numbers[1], 2);
    pro_cancellation_source_unref(source);
    pro_task_scheduler_unref(limited);
}

TEST(a_wait_inside_a_limited_scheduler_takes_the_item_out_and_runs_it)
{
    /* Kills: refusing on the own thread: with a level of one it would wait for itself. */
    struct pro_task_scheduler *limited = NULL;
    struct nested nested = { .code = -1 };

    REQUIRE(pro_limited_scheduler_new("one", NULL, 1, &limited) == PRO_OK);
    nested.scheduler = limited;
    finish(start(wait_for_nested, &nested, limited));
    CHECK_EQ(nested.code, PRO_OK);
    CHECK_EQ(nested.inner_thread, nested.outer_thread);
    pro_task_scheduler_unref(limited);
}

/* ---- of a context ---- */
TEST(a_context_scheduler_posts_and_inlines_only_where_its_context_is_current)
{
    /* Kills: inlining anywhere; dropping the queue's reference with the inlined run. */
    struct pro_pump *pump = NULL;
    struct pro_task_scheduler *scheduler = NULL;
    struct nested nested = { .code = -1 };
    struct pro_task *task, *outer;

    told_listen();
    CHECK_MISUSE(pro_task_scheduler_from_current_context(&scheduler), PRO_E_STATE);
    told_stop();
    REQUIRE(pro_pump_new("ui", &pump) == PRO_OK);
    pro_sync_context_set(pro_pump_context(pump));
    REQUIRE(pro_task_scheduler_from_current_context(&scheduler) == PRO_OK);
    pro_sync_context_set(NULL);
    CHECK_EQ(scheduler->max_concurrency, 1);
    task = start(note_thread, &nested, scheduler);
    CHECK(!offer_inline(scheduler));
    CHECK_EQ(pro_pump_pending(pump), 1);
    CHECK_EQ(pro_pump_run_pending(pump), 1);
    finish(task);

    nested.scheduler = scheduler;
    outer = start(wait_for_nested, &nested, scheduler);
    CHECK_EQ(pro_pump_run_pending(pump), 1);
    CHECK_EQ(nested.code, PRO_OK);
    CHECK_EQ(pro_pump_pending(pump), 1); /* the no-op of the nested one */
    CHECK_EQ(pro_pump_run_pending(pump), 1);
    finish(outer);
    pro_task_scheduler_unref(scheduler);
    pro_pump_free(pump);
}

/* ---- inline ---- */
struct chain {
    uint32_t left;
    struct gate done;
};

static struct pro_error *next_link(void *arg, void *ret_result)
{
    struct chain *chain = arg;

    (void)ret_result;
    if (proi_fetch_sub(&chain->left, 1, PROI_RELAXED) == 1)
        gate_add(&chain->done);
    else
        pro_forget(start(next_link, chain, pro_task_scheduler_inline()));
    return NULL;
}

TEST(the_inline_scheduler_runs_inside_the_call_and_a_long_chain_ends)
{
    /* Kills: posting to the pool; recursion without a limit. */
    struct nested nested = { .code = 0 };
    struct chain chain = { .left = 1 };
    struct pro_task *task = start(note_thread, &nested, pro_task_scheduler_inline());

    CHECK(pro_task_is_succeeded(task));
    CHECK_EQ(nested.inner_thread, pro_thread_id());
    pro_task_unref(task);
    chain.left = 20000;
    pro_forget(start(next_link, &chain, pro_task_scheduler_inline()));
    gate_wait(&chain.done, 1);
}

/* ---- the serial context ---- */
struct serial {
    struct pro_sync_context *context;
    uint32_t inside;
    int next;
    bool in_order, alone, current;
    struct gate done;
};
struct serial_item {
    struct pro_work work;
    struct serial *serial;
    int number;
};

static void serial_run(struct pro_work *work)
{
    struct serial_item *item = PRO_CONTAINER(work, struct serial_item, work);
    struct serial *serial = item->serial;

    serial->alone = serial->alone && proi_fetch_add(&serial->inside, 1, PROI_RELAXED) == 0;
    serial->in_order = serial->in_order && serial->next++ == item->number;
    serial->current = serial->current && pro_sync_context_current() == serial->context;
    proi_fetch_sub(&serial->inside, 1, PROI_RELAXED);
    gate_add(&serial->done);
}

static void run_serially(struct pro_task_scheduler *target)
{
    static struct serial_item items[MANY];
    struct serial serial = { .in_order = true, .alone = true, .current = true };

    REQUIRE(pro_serial_context_new("serial", target, &serial.context) == PRO_OK);
    for (int i = 0; i < MANY; i++) {
        items[i] = (struct serial_item){ .work = { .run = serial_run }, .serial = &serial, .number = i };
        CHECK_EQ(pro_sync_context_post_work(serial.context, &items[i].work), PRO_OK);
    }
    gate_wait(&serial.done, MANY);
    pro_sync_context_unref(serial.context);
    CHECK(serial.in_order);
    CHECK(serial.alone);
    CHECK(serial.current);
}

TEST(a_serial_context_runs_one_item_at_a_time_in_order_on_any_scheduler)
{
    /* Kills: ignoring the target; losing the turn when the target refuses it. */
    struct pro_task_scheduler *limited = NULL;
    static struct fickle fickle = { .takes = 0 };

    run_serially(NULL);
    REQUIRE(pro_limited_scheduler_new("two", NULL, 2, &limited) == PRO_OK);
    run_serially(limited);
    pro_task_scheduler_unref(limited);
    pro_task_scheduler_init(&fickle.scheduler, &fickle_vtable, "fickle");
    run_serially(&fickle.scheduler);
}

/* ---- where it was refused ---- */
TEST(a_scheduler_that_refuses_faults_the_task_and_start_says_so)
{
    /* Kills: answering PRO_OK from start; reporting the refusal as unobserved (SEM-267). */
    static struct fickle fickle = { .takes = 0 };
    struct room room = { .pair = NULL };
    struct pro_task *cold = pro_task_new(write_room, &room, PRO_NO_RESULT, PRO_TOKEN_NONE, 0);

    pro_task_scheduler_init(&fickle.scheduler, &fickle_vtable, "fickle");
    CHECK_EQ(pro_task_start(cold, &fickle.scheduler), PRO_E_SCHEDULER);
    CHECK(pro_task_is_faulted(cold));
    CHECK_EQ(pro_task_dispose(cold), PRO_OK);
}

TEST(dispose_of_a_pending_task_is_refused_and_takes_nothing)
{
    /* Kills: dropping the reference anyway. */
    struct pro_completion_source *source = NULL;
    struct pro_task *task;

    REQUIRE(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    task = pro_completion_source_task(source);
    told_listen();
    CHECK_MISUSE(pro_task_dispose(task), PRO_E_STATE);
    told_stop();
    pro_completion_source_set_result(source, NULL, PRO_NO_RESULT);
    pro_completion_source_free(source);
    CHECK_EQ(pro_task_dispose(task), PRO_OK);
}
