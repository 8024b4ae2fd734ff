/* SPDX-License-Identifier: MIT */
/* Work that takes the same number of instructions each time: on the simulated kernel, in lock-step, one thread. Counted
 * by Callgrind at two values of COUNT, the difference is what one costs to the instruction; instructions.sh does that.
 *
 *     instructions ready|call|yield|nop|timer|cancel|post|echo|echo_callback COUNT */
#include <proact/proact.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE = 64 };

static int count;
static volatile int opaque; /* keeps results from being known beforehand */

/* ---- awaiting ---- */
struct leaf {
    PRO_FRAME;
};

PRO_ASYNC(leaf_move_next, struct leaf, self)
    PRO_RETURN(int, 1 + opaque);
PRO_ASYNC_END

static struct pro_task *leaf_async(void)
{
    struct leaf *self = PRO_NEW_FRAME(struct leaf, leaf_move_next, int);

    return self ? PRO_START(self) : pro_task_no_memory();
}

struct repeat {
    PRO_FRAME;
    struct pro_op op;
    struct pro_task *task;
    int i, value;
};

PRO_ASYNC(ready_move_next, struct repeat, self)
    self->task = leaf_async();
    for (self->i = 0; self->i < count; self->i++)
        PRO_AWAIT(pro_keep(self->task));
    pro_task_unref(self->task);
PRO_ASYNC_END

PRO_ASYNC(call_move_next, struct repeat, self)
    for (self->i = 0; self->i < count; self->i++)
        PRO_AWAIT_TO(&self->value, leaf_async());
PRO_ASYNC_END

PRO_ASYNC(yield_move_next, struct repeat, self)
    for (self->i = 0; self->i < count; self->i++)
        PRO_AWAIT(pro_yield());
PRO_ASYNC_END

PRO_ASYNC(nop_move_next, struct repeat, self)
    for (self->i = 0; self->i < count; self->i++)
        PRO_AWAIT(pro_nop(&self->op, NULL, PRO_HOW_DEFAULT));
PRO_ASYNC_END

PRO_ASYNC(timer_move_next, struct repeat, self)
    for (self->i = 0; self->i < count; self->i++)
        PRO_AWAIT(pro_sleep(&self->op, NULL, PRO_MS(1), PRO_HOW_DEFAULT));
PRO_ASYNC_END

/* a timer that is cancelled, and delivered */
PRO_ASYNC(cancel_move_next, struct repeat, self)
    for (self->i = 0; self->i < count; self->i++) {
        (void)pro_start(pro_sleep(&self->op, NULL, PRO_S(1), PRO_HOW_DEFAULT));
        (void)pro_op_cancel(&self->op);
        PRO_AWAIT_STATUS(&self->op);
    }
PRO_ASYNC_END

/* ---- an item posted to its own loop ---- */
static struct pro_completion_source *posted;
static int posts_left;

static void on_posted(struct pro_work *work)
{
    if (posts_left-- > 0)
        pro_loop_post_work(pro_loop_current(), work);
    else
        pro_completion_source_set_result(posted, NULL, PRO_NO_RESULT);
}

PRO_ASYNC(post_move_next, struct repeat, self)
    static struct pro_work work = { .run = on_posted };

    if (pro_completion_source_new(PRO_NO_RESULT, 0, &posted) < 0)
        PRO_THROW_NEW(PRO_E_NO_MEMORY, "instructions: no memory");
    posts_left = count;
    pro_loop_post_work(pro_loop_current(), &work);
    PRO_AWAIT(pro_completion_source_task(posted));
    pro_completion_source_free(posted);
PRO_ASYNC_END

/* ---- echo: one request after the other, between two ends in this loop ---- */
struct serve {
    PRO_FRAME;
    struct pro_op op;
    struct pro_socket socket;
    char buffer[MESSAGE];
};

PRO_ASYNC(serve_move_next, struct serve, self)
    for (;;) {
        PRO_AWAIT(pro_recv(&self->op, &self->socket, self->buffer, sizeof self->buffer, PRO_HOW_DEFAULT));
        if (self->op.result == 0)
            break;
        PRO_AWAIT(pro_send_all(&self->op, &self->socket, self->buffer, (size_t)self->op.result, PRO_HOW_DEFAULT));
    }
    PRO_FINALLY
    PRO_AWAIT_STATUS(pro_close(&self->op, &self->socket));
