/* SPDX-License-Identifier: MIT */
/* The echo server that the performance harness measures, written as a user would: an async method for each connection.
 *
 *     echo PORT [sink]     127.0.0.1:PORT, one thread, until SIGTERM; with "sink" it reads and drops
 *
 * The bytes lie in the loop's buffers (pro_recv_lease): a connection that waits has none. */
#include <proact/proact.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool sink;

struct connection {
    PRO_FRAME;
    struct pro_socket socket;
    struct pro_lease lease;
    struct pro_op op;
};

PRO_ASYNC(connection_move_next, struct connection, self)
    for (;;) {
        PRO_AWAIT_STATUS(pro_recv_lease(&self->op, &self->socket, &self->lease, PRO_HOW_DEFAULT));
        if (self->op.result <= 0)
            break;
        if (!sink)
            PRO_AWAIT_STATUS(
                pro_send_all(&self->op, &self->socket, self->lease.data, self->lease.size, PRO_HOW_DEFAULT));
        pro_lease_return(&self->lease);
        if (self->op.result < 0)
            break;
    }
PRO_FINALLY
    PRO_AWAIT_STATUS(pro_close(&self->op, &self->socket));
PRO_ASYNC_END

static struct pro_task *connection_async(struct pro_socket socket)
{
    struct connection *self = PRO_NEW_FRAME_VOID(struct connection, connection_move_next);

    if (!self)
        return pro_task_no_memory();
    self->socket = socket;
    return PRO_START(self);
}

struct serve {
    PRO_FRAME;
    struct pro_socket listener, socket;
    struct pro_op op;
};

PRO_ASYNC(serve_move_next, struct serve, self)
    for (;;) {
        PRO_AWAIT_STATUS(pro_accept(&self->op, &self->listener, &self->socket, PRO_HOW_DEFAULT));
        if (self->op.result == PRO_OK)
            pro_forget(connection_async(self->socket));
        else /* too many open files, most likely: that passes */
            PRO_AWAIT_STATUS(pro_sleep(&self->op, NULL, PRO_MS(10), PRO_HOW_DEFAULT));
    }
PRO_ASYNC_END

static struct pro_task *serve_async(void *arg)
{
    const struct pro_listen_options options = { .backlog = 4096 };
    const struct pro_addr addr = pro_addr_loopback((uint16_t)atoi(arg));
    struct serve *self = PRO_NEW_FRAME_VOID(struct serve, serve_move_next);
    int code;

    if (!self)
        return pro_task_no_memory();
    code = pro_listen(pro_loop_current(), &addr, &options, &self->listener);
    if (code < 0) {
        fprintf(stderr, "echo: cannot listen on port %s: %s\n", (char *)arg, pro_err_message(code));
        exit(1);
    }
    return PRO_START(self);
}

int main(int count, char **arguments)
{
    if (count < 2 || atoi(arguments[1]) < 1 || atoi(arguments[1]) > 65535) {
        fprintf(stderr, "usage: echo PORT [sink], PORT being 1 to 65535\n");
        return 2;
    }
    sink = count > 2 && strcmp(arguments[2], "sink") == 0;
    return pro_run(serve_async, arguments[1]) < 0;
}
