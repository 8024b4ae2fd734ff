/* SPDX-License-Identifier: MIT */
/* The life of an operation. This is the only place where op->state changes; see README.md for the picture. */
#include "verb.h"

#include <stdio.h>
#include <string.h>

/* What a verb gives back when the op it was given cannot be filled. Never written after start-up. */
static struct pro_op in_flight = { .result = PRO_E_STATE, .state = PRO_OP_READY, .flags = PROI_OP_FAILED };
static struct pro_op missing = { .result = PRO_E_INVALID, .state = PRO_OP_READY, .flags = PROI_OP_FAILED };

static bool is_stand_in(const struct pro_op *op) { return op == &in_flight || op == &missing; }

PROI_APART struct pro_op *proi_op_refuse_to_begin(struct pro_op *op, enum pro_op_kind kind)
{
    if (!op) {
        proi_misuse(PRO_E_INVALID, "%s: the op is NULL", pro_op_kind_name((int)kind));
        return &missing;
    }
    proi_misuse(PRO_E_STATE, "%s: this op is in flight (%s, %s); wait for its delivery or use another op",
                pro_op_kind_name((int)kind), pro_op_kind_name(op->kind), pro_op_state_name(op->state));
    return &in_flight;
}

void proi_op_fail(struct pro_op *op, int code)
{
    if (op->flags & PROI_OP_FAILED)
        return;
    op->flags |= PROI_OP_FAILED;
    op->result = code;
}

PROI_APART void proi_op_use_any_loop(struct pro_op *op, struct pro_loop *loop)
{
    struct pro_loop *const chosen = proi_loop_or_default(loop);

    if (!chosen) {
        proi_op_fail(op, PRO_E_NO_THREAD);
    } else if (!proi_loop_usable(chosen)) {
        proi_op_fail(op, PRO_E_LOOP_CLOSED);
    } else {
        op->loop = chosen;
        if (proi_running_loop && proi_running_loop != chosen && (chosen->strict || proi_running_loop->strict) &&
            !chosen->background) {
            op->backend[0] = (uintptr_t)chosen;
            op->loop = proi_running_loop;
            proi_op_fail(op, PRO_E_WRONG_LOOP);
        }
    }
}

PROI_APART void proi_op_use_any_handle(struct pro_op *op, struct pro_handle *handle, uint32_t generation,
                                       uint32_t loop_id, unsigned kinds)
{
    struct proi_handle_view view;
    const int code = proi_handle_look(handle, generation, loop_id, &view);

    if (code == PRO_E_INVALID) {
        proi_op_fail(op, proi_misuse(code, "%s: the handle was never opened", pro_op_kind_name(op->kind)));
        op->loop = proi_loop_or_default(NULL);
    } else if (code == PRO_E_LOOP_CLOSED) {
        proi_op_fail(op, code);
    } else if (code < 0) {
        proi_op_fail(op, code);
        op->loop = proi_loop_or_default(NULL);
    } else if (!(kinds & 1u << view.kind)) {
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "%s: the handle is of another kind", pro_op_kind_name(op->kind)));
        op->loop = proi_loop_or_default(NULL);
    } else {
        op->handle = handle;
        op->handle_generation = generation;
        proi_op_use_any_loop(op, view.loop);
    }
}

/* The earlier one holds. */
static void limit_until(struct pro_op *op, uint64_t deadline_ns)
{
    if (op->flags & PROI_OP_DEADLINE && op->deadline_ns <= deadline_ns)
        return;
    op->flags |= PROI_OP_DEADLINE;
    op->deadline_ns = deadline_ns;
}

PROI_APART void proi_op_limit_it(struct pro_op *op, int64_t timeout_ns, uint64_t deadline_ns,
                                 struct pro_cancellation_source *source)
{
    if (source) {
        op->source = source;
        op->flags |= PROI_OP_TOKEN;
    }
    if (timeout_ns < 0)
        proi_op_fail(op, proi_misuse(PRO_E_INVALID, "%s: the timeout is negative", pro_op_kind_name(op->kind)));
    if (deadline_ns)
        limit_until(op, deadline_ns);
    if (timeout_ns > 0 && op->loop)
        limit_until(op, proi_loop_clock(op->loop) + (uint64_t)timeout_ns);
}

