/* SPDX-License-Identifier: MIT */
/* The loop: its turn, its inbox, its end. What a turn does in which order is told in README.md; loop_new.c makes one.
 */
#include "internal.h"

#include <proact/loop.h>

PROI_THREAD_LOCAL struct pro_loop *proi_running_loop;

enum { POSTED_PER_TURN = 256, STRUCK_AT_ONCE = 256, MOVES_IN_A_ROW = 32, REGION_MOST = 1 << 30 };

/* ---- the inbox: stacks that many push and the loop takes whole ---- */

/* Other threads use the backend only as visitors. Against pro_loop_free(), which raises closing, and then waits until
   there are none: a visitor counts itself, and then looks at closing; all sequentially consistent, so that either it is
   waited for, or it sees closing and keeps away. The loop's own thread, which is the one that frees, need not be
   counted. */
static bool count_visitor(struct pro_loop *loop)
{
    proi_fetch_add(&loop->visitors, 1u, PROI_SEQ_CST);
    return !proi_load(&loop->closing, PROI_SEQ_CST) && proi_load(&loop->open, PROI_ACQUIRE);
}

static void uncount_visitor(struct pro_loop *loop)
{
    if (proi_fetch_sub(&loop->visitors, 1u, PROI_SEQ_CST) == 1)
        proi_wake_all(&loop->visitors); /* loops are type-stable */
}

bool proi_loop_visit(struct pro_loop *loop)
{
    if (loop->background || proi_loop_on_thread(loop))
        return proi_loop_usable(loop);
    if (count_visitor(loop))
        return true;
    uncount_visitor(loop);
    return false;
}

void proi_loop_depart(struct pro_loop *loop)
{
    if (!loop->background && !proi_loop_on_thread(loop))
        uncount_visitor(loop);
}

static void wait_for_visitors(struct pro_loop *loop)
{
    uint32_t visitors;

    proi_store(&loop->shared.asleep, 0u, PROI_SEQ_CST);
    while ((visitors = proi_load(&loop->visitors, PROI_SEQ_CST)) != 0)
        proi_wait(&loop->visitors, visitors, -1);
}

/* The argument, for ops, work and the wake alike: a sender pushes, then looks at asleep; the loop sets asleep, then
   looks at the inbox; all sequentially consistent. In the one order of all four either the sender sees asleep and
   wakes, or the loop sees the item and does not sleep. It must wake a loop that is closing as well, while that drains;
   hence against pro_loop_free() it is asleep, which free clears before it waits for visitors, that says whether the
   backend is still there. */
void proi_loop_wake(struct pro_loop *loop)
{
    if (!proi_load(&loop->shared.asleep, PROI_SEQ_CST))
        return;
    proi_fetch_add(&loop->visitors, 1u, PROI_SEQ_CST);
    if (proi_exchange(&loop->shared.asleep, 0u, PROI_SEQ_CST))
        loop->type->wake(loop->backend);
    uncount_visitor(loop);
}

/* As a push: the mark is stored first, and the loop takes it after it has set asleep. */
void proi_loop_poke_raw(struct pro_loop *loop)
{
    proi_store(&loop->shared.poked, 1u, PROI_SEQ_CST);
    proi_loop_wake(loop);
}

/* What an inbox holds once it is shut: nothing can be pushed any more. */
#define CLOSED_INBOX ((void *)1)

static bool holds_something(const void *inbox) { return (uintptr_t)inbox > (uintptr_t)CLOSED_INBOX; }

PROI_APART int proi_loop_hand_over(struct pro_loop *loop, struct pro_op *op)
{
    struct pro_op *head = proi_load(&loop->shared.ops, PROI_RELAXED);

    /* Two senders: one wins, the other sees the new head and tries again. A sender and the taker: the stack is taken
       with this op or without it, and then it is the first of the next. */
    do {
        if (head == CLOSED_INBOX)
            return PRO_E_LOOP_CLOSED;
        op->next = head;
    } while (!proi_compare_exchange(&loop->shared.ops, &head, op, PROI_SEQ_CST));
    proi_loop_wake(loop);
    return PRO_OK;
}

/* Only the loop's thread touches the list, without a lock; reports see it while that thread is blocked. */
static void append_work(struct pro_loop *loop, struct pro_work *first, struct pro_work *last)
{
    last->next = NULL;
    if (loop->own.work_tail)
        loop->own.work_tail->next = first;
    else
        loop->own.work_head = first;
    loop->own.work_tail = last;
}

