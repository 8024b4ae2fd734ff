/* SPDX-License-Identifier: MIT */
/* echo.c once more with callbacks instead of async methods: what the methods cost is the difference.
 *
 *     echo_callback PORT [sink] */
#include <proact/proact.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool sink;

struct connection {
    struct pro_op op; /* first: a callback gets the op */
    struct pro_socket socket;
    struct pro_lease lease;
};

static void on_received(struct pro_op *op);

static void on_closed(struct pro_op *op) { free(PRO_CONTAINER(op, struct connection, op)); }

static void connection_end(struct connection *self) { (void)pro_then(pro_close(&self->op, &self->socket), on_closed); }

static void receive(struct connection *self)
{
    (void)pro_then(pro_recv_lease(&self->op, &self->socket, &self->lease, PRO_HOW_DEFAULT), on_received);
}

static void on_sent(struct pro_op *op)
{
    struct connection *self = PRO_CONTAINER(op, struct connection, op);

    (void)pro_lease_return(&self->lease);
    if (op->result < 0)
        connection_end(self);
    else
        receive(self);
}

static void on_received(struct pro_op *op)
{
    struct connection *self = PRO_CONTAINER(op, struct connection, op);

    if (op->result <= 0)
        connection_end(self);
    else if (sink)
        on_sent(op);
    else
        (void)pro_then(pro_send_all(op, &self->socket, self->lease.data, self->lease.size, PRO_HOW_DEFAULT), on_sent);
}

static struct pro_socket listener, accepted;

static void on_accepted(struct pro_op *op);
static void on_waited(struct pro_op *op)
{
    (void)pro_then(pro_accept(op, &listener, &accepted, PRO_HOW_DEFAULT), on_accepted);
}

static void on_accepted(struct pro_op *op)
{
    struct connection *self = op->result < 0 ? NULL : calloc(1, sizeof *self);

    if (op->result < 0) { /* too many open files, most likely: that passes */
        (void)pro_then(pro_sleep(op, NULL, PRO_MS(10), PRO_HOW_DEFAULT), on_waited);
        return;
    }
    if (!self) {
        fprintf(stderr, "echo_callback: no memory for a connection\n");
        exit(1);
    }
    self->socket = accepted;
    receive(self);
    on_waited(op);
}

int main(int count, char **arguments)
{
    const struct pro_listen_options options = { .backlog = 4096 };
    struct pro_op accepting = { .result = 0 };
    struct pro_loop *loop = NULL;
    struct pro_addr addr;
    int code;

    if (count < 2 || atoi(arguments[1]) < 1 || atoi(arguments[1]) > 65535) {
        fprintf(stderr, "usage: echo_callback PORT [sink], PORT being 1 to 65535\n");
        return 2;
    }
    sink = count > 2 && strcmp(arguments[2], "sink") == 0;
    addr = pro_addr_loopback((uint16_t)atoi(arguments[1]));
    code = pro_loop_new(NULL, &loop);
    if (code == PRO_OK)
        code = pro_listen(loop, &addr, &options, &listener);
    if (code < 0) {
        fprintf(stderr, "echo_callback: cannot listen on port %s: %s\n", arguments[1], pro_err_message(code));
        return 1;
    }
    on_waited(&accepting);
    code = pro_loop_run(loop);
    (void)pro_loop_free(loop);
    return code < 0;
}
