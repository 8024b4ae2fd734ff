/* SPDX-License-Identifier: MIT */
/* How late a timer is while a loop is busy: a thousand connections within the process, each sending and receiving
 * without a pause, and a periodic timer beside them on the same loop.
 *
 *     latency [CONNECTIONS [SECONDS]]     1000 and 3; prints requests_per_s, ticks, how late they came in microseconds
 *                                         (late_p50_us, late_p99_us, late_p999_us), how long a turn takes (turn_p50_us,
 *                                         turn_p999_us), the processor's share of that (turn_cpu_p999_us), and
 *                                         deliveries_per_turn as JSON
 *
 * A tick can be late by one turn at most: compare late_p999_us and turn_p999_us. What that is more than
 * turn_cpu_p999_us was taken from the process by others on the machine. */
#include "measure.h"

#include <proact/proact.h>
#include <string.h>

enum { PERIOD_US = 1000, MESSAGE = 64 };

static struct {
    struct pro_loop *loop;
    uint64_t end_ns, requests, deliveries;
    struct histogram lateness, turns, turns_cpu;
} run;

static void fail(const char *what, int64_t code)
{
    fprintf(stderr, "latency: %s: %s\n", what, pro_err_message((int)code));
    exit(1);
}

/* ---- a connection: both ends are ours ---- */
struct end {
    PRO_FRAME;
    struct pro_socket socket;
    struct pro_op op;
    bool asks;
    char message[MESSAGE];
};

PRO_ASYNC(end_move_next, struct end, self)
    while (pro_now() < run.end_ns) {
        if (self->asks)
            PRO_AWAIT(pro_send_all(&self->op, &self->socket, self->message, MESSAGE, PRO_HOW_DEFAULT));
        PRO_AWAIT(pro_recv(&self->op, &self->socket, self->message, MESSAGE, PRO_HOW_DEFAULT));
        if (self->op.result == 0)
            break;
        if (!self->asks)
            PRO_AWAIT(pro_send_all(&self->op, &self->socket, self->message, (size_t)self->op.result, PRO_HOW_DEFAULT));
        run.requests += self->asks;
    }
PRO_FINALLY
    PRO_AWAIT_STATUS(pro_close(&self->op, &self->socket));
PRO_ASYNC_END

static void end_start(struct pro_socket socket, bool asks)
{
    struct end *const self = PRO_NEW_FRAME_VOID(struct end, end_move_next);

    if (!self)
        fail("no memory", PRO_E_NO_MEMORY);
    self->socket = socket;
    self->asks = asks;
    pro_forget(PRO_START(self));
}

static int64_t answer;
static unsigned answered;

static void on_answer(struct pro_op *op)
{
    answered++;
    if (op->result < 0)
        answer = op->result;
}

static void connect_one(const struct pro_socket *listener, const struct pro_addr *addr, struct pro_socket ends[2])
{
    struct pro_op ops[2] = { { .result = 0 }, { .result = 0 } };

    answered = 0;
    if (pro_then(pro_accept(&ops[0], listener, &ends[0], PRO_HOW_DEFAULT), on_answer) < 0 ||
        pro_then(pro_connect(&ops[1], run.loop, addr, &ends[1], PRO_HOW_DEFAULT), on_answer) < 0)
        fail("cannot connect", PRO_E_STATE);
    while (answered < 2)
        pro_loop_run_once(run.loop, PRO_INFINITE);
    if (answer < 0)
        fail("cannot connect", answer);
}

/* As posted work, so that the methods resume on the loop. */
struct ends {
    size_t count;
    struct pro_socket *sockets;
};

static void start_all(void *arg)
{
    const struct ends *const ends = arg;

    for (size_t i = 0; i < ends->count; i++)
        end_start(ends->sockets[i], i % 2);
}

static struct ends connect_all(size_t connections)
{
    struct ends ends = { 2 * connections, calloc(2 * connections, sizeof(struct pro_socket)) };
    struct pro_addr addr = pro_addr_loopback(0);
    struct pro_socket listener;
    int code;

