/* SPDX-License-Identifier: MIT */
/* A correlator: many calls on one connection, and each reply finds its own waiter.
 *
 * Databases and brokers talk like this: every request carries a number, the replies come in any order, and one receiver
 * hands each to whoever waits for this number. What a waiter awaits is a completion source's task; the receiver sets
 * it. Five calls go out. The server answers 5, 3 and 1, newest first. Call 2 has a deadline, call 4 a token; both are
 * answered late. The deadline must end call 2 and no other, the cancellation call 4 and no other, and the late
 * replies must find nobody and do no harm. The deadline belongs to the wait, not to the receive: a timeout on
 * the connection's receive would end all five.
 * All of it runs on one loop, so the table needs no lock.
 */
#include <stdlib.h>

#include "gallery.h"

enum { CALLS = 5 };
static struct pro_completion_source *waiting[CALLS + 1]; /* by number; NULL: nobody waits */
static struct pro_task *calls[CALLS + 1];
static char order[32]; /* the numbers of the replies that came in time */
static int late;

/* Joins the table; @how is the caller's own patience and touches nobody else. */
static struct pro_task *call_async(int id, struct pro_how how)
{
    if (pro_completion_source_new(PRO_TYPE(struct answer), 0, &waiting[id]) != PRO_OK)
        return pro_task_no_memory();
    struct pro_task *reply = pro_completion_source_task(waiting[id]);
    struct pro_task *call = pro_task_wait_async(reply, how);
    pro_task_unref(reply);
    return call;
}

/* "5 Ada": to whoever waits for 5; to nobody when the call was given up. */
static void dispatch(void *arg, const char *line)
{
    struct answer answer = { "" };
    char *rest;
    const long id = strtol(line, &rest, 10);
    (void)arg;
    if (id < 1 || id > CALLS || !waiting[id])
        return;
    snprintf(answer.text, sizeof answer.text, "%s", rest + 1);
    const bool given_up = pro_task_is_completed(calls[id]);
    if (given_up)
        late++;
    else
        snprintf(order + strlen(order), 4, " %ld", id);
    say("reply to call %ld%s", id, given_up ? ": late, nobody waits any more" : "");
    pro_completion_source_set_result(waiting[id], &answer, PRO_TYPE_OF(&answer));
    pro_completion_source_free(waiting[id]);
    waiting[id] = NULL;
}

/* The one receiver, until the server closes the connection. */
struct receive {
    PRO_FRAME;
    struct pro_op op;
    struct pro_socket socket;
    struct lines in;
    void *free;
    size_t free_size;
};

PRO_ASYNC(receive_move_next, struct receive, self)
    do {
        self->free = lines_free(&self->in, &self->free_size);
        PRO_AWAIT(pro_recv(&self->op, &self->socket, self->free, self->free_size, PRO_HOW_DEFAULT));
        lines_take(&self->in, (size_t)self->op.result, dispatch, NULL);
    } while (self->op.result > 0);
PRO_ASYNC_END

static struct pro_task *receive_async(struct pro_socket socket)
{
    struct receive *self = PRO_NEW_FRAME_VOID(struct receive, receive_move_next);
    if (!self)
        return pro_task_no_memory();
    self->socket = socket;
    return PRO_START(self);
}

struct client {
    PRO_FRAME;
    struct pro_op op;
    struct pro_socket socket;
    struct pro_task *receiver;
    struct pro_cancellation_source *cancel;
    int codes[CALLS + 1];
};

#define SEND(text) pro_send_all(&self->op, &self->socket, text, sizeof text - 1, PRO_HOW_DEFAULT)

PRO_ASYNC(client_move_next, struct client, self)
    if (pro_cancellation_source_new(&self->cancel) != PRO_OK)
        PRO_THROW_NEW(PRO_E_NO_MEMORY, "no memory for the token");
    PRO_AWAIT(pro_connect(&self->op, NULL, server_address(), &self->socket, PRO_HOW_DEFAULT));
    self->receiver = receive_async(self->socket);
    for (int id = 1; id <= CALLS; id++)
        calls[id] = call_async(id, id == 2   ? PRO_WITHIN(PRO_MS(50))
                                   : id == 4 ? (struct pro_how){ .token = pro_cancellation_source_token(self->cancel) }
                                             : PRO_HOW_DEFAULT);
    PRO_AWAIT(SEND("1 name\n2 silence\n3 name\n4 silence\n5 name\nflush\n"));
    PRO_AWAIT(pro_borrow(calls[1])); /* of 5, 3 and 1 the last to be answered */
    pro_cancellation_source_cancel(self->cancel);
    PRO_AWAIT_STATUS(pro_borrow(calls[2])); /* until its deadline has passed */
    PRO_AWAIT(SEND("flush\n"));             /* now the server answers those two, too */
    PRO_AWAIT(pro_shutdown(&self->op, &self->socket, PRO_SHUTDOWN_SEND, PRO_HOW_DEFAULT));
    PRO_AWAIT(self->receiver);
    for (int id = 1; id <= CALLS; id++) {
        struct answer answer = { "" };
        self->codes[id] = pro_task_read(calls[id], &answer, PRO_TYPE_OF(&answer));
        say("call %d ends with %s", id, self->codes[id] == PRO_OK ? answer.text : pro_err_name(self->codes[id]));
        pro_task_unref(calls[id]);
    }
    scene_end_with("%s / %s / %s%s", order + 1, outcome_of(self->codes[2]), outcome_of(self->codes[4]),
                   late == 2 ? "" : " / the late replies did not come");
PRO_FINALLY
    pro_cancellation_source_unref(self->cancel);
    if (pro_socket_is_open(&self->socket))
        PRO_AWAIT(pro_close(&self->op, &self->socket));
PRO_ASYNC_END

static struct pro_task *client_async(void *arg)
{
    struct client *self = PRO_NEW_FRAME_VOID(struct client, client_move_next);
    (void)arg;
    return self ? PRO_START(self) : pro_task_no_memory();
}

static const char *play(void)
{
    server_start();
    pro_run(client_async, NULL);
    return scene_wait();
}

SCENARIO(play, .expects = "5 3 1 / timed out / canceled");
