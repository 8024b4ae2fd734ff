/* SPDX-License-Identifier: MIT */
/* echo_client: asks an echo server over many connections at once, measures how long an answer takes, and checks each
 * byte. */
#include <proact/proact.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "system.h"

static const char help[] =
    "usage: echo_client [options] PORT\n"
    "       echo_client [options] ADDRESS:PORT\n"
    "\n"
    "Sends requests to an echo server, checks every byte of the answers, and tells how long they took.\n"
    "\n"
    "  --connections NUMBER   connections at once (default 1)\n"
    "  --requests NUMBER      requests on each of them (default 1000)\n"
    "  --size BYTES           bytes of a request (default 64)\n"
    "  --wait SECONDS         keep trying so long while nobody listens there\n"
    "  --timeout SECONDS      give up on an answer after so long (default 10)\n"
    "\n"
    "Exit status: 0 all answers were right, 1 trouble, 2 wrong arguments.\n";

struct client {
    struct pro_addr addr;
    char name[PRO_ADDR_TEXT];
    long connections, requests, size, wait_s, timeout_s;
    struct pro_cancellation_source *stop; /* the first connection in trouble ends the others */
    struct pro_how patience;
    uint64_t *took_ns; /* of every request */
    size_t answers;
    uint64_t spent_ns;
    int status;
};

static struct pro_error *failure(const struct pro_op *op, const char *what, const struct client *client)
{
    const int code = (int)op->result;

    if (code == PRO_E_FAILED) /* the library has no word for it; the system's number is all there is */
        return pro_error_new(code, PRO_HERE, "%s %s: the system's error %d", what, client->name, op->native);
    return pro_error_new(code, PRO_HERE, "%s %s: %s", what, client->name, pro_err_message(code));
}

/* ---- connecting ---- */
struct dial {
    PRO_FRAME;
    struct client *client;
    struct pro_op op;
    struct pro_socket socket;
    uint64_t until_ns;
};

PRO_ASYNC(dial_move_next, struct dial, self)
    for (;;) {
        PRO_AWAIT_STATUS(pro_connect(&self->op, NULL, &self->client->addr, &self->socket, self->client->patience));
        if (self->op.result == PRO_OK)
            PRO_RETURN(struct pro_socket, self->socket);
        if (self->op.result != PRO_E_REFUSED || pro_now() >= self->until_ns)
            PRO_THROW(failure(&self->op, "cannot connect to", self->client));
        PRO_AWAIT(pro_sleep(&self->op, NULL, PRO_MS(50), self->client->patience));
    }
PRO_ASYNC_END

static struct pro_task *dial_async(struct client *client)
{
    struct dial *self = PRO_NEW_FRAME(struct dial, dial_move_next, struct pro_socket);

    if (!self)
        return pro_task_no_memory();
    self->client = client;
    self->until_ns = pro_now() + (uint64_t)PRO_S(client->wait_s);
    return PRO_START(self);
}

/* ---- one connection ---- */
struct talk {
    PRO_FRAME;
    struct client *client;
    struct pro_op op, sending;
    struct pro_socket socket;
    unsigned char *request, *answer;
    bool is_sending;
    size_t size, come;
    long done;
    uint32_t seed;
    uint64_t start_ns;
};

/* Another text for each request, so that a stale answer shows. */
static void request_write(struct talk *self)
{
    for (size_t i = 0; i < self->size; i++) {
        self->seed = self->seed * 1664525u + 1013904223u;
        self->request[i] = (unsigned char)(self->seed >> 24);
    }
}

static struct pro_error *answer_check(const struct talk *self)
{
    size_t i = 0;

    while (i < self->size && self->request[i] == self->answer[i])
        i++;
    if (i == self->size)
        return NULL;
    return pro_error_new(PRO_E_USER, PRO_HERE, "byte %zu of answer %ld from %s is 0x%02x and was sent as 0x%02x", i + 1,
                         self->done + 1, self->client->name, self->answer[i], self->request[i]);
}

/* Sends and receives at the same time: a server that cannot get rid of the answer's beginning stops taking the
   request's end, and two who only send would wait for each other. */
PRO_ASYNC(talk_move_next, struct talk, self)
    self->request = malloc(2 * self->size);
    if (!self->request)
        PRO_THROW(pro_error_of(PRO_E_NO_MEMORY));
    self->answer = self->request + self->size;
    PRO_AWAIT_TO(&self->socket, dial_async(self->client));
    for (; self->done < self->client->requests; self->done++) {
        request_write(self);
        self->start_ns = pro_now();
        pro_start(pro_send_all(&self->sending, &self->socket, self->request, self->size, self->client->patience));
        self->is_sending = true;
        for (self->come = 0; self->come < self->size; self->come += (size_t)self->op.result) {
            PRO_AWAIT_STATUS(pro_recv(&self->op, &self->socket, self->answer + self->come, self->size - self->come,
                                      self->client->patience));
            if (self->op.result == 0)
                PRO_THROW(pro_error_new(PRO_E_USER, PRO_HERE,
                                        "%s closed the connection after %zu of %zu bytes of answer %ld",
                                        self->client->name, self->come, self->size, self->done + 1));
            if (self->op.result < 0)
                PRO_THROW(failure(&self->op, "no answer from", self->client));
        }
        self->is_sending = false;
        PRO_AWAIT_STATUS(&self->sending);
        if (self->sending.result < 0)
            PRO_THROW(failure(&self->sending, "cannot send to", self->client));
        self->client->took_ns[self->client->answers++] = pro_now() - self->start_ns;
        if (memcmp(self->request, self->answer, self->size) != 0)
            PRO_THROW(answer_check(self));
    }