PRO_ASYNC_END

static struct pro_task *serve_async(struct pro_socket socket)
{
    struct serve *self = PRO_NEW_FRAME_VOID(struct serve, serve_move_next);

    if (!self)
        return pro_task_no_memory();
    self->socket = socket;
    return PRO_START(self);
}

static struct {
    struct pro_op op;
    struct pro_socket socket;
    char buffer[MESSAGE];
} served;

static void on_served_closed(struct pro_op *op) { (void)op; }
static void on_served_sent(struct pro_op *op);
static void on_served_received(struct pro_op *op)
{
    if (op->result > 0)
        (void)pro_then(pro_send_all(op, &served.socket, served.buffer, (size_t)op->result, PRO_HOW_DEFAULT),
                       on_served_sent);
    else
        (void)pro_then(pro_close(op, &served.socket), on_served_closed);
}

static void on_served_sent(struct pro_op *op)
{
    (void)pro_then(pro_recv(op, &served.socket, served.buffer, sizeof served.buffer, PRO_HOW_DEFAULT),
                   on_served_received);
}

struct request {
    PRO_FRAME;
    struct pro_op op, accepting;
    struct pro_socket listener, near, far;
    struct pro_addr addr;
    struct pro_task *server;
    bool by_callback;
    int i;
    char buffer[MESSAGE];
};

PRO_ASYNC(request_move_next, struct request, self)
    self->addr = pro_addr_loopback(0);
    if (pro_listen(pro_loop_current(), &self->addr, NULL, &self->listener) < 0 ||
        pro_socket_local_addr(&self->listener, &self->addr) < 0)
        PRO_THROW_NEW(PRO_E_IO, "instructions: cannot listen");
    (void)pro_start(pro_accept(&self->accepting, &self->listener, &self->far, PRO_HOW_DEFAULT));
    PRO_AWAIT(pro_connect(&self->op, NULL, &self->addr, &self->near, PRO_HOW_DEFAULT));
    PRO_AWAIT(&self->accepting);
    if (self->by_callback) {
        served.socket = self->far;
        on_served_sent(&served.op);
    } else {
        self->server = serve_async(self->far);
    }
    for (self->i = 0; self->i < count; self->i++) {
        PRO_AWAIT(pro_send_all(&self->op, &self->near, self->buffer, MESSAGE, PRO_HOW_DEFAULT));
        PRO_AWAIT(pro_recv(&self->op, &self->near, self->buffer, MESSAGE, PRO_HOW_DEFAULT));
    }
    PRO_AWAIT(pro_close(&self->op, &self->near));
    if (self->server)
        PRO_AWAIT(self->server);
    PRO_AWAIT(pro_close(&self->op, &self->listener));
PRO_ASYNC_END

static struct pro_task *request_async(bool by_callback)
{
    struct request *self = PRO_NEW_FRAME_VOID(struct request, request_move_next);

    if (!self)
        return pro_task_no_memory();
    self->by_callback = by_callback;
    return PRO_START(self);
}

/* ---- choosing one ---- */
typedef struct pro_step move_next_fn(struct pro_frame *frame);
static const struct kind {
    const char *name;
    move_next_fn *move_next; /* NULL: an echo */
} kinds[] = {
    { "ready", ready_move_next }, { "call", call_move_next },
    { "yield", yield_move_next }, { "nop", nop_move_next },
    { "timer", timer_move_next }, { "cancel", cancel_move_next },
    { "post", post_move_next },   { "echo", NULL },
    { "echo_callback", NULL },
};
static const struct kind *chosen;

static struct pro_task *chosen_async(void *arg)
{
    struct repeat *self;

    (void)arg;
    if (!chosen->move_next)
        return request_async(strcmp(chosen->name, "echo_callback") == 0);
    self = PRO_NEW_FRAME_VOID(struct repeat, chosen->move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

int main(int argument_count, char **arguments)
{
    const char *const name = argument_count > 1 ? arguments[1] : "";

    count = argument_count > 2 ? atoi(arguments[2]) : 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            chosen = &kinds[i];
    if (!chosen || count < 1) {
        fprintf(stderr, "usage: instructions KIND COUNT\nkinds:");
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            fprintf(stderr, " %s", kinds[i].name);
        fprintf(stderr, "\n");
        return 2;
    }
    return pro_run(chosen_async, NULL) < 0;
}
