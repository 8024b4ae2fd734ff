/* SPDX-License-Identifier: MIT */
/* The echo server that the performance harness measures, written as a user would: an async method for each connection.
 *
 *     echo PORT [sink]     127.0.0.1:PORT, one thread, until SIGTERM; with "sink" it reads and drops
 *
 * Buffers are as in samples/echo_server.c: small while a connection is idle, 64 KiB while much is coming. */
#include <proact/proact.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 256, LARGE = 65536 };

static bool sink;

struct connection {
    PRO_FRAME;
    struct pro_socket socket;
    struct pro_op op;
    char *buffer;
    size_t size;
    char small[SMALL];
};

static void buffer_fit(struct connection *self, size_t used)
{
    if (self->buffer == self->small && used == SMALL) {
        char *large = malloc(LARGE);

        if (large) {
            self->buffer = large;
            self->size = LARGE;
        }
    } else if (self->buffer != self->small && used <= SMALL) {
        free(self->buffer);
        self->buffer = self->small;
        self->size = SMALL;
    }
}

PRO_ASYNC(connection_move_next, struct connection, self)
    for (;;) {
        PRO_AWAIT_STATUS(pro_recv(&self->op, &self->socket, self->buffer, self->size, PRO_HOW_DEFAULT));
        if (self->op.result <= 0)
            break;
        if (!sink)
            PRO_AWAIT_STATUS(
                pro_send_all(&self->op, &self->socket, self->buffer, (size_t)self->op.result, PRO_HOW_DEFAULT));
        if (self->op.result < 0)
            break;
        buffer_fit(self, (size_t)self->op.result);
    }
PRO_FINALLY
    if (self->buffer != self->small)
        free(self->buffer);
    PRO_AWAIT_STATUS(pro_close(&self->op, &self->socket));
PRO_ASYNC_END

static struct pro_task *connection_async(struct pro_socket socket)
{
    struct connection *self = PRO_NEW_FRAME_VOID(struct connection, connection_move_next);

    if (!self)
        return pro_task_no_memory();
    self->socket = socket;
    self->buffer = self->small;
    self->size = SMALL;
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
