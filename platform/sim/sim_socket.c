/* SPDX-License-Identifier: MIT */
/* The simulated network: addresses, listeners, and how two sockets find each other. Bytes are in sim_stream.c. */
#include "sim.h"

enum { FIRST_PORT = 49152, DEFAULT_BACKLOG = 4096 };

/* ---- addresses: this machine has 127.0.0.0/8 and ::1 ---- */

static bool is_zero(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i])
            return false;
    return true;
}

static size_t ip_size(const struct pro_addr *addr) { return addr->family == PRO_IPV6 ? 16 : 4; }

static bool is_any(const struct pro_addr *addr) { return is_zero(addr->ip, ip_size(addr)); }

static bool is_local(const struct pro_addr *addr)
{
    if (addr->family == PRO_IPV4)
        return addr->ip[0] == 127;
    return is_zero(addr->ip, 15) && addr->ip[15] == 1;
}

static bool is_same_ip(const struct pro_addr *a, const struct pro_addr *b)
{
    for (size_t i = 0; i < ip_size(a); i++)
        if (a->ip[i] != b->ip[i])
            return false;
    return true;
}

static bool is_overlap(const struct pro_addr *a, const struct pro_addr *b)
{
    return a->family == b->family && a->port == b->port && (is_any(a) || is_any(b) || is_same_ip(a, b));
}

static struct pro_addr loopback_of(uint16_t family, uint16_t port)
{
    struct pro_addr addr = pro_addr_loopback(port);

    if (family == PRO_IPV6) {
        addr = (struct pro_addr){ .family = PRO_IPV6, .port = port };
        addr.ip[15] = 1;
    }
    return addr;
}

/* ---- listeners ---- */

static struct sim_listener *listener_overlapping(struct sim *sim, const struct pro_addr *addr)
{
    struct sim_listener *listener = sim->listeners;

    while (listener && !is_overlap(&listener->addr, addr))
        listener = listener->next;
    return listener;
}

/* Of several listeners on one port any may be the one. */
static struct sim_listener *listener_for(struct sim *sim, const struct pro_addr *addr)
{
    struct sim_listener *found = NULL;
    uint64_t count = 0;

    for (struct sim_listener *listener = sim->listeners; listener; listener = listener->next)
        if (is_overlap(&listener->addr, addr) && (count++ == 0 || sim_random(sim) % count == 0))
            found = listener;
    return found;
}

/* A port without a listener; 0: all have one. Goes round, so that a port just freed is not given again at once. */
static uint16_t free_port(struct sim *sim, uint16_t family)
{
    for (unsigned tried = 0; tried <= UINT16_MAX - FIRST_PORT; tried++) {
        struct pro_addr addr = { .family = family, .port = sim->next_port };

        sim->next_port = sim->next_port == UINT16_MAX ? FIRST_PORT : (uint16_t)(sim->next_port + 1);
        if (!listener_overlapping(sim, &addr))
            return addr.port;
    }
    return 0;
}

static int listen_address(struct sim *sim, struct pro_addr *addr, bool reuse_port)
{
    const struct sim_listener *owner;

    if (addr->family != PRO_IPV4 && addr->family != PRO_IPV6)
        return PRO_E_INVALID;
    if (!is_any(addr) && !is_local(addr))
        return PRO_E_ADDRESS;
    if (addr->port == 0)
        addr->port = free_port(sim, addr->family);
    if (addr->port == 0)
        return PRO_E_IN_USE;
    owner = listener_overlapping(sim, addr);
    return owner && !(reuse_port && owner->reuse_port) ? PRO_E_IN_USE : PRO_OK;
}

int sim_listen(struct sim *sim, const struct pro_addr *addr, const struct pro_listen_options *options,
               intptr_t *ret_native)
{
    struct pro_addr local = *addr;
    bool reuse_port = options && options->reuse_port;
    struct sim_listener *listener;
    int code = listen_address(sim, &local, reuse_port);

    if (code != PRO_OK)
        return code;
    listener = proi_alloc_zeroed(sizeof *listener);
    if (!listener)
        return PRO_E_NO_MEMORY;
    listener->object = (struct sim_object){ .sim = sim, .kind = PROI_HANDLE_LISTENER };
    listener->addr = local;
    listener->reuse_port = reuse_port;
    listener->backlog_limit = options && options->backlog > 0 ? (size_t)options->backlog : DEFAULT_BACKLOG;
    listener->next = sim->listeners;
    sim->listeners = listener;
    *ret_native = (intptr_t)listener;
    return PRO_OK;
}

static struct sim_socket *backlog_pop(struct sim_listener *listener)
{
    struct sim_socket *socket = listener->first;

    listener->first = socket->next;
    if (!listener->first)
        listener->last = NULL;
    listener->backlog--;
    return socket;
}

static void backlog_push(struct sim_listener *listener, struct sim_socket *socket)
{
    socket->next = NULL;
    if (listener->last)
        listener->last->next = socket;
    else
        listener->first = socket;
    listener->last = socket;
    listener->backlog++;
}

/* Who was not accepted is reset, who found no room is refused. */
void sim_listener_close(struct sim *sim, struct sim_listener *listener)
{
    struct sim_listener **place = &sim->listeners;

    while (*place != listener)
        place = &(*place)->next;
    *place = listener->next;
    while (listener->first) {
        struct sim_socket *socket = backlog_pop(listener);

        socket->is_abortive = true;
        sim_socket_close(sim, socket);
    }
    while (listener->connecting.head)
        sim_finish(sim, listener->connecting.head, PRO_E_REFUSED, 0);
    proi_free(listener);
}

/* ---- accept and connect ---- */

bool sim_try_accept(struct sim *sim, struct sim_request *request)
{
    struct sim_listener *listener = (struct sim_listener *)request->op->handle->native;

    if (!listener->first)
        return false;
    *proi_op_native(request->op) = (size_t)(uintptr_t)backlog_pop(listener);
    sim_finish(sim, request, PRO_OK, 0);
    sim_queue_changed(sim, &listener->connecting);
    return true;
}

/* Makes both ends: the client's is given back, the server's goes into the backlog. NULL: no memory. */
static struct sim_socket *pair_new(struct sim *sim, struct sim_listener *listener, const struct pro_addr *target)
{
    struct pro_addr local = loopback_of(target->family, free_port(sim, target->family));
    struct sim_socket *client = sim_socket_new(sim, &local, target);
    struct sim_socket *server = client ? sim_socket_new(sim, target, &local) : NULL;

    if (!server) {
        proi_free(client);
        return NULL;
    }
    client->other = server;
    server->other = client;
    backlog_push(listener, server);
    sim_queue_changed(sim, &listener->accepting);
    return client;
}

bool sim_try_connect(struct sim *sim, struct sim_request *request)
{
    struct pro_addr target = request->args.connect.addr;
    struct sim_listener *listener;
    struct sim_socket *client;

    if (is_any(&target))
        target = loopback_of(target.family, target.port);
    listener = listener_for(sim, &target);
    if (!is_local(&target) || !listener) {
        sim_finish(sim, request, is_local(&target) ? PRO_E_REFUSED : PRO_E_UNREACHABLE, 0);
        return true;
    }
    if (listener->backlog >= listener->backlog_limit) {
        if (!request->queue)
            sim_queue_push(&listener->connecting, request);
        return false;
    }
    client = pair_new(sim, listener, &target);
    *proi_op_native(request->op) = (size_t)(uintptr_t)client;
    sim_finish(sim, request, client ? PRO_OK : PRO_E_NO_MEMORY, 0);
    return true;
}