struct proi_backend *proi_op_backend(const struct pro_op *op) { return op->loop->backend; }

/* ---- waiting ---- */

/* Adds a waiter to an op that pro_start() has submitted. [loop] */
static void attach_late(struct pro_op *op, void (*done)(struct pro_op *op), void *waiter, unsigned flags)
{
    op->done = done;
    op->waiter = waiter;
    op->flags = (uint16_t)((op->flags & ~(unsigned)PROI_OP_STARTED) | flags);
    if (op->flags & PROI_OP_PARKED) {
        op->flags &= (uint16_t)~PROI_OP_PARKED;
        op->loop->own.pending++;
        proi_op_queue_push(&op->loop->own.done, op);
    }
}

/* Answers for an op that is not READY, or whose loop is gone; PRO_OK: go on. */
static int check_submit(struct pro_op *op)
{
    if (!op)
        return proi_misuse(PRO_E_INVALID, "the op is NULL");
    if (is_stand_in(op))
        return (int)op->result; /* told when the verb was called */
    if (op->state != PRO_OP_READY)
        return proi_misuse(PRO_E_STATE, "this op (%s, %s) was not just filled by a verb: submitted twice?",
                           pro_op_kind_name(op->kind), pro_op_state_name(op->state));
    if (!op->loop || !proi_load(&op->loop->open, PROI_ACQUIRE)) { /* none, or freed since the verb was called */
        op->state = PRO_OP_IDLE;
        if (!(op->flags & PROI_OP_FAILED))
            proi_op_fail(op, PRO_E_LOOP_CLOSED);
        return (int)op->result;
    }
    return PRO_OK;
}

/* The loop may have been freed since the op was parked, and its block be another's. */
static bool is_parked_loop_open(const struct pro_op *op)
{
    return proi_load(&op->loop->open, PROI_ACQUIRE) && op->loop->id == op->handle_generation;
}

/* An op that pro_start() has submitted gets its waiter now; any other cannot be submitted. */
static PROI_APART int submit_unready(struct pro_op *op, void (*done)(struct pro_op *op), void *waiter, unsigned flags)
{
    if (!op || !(op->flags & PROI_OP_STARTED) || op->state == PRO_OP_IDLE || op->state == PRO_OP_READY)
        return check_submit(op);
    if (op->flags & PROI_OP_PARKED && !is_parked_loop_open(op)) {
        proi_op_reclaim(op); /* its result stays */
        return PRO_E_LOOP_CLOSED;
    }
    if (!proi_loop_on_thread(op->loop))
        return proi_misuse(PRO_E_WRONG_LOOP,
                           "an op that pro_start() has submitted is awaited on its loop's thread only");
    attach_late(op, done, waiter, flags);
    return PRO_OK;
}

static void enqueue(struct pro_op *op);

PROI_FLAT int proi_op_submit(struct pro_op *op, void (*done)(struct pro_op *op), void *waiter, unsigned flags)
{
    int code;

    if (PROI_UNLIKELY(!op || op->state != PRO_OP_READY || !op->loop)) /* a stand-in has no loop */
        return submit_unready(op, done, waiter, flags);
    op->done = done;
    op->waiter = waiter;
    op->flags |= (uint16_t)flags;
    op->state = PRO_OP_QUEUED;
    if (PROI_LIKELY(op->loop == proi_running_loop) || proi_loop_on_thread(op->loop)) {
        enqueue(op);
        return PRO_OK;
    }
    code = proi_loop_hand_over(op->loop, op);
    if (code < 0) {
        op->state = PRO_OP_IDLE;
        op->result = code;
    }
    return code;
}