int proi_loop_post_raw(struct pro_loop *loop, struct pro_work *work)
{
    struct pro_work *head;

    if (loop == proi_running_loop) {
        proi_loop_append(loop, work);
        return PRO_OK;
    }
    head = proi_load(&loop->shared.work, PROI_RELAXED);
    do { /* as above */
        if (head == CLOSED_INBOX)
            return PRO_E_LOOP_CLOSED;
        work->next = head;
    } while (!proi_compare_exchange(&loop->shared.work, &head, work, PROI_SEQ_CST));
    proi_loop_wake(loop);
    return PRO_OK;
}

/* @newest_first is a whole stack that was taken. */
static void enqueue_all(struct pro_op *newest_first)
{
    struct pro_op *op, *next, *oldest_first = NULL;

    for (op = newest_first; op; op = next) {
        next = op->next;
        op->next = oldest_first;
        oldest_first = op;
    }
    for (op = oldest_first; op; op = next) {
        next = op->next;
        proi_op_enqueue(op);
    }
}

/* Only the loop's thread shuts the inbox, in pro_loop_free(): what was not shut at the look is not at the exchange. */
static void take_ops(struct pro_loop *loop)
{
    if (holds_something(proi_load(&loop->shared.ops, PROI_RELAXED)))
        enqueue_all(proi_exchange(&loop->shared.ops, NULL, PROI_ACQUIRE));
}

static void take_work(struct pro_loop *loop)
{
    struct pro_work *work, *next, *first = NULL, *last;

    if (!holds_something(proi_load(&loop->shared.work, PROI_RELAXED)))
        return;
    work = proi_exchange(&loop->shared.work, NULL, PROI_ACQUIRE);
    last = work;
    for (; work; work = next) {
        next = work->next;
        work->next = first;
        first = work;
        loop->own.stats.posted++; /* here and not by the senders, who would all write one word */
    }
    append_work(loop, first, last);
}

static struct pro_work *pop_work(struct pro_loop *loop)
{
    struct pro_work *const work = loop->own.work_head;

    if (work) {
        loop->own.work_head = work->next;
        if (!loop->own.work_head)
            loop->own.work_tail = NULL;
    }
    return work;
}

/* Around a blocking wait on the loop's own thread: meanwhile the lists stand still, and reports may walk them. */
void proi_loop_set_blocked(struct pro_loop *loop, bool blocked)
{
    proi_lock(&loop->lock); /* a walker is waited for */
    loop->shared.blocked = blocked;
    proi_unlock(&loop->lock);
}

static bool inbox_is_empty(struct pro_loop *loop)
{
    return !holds_something(proi_load(&loop->shared.ops, PROI_SEQ_CST)) &&
           !holds_something(proi_load(&loop->shared.work, PROI_SEQ_CST));
}

/* ---- a turn ---- */

static int bind_to_thread(struct pro_loop *loop)
{
    const uint64_t here = proi_thread_id();
    int code;

    if (!loop->own.bound) {
        code = loop->type->bind(loop->backend);
        if (code < 0)
            return code;
        loop->own.bound = true;
        proi_store(&loop->shared.thread, here, PROI_RELEASE);
    }
    if (proi_load(&loop->shared.thread, PROI_RELAXED) != here)
        return proi_misuse(PRO_E_STATE, "loop \"%s\" belongs to the thread that first ran it", loop->name);
    return PRO_OK;
}

static PROI_FLAT void strike_timers(struct pro_loop *loop)
{
    struct pro_timer_ *timer, *next;

    if (!loop->own.wheel->armed)
        return;
    loop->own.struck_until_ns = proi_loop_clock(loop);
    timer = proi_wheel_expire(loop->own.wheel, loop->own.struck_until_ns, STRUCK_AT_ONCE);
    for (; timer; timer = next) {
        next = timer->next;
        proi_op_strike(proi_timer_op(timer));
    }
}

static void flush_ready(struct pro_loop *loop)
{
    struct pro_op *op;

    while ((op = proi_op_queue_pop(&loop->own.ready)) != NULL)
        proi_op_to_kernel(op);
}

