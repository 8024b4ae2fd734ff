/* SPDX-License-Identifier: MIT */
/* The stages of the scenarios, their threads, and what they say. */
#include <stdarg.h>
#include <stdlib.h>

#include "gallery.h"
#include "system.h"

/* ---- telling ---- */
static _Thread_local const char *thread_name;

void say(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    printf("  %-7s| %s\n", thread_name ? thread_name : pro_pool_is_worker() ? "pool" : "thread", text);
    fflush(stdout);
}

void give_up(const char *what, int code)
{
    fprintf(stderr, "gallery: %s: %s.\n", what, pro_err_message(code));
    system_end(2);
}

/* ---- threads ---- */
struct named_start {
    const char *name;
    void (*fn)(void *arg);
    void *arg;
};

static void named_main(void *arg)
{
    const struct named_start start = *(struct named_start *)arg;
    free(arg);
    thread_name = start.name;
    pro_thread_set_name(start.name);
    start.fn(start.arg);
}

static struct named_start *named(const char *name, void (*fn)(void *arg), void *arg)
{
    struct named_start *start = malloc(sizeof *start);
    if (!start)
        give_up("a thread cannot be started", PRO_E_NO_MEMORY);
    *start = (struct named_start){ name, fn, arg };
    return start;
}

void thread_run(const char *name, void (*fn)(void *arg), void *arg)
{
    if (!system_thread_start(named_main, named(name, fn, arg)))
        give_up("a thread cannot be started", PRO_E_NO_THREAD);
}

void block_for_ms(int ms) { system_sleep_ms(ms); }

static void loop_thread_main(void *arg)
{
    struct loop_thread *thread = arg;
    struct pro_task *stop = pro_completion_source_task(thread->stop);
    pro_loop_run_until(thread->loop, stop);
    pro_task_unref(stop);
    pro_loop_free(thread->loop);
}

void loop_thread_start(struct loop_thread *thread, const char *name)
{
    const struct pro_loop_options options = { .name = name };
    int code = pro_loop_new(&options, &thread->loop);
    if (code == PRO_OK)
        code = pro_completion_source_new(PRO_NO_RESULT, 0, &thread->stop);
    if (code != PRO_OK)
        give_up("a loop cannot be made", code);
    thread->thread = system_thread_new(named_main, named(name, loop_thread_main, thread));
    if (!thread->thread)
        give_up("a thread cannot be started", PRO_E_NO_THREAD);
}

void loop_thread_stop(struct loop_thread *thread)
{
    pro_completion_source_set_result(thread->stop, NULL, PRO_NO_RESULT);
    system_thread_join(thread->thread); /* a thread that is ending does not go well with a process that is, under Wine */
    pro_completion_source_free(thread->stop);
}

/* ---- the scene and how it ends ---- */
static struct event *ended;
static char outcome[160];
static struct pro_pump *pump;

static void scene_open(void)
{
    ended = event_new();
    if (!ended)
        give_up("the scene cannot be set", PRO_E_NO_MEMORY);
}

void scene_end_with(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(outcome, sizeof outcome, format, arguments);
    va_end(arguments);
    if (pump)
        pro_pump_stop(pump);
    if (ended)
        event_set(ended);
}

const char *outcome_of(int code)
{
    switch (code) {
    case PRO_OK:
        return "completes";
    case PRO_E_DEADLOCK:
        return "refused";
    case PRO_E_TIMEOUT:
        return "timed out";
    case PRO_E_CANCELED:
        return "canceled";
    case PRO_E_WRONG_LOOP:
        return "wrong loop";
    case PRO_E_LOOP_CLOSED:
        return "loop is closed";
    default:
        return pro_err_name(code);
    }
}

void scene_end(int code, const char *answer)
{
    if (code == PRO_OK && strcmp(answer, "Ada") != 0)
        scene_end_with("wrong answer: %.60s", answer);
    else
        scene_end_with("%s", outcome_of(code));
}

const char *scene_wait(void)
{
    if (ended)
        event_wait(ended, -1);
    return outcome[0] ? outcome : "it failed on the way";
}

/* ---- the stages ---- */
struct pro_pump *ui_pump(void) { return pump; }

const char *ui_run(pro_work_fn *handler)
{
    int code = pro_pump_new("ui", &pump);
    if (code == PRO_OK)
        code = pro_sync_context_post(pro_pump_context(pump), handler, NULL);
    if (code != PRO_OK)
        give_up("the user interface cannot be made", code);
    thread_name = "ui"; /* from now on this thread is the user interface */
    pro_thread_set_name(thread_name);
    pro_pump_run(pump);
    pro_pump_free(pump);
    pump = NULL;
    return outcome;
}

const char *request_run(pro_work_fn *handler)
{
    struct pro_sync_context *context;
    int code = pro_request_context_new("request", &context);
    if (code != PRO_OK)
        give_up("the request cannot be made", code);
    scene_open();
    code = pro_sync_context_post(context, handler, NULL);
    if (code != PRO_OK)
        give_up("the request cannot be started", code);
    scene_wait();
    pro_sync_context_unref(context);
    return outcome;
}

const char *pool_run(pro_work_fn *handler)
{
    int code;
    scene_open();
    code = pro_pool_post(handler, NULL);
    if (code != PRO_OK)
        give_up("the request cannot be started", code);
    return scene_wait();
}

/* ---- lines and latencies ---- */
void *lines_free(struct lines *lines, size_t *ret_size)
{
    *ret_size = sizeof lines->text - 1 - lines->used;
    return lines->text + lines->used;
}

void lines_take(struct lines *lines, size_t received, void (*take)(void *arg, const char *line), void *arg)
{
    char *line = lines->text, *end;
    lines->used += received;
    lines->text[lines->used] = '\0';
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        take(arg, line);
    }
    lines->used = strlen(line);
    memmove(lines->text, line, lines->used);
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

double latencies_tell(const char *how, uint64_t *durations_ns, size_t count)
{
    qsort(durations_ns, count, sizeof durations_ns[0], compare);
    const double median = (double)durations_ns[count / 2] / 1e6, worst = (double)durations_ns[count - 1] / 1e6;
    say("%s: %zu requests, median %.1f ms, worst %.1f ms", how, count, median, worst);
    return median;
}

/* ---- one question to the server ---- */
struct ask {
    PRO_FRAME;
    struct pro_op op;
    struct pro_socket socket;
    char question[32];
    struct answer answer;
    unsigned options;
};

PRO_ASYNC(ask_move_next, struct ask, self)
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_connect(&self->op, NULL, server_address(), &self->socket, PRO_HOW_DEFAULT),
                                  self->options));
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(
        pro_send_all(&self->op, &self->socket, self->question, strlen(self->question), PRO_HOW_DEFAULT),
        self->options));
    PRO_AWAIT(PRO_CONFIGURE_AWAIT(
        pro_recv(&self->op, &self->socket, self->answer.text, sizeof self->answer.text - 1, PRO_HOW_DEFAULT),
        self->options));
    self->answer.text[strcspn(self->answer.text, "\n")] = '\0';
    PRO_RETURN(struct answer, self->answer);
PRO_FINALLY
    if (pro_socket_is_open(&self->socket))
        PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_close(&self->op, &self->socket), self->options));
PRO_ASYNC_END

struct pro_task *ask_async(const char *question, unsigned await_options)
{
    struct ask *self = PRO_NEW_FRAME(struct ask, ask_move_next, struct answer);
    if (!self)
        return pro_task_no_memory();
    snprintf(self->question, sizeof self->question, "%s\n", question);
    self->options = await_options;
    return PRO_START(self);
}