void proi_op_submit_here(struct pro_op *op, void (*done)(struct pro_op *op), void *waiter)
{
    op->done = done;
    op->waiter = waiter;
    op->state = PRO_OP_QUEUED;
    enqueue(op);
}

void proi_op_refuse(struct pro_op *op, int code)
{
    op->result = code;
    op->state = PRO_OP_IDLE;
    op->generation++;
    op->done(op);
}

int pro_then(struct pro_op *op, pro_op_fn *done)
{
    if (!done)
        return proi_misuse(PRO_E_INVALID, "pro_then: the callback is NULL");
    return proi_op_submit(op, done, NULL, PROI_OP_USER);
}

struct pro_op *pro_start(struct pro_op *op)
{
    if (check_submit(op) < 0)
        return op ? op : &missing;
    if (!proi_loop_on_thread(op->loop)) {
        proi_misuse(PRO_E_WRONG_LOOP, "pro_start: only on the thread of the op's loop");
        op->backend[0] = 0; /* arguments, or of its last life: no loop for pro_op_error() to name */
        proi_op_fail(op, PRO_E_WRONG_LOOP);
        return op;
    }
    op->flags |= PROI_OP_STARTED;
    op->state = PRO_OP_QUEUED;
    proi_op_enqueue(op);
    return op;
}

bool proi_op_answered(const struct pro_op *op)
{
    return !op || is_stand_in(op) || op->flags & PROI_OP_PARKED ||
           (op->state == PRO_OP_READY && op->flags & PROI_OP_FAILED) || op->state == PRO_OP_IDLE;
}

void proi_op_reclaim(struct pro_op *op)
{
    if (!op || is_stand_in(op) || op->state == PRO_OP_IDLE)
        return;
    op->flags = 0;
    op->state = PRO_OP_IDLE;
    op->generation++;
}

/* ---- on the loop's thread ---- */

static void link_pending(struct pro_op *op)
{
    struct pro_op **head = op->handle ? &op->handle->ops : &op->loop->own.loose;

    op->flags |= PROI_OP_LINKED;
    op->handle_previous = NULL;
    op->handle_next = *head;
    if (*head)
        (*head)->handle_previous = op;
    *head = op;
    if (op->handle)
        op->handle->pending++;
}

static void unlink_pending(struct pro_op *op)
{
    struct pro_handle *const handle = op->handle;

    op->flags &= (uint16_t)~PROI_OP_LINKED;
    if (op->handle_previous)
        op->handle_previous->handle_next = op->handle_next;
    else if (handle)
        handle->ops = op->handle_next;
    else
        op->loop->own.loose = op->handle_next;
    if (op->handle_next)
        op->handle_next->handle_previous = op->handle_previous;
    if (handle && --handle->pending == 0 && handle->ops)
        proi_op_queue_push(&op->loop->own.ready, handle->ops); /* the last one out lets the close go on */
}

/* The result stands: nothing may end the op any more. */
static inline void settle(struct pro_op *op)
{
    if (op->kind == PRO_OP_SLEEP)
        proi_wheel_disarm(op->loop->own.wheel, &op->timer);
    else if (op->flags & PROI_OP_LINKED)
        unlink_pending(op);
    if (PROI_UNLIKELY(op->flags & PROI_OP_LIMITED))
        proi_limit_close(op);
    op->state = PRO_OP_DONE;
}

static void finish(struct pro_op *op)
{
    settle(op);
    proi_op_queue_push(&op->loop->own.done, op);
}

static int code_of(enum proi_why why)
{
    switch (why) {
    case PROI_WHY_TIMEOUT:
        return PRO_E_TIMEOUT;
    case PROI_WHY_CLOSED:
        return PRO_E_CLOSED;
    case PROI_WHY_LOOP_CLOSED:
        return PRO_E_LOOP_CLOSED;
    default:
        return PRO_E_CANCELED;
    }
}

static void finish_early(struct pro_op *op)
{
    op->result = code_of((enum proi_why)op->why);
    op->native = 0;
    finish(op);
}