/* After those who come anew: these stand behind. Gives until when the turn may sleep. */
static PROI_APART uint64_t serve_line(struct pro_loop *loop, uint64_t until_ns)
{
    proi_lease_serve(loop);
    flush_ready(loop);
    return loop->own.starving ? 0 : until_ns;
}

/* Sleeps, unless there is something to do, and takes in what is over. */
static void wait_for_kernel(struct pro_loop *loop, uint64_t until_ns)
{
    struct proi_op_queue over = { NULL, NULL };
    struct pro_op *op, *next;

    if (loop->own.done.head || loop->own.struck.head || loop->own.moved.head || loop->own.work_head ||
        loop->own.ready.head) {
        until_ns = 0;
    } else {
        const uint64_t strike = proi_wheel_next(loop->own.wheel);

        if (strike < until_ns)
            until_ns = strike <= loop->own.struck_until_ns ? 0 : strike;
    }
    if (until_ns) {
        proi_store(&loop->shared.asleep, 1u, PROI_SEQ_CST);
        if (!inbox_is_empty(loop) || proi_load(&loop->shared.stop, PROI_SEQ_CST) ||
            proi_exchange(&loop->shared.poked, 0u, PROI_SEQ_CST))
            until_ns = 0;
    }
    loop->type->wait(loop->backend, until_ns, &over);
    proi_store(&loop->shared.asleep, 0u, PROI_RELAXED);
    for (op = over.head; op; op = next) {
        next = op->next;
        proi_op_returned(op);
    }
}

/* Delivers @queue up to @last, its end when the turn's deliveries began: what they bring forth is for the next turn. A
   turn nested in a callback has delivered @last, too, whose memory may then be another op's. */
PROI_INLINE int deliver_up_to(struct pro_loop *loop, struct proi_op_queue *queue, const struct pro_op *last)
{
    const uint64_t this_turn = loop->own.stats.turns;
    struct pro_op *op;
    int count = 0;

    while (last && (op = proi_op_queue_pop(queue)) != NULL) {
        const bool was_last = op == last;

        proi_op_deliver(op);
        count++;
        if (was_last || loop->own.stats.turns != this_turn || (queue == &loop->own.done && loop->own.moved.head))
            break;
    }
    return count;
}

/* Sleeps first. A delivery after which more was moved at once ends the turn; the next turns are for that socket alone,
   until nothing more comes or it has had its row. Those who wait in done go on where they were stopped, and it is
   behind them. */
static int deliver(struct pro_loop *loop)
{
    const uint64_t this_turn = loop->own.stats.turns;
    const struct pro_op *const last_moved = loop->own.moved.tail, *const last_done = loop->own.done.tail;
    int count = 0;

    if (loop->own.struck.head) {
        count = deliver_up_to(loop, &loop->own.struck, loop->own.struck.tail);
        if (loop->own.stats.turns != this_turn)
            return count;
    }
    if (PROI_UNLIKELY(loop->own.moved.head != NULL))
        return count + deliver_up_to(loop, &loop->own.moved, last_moved);
    loop->own.moves = MOVES_IN_A_ROW;
    return count + deliver_up_to(loop, &loop->own.done, last_done);
}

static int run_posted(struct pro_loop *loop)
{
    struct pro_work *work;
    int count = 0;

    take_work(loop);
    while (count < POSTED_PER_TURN && (work = pop_work(loop)) != NULL) {
        __builtin_prefetch(loop->own.work_head); /* another thread wrote it */
        proi_loop_context_run(loop, work);
        count++;
    }
    return count;
}

static int turn(struct pro_loop *loop, uint64_t until_ns)
{
    int count;

    loop->own.stats.turns++;
    take_ops(loop);
    take_work(loop);
    flush_ready(loop);
    if (PROI_UNLIKELY(loop->own.starving))
        until_ns = serve_line(loop, until_ns);
    wait_for_kernel(loop, until_ns);
    strike_timers(loop);
    count = deliver(loop);
    return count + run_posted(loop);
}

/* ---- running ---- */

struct running {
    struct pro_loop *previous;
};

static int enter(struct pro_loop *loop, const char *who, struct running *running)
{
    int code;

    if (!loop)
        return proi_misuse(PRO_E_INVALID, "%s: the loop is NULL", who);
    if (!proi_loop_usable(loop))
        return PRO_E_LOOP_CLOSED;
    code = bind_to_thread(loop);
    if (code < 0)
        return code;
    running->previous = proi_running_loop;
    proi_running_loop = loop;
    loop->own.depth++;
    return PRO_OK;
}