PRO_FINALLY
    if (self->done < self->client->requests)
        pro_cancellation_source_cancel(self->client->stop);
    if (pro_socket_is_open(&self->socket))
        PRO_AWAIT_STATUS(pro_close(&self->op, &self->socket));
    if (self->is_sending) /* the close has ended it; its buffer is the kernel's until it says so */
        PRO_AWAIT_STATUS(&self->sending);
    free(self->request);
PRO_ASYNC_END

static struct pro_task *talk_async(struct client *client, long number)
{
    struct talk *self = PRO_NEW_FRAME_VOID(struct talk, talk_move_next);

    if (!self)
        return pro_task_no_memory();
    self->client = client;
    self->size = (size_t)client->size;
    self->seed = (uint32_t)number;
    return PRO_START(self);
}

/* ---- all of them ---- */
struct client_main {
    PRO_FRAME;
    struct client *client;
    struct pro_task **talks;
    size_t count;
    uint64_t start_ns;
};

static void talks_start(struct client_main *self)
{
    for (; self->count < (size_t)self->client->connections; self->count++)
        self->talks[self->count] = talk_async(self->client, (long)self->count);
}

static void talks_drop(struct client_main *self)
{
    for (size_t i = 0; i < self->count; i++)
        pro_task_unref(self->talks[i]);
    free(self->talks);
}

PRO_ASYNC(client_move_next, struct client_main, self)
    self->talks = calloc((size_t)self->client->connections, sizeof *self->talks);
    if (!self->talks)
        PRO_THROW(pro_error_of(PRO_E_NO_MEMORY));
    self->start_ns = pro_now();
    talks_start(self);
    PRO_AWAIT(pro_when_all(self->talks, self->count));
    self->client->spent_ns = pro_now() - self->start_ns;
PRO_FINALLY
    talks_drop(self);
PRO_ASYNC_END

static struct pro_task *client_async(struct client *client)
{
    struct client_main *self = PRO_NEW_FRAME_VOID(struct client_main, client_move_next);

    if (!self)
        return pro_task_no_memory();
    self->client = client;
    return PRO_START(self);
}

/* ---- the program ---- */
static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static double microseconds(const struct client *client, unsigned percent)
{
    return (double)client->took_ns[(client->answers - 1) * percent / 100] / 1e3;
}

static void tell(struct client *client)
{
    const double seconds = (double)client->spent_ns / 1e9;

    qsort(client->took_ns, client->answers, sizeof *client->took_ns, compare);
    printf("%zu answers of %ld bytes over %ld connections in %.3f s: %.0f a second, all right\n", client->answers,
           client->size, client->connections, seconds, (double)client->answers / seconds);
    printf("an answer took %.0f us (fastest), %.0f us (half of them), %.0f us (99 %%), %.0f us (slowest)\n",
           microseconds(client, 0), microseconds(client, 50), microseconds(client, 99), microseconds(client, 100));
}

/* C#'s Main with its try and catch. */
struct program {
    PRO_FRAME;
    struct client *client;
};

PRO_ASYNC(program_move_next, struct program, self)
    PRO_AWAIT_STATUS(client_async(self->client));
    if (PRO_STATUS < 0) {
        fprintf(stderr, "echo_client: %s\n", pro_error_message(PRO_ERROR));
        self->client->status = EXIT_TROUBLE;
        PRO_RETURN_VOID;
    }
    tell(self->client);
PRO_ASYNC_END

static struct pro_task *program_async(void *client)
{
    struct program *self = PRO_NEW_FRAME_VOID(struct program, program_move_next);

    if (!self)
        return pro_task_no_memory();
    self->client = client;
    return PRO_START(self);
}

static int client_run(struct client *client)
{
    client->took_ns = malloc((size_t)client->connections * (size_t)client->requests * sizeof *client->took_ns);
    if (!client->took_ns || pro_cancellation_source_new(&client->stop) < 0) {
        fprintf(stderr, "echo_client: %s\n", pro_err_message(PRO_E_NO_MEMORY));
        return EXIT_TROUBLE;
    }
    client->patience = PRO_WITHIN(PRO_S(client->timeout_s));
    client->patience.token = pro_cancellation_source_token(client->stop);
    return pro_run(program_async, client) < 0 ? EXIT_TROUBLE : client->status;
}

int main(int count, char **arguments)
{
    struct client client = { .connections = 1, .requests = 1000, .size = 64, .timeout_s = 10 };
    char *word = NULL;
    const struct option options[] = {
        { .name = "--connections", .number = &client.connections, .minimum = 1, .maximum = 100000 },
        { .name = "--requests", .number = &client.requests, .minimum = 1, .maximum = 10000000 },
        { .name = "--size", .number = &client.size, .minimum = 1, .maximum = 16777216 },
        { .name = "--wait", .number = &client.wait_s, .minimum = 0, .maximum = 1000000 },
        { .name = "--timeout", .number = &client.timeout_s, .minimum = 1, .maximum = 1000000 },
        { .name = NULL },
    };
    int status = arguments_read("echo_client", help, options, system_arguments(arguments), &word, 1);

    (void)count;
    if (status >= 0)
        return status;
    if (!address_read("echo_client", word, &client.addr))
        return EXIT_USAGE;
    if (!client.addr.port) {
        fprintf(stderr, "echo_client: port 0 is nobody's: give the one the server listens on\n");
        return EXIT_USAGE;
    }
    (void)pro_addr_format(&client.addr, client.name, sizeof client.name);
    system_raise_file_limit();
    status = client_run(&client);
    pro_cancellation_source_unref(client.stop);
    free(client.took_ns);
    return status;
}
