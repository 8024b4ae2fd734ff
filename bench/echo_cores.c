/* SPDX-License-Identifier: MIT */
/* The echo server on several cores: a loop with a thread of its own for each. Where the system spreads connections over
 * listeners that share a port, each loop listens and knows nothing of the others; where it does not (Windows), the
 * first one accepts for all in turn.
 *
 *     echo_cores PORT [LOOPS [hand-off]]     127.0.0.1:PORT, until SIGTERM; 2 loops; "hand-off": as on Windows */
#include <proact/proact.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER = 4096, LOOPS_MOST = 256 };

static struct core {
    struct pro_loop *loop;
    struct pro_socket listener; /* of the first one only, when the others have none */
    struct pro_task *thread;
} cores[LOOPS_MOST];
static size_t core_count = 2;
static bool hands_off;
static struct pro_task *never; /* what the loops run until */

/* ---- a connection ---- */
struct connection {
    PRO_FRAME;
    struct pro_socket socket;
    struct pro_op op;
    char buffer[BUFFER];
};

PRO_ASYNC(connection_move_next, struct connection, self)
    for (;;) {
        PRO_AWAIT_STATUS(pro_recv(&self->op, &self->socket, self->buffer, sizeof self->buffer, PRO_HOW_DEFAULT));
        if (self->op.result <= 0)
            break;
        PRO_AWAIT_STATUS(
            pro_send_all(&self->op, &self->socket, self->buffer, (size_t)self->op.result, PRO_HOW_DEFAULT));
        if (self->op.result < 0)
            break;
    }
PRO_FINALLY
    PRO_AWAIT_STATUS(pro_close(&self->op, &self->socket));
PRO_ASYNC_END

static void connection_start(struct pro_socket socket)
{
    struct connection *const self = PRO_NEW_FRAME_VOID(struct connection, connection_move_next);

    if (!self) {
        fprintf(stderr, "echo_cores: no memory for a connection\n");
        exit(1);
    }
    self->socket = socket;
    pro_forget(PRO_START(self));
}

/* A connection on its way to the loop that owns it. */
static void connection_arrived(void *arg)
{
    struct pro_socket *const socket = arg;

    connection_start(*socket);
    free(socket);
}

/* ---- accepting ---- */
struct serve {
    PRO_FRAME;
    struct core *core;
    struct pro_socket socket;
    struct pro_op op;
    size_t turn; /* whose the next connection is */
};

static void hand_over(struct core *to, struct pro_socket socket)
{
    struct pro_socket *const travelling = malloc(sizeof *travelling);

    if (travelling)
        *travelling = socket;
    if (!travelling || pro_loop_post(to->loop, connection_arrived, travelling) < 0) {
        fprintf(stderr, "echo_cores: no memory for a connection\n");
        exit(1);
    }
}

PRO_ASYNC(serve_move_next, struct serve, self)
    for (;;) {
        self->turn = hands_off ? (self->turn + 1) % core_count : (size_t)(self->core - cores);
        PRO_AWAIT_STATUS(
            pro_accept_for(&self->op, &self->core->listener, cores[self->turn].loop, &self->socket, PRO_HOW_DEFAULT));
        if (self->op.result == PRO_OK && &cores[self->turn] == self->core)
            connection_start(self->socket);
        else if (self->op.result == PRO_OK)
            hand_over(&cores[self->turn], self->socket);
        else /* too many open files, most likely: that passes */
            PRO_AWAIT_STATUS(pro_sleep(&self->op, NULL, PRO_MS(10), PRO_HOW_DEFAULT));
    }
PRO_ASYNC_END

static void serve_start(void *arg)
{
    struct serve *const self = PRO_NEW_FRAME_VOID(struct serve, serve_move_next);

    if (!self)
        exit(1);
    self->core = arg;
    pro_forget(PRO_START(self));
}

/* ---- the cores ---- */
static struct pro_error *run_core(void *arg, void *ret_result)
{
    struct core *const core = arg;

    (void)ret_result;
    if (!hands_off || core == cores)
        (void)pro_loop_post(core->loop, serve_start, core);
    pro_loop_run_until(core->loop, never);
    return NULL;
}

static int listen_on(uint16_t port)
{
    const struct pro_listen_options shared = { .backlog = 4096, .reuse_port = true }, alone = { .backlog = 4096 };
    const struct pro_addr addr = pro_addr_loopback(port);
    int code = PRO_OK;

    for (size_t i = 0; i < core_count && !hands_off && code == PRO_OK; i++) {
        code = pro_listen(cores[i].loop, &addr, &shared, &cores[i].listener);
        hands_off = code == PRO_E_NOT_SUPPORTED;
    }
    return hands_off ? pro_listen(cores[0].loop, &addr, &alone, &cores[0].listener) : code;
}

int main(int count, char **arguments)
{
    struct pro_completion_source *source = NULL;
    int code = PRO_OK;

    if (count > 2)
        core_count = (size_t)atol(arguments[2]);
    hands_off = count > 3 && strcmp(arguments[3], "hand-off") == 0;
    if (count < 2 || atoi(arguments[1]) < 1 || atoi(arguments[1]) > 65535 || core_count < 1 ||
        core_count > LOOPS_MOST) {
        fprintf(stderr, "usage: echo_cores PORT [LOOPS [hand-off]], PORT being 1 to 65535, LOOPS 1 to 256\n");
        return 2;
    }
    code = pro_completion_source_new(PRO_NO_RESULT, 0, &source);
    for (size_t i = 0; i < core_count && code == PRO_OK; i++)
        code = pro_loop_new(NULL, &cores[i].loop);
    if (code == PRO_OK)
        code = listen_on((uint16_t)atoi(arguments[1]));
    if (code < 0) {
        fprintf(stderr, "echo_cores: cannot listen on port %s: %s\n", arguments[1], pro_err_message(code));
        return 1;
    }
    never = pro_completion_source_task(source);
    for (size_t i = 1; i < core_count; i++)
        cores[i].thread =
            pro_task_start_new(run_core, &cores[i], PRO_NO_RESULT, PRO_TOKEN_NONE, PRO_TASK_LONG_RUNNING, NULL);
    pro_error_unref(run_core(&cores[0], NULL));
    return 0;
}
