/* SPDX-License-Identifier: MIT */
/* echo_server: sends every byte back. One thread, one async method for each connection, and little memory for one that
 * is idle.
 *
 * Ctrl-C or SIGTERM ends it in good order. Signals are no operations of the library; pro_loop_stop() is one of the few
 * calls that a signal handler may make: it sets a flag and wakes the loop. */
#include <proact/proact.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "system.h"

static const char help[] = "usage: echo_server [options] PORT\n"
                           "       echo_server [options] ADDRESS:PORT\n"
                           "\n"
                           "Sends every byte back on the connection it came from. PORT alone listens on 127.0.0.1;\n"
                           "0.0.0.0:PORT listens on all of this machine's addresses; port 0 lets the system choose.\n"
                           "\n"
                           "  --idle-timeout SECONDS   close connections on which nothing comes for so long\n"
                           "  --connections NUMBER     end when so many connections were served\n"
                           "  --quiet                  say nothing unless something is wrong\n"
                           "\n"
                           "Exit status: 0 ended by a signal or --connections, 1 trouble, 2 wrong arguments.\n"
                           "$PROACT_BACKEND=epoll (or io_uring, iocp) chooses the kernel interface.\n";

/* A connection starts with the small buffer that is part of its frame. One that fills it gets a large one, and
   gives it back when the small one would have done: so 10,000 idle connections hold no buffers. */
enum { SMALL = 256, LARGE = 65536 };

struct server {
    struct pro_socket listener;
    struct pro_cancellation_source *stop; /* ends every wait of the program */
    struct pro_how receiving;             /* the idle timeout and the stop  */
    struct pro_how stopping;              /* the stop alone                 */
    long limit;                           /* connections to serve, 0: no limit */
    long served;
};

/* ---- one connection ---- */
struct connection {
    PRO_FRAME;
    struct server *server;
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

        if (large) { /* else the small one goes on doing it */
            self->buffer = large;
            self->size = LARGE;
        }
    } else if (self->buffer != self->small && used <= SMALL) {
        free(self->buffer);
        self->buffer = self->small;
        self->size = SMALL;
    }
}

/* A reset or a timeout is an ordinary end of a connection, hence the awaits that stay. */
PRO_ASYNC(connection_move_next, struct connection, self)
    for (;;) {
        PRO_AWAIT_STATUS(pro_recv(&self->op, &self->socket, self->buffer, self->size, self->server->receiving));
        if (self->op.result <= 0)
            break;
        PRO_AWAIT_STATUS(
            pro_send_all(&self->op, &self->socket, self->buffer, (size_t)self->op.result, self->server->stopping));
        if (self->op.result < 0)
            break;
        buffer_fit(self, (size_t)self->op.result);
    }
PRO_FINALLY
    if (self->buffer != self->small)
        free(self->buffer);
    PRO_AWAIT_STATUS(pro_close(&self->op, &self->socket));
PRO_ASYNC_END

static struct pro_task *connection_async(struct server *server, struct pro_socket socket)
{
    struct connection *self = PRO_NEW_FRAME_VOID(struct connection, connection_move_next);

    if (!self)
        return pro_task_no_memory();
    self->server = server;
    self->socket = socket;
    self->buffer = self->small;
    self->size = SMALL;
    return PRO_START(self);
}

/* ---- accepting ---- */
struct serve {
    PRO_FRAME;
    struct server *server;
    struct pro_op op;
    struct pro_socket socket;
};

PRO_ASYNC(serve_move_next, struct serve, self)
    while (!self->server->limit || self->server->served < self->server->limit) {
        PRO_AWAIT_STATUS(pro_accept(&self->op, &self->server->listener, &self->socket, self->server->stopping));
        if (self->op.result == PRO_E_CANCELED)
            break;
        if (self->op.result == PRO_OK) {
            self->server->served++;
            pro_forget(connection_async(self->server, self->socket));
            continue;
        }
        /* Most likely too many open files. That passes when connections end; until then others wait in the backlog. */
        fprintf(stderr, "echo_server: cannot accept a connection: %s; trying again\n",
                pro_err_message((int)self->op.result));
        PRO_AWAIT_STATUS(
            pro_sleep(&self->op, pro_socket_loop(&self->server->listener), PRO_MS(200), self->server->stopping));
    }
