/* SPDX-License-Identifier: MIT */
/* Waiters in line: joining, being granted, and leaving by a deadline or a token of one's own. */
#include "waiter.h"

#include <proact/timer.h>

#include <string.h>

/* ---- the object ---- */

/* The lock stays what it is: a stale pointer may hold it. All behind the monitor begins with zeros. */
void *proi_monitor_new(struct proi_monitor_home *home)
{
    struct proi_monitor *const monitor = proi_home_take(&home->memory);

    if (!monitor)
        return NULL;
    memset((char *)monitor + sizeof *monitor, 0, home->memory.size - sizeof *monitor);
    monitor->home = home;
    proi_store(&monitor->references, 1u, PROI_RELAXED);
    proi_store(&monitor->closed, 0u, PROI_RELAXED);
    return monitor;
}

void proi_monitor_unref(struct proi_monitor *monitor)
{
    struct proi_monitor_home *const home = monitor->home;

    /* Acquire and release: the last one sees what the others did under the lock. */
    if (proi_fetch_sub(&monitor->references, 1u, PROI_ACQ_REL) != 1)
        return;
    if (home->destroy)
        home->destroy(monitor);
    proi_store(&monitor->closed, 1u, PROI_RELAXED);
    proi_home_give(&home->memory, monitor);
}

int proi_monitor_refuse(const void *object, const char *who)
{
    return object ? proi_misuse(PRO_E_STATE, "%s: it was freed before", who)
                  : proi_misuse(PRO_E_INVALID, "%s: the object is NULL", who);
}

void proi_monitor_close(struct proi_monitor *monitor, struct proi_line *const *lines, size_t count)
{
    struct proi_line broken = { NULL, NULL };

    proi_lock(&monitor->lock);
    proi_store(&monitor->closed, 1u, PROI_RELAXED);
    for (size_t i = 0; i < count; i++)
        proi_line_move_all(lines[i], &broken);
    proi_unlock(&monitor->lock);
    proi_line_break(&broken);
    proi_monitor_unref(monitor);
}

/* ---- the line ---- */

static void append(struct proi_line *line, struct proi_waiter *waiter)
{
    waiter->line = line;
    waiter->next = NULL;
    waiter->previous = line->last;
    if (line->last)
        line->last->next = waiter;
    else
        line->first = waiter;
    line->last = waiter;
}

void proi_line_join(struct proi_line *line, struct proi_waiter *waiter)
{
    pro_task_ref(proi_waiter_task(waiter));
    append(line, waiter);
}

void proi_line_leave(struct proi_waiter *waiter)
{
    struct proi_line *const line = waiter->line;

    if (waiter->previous)
        waiter->previous->next = waiter->next;
    else
        line->first = waiter->next;
    if (waiter->next)
        waiter->next->previous = waiter->previous;
    else
        line->last = waiter->previous;
    waiter->line = NULL;
}

/* @to is a list on the caller's stack: who is in it has left, for every other thread, when the lock is released. */
struct proi_waiter *proi_line_move_first(struct proi_line *from, struct proi_line *to)
{
    struct proi_waiter *const waiter = from->first;

    if (!waiter)
        return NULL;
    proi_line_leave(waiter);
    append(to, waiter);
    waiter->line = NULL;
    return waiter;
}

void proi_line_move_all(struct proi_line *from, struct proi_line *to)
{
    while (proi_line_move_first(from, to))
        ;
}

void proi_line_end(struct proi_line *granted)
{
    struct proi_waiter *next;

    for (struct proi_waiter *waiter = granted->first; waiter; waiter = next) {
        next = waiter->next;
        proi_waiter_end(waiter);
    }
}

void proi_line_break(struct proi_line *line)
{
    for (struct proi_waiter *waiter = line->first; waiter; waiter = waiter->next)
        waiter->error = pro_error_of(PRO_E_BROKEN_PROMISE);
    proi_line_end(line);
}