static void leave(struct pro_loop *loop, const struct running *running)
{
    loop->own.depth--;
    proi_running_loop = running->previous;
}

static bool is_alive(struct pro_loop *loop)
{
    return loop->background || loop->own.pending || loop->own.work_head || !inbox_is_empty(loop) ||
           loop->own.captured + proi_load(&loop->shared.captured, PROI_ACQUIRE) > 0;
}

bool proi_loop_take_stop(struct pro_loop *loop)
{
    return proi_load(&loop->shared.stop, PROI_RELAXED) && proi_exchange(&loop->shared.stop, 0u, PROI_SEQ_CST);
}

int pro_loop_run(struct pro_loop *loop)
{
    struct running running;
    int code;

    if (loop && loop->own.depth && proi_loop_on_thread(loop))
        return proi_misuse(PRO_E_STATE, "pro_loop_run: loop \"%s\" is running already; nest with pro_loop_run_until()",
                           loop->name);
    code = enter(loop, "pro_loop_run", &running);
    if (code < 0)
        return code;
    while (!proi_loop_take_stop(loop) && is_alive(loop))
        turn(loop, UINT64_MAX);
    leave(loop, &running);
    return PRO_OK;
}

int pro_loop_run_once(struct pro_loop *loop, int64_t timeout_ns)
{
    struct running running;
    uint64_t until_ns;
    int code = enter(loop, "pro_loop_run_once", &running);

    if (code < 0)
        return code;
    if (timeout_ns < PRO_INFINITE) {
        leave(loop, &running);
        return proi_misuse(PRO_E_INVALID, "pro_loop_run_once: the timeout is below PRO_INFINITE");
    }
    if (timeout_ns < 0)
        until_ns = UINT64_MAX;
    else
        until_ns = timeout_ns ? proi_loop_clock(loop) + (uint64_t)timeout_ns : 0;
    code = turn(loop, until_ns);
    leave(loop, &running);
    return code;
}

int pro_loop_stop(struct pro_loop *loop)
{
    if (!loop)
        return proi_misuse(PRO_E_INVALID, "pro_loop_stop: the loop is NULL");
    if (!proi_loop_usable(loop))
        return PRO_E_LOOP_CLOSED;
    proi_store(&loop->shared.stop, 1u, PROI_SEQ_CST);
    proi_loop_wake(loop);
    return PRO_OK;
}

/* ---- the end ---- */

/* No op comes from other threads any more; those of this one are refused since closing was raised. Gives what was
   handed over. */
static struct pro_op *shut_ops(struct pro_loop *loop)
{
    return proi_exchange(&loop->shared.ops, CLOSED_INBOX, PROI_ACQ_REL);
}

/* Shuts the inbox of posted work if nothing is in it. Against a sender, whose push is a compare-exchange on the same
   word: it comes first, then ours finds the item, which is run before we try again; or ours comes first, then the
   sender's finds the mark, and the post is refused. So what is taken is run, and run here. */
static bool shut_work(struct pro_loop *loop)
{
    struct pro_work *none = NULL;

    return proi_compare_exchange(&loop->shared.work, &none, CLOSED_INBOX, PROI_ACQ_REL);
}

static void end_with_loop(struct pro_op *op) { proi_op_end_early(op, PROI_WHY_LOOP_CLOSED); }

/* A close is not ended: it waits for the others, or is on its way. */
static void end_ops_of(struct pro_handle *handle)
{
    struct pro_op *op, *next;

    for (op = handle->ops; op; op = next) {
        next = op->handle_next;
        if (op->kind != PRO_OP_CLOSE)
            end_with_loop(op);
    }
}

static void end_all(struct pro_loop *loop)
{
    struct pro_op *op, *next;

    for (op = loop->own.loose; op; op = next) {
        next = op->handle_next;
        end_with_loop(op);
    }
    proi_wheel_for_each(loop->own.wheel, end_with_loop);
    proi_handle_for_each(loop, end_ops_of);
}

static bool is_quiet(struct pro_loop *loop)
{
    return !loop->own.pending && !loop->own.work_head && inbox_is_empty(loop);
}

