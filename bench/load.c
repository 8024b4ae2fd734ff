/* SPDX-License-Identifier: MIT */
/* Loads an echo server on 127.0.0.1, with callbacks, from one thread.
 *
 *     load PORT pingpong CONNECTIONS SIZE DEPTH SECONDS   each connection keeps DEPTH requests of SIZE bytes under way
 *     load PORT awake CONNECTIONS SIZE DEPTH SECONDS      the same, but this program never sleeps
 *     load PORT churn CONNECTIONS SIZE DEPTH SECONDS      each makes DEPTH requests at once, closes when they are
 *                                                         answered, and connects anew
 *     load PORT stream CONNECTIONS SIZE DEPTH SECONDS     each sends SIZE bytes after SIZE bytes; the server drops them
 *
 * What comes back is compared with what was sent until the measuring begins, after a fifth of a second. Prints one JSON
 * object: requests and mb a second while measuring, all_requests from the start, p50_us, p99_us, errors. */
#include "measure.h"

#include <proact/proact.h>
#include <string.h>

struct connection {
    struct pro_op sending, receiving;
    struct pro_socket socket;
    size_t owed;     /* requests that wait for the send under way */
    size_t in_send;  /* requests in it */
    size_t received; /* bytes, of the answer under way */
    size_t oldest, newest;
    uint64_t *sent_ns; /* when each request under way was sent: a ring of depth */
    char *buffer;
};

static struct {
    bool stream, churn, awake;
    struct pro_addr server;
    size_t connections, size, depth;
    double seconds;
} wanted;

static struct {
    struct pro_loop *loop;
    char *payload; /* depth requests, all the same */
    uint64_t now_ns, requests, all_requests, errors;
    bool measuring, time_is_up;
    struct histogram latencies;
} run;

enum { BUFFER = 256 * 1024 };
#define WARM_UP_NS PRO_MS(200)

static void failed(const char *what, int64_t code)
{
    run.errors++;
    if (run.errors < 5)
        fprintf(stderr, "load: %s: %s\n", what, pro_err_message((int)code));
}

static void on_sent(struct pro_op *op);

static void send_owed(struct connection *self)
{
    if (self->owed == 0 || self->in_send > 0)
        return;
    self->in_send = self->owed;
    self->owed = 0;
    for (size_t i = 0; i < self->in_send; i++)
        self->sent_ns[self->newest++ % wanted.depth] = run.now_ns;
    (void)pro_then(
        pro_send_all(&self->sending, &self->socket, run.payload, self->in_send * wanted.size, PRO_HOW_DEFAULT),
        on_sent);
}

static void request_over(struct connection *self)
{
    run.all_requests++;
    if (run.measuring) {
        run.requests++;
        histogram_add(&run.latencies, run.now_ns - self->sent_ns[self->oldest % wanted.depth]);
    }
    self->oldest++;
    if (!wanted.churn)
        self->owed++;
}

static void connect_one(struct connection *self);

static void on_closed(struct pro_op *op)
{
    if (op->result < 0)
        failed("a close failed", op->result);
    connect_one(PRO_CONTAINER(op, struct connection, sending));
}

/* All its requests are answered, and nothing of it is under way. */
static void close_if_answered(struct connection *self)
{
    if (wanted.churn && self->oldest == wanted.depth && self->in_send == 0)
        (void)pro_then(pro_close(&self->sending, &self->socket), on_closed);
}

static void on_sent(struct pro_op *op)
{
    struct connection *const self = PRO_CONTAINER(op, struct connection, sending);

    if (op->result < 0) {
        failed("a send failed", op->result);
        return;
    }
    if (wanted.stream) {
        run.now_ns = pro_now();
        for (size_t i = 0; i < self->in_send; i++)
            request_over(self);
    }
    self->in_send = 0;
    send_owed(self);
    close_if_answered(self);
}

static bool is_echo(const struct connection *self, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (self->buffer[i] != run.payload[(self->received + i) % wanted.size])
            return false;
    return true;
}

static void receive(struct connection *self);

static void on_received(struct pro_op *op)
{
    struct connection *const self = PRO_CONTAINER(op, struct connection, receiving);

    if (op->result <= 0) {
        failed("a receive failed, or the server closed", op->result);
        return;
    }
    run.now_ns = pro_now();
    if (!run.measuring && !is_echo(self, (size_t)op->result)) {
        fprintf(stderr, "load: what came back is not what was sent\n");
        exit(1);
    }
    self->received += (size_t)op->result;
    for (; self->received >= wanted.size; self->received -= wanted.size)
        request_over(self);
    send_owed(self);
    if (wanted.churn && self->oldest == wanted.depth)
        close_if_answered(self);
    else
        receive(self);
}