/* Takes it out of its line: true, and the line's reference is the caller's now. Against a grant: the one that takes it
   out, under the lock, names the outcome; a grant that came first is kept (SEM-313). */
static bool withdraw(struct proi_waiter *waiter, int code)
{
    struct proi_monitor *const monitor = waiter->monitor;
    struct proi_line granted = { NULL, NULL };
    bool left;

    proi_lock(&monitor->lock);
    left = waiter->line != NULL;
    if (left) {
        proi_line_leave(waiter);
        if (waiter->kind->left)
            waiter->kind->left(monitor, &granted);
    } else if (!waiter->struck) {
        waiter->struck = code; /* against joining: who comes second finds the mark, or the line */
    }
    proi_unlock(&monitor->lock);
    proi_line_end(&granted);
    return left;
}

/* ---- limits: a deadline and a token ---- */

struct bound {
    struct pro_op timer;                  /* has a reference to the task while it is under way */
    struct pro_cancellation_source *stop; /* ends the timer; held; NULL: no deadline */
    struct pro_cancellation_token token;  /* the caller's; its source is held */
    struct pro_cancellation_registration registration;
};

static void strike(struct proi_waiter *waiter, int code)
{
    if (withdraw(waiter, code)) /* else it may be gone */
        proi_waiter_end_by(waiter, code);
}

/* While the callback runs the task is there: in a line it has a reference, and its end waits for the callback. */
static void token_canceled(void *arg) { strike(arg, PRO_E_CANCELED); }

static void timer_delivered(struct pro_op *op)
{
    struct proi_waiter *const waiter = op->waiter;

    if (op->result != PRO_E_CANCELED)
        strike(waiter, op->result == PRO_OK ? PRO_E_TIMEOUT : (int)op->result);
    pro_task_unref(proi_waiter_task(waiter));
}

bool proi_how_is_over(struct pro_how how)
{
    return how.deadline_ns && how.deadline_ns <= pro_loop_now(pro_loop_current());
}

static int start_timer(struct proi_waiter *waiter, struct pro_how how)
{
    struct pro_loop *const loop = pro_loop_current() ? pro_loop_current() : pro_loop_default();
    struct bound *const bound = waiter->bound;
    uint64_t until = how.deadline_ns, after;
    int code;

    if (!loop)
        return PRO_E_NO_THREAD;
    after = pro_loop_now(loop) + (uint64_t)how.timeout_ns;
    if (how.timeout_ns && (!until || after < until))
        until = after;
    code = pro_cancellation_source_new(&bound->stop);
    if (code < 0)
        return code;
    pro_task_ref(proi_waiter_task(waiter)); /* the timer's */
    code = proi_loop_await_op(pro_sleep_until(&bound->timer, loop, until,
                                              (struct pro_how){ .token = pro_cancellation_source_token(bound->stop) }),
                              timer_delivered, waiter);
    if (code < 0)
        pro_task_unref(proi_waiter_task(waiter));
    return code;
}

int proi_waiter_arm(struct proi_waiter *waiter, struct pro_how how)
{
    struct bound *const bound = waiter->bound;
    int code = PRO_OK;

    if (!bound)
        return PRO_OK;
    bound->token.source = pro_cancellation_source_ref(how.token.source);
    if (how.timeout_ns || how.deadline_ns)
        code = start_timer(waiter, how);
    return code < 0 ? code : pro_cancellation_register(how.token, &bound->registration, token_canceled, waiter);
}

static void disarm(struct bound *bound)
{
    if (bound->stop)
        pro_cancellation_source_cancel(bound->stop);
    pro_cancellation_unregister(&bound->registration);
}

/* ---- the waiter ---- */

static size_t round_up(size_t size) { return (size + 15) & ~(size_t)15; }