/* Close: refuse new ops, end the pending ones; the close itself goes on when the last is over. Until then it is the
   first of them, not counted, and never ended itself. */
static PROI_APART void begin_close(struct pro_op *op)
{
    struct pro_handle *const handle = op->handle;
    struct pro_op *pending, *next;

    proi_store(&handle->state, (unsigned char)PROI_HANDLE_CLOSING, PROI_RELAXED);
    if (!handle->pending) {
        proi_op_queue_push(&op->loop->own.ready, op);
        return;
    }
    op->handle_previous = NULL;
    op->handle_next = handle->ops;
    handle->ops->handle_previous = op;
    handle->ops = op;
    for (pending = op->handle_next; pending; pending = next) {
        next = pending->handle_next;
        proi_op_end_early(pending, PROI_WHY_CLOSED);
    }
}

/* Asked again on the loop's thread: the op may have been handed over, and things have moved since. */
static int check_again(struct pro_op *op)
{
    if (op->flags & PROI_OP_FAILED)
        return (int)op->result;
    if (proi_load(&op->loop->closing, PROI_RELAXED))
        return PRO_E_LOOP_CLOSED;
    if (op->handle && (proi_load(&op->handle->generation, PROI_RELAXED) != op->handle_generation ||
                       proi_load(&op->handle->state, PROI_RELAXED) != PROI_HANDLE_OPEN))
        return PRO_E_CLOSED;
    return PRO_OK;
}

void proi_op_arm(struct pro_op *op, struct pro_timer_ *timer)
{
    struct proi_wheel *const wheel = op->loop->own.wheel;

    if (!wheel->armed)
        proi_wheel_move(wheel, proi_loop_clock(op->loop));
    proi_wheel_arm(wheel, timer);
}

/* A sleep is in the wheel and nowhere else: that finds it, whoever wants to end it. With a deadline that is earlier the
   moment is that, else there is no deadline: proi_op_strike() knows by it which one came. */
static void enqueue_sleep(struct pro_op *op)
{
    if (PROI_UNLIKELY(op->why != PROI_WHY_NONE)) { /* cancelled in the inbox */
        finish_early(op);
        return;
    }
    if (PROI_UNLIKELY(op->flags & PROI_OP_DEADLINE)) {
        if (op->deadline_ns < op->timer.moment_ns)
            op->timer.moment_ns = op->deadline_ns;
        else
            op->flags &= (uint16_t)~PROI_OP_DEADLINE;
    }
    proi_op_arm(op, &op->timer);
}

/* Has it anything that only a limit can watch? Close cannot be ended early. */
static bool needs_limit(const struct pro_op *op)
{
    if (PROI_LIKELY(!(op->flags & (PROI_OP_TOKEN | PROI_OP_DEADLINE))))
        return false;
    return op->kind == PRO_OP_SLEEP ? op->flags & PROI_OP_TOKEN : op->kind != PRO_OP_CLOSE;
}

static bool is_receive(const struct pro_op *op) { return op->kind == PRO_OP_RECV || op->kind == PRO_OP_RECV_LEASE; }
static bool is_send(const struct pro_op *op) { return op->kind == PRO_OP_SEND || op->kind == PRO_OP_SEND_ALL; }

/* Is anything of the same direction under way, or about to be, that would be overtaken? */
static bool is_behind_another(const struct pro_op *op)
{
    for (const struct pro_op *other = op->handle->ops; other; other = other->handle_next)
        if (other->kind == PRO_OP_SHUTDOWN || (is_receive(op) ? is_receive(other) : is_send(other)))
            return true;
    return false;
}

/* First come, first served: while others wait for a buffer, a receive that comes anew stands behind them. */
static bool must_stand_in_line(const struct pro_op *op)
{
    return op->kind == PRO_OP_RECV_LEASE && op->loop->own.line.head && !(op->flags & PROI_OP_SERVED);
}

/* Where more is coming one socket is served to the end before the next one has its turn: deliver() in loop.c. True: the
   op is over. */
