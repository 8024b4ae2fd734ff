/* SPDX-License-Identifier: MIT */
/* Requests of the simulated kernel: the heap of what happens next, the queues of what waits, and the two gates
   (sim.h). */
#include "sim.h"

/* ---- the heap: earliest first ---- */

static bool is_before(const struct sim_request *a, const struct sim_request *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void heap_put(struct sim *sim, size_t place, struct sim_request *request)
{
    sim->heap[place] = request;
    request->place = place;
}

static void heap_push(struct sim *sim, struct sim_request *request)
{
    size_t place = sim->heap_count++;

    while (place > 0 && is_before(request, sim->heap[(place - 1) / 2])) {
        heap_put(sim, place, sim->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    heap_put(sim, place, request);
}

static struct sim_request *heap_pop(struct sim *sim)
{
    struct sim_request *first = sim->heap[0], *moved = sim->heap[--sim->heap_count];
    size_t place = 0, child;

    while ((child = 2 * place + 1) < sim->heap_count) {
        if (child + 1 < sim->heap_count && is_before(sim->heap[child + 1], sim->heap[child]))
            child++;
        if (!is_before(sim->heap[child], moved))
            break;
        heap_put(sim, place, sim->heap[child]);
        place = child;
    }
    if (sim->heap_count)
        heap_put(sim, place, moved);
    return first;
}

static bool heap_reserve(struct sim *sim, size_t count)
{
    size_t capacity = sim->heap_capacity ? sim->heap_capacity : 64;
    struct sim_request **heap;

    if (count <= sim->heap_capacity)
        return true;
    while (capacity < count)
        capacity *= 2;
    heap = proi_realloc(sim->heap, capacity * sizeof(struct sim_request *));
    if (!heap)
        return false;
    sim->heap = heap;
    sim->heap_capacity = capacity;
    return true;
}

uint64_t sim_next_due(const struct sim *sim) { return sim->heap_count ? sim->heap[0]->due_ns : UINT64_MAX; }

/* Both gates take up to half of the longest delay. */
static void schedule(struct sim *sim, struct sim_request *request)
{
    uint64_t most = sim->options.max_delay_ns > 0 ? (uint64_t)sim->options.max_delay_ns / 2 : 0;

    request->due_ns = sim->now + (most ? sim_random(sim) % (most + 1) : 0);
    request->order = sim_random(sim);
    heap_push(sim, request);
}

/* ---- queues ---- */

void sim_queue_push(struct sim_queue *queue, struct sim_request *request)
{
    request->queue = queue;
    request->next = NULL;
    request->previous = queue->tail;
    if (queue->tail)
        queue->tail->next = request;
    else
        queue->head = request;
    queue->tail = request;
}

static void queue_remove(struct sim_request *request)
{
    struct sim_queue *queue = request->queue;

    if (request->previous)
        request->previous->next = request->next;
    else
        queue->head = request->next;
    if (request->next)
        request->next->previous = request->previous;
    else
        queue->tail = request->previous;
    request->queue = NULL;
}

void sim_queue_changed(struct sim *sim, struct sim_queue *queue)
{
    if (queue->is_changed || !queue->head)
        return;
    queue->is_changed = true;
    queue->next_changed = sim->changed;
    sim->changed = queue;
}

/* True: it is finished. False: it stands in a queue. */
static bool attempt(struct sim *sim, struct sim_request *request)
{
    switch (request->op->kind) {
    case PRO_OP_ACCEPT:
        return sim_try_accept(sim, request);
    case PRO_OP_CONNECT:
        return sim_try_connect(sim, request);
    case PRO_OP_RECV:
    case PRO_OP_RECV_LEASE:
        return sim_try_receive(sim, request);
    default: /* only these four kinds ever stand in a queue */
        return sim_try_send(sim, request);
    }
}

/* A list of queues and not a call from one to the other: a receive that makes room for a send that brings bytes for the
   next receive would go as deep as there are requests. */
void sim_settle(struct sim *sim)
{
    while (sim->changed) {
        struct sim_queue *queue = sim->changed;

        sim->changed = queue->next_changed;
        queue->is_changed = false;
        while (queue->head && queue->head->phase == SIM_WAITING && attempt(sim, queue->head)) {
        }
    }
}

/* ---- the life of a request ---- */

bool sim_request_new(struct sim *sim, struct pro_op *op)
{
    struct sim_request *request = NULL;
    struct sim_queue *queue;

    if (!heap_reserve(sim, sim->request_count + 1))
        return false;
    request = proi_block_alloc(sizeof *request);
    if (!request)
        return false;
    *request = (struct sim_request){ .op = op, .phase = SIM_ARRIVING };
    if (op->kind == PRO_OP_CONNECT)
        request->args.connect = *(struct proi_connect_args *)proi_op_args(op);
    if (op->kind == PRO_OP_FILE_OPEN)
        request->args.open = *(struct proi_open_args *)proi_op_args(op);
    op->backend[1] = (uint64_t)(uintptr_t)request; /* may be over the arguments */
    sim->request_count++;
    queue = sim_queue_of(op);
    if (queue)
        sim_queue_push(queue, request);
    schedule(sim, request);
    return true;
}

void sim_finish(struct sim *sim, struct sim_request *request, int64_t result, size_t moved)
{
    if (request->queue)
        queue_remove(request);
    request->phase = SIM_FINISHING;
    request->result = result;
    request->moved = moved;
    schedule(sim, request);
}

/* What arrives is cancelled, or too far already: both happen, and the seed says which. What waits is cancelled. */
void sim_cancel_request(struct sim *sim, struct sim_request *request)
{
    struct sim_queue *queue = request->queue;

    if (request->op->kind == PRO_OP_CLOSE || request->phase == SIM_FINISHING)
        return;
    if (request->phase == SIM_ARRIVING) {
        request->cancel_asked = true;
        return;
    }
    sim_finish(sim, request, PRO_E_CANCELED, 0);
    sim_queue_changed(sim, queue);
    sim_settle(sim);
}

/* The code that @op is to fail with, or PRO_OK. Closing never fails: the handle is gone whatever happens. */
static int injected_error(struct sim *sim, const struct pro_op *op)
{
    if (op->kind == PRO_OP_NOP || op->kind == PRO_OP_CLOSE || op->kind == PRO_OP_SHUTDOWN ||
        !sim_chance(sim, sim->options.error_percent))
        return PRO_OK;
    switch (op->kind) {
    case PRO_OP_CONNECT:
    case PRO_OP_RECV:
    case PRO_OP_RECV_LEASE:
    case PRO_OP_SEND:
    case PRO_OP_SEND_ALL:
        return PRO_E_RESET;
    default:
        return PRO_E_IO;
    }
}

static void fail(struct sim *sim, struct sim_request *request, int code)
{
    struct pro_op *op = request->op;

    sim_finish(sim, request, code, 0);
    if (code == PRO_E_RESET && op->handle) /* a broken connection is broken for everybody */
        sim_socket_reset(sim, (struct sim_socket *)op->handle->native);
}

static void close_object(struct sim *sim, struct sim_request *request)
{
    sim_object_close(sim, (struct sim_object *)request->op->handle->native);
    sim_finish(sim, request, PRO_OK, 0);
}

static void take_effect(struct sim *sim, struct sim_request *request)
{
    switch (request->op->kind) {
    case PRO_OP_SHUTDOWN:
        sim_shutdown(sim, request);
        break;
    case PRO_OP_CLOSE:
        close_object(sim, request);
        break;
    case PRO_OP_FILE_OPEN:
        sim_file_open(sim, request);
        break;
    case PRO_OP_READ_AT:
        sim_file_read(sim, request);
        break;
    case PRO_OP_WRITE_AT:
        sim_file_write(sim, request);
        break;
    case PRO_OP_NOP:
    case PRO_OP_FILE_SYNC:
        sim_finish(sim, request, PRO_OK, 0);
        break;
    case PRO_OP_CONNECT:
        sim_try_connect(sim, request);
        break;
    default:
        sim_queue_changed(sim, request->queue);
    }
}

static void arrive(struct sim *sim, struct sim_request *request)
{
    struct sim_queue *queue = request->queue;
    int code = injected_error(sim, request->op);

    request->phase = SIM_WAITING;
    if (request->cancel_asked && sim_random(sim) % 2)
        code = PRO_E_CANCELED;
    if (code == PRO_OK) {
        take_effect(sim, request);
    } else {
        fail(sim, request, code);
        if (queue)
            sim_queue_changed(sim, queue); /* those behind it may have arrived before */
    }
    sim_settle(sim);
    if (request->phase == SIM_WAITING && request->cancel_asked)
        sim_cancel_request(sim, request);
}

static void deliver(struct sim *sim, struct sim_request *request, struct proi_op_queue *done)
{
    request->op->backend[1] = 0; /* a cancel finds nothing from now on */
    if (request->op->kind == PRO_OP_RECV_LEASE)
        proi_lease_complete(done, request->op, request->result, 0);
    else
        proi_op_complete(done, request->op, request->result, request->moved, 0);
    sim->request_count--;
    proi_block_free(request, sizeof *request);
}

void sim_turn(struct sim *sim, struct proi_op_queue *done)
{
    size_t delivered = 0;

    while (delivered < PROI_TURN && sim_next_due(sim) <= sim->now) {
        struct sim_request *request = heap_pop(sim);

        if (request->phase == SIM_ARRIVING) {
            arrive(sim, request);
        } else {
            deliver(sim, request, done);
            delivered++;
        }
    }
}