struct proi_waiter *proi_waiter_new(struct proi_monitor *monitor, const struct proi_wait_kind *kind,
                                    struct pro_type result, size_t item_size, bool may_inline, struct pro_how how)
{
    const size_t bound_at = round_up(sizeof(struct proi_waiter));
    const size_t item_at = bound_at + (proi_how_is_bounded(how) ? round_up(sizeof(struct bound)) : 0);
    struct pro_task *const task =
        proi_task_new(&kind->task_class, item_at + item_size, result, PRO_TASK_WAITING_FOR_ACTIVATION);
    struct proi_waiter *waiter;

    if (!task)
        return NULL;
    if (!may_inline)
        proi_fetch_or(&task->state, (uint32_t)PROI_TASK_ASYNC, PROI_RELAXED);
    waiter = proi_task_body(task);
    waiter->monitor = monitor;
    proi_fetch_add(&monitor->references, 1u, PROI_RELAXED);
    waiter->kind = kind;
    if (proi_how_is_bounded(how))
        waiter->bound = (struct bound *)(void *)((char *)waiter + bound_at);
    if (item_size)
        waiter->item = (char *)waiter + item_at;
    return waiter;
}

void proi_waiter_destroy(struct pro_task *task)
{
    struct proi_waiter *const waiter = proi_task_body(task);

    if (waiter->bound) {
        pro_cancellation_unregister_wait(&waiter->bound->registration);
        pro_cancellation_source_unref(waiter->bound->stop);
        pro_cancellation_source_unref(waiter->bound->token.source);
    }
    proi_monitor_unref(waiter->monitor);
}

static void end(struct proi_waiter *waiter, bool in_time)
{
    struct pro_task *const task = proi_waiter_task(waiter);

    if (waiter->bound)
        disarm(waiter->bound);
    proi_task_reserve(task); /* ours alone: we took it out of its line, or it never stood in one */
    if (waiter->error) {
        proi_task_fail(task, waiter->error, true);
    } else {
        if (waiter->kind->tells)
            *(bool *)proi_task_result_at(task) = in_time;
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    }
    pro_task_unref(task);
}

void proi_waiter_end(struct proi_waiter *waiter) { end(waiter, true); }

/* A deadline strikes on a loop's thread, a token inside a cancel: what awaits the task goes on elsewhere in any case.
 */
void proi_waiter_end_by(struct proi_waiter *waiter, int code)
{
    proi_fetch_or(&proi_waiter_task(waiter)->state, (uint32_t)PROI_TASK_ASYNC, PROI_RELAXED);
    if (code == PRO_E_CANCELED && waiter->bound)
        waiter->error = pro_error_canceled(&waiter->bound->token);
    else if (code != PRO_E_TIMEOUT || !waiter->kind->tells)
        waiter->error = pro_error_of(code);
    end(waiter, false);
}

/* ---- the whole of it ---- */

static const struct proi_task_class bool_class = { .name = "bool" };
static struct bool_task {
    struct pro_task task;
    bool value;
} bool_tasks[] = {
/* clang-format off */
#define IMMORTAL { .state = (uint32_t)PRO_TASK_RAN_TO_COMPLETION | (uint32_t)PROI_TASK_RESERVED, .kind = &bool_class,  \
                   .slot = PROI_SLOT_COMPLETED, .type = { sizeof(bool), 1 }, .result_offset = offsetof(struct bool_task, value) }
    { IMMORTAL, false }, { IMMORTAL, true }
    /* clang-format on */
};

struct pro_task *proi_task_of_bool(bool value) { return &bool_tasks[value].task; }

bool proi_monitor_try_take(struct proi_monitor *monitor, const struct proi_wait_kind *kind)
{
    struct proi_line granted = { NULL, NULL };
    bool taken;

    proi_lock(&monitor->lock);
    taken = kind->try_take(monitor, &granted);
    proi_unlock(&monitor->lock);
    proi_line_end(&granted);
    return taken;
}