static PROI_APART bool move_now(struct pro_op *op)
{
    struct pro_loop *const loop = op->loop;
    struct proi_op_queue over = { NULL, NULL };

    if (!(is_receive(op) || (is_send(op) && op->length >= PROI_MUCH)) || !loop->own.moves || op->why != PROI_WHY_NONE ||
        must_stand_in_line(op) || is_behind_another(op) || !loop->type->move_now(loop->backend, op, &over))
        return false;
    loop->own.moves--;
    if (op->kind == PRO_OP_SEND_ALL && op->result >= 0) {
        if (op->transferred < op->length)
            return false;
        op->result = (int64_t)op->transferred;
    }
    settle(op);
    proi_op_queue_push(&loop->own.moved, op);
    return true;
}

static void enqueue(struct pro_op *op)
{
    struct pro_loop *const loop = op->loop;
    int code = check_again(op);

    loop->own.pending++;
    loop->own.stats.submitted++;
    if (code == PRO_OK && PROI_UNLIKELY(needs_limit(op)))
        code = proi_limit_open(op);
    if (PROI_UNLIKELY(code < 0)) {
        op->result = code;
        finish(op);
        return;
    }
    if (op->kind == PRO_OP_SLEEP) {
        enqueue_sleep(op);
        return;
    }
    if (op->kind == PRO_OP_CLOSE) {
        begin_close(op);
        return;
    }
    if (op->handle && PROI_UNLIKELY(op->handle->eager) && move_now(op))
        return;
    link_pending(op);
    proi_op_queue_push(&loop->own.ready, op);
}

void proi_op_enqueue(struct pro_op *op) { enqueue(op); }

void proi_op_to_kernel(struct pro_op *op)
{
    if (op->why != PROI_WHY_NONE) {
        finish_early(op);
        return;
    }
    if (PROI_UNLIKELY(must_stand_in_line(op))) {
        proi_lease_wait(op);
        return;
    }
    op->state = PRO_OP_KERNEL;
    PROI_KERNEL_RELEASE(op);
    op->loop->type->submit(op->loop->backend, op);
}

/* The loop that will own what @op has opened, as its visitor; NULL: it has been closed meanwhile. */
static struct pro_loop *visit_owner(const struct pro_op *op)
{
    struct pro_loop *const owner = op->kind == PRO_OP_ACCEPT ? (struct pro_loop *)(uintptr_t)op->offset : op->loop;

    if (!proi_loop_visit(owner))
        return NULL;
    if (op->kind != PRO_OP_ACCEPT || owner->id == op->length)
        return owner;
    proi_loop_depart(owner); /* another loop in the same block */
    return NULL;
}

/* Makes the handle of what an ACCEPT, CONNECT or FILE_OPEN has opened, and writes it where the caller wants it. */
static PROI_APART void adopt(struct pro_op *op)
{
    const enum proi_handle_kind kind = op->kind == PRO_OP_FILE_OPEN ? PROI_HANDLE_FILE : PROI_HANDLE_SOCKET;
    struct pro_loop *const owner = visit_owner(op);
    const intptr_t native = (intptr_t)*proi_op_native(op);
    struct pro_handle *handle = NULL;

    if (!owner) {
        op->loop->type->release(op->loop->backend, kind, native);
        op->result = PRO_E_LOOP_CLOSED;
        return;
    }
    op->result = proi_handle_open(owner, kind, native, PRO_FAMILY_NONE, (enum pro_op_kind)op->kind, &handle);
    if (op->result == PRO_OK && kind == PROI_HANDLE_FILE)
        *(struct pro_file *)op->buffer = (struct pro_file){ handle, handle->generation, owner->id };
    else if (op->result == PRO_OK)
        *(struct pro_socket *)op->buffer = (struct pro_socket){ handle, handle->generation, owner->id };
    proi_loop_depart(owner);
}