static void receive(struct connection *self)
{
    (void)pro_then(pro_recv(&self->receiving, &self->socket, self->buffer, BUFFER, PRO_HOW_DEFAULT), on_received);
}

static void on_connected(struct pro_op *op)
{
    struct connection *const self = PRO_CONTAINER(op, struct connection, sending);

    if (op->result < 0) {
        failed("cannot connect", op->result);
        return;
    }
    self->owed = wanted.depth;
    self->oldest = self->newest = 0;
    run.now_ns = pro_now();
    send_owed(self);
    if (!wanted.stream)
        receive(self);
}

static void connect_one(struct connection *self)
{
    (void)pro_then(pro_connect(&self->sending, run.loop, &wanted.server, &self->socket, PRO_HOW_DEFAULT), on_connected);
}

/* ---- all of it ---- */
static void on_time_up(struct pro_op *op)
{
    (void)op;
    run.time_is_up = true;
    pro_loop_stop(run.loop);
}

static void run_for(double ns)
{
    struct pro_op timer = { .result = 0 };

    (void)pro_then(pro_sleep(&timer, run.loop, (int64_t)ns, PRO_HOW_DEFAULT), on_time_up);
    run.time_is_up = false;
    while (wanted.awake && !run.time_is_up && pro_loop_run_once(run.loop, 0) >= 0)
        ;
    if (!wanted.awake)
        pro_loop_run(run.loop);
}

static bool connect_all(struct connection *connections)
{
    uint64_t random = 7;

    run.payload = malloc(wanted.size * wanted.depth);
    if (!run.payload)
        return false;
    for (size_t i = 0; i < wanted.size; i++)
        run.payload[i] = (char)random_next(&random);
    for (size_t i = wanted.size; i < wanted.size * wanted.depth; i++)
        run.payload[i] = run.payload[i - wanted.size];
    for (size_t i = 0; i < wanted.connections; i++) {
        struct connection *const it = &connections[i];

        it->sent_ns = calloc(wanted.depth, sizeof *it->sent_ns);
        it->buffer = malloc(BUFFER);
        if (!it->sent_ns || !it->buffer)
            return false;
        connect_one(it);
    }
    return true;
}

static void print_report(double took_ns)
{
    const double requests = (double)run.requests;

    printf("{\"requests_per_s\":%.0f,\"mb_per_s\":%.1f,\"all_requests\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
           "\"errors\":%.0f}\n",
           requests / (took_ns / 1e9), requests * (double)wanted.size / 1e6 / (took_ns / 1e9), (double)run.all_requests,
           histogram_us(&run.latencies, 0.50), histogram_us(&run.latencies, 0.99), (double)run.errors);
}

static bool set_mode(const char *name)
{
    wanted.stream = strcmp(name, "stream") == 0;
    wanted.churn = strcmp(name, "churn") == 0;
    wanted.awake = strcmp(name, "awake") == 0;
    return wanted.stream || wanted.churn || wanted.awake || strcmp(name, "pingpong") == 0;
}

int main(int count, char **arguments)
{
    struct connection *connections;
    uint64_t start_ns;

    if (count < 7 || !set_mode(arguments[2])) {
        fprintf(stderr, "usage: load PORT pingpong|awake|churn|stream CONNECTIONS SIZE DEPTH SECONDS\n");
        return 2;
    }
    wanted.server = pro_addr_loopback((uint16_t)atoi(arguments[1]));
    wanted.connections = (size_t)atol(arguments[3]);
    wanted.size = (size_t)atol(arguments[4]);
    wanted.depth = (size_t)atol(arguments[5]);
    wanted.seconds = atof(arguments[6]);
    connections = calloc(wanted.connections + 1, sizeof *connections);
    if (!wanted.connections || !wanted.size || !wanted.depth || !connections || pro_loop_new(NULL, &run.loop) < 0 ||
        !connect_all(connections)) {
        fprintf(stderr, "load: an argument is 0, or there is no memory, or no loop\n");
        return 1;
    }
    run_for((double)WARM_UP_NS);
    run.measuring = true;
    start_ns = pro_now();
    run_for(wanted.seconds * 1e9);
    print_report((double)(pro_now() - start_ns));
    return run.errors > 0; /* the connections are the system's to close */
}