    if (!ends.sockets)
        fail("no memory", PRO_E_NO_MEMORY);
    code = pro_listen(run.loop, &addr, NULL, &listener);
    if (code == PRO_OK)
        code = pro_socket_local_addr(&listener, &addr);
    if (code < 0)
        fail("cannot listen", code);
    for (size_t i = 0; i < connections; i++)
        connect_one(&listener, &addr, &ends.sockets[2 * i]);
    return ends;
}

/* ---- the timer ---- */
static void on_tick(struct pro_op *op)
{
    const uint64_t due_ns = (uint64_t)(uintptr_t)op->user, now_ns = pro_now();
    uint64_t next_ns = due_ns + PRO_US(PERIOD_US);

    histogram_add(&run.lateness, now_ns > due_ns ? now_ns - due_ns : 0);
    if (now_ns >= run.end_ns)
        return;
    if (next_ns < now_ns)
        next_ns = now_ns; /* a period was missed altogether: its lateness stands in this tick's */
    op->user = (void *)(uintptr_t)next_ns;
    (void)pro_then(pro_sleep_until(op, run.loop, next_ns, PRO_HOW_DEFAULT), on_tick);
}

static void run_turns(void)
{
    uint64_t before_ns = pro_now();
    double before_cpu_ns = cpu_ns();

    while (before_ns < run.end_ns) {
        const int count = pro_loop_run_once(run.loop, PRO_INFINITE);
        const uint64_t now_ns = pro_now();
        const double now_cpu_ns = cpu_ns();

        run.deliveries += count > 0 ? (uint64_t)count : 0;
        histogram_add(&run.turns, now_ns - before_ns);
        histogram_add(&run.turns_cpu, (uint64_t)(now_cpu_ns - before_cpu_ns));
        before_cpu_ns = now_cpu_ns;
        before_ns = now_ns;
    }
}

int main(int count, char **arguments)
{
    const size_t connections = count > 1 ? (size_t)atol(arguments[1]) : 1000;
    const double seconds = count > 2 ? atof(arguments[2]) : 3;
    struct pro_op tick = { .result = 0 };
    struct ends ends;
    uint64_t start_ns;
    int code = pro_loop_new(NULL, &run.loop);

    if (code < 0 || connections < 1 || !(seconds > 0)) {
        fprintf(stderr, "usage: latency [CONNECTIONS [SECONDS]]\n");
        return 2;
    }
    ends = connect_all(connections);
    start_ns = pro_now();
    run.end_ns = start_ns + (uint64_t)(seconds * 1e9);
    tick.user = (void *)(uintptr_t)(start_ns + PRO_US(PERIOD_US));
    (void)pro_loop_post(run.loop, start_all, &ends);
    (void)pro_then(pro_sleep_until(&tick, run.loop, start_ns + PRO_US(PERIOD_US), PRO_HOW_DEFAULT), on_tick);
    run_turns();
    printf("{\"connections\":%zu,\"requests_per_s\":%.0f,\"ticks\":%.0f,\"late_p50_us\":%.1f,\"late_p99_us\":%.1f,"
           "\"late_p999_us\":%.1f,\"turn_p50_us\":%.1f,\"turn_p999_us\":%.1f,\"turn_cpu_p999_us\":%.1f,\"deliveries_"
           "per_turn\":%.1f}\n",
           connections, (double)run.requests / seconds, (double)run.lateness.count, histogram_us(&run.lateness, 0.50),
           histogram_us(&run.lateness, 0.99), histogram_us(&run.lateness, 0.999), histogram_us(&run.turns, 0.50),
           histogram_us(&run.turns, 0.999), histogram_us(&run.turns_cpu, 0.999),
           (double)run.deliveries / (double)run.turns.count);
    pro_loop_free(run.loop); /* ends what is still under way; the methods close their sockets */
    free(ends.sockets);
    return 0;
}