/* Takes at last, or joins: PRO_OK, PRO_E_BUSY: it stands in line now; else the limit that has struck meanwhile. */
static int take_or_join(struct proi_waiter *waiter)
{
    struct proi_monitor *const monitor = waiter->monitor;
    const struct proi_wait_kind *const kind = waiter->kind;
    struct proi_line granted = { NULL, NULL };
    int code;

    proi_lock(&monitor->lock);
    code = waiter->struck;
    if (code == PRO_OK && !kind->try_take(monitor, &granted)) {
        proi_line_join(kind->line(monitor), waiter);
        if (kind->joined)
            kind->joined(monitor);
        code = PRO_E_BUSY;
    }
    proi_unlock(&monitor->lock);
    proi_line_end(&granted);
    return code;
}

static struct pro_type result_of(const struct proi_wait_kind *kind)
{
    return kind->tells ? PRO_TYPE(bool) : PRO_NO_RESULT;
}

static int check_wait(const struct proi_monitor *monitor, const struct proi_wait_kind *kind, struct pro_how how)
{
    if (how.timeout_ns < 0)
        return proi_misuse(PRO_E_INVALID, "%s: the timeout is negative", kind->who);
    return proi_monitor_is_open(monitor) ? PRO_OK : proi_monitor_refuse(monitor, kind->who);
}

struct pro_task *proi_monitor_wait_async(struct proi_monitor *monitor, const struct proi_wait_kind *kind,
                                         struct pro_how how)
{
    struct proi_waiter *waiter;
    struct pro_task *task;
    int code = check_wait(monitor, kind, how);

    if (code < 0)
        return pro_task_from_error(pro_error_of(code));
    if (pro_cancellation_token_is_canceled(how.token))
        return pro_task_from_canceled(how.token);
    if (proi_monitor_try_take(monitor, kind))
        return kind->tells ? proi_task_of_bool(true) : pro_task_completed();
    if (proi_how_is_over(how))
        return kind->tells ? proi_task_of_bool(false) : pro_task_from_error(pro_error_of(PRO_E_TIMEOUT));
    waiter = proi_waiter_new(monitor, kind, result_of(kind), 0, false, how);
    if (!waiter)
        return pro_task_no_memory();
    task = proi_waiter_task(waiter);
    code = proi_waiter_arm(waiter, how);
    if (code == PRO_OK)
        code = take_or_join(waiter);
    if (code == PRO_E_BUSY)
        return task;
    pro_task_ref(task); /* it goes with the end */
    if (code == PRO_OK)
        proi_waiter_end(waiter);
    else
        proi_waiter_end_by(waiter, code);
    return task;
}

/* The wait is a task's, so that reports know the blocked thread; its limit is the thread's and not the task's. */
static int block(struct proi_waiter *waiter, struct pro_how how, struct pro_site site)
{
    struct pro_task *const task = proi_waiter_task(waiter);
    int code = pro_task_wait(task, how, NULL, site);

    if (code < 0 && code != PRO_E_AGGREGATE) {
        if (withdraw(waiter, code))
            pro_task_unref(task); /* the line's */
        else
            code = pro_task_wait(task, PRO_HOW_DEFAULT, NULL, site); /* its outcome is on its way */
    }
    return code == PRO_E_AGGREGATE ? pro_error_code(pro_task_error(task)) : code;
}

int proi_monitor_wait(struct proi_monitor *monitor, const struct proi_wait_kind *kind, struct pro_how how,
                      struct pro_site site)
{
    struct proi_waiter *waiter;
    int code = check_wait(monitor, kind, how);

    if (code < 0)
        return code;
    if (pro_cancellation_token_is_canceled(how.token))
        return PRO_E_CANCELED;
    if (proi_monitor_try_take(monitor, kind))
        return PRO_OK;
    if (proi_how_is_over(how))
        return PRO_E_TIMEOUT;
    waiter = proi_waiter_new(monitor, kind, result_of(kind), 0, false, PRO_HOW_DEFAULT);
    if (!waiter)
        return PRO_E_NO_MEMORY;
    code = take_or_join(waiter);
    if (code == PRO_E_BUSY)
        code = block(waiter, how, site);
    pro_task_unref(proi_waiter_task(waiter));
    return code;
}