/* What an answer is that is no plain count, or none at all. */
static PROI_APART void returned_specially(struct pro_op *op)
{
    if (PROI_UNLIKELY(op->result == PROI_STARVED)) {
        op->state = PRO_OP_QUEUED;
        if (op->why == PROI_WHY_NONE)
            proi_lease_wait(op);
        else
            proi_op_queue_push(&op->loop->own.ready, op);
        return;
    }
    if (op->kind == PRO_OP_SEND_ALL && op->result >= 0) {
        if (op->why == PROI_WHY_NONE) { /* the rest */
            op->state = PRO_OP_QUEUED;
            proi_op_queue_push(&op->loop->own.ready, op);
            return;
        }
        op->result = PRO_E_CANCELED;
    }
    if (op->result == PRO_E_CANCELED && op->why != PROI_WHY_NONE)
        op->result = code_of((enum proi_why)op->why);
    if (op->kind == PRO_OP_ACCEPT || op->kind == PRO_OP_CONNECT || op->kind == PRO_OP_FILE_OPEN) {
        if (op->result >= 0)
            adopt(op);
        *proi_op_native(op) = 0;
    }
    if (op->kind == PRO_OP_CLOSE) {
        proi_handle_forget(op->handle);
        op->handle = NULL;
    }
    finish(op);
}

/* The kinds whose success needs nothing more. */
enum {
    PLAIN_KINDS = 1 << PRO_OP_NOP | 1 << PRO_OP_RECV | 1 << PRO_OP_SEND | 1 << PRO_OP_SHUTDOWN | 1 << PRO_OP_READ_AT |
                  1 << PRO_OP_WRITE_AT | 1 << PRO_OP_FILE_SYNC | 1 << PRO_OP_RECV_LEASE
};

void proi_op_returned(struct pro_op *op)
{
    PROI_KERNEL_ACQUIRE(op);
    if (PROI_UNLIKELY(op->result < 0)) {
        returned_specially(op);
    } else if (PLAIN_KINDS >> op->kind & 1) {
        finish(op);
    } else if (op->kind == PRO_OP_SEND_ALL && PROI_LIKELY(op->transferred >= op->length)) {
        op->result = (int64_t)op->transferred;
        finish(op);
    } else {
        returned_specially(op);
    }
}

/* A callback of the background loop runs on the pool: the place of the arguments carries the work item there. */
static void run_offloaded(struct pro_work *work)
{
    struct pro_op *const op = (struct pro_op *)(void *)((char *)work - offsetof(struct pro_op, length));

    proi_store(&op->state, (unsigned char)PRO_OP_IDLE,
               PROI_RELAXED); /* the loop's thread may be asking: pro_op_cancel() */
    op->done(op);
}
_Static_assert(sizeof(struct pro_work) <= PROI_OP_ARGS, "the work item must fit");

void proi_op_deliver(struct pro_op *op)
{
    struct pro_loop *const loop = op->loop;
    void (*const done)(struct pro_op *) = op->done;

    loop->own.pending--;
    loop->own.stats.delivered++;
    if (op->flags & PROI_OP_STARTED) {
        op->flags |= PROI_OP_PARKED;
        op->handle_generation = loop->id; /* it is with no handle any more, but may outlive its loop */
        return;
    }
    op->generation++;
    if (!(op->flags & PROI_OP_USER)) {
        op->state = PRO_OP_IDLE;
        done(op);
    } else if (loop->background) {
        struct pro_work *const work = proi_op_args(op);

        *work = (struct pro_work){ .run = run_offloaded };
        proi_loop_context_offload(work);
    } else {
        void *previous = proi_loop_context_enter(loop);

        op->state = PRO_OP_IDLE;
        done(op); /* from here the op is the caller's */
        proi_loop_context_leave(loop, previous);
    }
}