/* Ends what is pending, and runs turns until nothing is in flight and nothing is queued. New ops are refused, so the
   first comes to an end; what is still posted is methods that captured the loop and are going on, and they do while
   there is something for them to go on with. A method that waits for a task of somebody else's is not waited for:
   whether that ever completes nobody knows. */
static void drain(struct pro_loop *loop)
{
    end_all(loop);
    do {
        while (!is_quiet(loop))
            turn(loop, UINT64_MAX);
    } while (!shut_work(loop));
}

/* The loop is bound to another thread, or cannot be bound to this one: it cannot run here. */
static void answer_elsewhere(struct pro_loop *loop, struct pro_op *newest_first)
{
    struct pro_work *work, *next_work;
    struct pro_op *op, *next_op;

    for (op = newest_first; op; op = next_op) {
        next_op = op->next;
        proi_op_refuse(op, PRO_E_LOOP_CLOSED);
    }
    while ((work = pop_work(loop)) != NULL) /* pro_loop_get_stats() takes it out of the inbox */
        proi_loop_context_offload(work);
    for (work = proi_exchange(&loop->shared.work, CLOSED_INBOX, PROI_ACQ_REL); work; work = next_work) {
        next_work = work->next;
        proi_loop_context_offload(work);
    }
}

static bool runs_here(struct pro_loop *loop)
{
    return loop->own.bound ? proi_loop_on_thread(loop) : bind_to_thread(loop) == PRO_OK;
}

/* Answers all that the loop still has, and shuts it. */
static void end_loop(struct pro_loop *loop)
{
    struct running running = { proi_running_loop };
    struct pro_op *const handed_over = shut_ops(loop);

    if (!handed_over && is_quiet(loop) && shut_work(loop))
        return;
    if (!runs_here(loop)) {
        answer_elsewhere(loop, handed_over);
        return;
    }
    proi_running_loop = loop;
    loop->own.depth++;
    enqueue_all(handed_over);
    drain(loop);
    leave(loop, &running);
}

int pro_loop_free(struct pro_loop *loop)
{
    if (!loop)
        return PRO_OK;
    if (!proi_loop_usable(loop))
        return PRO_E_LOOP_CLOSED;
    if (loop->background)
        return proi_misuse(PRO_E_STATE, "pro_loop_free: the default background loop is never freed");
    if (loop->own.depth)
        return proi_misuse(PRO_E_STATE, "pro_loop_free: loop \"%s\" is running", loop->name);
    if (loop->own.bound && !proi_loop_on_thread(loop) && !is_quiet(loop))
        return proi_misuse(PRO_E_STATE, "pro_loop_free: loop \"%s\" has operations pending; free it on its own thread",
                           loop->name);
    proi_lock(&loop->lock);
    proi_store(&loop->closing, 1u, PROI_SEQ_CST);
    proi_unlock(&loop->lock);
    end_loop(loop);
    wait_for_visitors(loop);
    proi_loop_context_close(loop);
    proi_handle_release_all(loop);
    proi_token_table_free(loop);
    loop->type->close(loop->backend);
    proi_lease_pool_free(loop); /* after the kernel has forgotten the buffers */
    proi_free(loop->own.wheel);
    loop->own.wheel = NULL;
    proi_loop_unregister(loop);
    return PRO_OK;
}

/* ---- the background loop ---- */

static struct {
    struct proi_mutex lock;
    struct pro_loop *loop; /* shared: set once */
} background;

static void run_background(void *arg) { pro_loop_run(arg); }

struct pro_loop *pro_loop_default(void)
{
    struct pro_loop *loop = proi_load(&background.loop, PROI_ACQUIRE);

    if (loop)
        return loop;
    proi_lock(&background.lock);
    loop = background.loop;
    if (!loop && pro_loop_new(&(struct pro_loop_options){ .name = "background" }, &loop) == PRO_OK) {
        loop->background = true;
        if (proi_thread_start(NULL, "proact-loop", run_background, loop, 0) == PRO_OK) {
            proi_store(&background.loop, loop, PROI_RELEASE);
        } else {
            loop->background = false;
            pro_loop_free(loop);
            loop = NULL;
        }
    }
    proi_unlock(&background.lock);
    return loop;
}

/* ---- posting and asking ---- */

