/* SPDX-License-Identifier: MIT */
/* The simulated kernel as a backend: opening, the virtual clock, waiting and waking, and what is asked about handles.
 */
#include "sim.h"

enum { CLOCK_START_S = 1, POLL_COST_NS = 1000, FIRST_PORT = 49152 };

static struct sim *sim_of(const struct proi_backend *backend) { return (struct sim *)(uintptr_t)backend; }

/* ---- chance ---- */

/* splitmix64 */
uint64_t sim_random(struct sim *sim)
{
    uint64_t value = sim->random += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

bool sim_chance(struct sim *sim, unsigned percent) { return percent > 0 && sim_random(sim) % 100 < percent; }

size_t sim_cut(struct sim *sim, size_t length)
{
    if (length < 2 || !sim_chance(sim, sim->options.short_percent))
        return length;
    return 1 + (size_t)(sim_random(sim) % (length - 1));
}

uint64_t proi_sim_seed(const struct proi_backend *backend) { return sim_of(backend)->options.seed; }

void proi_sim_set_space(struct proi_backend *backend, uint64_t bytes)
{
    struct sim *sim = sim_of(backend);

    proi_lock(&sim->lock);
    sim->space_left = bytes;
    proi_unlock(&sim->lock);
}

/* ---- opening and closing ---- */

static int backend_open(const struct pro_loop_options *options, struct proi_backend **ret_backend, char *reason,
                        size_t reason_size)
{
    struct sim *sim = proi_alloc_zeroed(sizeof *sim);

    (void)reason, (void)reason_size; /* running out of memory has its code */
    if (!sim)
        return PRO_E_NO_MEMORY;
    sim->backend.type = &proi_backend_sim;
    if (options)
        sim->options = options->sim;
    if (sim->options.socket_buffer == 0)
        sim->options.socket_buffer = 65536;
    sim->random = sim->options.seed;
    sim->now = (uint64_t)PRO_S(CLOCK_START_S); /* a moment of 0 means "none" elsewhere */
    sim->next_port = FIRST_PORT;
    sim->space_left = UINT64_MAX;
    *ret_backend = &sim->backend;
    return PRO_OK;
}

static int backend_bind(struct proi_backend *backend)
{
    (void)backend; /* nothing here depends on the thread */
    return PRO_OK;
}

static void backend_close(struct proi_backend *backend)
{
    struct sim *sim = sim_of(backend);

    sim_inodes_free(sim);
    proi_free(sim->heap);
    proi_free(sim);
}

/* ---- handles ---- */

/* Not here: the thread may be another than the loop's, and what a receive takes a buffer from is the loop's alone. */
static void settle_soon(struct sim *sim)
{
    if (!sim->changed)
        return;
    proi_store(&sim->woken, 1, PROI_RELEASE);
    proi_wake_one(&sim->woken);
}

static int backend_listen(struct proi_backend *backend, const struct pro_addr *addr,
                          const struct pro_listen_options *options, intptr_t *ret_native, int *ret_error)
{
    struct sim *sim = sim_of(backend);
    int code;

    proi_lock(&sim->lock);
    code = sim_listen(sim, addr, options, ret_native);
    proi_unlock(&sim->lock);
    if (code != PRO_OK)
        *ret_error = 0; /* there is no system below that could have a number for it */
    return code;
}

static int backend_attach(struct proi_backend *backend, struct pro_handle *handle, enum pro_op_kind via)
{
    const struct sim_object *object = (const struct sim_object *)handle->native;

    (void)via;
    if (object->sim == sim_of(backend))
        return PRO_OK;
    proi_notice("a connection of one simulated kernel cannot be given to a loop on another: each is a machine of its "
                "own; accept it for the listener's loop");
    return PRO_E_NOT_SUPPORTED;
}

void sim_object_close(struct sim *sim, struct sim_object *object)
{
    switch (object->kind) {
    case PROI_HANDLE_LISTENER:
        sim_listener_close(sim, (struct sim_listener *)object);
        break;
    case PROI_HANDLE_SOCKET:
        sim_socket_close(sim, (struct sim_socket *)object);
        break;
    case PROI_HANDLE_FILE:
        proi_free(object);
        break;
    }
}

/* The object's own instance, not @backend: one that could not be attached comes back through the other. */
static void backend_release(struct proi_backend *backend, enum proi_handle_kind kind, intptr_t native)
{
    struct sim_object *object = (struct sim_object *)native;
    struct sim *sim = object->sim;

    (void)backend, (void)kind;
    proi_lock(&sim->lock);
    sim_object_close(sim, object);
    settle_soon(sim);
    proi_unlock(&sim->lock);
}

static int backend_local_addr(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr)
{
    const struct sim_object *object = (const struct sim_object *)handle->native;

    (void)backend; /* addresses never change: no lock */
    if (object->kind == PROI_HANDLE_LISTENER)
        *ret_addr = ((const struct sim_listener *)object)->addr;
    else
        *ret_addr = ((const struct sim_socket *)object)->local;
    return PRO_OK;
}

static int backend_peer_addr(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr)
{
    const struct sim_object *object = (const struct sim_object *)handle->native;

    (void)backend;
    if (object->kind != PROI_HANDLE_SOCKET)
        return PRO_E_NOT_CONNECTED;
    *ret_addr = ((const struct sim_socket *)object)->peer;
    return PRO_OK;
}

static int backend_set_abortive(struct proi_backend *backend, struct pro_handle *handle, bool abortive)
{
    struct sim *sim = sim_of(backend);
    struct sim_object *object = (struct sim_object *)handle->native;

    if (object->kind != PROI_HANDLE_SOCKET)
        return PRO_OK; /* a listener has no data to throw away */
    proi_lock(&sim->lock);
    ((struct sim_socket *)object)->is_abortive = abortive;
    proi_unlock(&sim->lock);
    return PRO_OK;
}

/* There is one buffer for each direction, at its receiver; who set it last wins. */
static int backend_set_buffers(struct proi_backend *backend, struct pro_handle *handle, int send_bytes,
                               int receive_bytes)
{
    struct sim *sim = sim_of(backend);
    struct sim_socket *socket = (struct sim_socket *)handle->native;

    if (socket->object.kind != PROI_HANDLE_SOCKET)
        return PRO_OK;
    proi_lock(&sim->lock);
    if (receive_bytes > 0) {
        socket->in.limit = (size_t)receive_bytes;
        if (socket->other)
            sim_queue_changed(sim, &socket->other->sending);
    }
    if (send_bytes > 0 && socket->other) {
        socket->other->in.limit = (size_t)send_bytes;
        sim_queue_changed(sim, &socket->sending);
    }
    settle_soon(sim);
    proi_unlock(&sim->lock);
    return PRO_OK;
}

static int backend_file_size(struct proi_backend *backend, const struct pro_handle *handle, uint64_t *ret_size)
{
    struct sim *sim = sim_of(backend);

    proi_lock(&sim->lock);
    *ret_size = ((const struct sim_file *)handle->native)->inode->size;
    proi_unlock(&sim->lock);
    return PRO_OK;
}

/* ---- operations ---- */

static void backend_submit(struct proi_backend *backend, struct pro_op *op)
{
    struct sim *sim = sim_of(backend);

    proi_lock(&sim->lock);
    if (!sim_request_new(sim, op)) {
        op->backend[1] = 0;
        proi_op_queue_push(&sim->refused, op);
    }
    proi_unlock(&sim->lock);
}

static void backend_cancel(struct proi_backend *backend, struct pro_op *op)
{
    struct sim *sim = sim_of(backend);

    proi_lock(&sim->lock);
    if (op->backend[1])
        sim_cancel_request(sim, (struct sim_request *)(uintptr_t)op->backend[1]);
    proi_unlock(&sim->lock);
}

static void complete_refused(struct sim *sim, struct proi_op_queue *done)
{
    struct pro_op *op;

    while ((op = proi_op_queue_pop(&sim->refused)))
        proi_op_complete(done, op, PRO_E_NO_MEMORY, 0, 0);
}

static void set_clock(struct sim *sim, uint64_t now_ns) { proi_store(&sim->now, now_ns, PROI_RELAXED); }

/* Nothing is on its way and no deadline is near: only another thread can bring something. The lock is not held: others
   open and ask meanwhile. */
static void sleep_until_woken(struct sim *sim)
{
    proi_unlock(&sim->lock);
    while (!proi_load(&sim->woken, PROI_RELAXED))
        proi_wait(&sim->woken, 0, -1);
    proi_lock(&sim->lock);
    sim_settle(sim);
}

/* Time stands still while anything can happen without it. Then it jumps. */
static void backend_wait(struct proi_backend *backend, uint64_t deadline_ns, struct proi_op_queue *done)
{
    struct sim *sim = sim_of(backend);
    bool is_poll = deadline_ns <= sim->now;

    proi_lock(&sim->lock);
    sim->waits++;
    complete_refused(sim, done);
    sim_settle(sim);
    sim_turn(sim, done);
    while (!done->head && sim->now < deadline_ns && !proi_load(&sim->woken, PROI_RELAXED)) {
        uint64_t next = sim_next_due(sim);

        if (next > deadline_ns)
            next = deadline_ns;
        if (next == UINT64_MAX) {
            sleep_until_woken(sim);
        } else {
            set_clock(sim, next);
            sim_turn(sim, done);
        }
    }
    /* Whoever only ever polls must see time pass as well. */
    if (is_poll && !done->head)
        set_clock(sim, sim->now + POLL_COST_NS);
    proi_unlock(&sim->lock);
    /* A wake before this exchange is answered: this wait returns, and the acquire shows what the waker wrote before.
       One after it leaves the word set for the next wait. */
    proi_exchange(&sim->woken, 0, PROI_ACQUIRE);
}

static void backend_wake(struct proi_backend *backend)
{
    struct sim *sim = sim_of(backend);

    proi_store(&sim->woken, 1, PROI_RELEASE);
    proi_wake_one(&sim->woken);
}

static uint64_t backend_now(struct proi_backend *backend) { return proi_load(&sim_of(backend)->now, PROI_RELAXED); }

/* Nothing is called; a wait stands for what a kernel would have been asked in it. */
static uint64_t backend_system_calls(struct proi_backend *backend) { return sim_of(backend)->waits; }

const struct proi_backend_type proi_backend_sim = {
    .name = "sim",
    .open = backend_open,
    .bind = backend_bind,
    .close = backend_close,
    .listen = backend_listen,
    .attach = backend_attach,
    .release = backend_release,
    .local_addr = backend_local_addr,
    .peer_addr = backend_peer_addr,
    .set_abortive = backend_set_abortive,
    .set_buffers = backend_set_buffers,
    .file_size = backend_file_size,
    .submit = backend_submit,
    .cancel = backend_cancel,
    .wait = backend_wait,
    .wake = backend_wake,
    .now = backend_now,
    .system_calls = backend_system_calls,
};
