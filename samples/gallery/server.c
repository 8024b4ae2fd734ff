/* SPDX-License-Identifier: MIT */
/* The server that the scenarios talk to: lines over TCP, on a loop and a thread of its own, so that no scenario can
   hang it. What it understands is in gallery.h. */
#include <stdlib.h>

#include "gallery.h"

enum { KEPT_MAX = 16, TEXT_SIZE = 64 };

/* A numbered request that waits for a flush. */
struct kept {
    int id;
    bool silent; /* passes over one flush */
};

struct connection {
    PRO_FRAME;
    struct pro_op op;
    struct pro_socket socket;
    struct lines in;
    char out[1024];
    size_t out_used;
    void *free;
    size_t free_size;
    struct kept kept[KEPT_MAX];
    size_t kept_count;
};

static void answer(struct connection *self, const char *text)
{
    const size_t room = sizeof self->out - self->out_used;
    const int length = snprintf(self->out + self->out_used, room, "%s\n", text);
    if (length > 0 && (size_t)length < room)
        self->out_used += (size_t)length;
}

static void flush_kept(struct connection *self)
{
    size_t left = 0;
    for (size_t i = self->kept_count; i-- > 0;) {
        char text[TEXT_SIZE];
        if (self->kept[i].silent)
            continue;
        snprintf(text, sizeof text, "%d Ada", self->kept[i].id);
        answer(self, text);
    }
    for (size_t i = 0; i < self->kept_count; i++)
        if (self->kept[i].silent)
            self->kept[left++] = (struct kept){ self->kept[i].id, false };
    self->kept_count = left;
}

static void handle_line(void *arg, const char *line)
{
    struct connection *self = arg;
    char *rest;
    const long id = strtol(line, &rest, 10);
    if (strcmp(line, "name") == 0)
        answer(self, "Ada");
    else if (strcmp(line, "flush") == 0)
        flush_kept(self);
    else if (rest != line && self->kept_count < KEPT_MAX)
        self->kept[self->kept_count++] = (struct kept){ (int)id, strcmp(rest, " silence") == 0 };
    else
        answer(self, "?");
}

PRO_ASYNC(connection_move_next, struct connection, self)
    for (;;) {
        self->free = lines_free(&self->in, &self->free_size);
        if (self->free_size == 0) /* no line is that long */
            break;
        PRO_AWAIT_STATUS(pro_recv(&self->op, &self->socket, self->free, self->free_size, PRO_HOW_DEFAULT));
        if (PRO_STATUS != PRO_OK || self->op.result == 0) /* the peer has gone, or the scene is over */
            break;
        self->out_used = 0;
        lines_take(&self->in, (size_t)self->op.result, handle_line, self);
        if (self->out_used > 0)
            PRO_AWAIT_STATUS(pro_send_all(&self->op, &self->socket, self->out, self->out_used, PRO_HOW_DEFAULT));
    }
PRO_FINALLY
    PRO_AWAIT_STATUS(pro_close(&self->op, &self->socket)); /* at the end of the scene its loop does it */
PRO_ASYNC_END

static struct pro_task *connection_async(struct pro_socket socket)
{
    struct connection *self = PRO_NEW_FRAME_VOID(struct connection, connection_move_next);
    if (!self)
        return pro_task_no_memory();
    self->socket = socket;
    return PRO_START(self);
}

struct listening {
    PRO_FRAME;
    struct pro_op op;
    struct pro_socket peer;
};

static struct loop_thread thread;
static struct pro_socket listener;
static struct pro_addr address;

PRO_ASYNC(listening_move_next, struct listening, self)
    for (;;) {
        PRO_AWAIT_STATUS(pro_accept(&self->op, &listener, &self->peer, PRO_HOW_DEFAULT));
        if (PRO_STATUS != PRO_OK) /* the loop was closed: the scene is over */
            PRO_RETURN_VOID;
        pro_forget(connection_async(self->peer));
    }
PRO_ASYNC_END

static void listening_start(void *arg)
{
    struct listening *self = PRO_NEW_FRAME_VOID(struct listening, listening_move_next);
    (void)arg;
    if (!self)
        give_up("the server cannot listen", PRO_E_NO_MEMORY);
    pro_forget(PRO_START(self));
}

static void server_stop(void) { loop_thread_stop(&thread); }

void server_start(void)
{
    const struct pro_addr any_port = pro_addr_loopback(0);
    int code;
    loop_thread_start(&thread, "server");
    code = pro_listen(thread.loop, &any_port, NULL, &listener);
    if (code == PRO_OK)
        code = pro_socket_local_addr(&listener, &address);
    if (code == PRO_OK)
        code = pro_loop_post(thread.loop, listening_start, NULL);
    if (code != PRO_OK)
        give_up("the server cannot listen on the loopback address", code);
    atexit(server_stop);
}

const struct pro_addr *server_address(void) { return &address; }