int pro_loop_post_work(struct pro_loop *loop, struct pro_work *work)
{
    if (!loop || !work || !work->run)
        return proi_misuse(PRO_E_INVALID, "pro_loop_post_work: an argument is NULL");
    if (!proi_loop_usable(loop))
        return PRO_E_LOOP_CLOSED;
    if (loop == proi_running_loop)
        loop->own.stats.posted++;
    return proi_loop_post_raw(loop, work);
}

struct posted_call {
    struct pro_work work;
    pro_work_fn *fn;
    void *arg;
};

static void run_posted_call(struct pro_work *work)
{
    const struct posted_call call = *PRO_CONTAINER(work, struct posted_call, work);

    proi_block_free(work, sizeof call);
    call.fn(call.arg);
}

int pro_loop_post(struct pro_loop *loop, pro_work_fn *fn, void *arg)
{
    struct posted_call *call;
    int code;

    if (!loop || !fn)
        return proi_misuse(PRO_E_INVALID, "pro_loop_post: an argument is NULL");
    call = proi_block_alloc(sizeof *call);
    if (!call)
        return PRO_E_NO_MEMORY;
    *call = (struct posted_call){ .work = { .run = run_posted_call }, .fn = fn, .arg = arg };
    code = pro_loop_post_work(loop, &call->work);
    if (code < 0)
        proi_block_free(call, sizeof *call);
    return code;
}

bool proi_loop_on_thread(const struct pro_loop *loop)
{
    return loop == proi_running_loop || proi_load(&loop->shared.thread, PROI_RELAXED) == proi_thread_id();
}

struct pro_loop *proi_loop_or_default(struct pro_loop *loop)
{
    if (loop)
        return loop;
    return proi_running_loop ? proi_running_loop : pro_loop_default();
}

uint64_t proi_loop_clock(struct pro_loop *loop)
{
    uint64_t now;

    if (loop->background || proi_loop_on_thread(loop))
        return loop->type->now(loop->backend);
    if (!proi_loop_visit(loop))
        return proi_now(); /* what is started now is refused anyway */
    now = loop->type->now(loop->backend);
    proi_loop_depart(loop);
    return now;
}
struct pro_loop *pro_loop_current(void) { return proi_running_loop; }
const char *pro_loop_name(const struct pro_loop *loop) { return loop ? loop->name : ""; }
const char *pro_loop_backend_reason(const struct pro_loop *loop) { return loop ? loop->reason : ""; }

const char *pro_loop_backend(const struct pro_loop *loop) { return loop && loop->type ? loop->type->name : ""; }

uint64_t pro_loop_now(const struct pro_loop *loop)
{
    /* Asking changes nothing but the count of visitors. */
    return loop && proi_loop_usable(loop) ? proi_loop_clock((struct pro_loop *)(uintptr_t)loop) : proi_now();
}

int pro_loop_register_memory(struct pro_loop *loop, void *memory, size_t size)
{
    if (!loop || !memory != !size)
        return proi_misuse(PRO_E_INVALID, "pro_loop_register_memory: the loop is NULL, or one of memory and size is");
    if (!proi_loop_usable(loop))
        return PRO_E_LOOP_CLOSED;
    if (loop->background || !proi_loop_on_thread(loop))
        return proi_misuse(PRO_E_WRONG_LOOP, "pro_loop_register_memory: only on the thread that runs the loop");
    if (size > REGION_MOST)
        return PRO_E_TOO_LARGE;
    return loop->type->register_memory ? loop->type->register_memory(loop->backend, memory, size) : PRO_OK;
}

int pro_loop_get_stats(struct pro_loop *loop, struct pro_loop_stats *ret_stats)
{
    if (!loop || !ret_stats)
        return proi_misuse(PRO_E_INVALID, "pro_loop_get_stats: an argument is NULL");
    if (!proi_loop_usable(loop))
        return PRO_E_LOOP_CLOSED;
    take_work(loop); /* counts it */
    *ret_stats = loop->own.stats;
    ret_stats->system_calls = loop->type->system_calls(loop->backend);
    ret_stats->pending = loop->own.pending;
    ret_stats->timers = loop->own.wheel->armed;
    proi_lease_count(loop, ret_stats);
    ret_stats->captured = (size_t)(loop->own.captured + proi_load(&loop->shared.captured, PROI_ACQUIRE));
    proi_lock(&loop->lock);
    ret_stats->handles = loop->handle_count;
    proi_unlock(&loop->lock);
    return PRO_OK;
}