void proi_op_end_early(struct pro_op *op, enum proi_why why)
{
    if (op->why != PROI_WHY_NONE || op->state == PRO_OP_DONE)
        return;
    op->why = (unsigned char)why;
    if (op->kind == PRO_OP_SLEEP ? !op->timer.slot : !(op->flags & PROI_OP_LINKED))
        return; /* handed over and still in the inbox: proi_op_enqueue() sees it */
    if (op->state == PRO_OP_KERNEL)
        op->loop->type->cancel(op->loop->backend, op);
    else if (op->kind == PRO_OP_SLEEP)
        finish_early(op);
    else if (PROI_UNLIKELY(op->flags & PROI_OP_STARVED))
        proi_lease_leave(op);
    /* else it is in the ready queue, and proi_op_to_kernel() sees it */
}

void proi_op_strike(struct pro_op *op)
{
    op->loop->own.stats.timers_fired++;
    if (op->kind != PRO_OP_SLEEP) {
        proi_op_end_early(op, PROI_WHY_TIMEOUT);
        return;
    }
    op->result = PRO_OK;
    if (PROI_UNLIKELY(op->flags & PROI_OP_DEADLINE)) {
        op->why = PROI_WHY_TIMEOUT;
        op->result = PRO_E_TIMEOUT;
        op->native = 0;
    }
    settle(op);
    proi_op_queue_push(&op->loop->own.struck, op);
}

PROI_FLAT int pro_op_cancel(struct pro_op *op)
{
    unsigned char state;

    if (!op)
        return proi_misuse(PRO_E_INVALID, "pro_op_cancel: the op is NULL");
    state = proi_load(&op->state,
                      PROI_RELAXED); /* DONE or IDLE, should the pool be delivering it: the answer is the same */
    if (is_stand_in(op) || state == PRO_OP_IDLE || state == PRO_OP_READY || state == PRO_OP_DONE)
        return PRO_E_STATE;
    if (!proi_loop_on_thread(op->loop))
        return proi_misuse(PRO_E_WRONG_LOOP, "pro_op_cancel: on the loop's own thread only; cancel through a token");
    if (op->kind == PRO_OP_CLOSE)
        return PRO_E_STATE;
    proi_op_end_early(op, PROI_WHY_CANCELED);
    return PRO_OK;
}

struct pro_op *pro_nop(struct pro_op *op, struct pro_loop *loop, struct pro_how how)
{
    if (!proi_op_begin(&op, PRO_OP_NOP))
        return op;
    proi_op_use_loop(op, loop);
    proi_op_limit(op, how);
    return op;
}

struct pro_error *pro_op_error(const struct pro_op *op, struct pro_site site)
{
    const char *kind;

    if (!op)
        return pro_error_new(PRO_E_INVALID, site, "the op is NULL");
    if (op->result >= 0)
        return NULL;
    kind = pro_op_kind_name(op->kind);
    if (op->result == PRO_E_WRONG_LOOP && op->backend[0] && op->loop)
        return pro_error_new(
            PRO_E_WRONG_LOOP, site,
            "%s: the handle belongs to loop \"%s\" and was used from loop \"%s\"; %s is strict, use it from "
            "its own loop",
            kind, ((const struct pro_loop *)(uintptr_t)op->backend[0])->name, op->loop->name,
            ((const struct pro_loop *)(uintptr_t)op->backend[0])->strict ? "the first" : "the second");
    if (op->native)
        return pro_error_native((int)op->result, op->native, site, kind);
    return pro_error_new((int)op->result, site, "%s: %s", kind, pro_err_message((int)op->result));
}

const char *pro_op_kind_name(int kind)
{
    static const char *const names[] = { "none",      "nop",     "sleep",    "accept",    "connect",
                                         "recv",      "send",    "send_all", "shutdown",  "close",
                                         "file_open", "read_at", "write_at", "file_sync", "recv_lease" };

    _Static_assert(sizeof names / sizeof *names == PRO_OP_KIND_COUNT, "a kind without a name");
    return kind >= 0 && kind < PRO_OP_KIND_COUNT ? names[kind] : "unknown";
}

const char *pro_op_state_name(int state)
{
    static const char *const names[] = { "idle", "ready", "queued", "kernel", "done" };

    return state >= 0 && state <= PRO_OP_DONE ? names[state] : "unknown";
}