PRO_FINALLY
    PRO_AWAIT_STATUS(pro_close(&self->op, &self->server->listener));
PRO_ASYNC_END

static struct pro_task *serve_async(struct server *server)
{
    struct serve *self = PRO_NEW_FRAME_VOID(struct serve, serve_move_next);

    if (!self)
        return pro_task_no_memory();
    self->server = server;
    return PRO_START(self);
}

/* ---- the program ---- */
static struct pro_loop *signalled_loop;

static void on_signal(int number)
{
    (void)signal(number, SIG_DFL); /* the second one ends the program at once */
    (void)pro_loop_stop(signalled_loop);
}

static int trouble(const char *what, int code)
{
    fprintf(stderr, "echo_server: %s: %s\n", what, pro_err_message(code));
    return EXIT_TROUBLE;
}

static int listen_on(struct server *server, struct pro_loop *loop, struct pro_addr addr, bool quiet)
{
    char name[PRO_ADDR_TEXT], sentence[PRO_ADDR_TEXT + 32];
    int code = pro_listen(loop, &addr, NULL, &server->listener);

    if (code < 0) {
        (void)pro_addr_format(&addr, name, sizeof name);
        (void)snprintf(sentence, sizeof sentence, "cannot listen on %s", name);
        return trouble(sentence, code);
    }
    (void)pro_socket_local_addr(&server->listener, &addr); /* the system may have chosen the port */
    (void)pro_addr_format(&addr, name, sizeof name);
    if (!quiet) {
        printf("echo_server: listening on %s (%s)\n", name, pro_loop_backend(loop));
        fflush(stdout);
    }
    return EXIT_OK;
}

/* Runs until all is served or a signal comes; then everything that waits is cancelled, and the loop runs until the last
   connection is closed. */
static int server_run(struct server *server, struct pro_loop *loop, bool quiet)
{
    struct pro_task *serving;

    signalled_loop = loop;
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    serving = serve_async(server);
    (void)pro_loop_run(loop);
    (void)pro_cancellation_source_cancel(server->stop);
    (void)pro_loop_run(loop);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    if (!quiet)
        printf("echo_server: ended after %ld connections\n", server->served);
    if (!pro_task_is_faulted(serving)) {
        pro_task_unref(serving);
        return EXIT_OK;
    }
    fprintf(stderr, "echo_server: %s\n", pro_error_message(pro_task_error(serving)));
    pro_task_unref(serving);
    return EXIT_TROUBLE;
}

int main(int count, char **arguments)
{
    struct server server = { .limit = 0 };
    struct pro_loop *loop = NULL;
    struct pro_addr addr;
    bool quiet = false;
    long idle_s = 0;
    char *word = NULL;
    const struct option options[] = {
        { .name = "--idle-timeout", .number = &idle_s, .minimum = 1, .maximum = 1000000 },
        { .name = "--connections", .number = &server.limit, .minimum = 1, .maximum = 1000000000 },
        { .name = "--quiet", .flag = &quiet },
        { .name = NULL },
    };
    int status = arguments_read("echo_server", help, options, system_arguments(arguments), &word, 1);
    int code;

    (void)count;
    if (status >= 0)
        return status;
    if (!address_read("echo_server", word, &addr))
        return EXIT_USAGE;
    system_raise_file_limit();
    code = pro_loop_new(NULL, &loop);
    if (code == PRO_OK)
        code = pro_cancellation_source_new(&server.stop);
    if (code < 0) {
        (void)pro_loop_free(loop);
        return trouble("cannot start", code);
    }
    server.stopping.token = pro_cancellation_source_token(server.stop);
    server.receiving = server.stopping;
    server.receiving.timeout_ns = PRO_S(idle_s);
    status = listen_on(&server, loop, addr, quiet);
    if (status == EXIT_OK)
        status = server_run(&server, loop, quiet);
    (void)pro_loop_free(loop);
    pro_cancellation_source_unref(server.stop);
    return status;
}
