/* SPDX-License-Identifier: MIT */
/* The shared part of the conformance scenarios: trace, labels, names of errors, gates, workers, the run itself. */
#include "harness.h"

#include <stdarg.h>

static struct monitor *trace_monitor; /* made before any thread is started */
static bool trace_closed;             /* guarded by it */
static _Thread_local const char *thread_label;

void *memory_new(size_t size)
{
    void *block = calloc(1, size);
    if (!block)
        harness_broken("out of memory");
    return block;
}

_Noreturn void harness_broken(const char *why)
{
    fprintf(stderr, "the scenario cannot run: %s\n", why);
    fflush(stderr);
    process_end(2);
}

/* ---- Trace ---- */
static void trace_write(const char *who, const char *text)
{
    monitor_enter(trace_monitor);
    if (!trace_closed) {
        printf("[%s] %s\n", who, text);
        fflush(stdout);
    }
    monitor_exit(trace_monitor);
}

void trace_log(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    trace_write(who_label(), text);
}

const char *text_of_bool(bool value) { return value ? "True" : "False"; }

/* Threads may be blocked for ever: nothing that waits for them may run. The lock is kept, so that no line is cut. */
static _Noreturn void scenario_end(int code)
{
    monitor_enter(trace_monitor);
    trace_closed = true;
    fflush(stdout);
    process_end(code);
}

/* ---- Who ---- */
void who_set(const char *label) { thread_label = label; }

const char *who_label(void)
{
    if (thread_label)
        return thread_label;
    return pro_pool_is_worker() ? "pool" : "thread";
}

bool who_is(const char *label) { return strcmp(who_label(), label) == 0; }

const char *who_context(void)
{
    const struct pro_sync_context *context = pro_sync_context_current();
    if (!context)
        return "none";
    if (!context->vtable)
        return "default";
    return context->name ? context->name : "other";
}

const char *who_scheduler(void)
{
    const struct pro_task_scheduler *scheduler = pro_task_scheduler_current();
    if (scheduler == pro_task_scheduler_default())
        return "default";
    return scheduler->name ? scheduler->name : "other";
}

/* ---- errors ---- */
struct pro_error *test_error(const char *message) { return pro_error_new(PRO_E_USER, PRO_HERE, "%s", message); }

static const char *code_name(int code)
{
    switch (code) {
    case PRO_E_CANCELED:
        return "Canceled";
    case PRO_E_TIMEOUT:
        return "Timeout";
    case PRO_E_CLOSED:
        return "ObjectDisposed";
    case PRO_E_STATE:
        return "InvalidOperation";
    case PRO_E_INVALID:
        return "Argument";
    case PRO_E_FULL:
        return "SemaphoreFull";
    case PRO_E_CHANNEL_CLOSED:
        return "ChannelClosed";
    case PRO_E_SCHEDULER:
        return "SchedulerError";
    default:
        return pro_err_name(code);
    }
}

/* A text that stays until the same thread has asked for eight more: enough for the arguments of one trace_log. */
static char *text_new(size_t *ret_size)
{
    static _Thread_local char texts[8][256];
    static _Thread_local unsigned turn;
    char *text = texts[turn++ % 8];
    text[0] = 0;
    *ret_size = sizeof texts[0];
    return text;
}

static size_t name_append(char *text, size_t size, size_t at, const char *part)
{
    const size_t length = strlen(part);
    if (at + length < size)
        memcpy(text + at, part, length + 1);
    return at + length < size ? at + length : at;
}

static size_t name_write(const struct pro_error *error, char *text, size_t size, size_t at)
{
    const int code = pro_error_code(error);
    if (code <= PRO_E_USER) {
        at = name_append(text, size, at, "TestError(");
        at = name_append(text, size, at, pro_error_message(error));
        return name_append(text, size, at, ")");
    }
    if (code != PRO_E_AGGREGATE && pro_error_inner_count(error) == 0)
        return name_append(text, size, at, code_name(code));
    at = name_append(text, size, at, code == PRO_E_AGGREGATE ? "Aggregate" : code_name(code)); /* of one that has a cause */
    at = name_append(text, size, at, "[");
    for (size_t i = 0; i < pro_error_inner_count(error); i++) {
        if (i > 0)
            at = name_append(text, size, at, ", ");
        at = name_write(pro_error_inner(error, i), text, size, at);
    }
    return name_append(text, size, at, "]");
}

const char *err_name(const struct pro_error *error)
{
    if (!error)
        return "none";
    size_t size;
    char *text = text_new(&size);
    name_write(error, text, size, 0);
    return text;
}

const char *err_of(int code, const struct pro_error *error)
{
    if (code >= 0)
        return "ok";
    return error ? err_name(error) : code_name(code);
}

/* ---- Harness ---- */
static int number_from_environment(const char *name, int otherwise)
{
    const char *text = getenv(name);
    const int number = text ? atoi(text) : 0;
    return number > 0 ? number : otherwise;
}

int harness_deadlock_ms(void) { return number_from_environment("CONF_DEADLOCK_MS", 1200); }

int harness_step_ms(void) { return number_from_environment("CONF_STEP_MS", 15000); }

static void watchdog(void *arg)
{
    (void)arg;
    thread_sleep_ms(harness_step_ms() * 2);
    trace_write("watchdog", "TIMEOUT");
    scenario_end(3);
}

static void on_unhandled(struct pro_error *error, void *user)
{
    (void)user;
    trace_log("UNHANDLED %s", err_name(error));
    scenario_end(0);
}

/* Where C# throws an exception that the scenario catches, the library answers a code and tells this handler. */
static void on_misuse(int code, const char *sentence, void *user) { (void)code, (void)sentence, (void)user; }

_Noreturn void harness_run(void (*body)(void))
{
    process_prepare();
    trace_monitor = monitor_new();
    who_set("main");
    pro_set_unhandled_handler(on_unhandled, NULL);
    pro_set_misuse_handler(on_misuse, NULL);
    thread_start(watchdog, NULL);
    body();
    trace_log("end");
    scenario_end(0);
}

bool harness_wait(struct pro_task *task, int ms)
{
    return pro_task_wait(task, PRO_WITHIN(PRO_MS(ms)), NULL, PRO_HERE) != PRO_E_TIMEOUT;
}

void harness_finish(struct pro_task *task, const char *what)
{
    if (!harness_wait(task, harness_step_ms()))
        trace_log("STUCK %s", what);
}

bool harness_finish_or_deadlock(struct pro_task *task, const char *what)
{
    if (harness_wait(task, harness_deadlock_ms()))
        return true;
    trace_log("DEADLOCK %s", what);
    return false;
}

const char *harness_describe(struct pro_task *task)
{
    if (!pro_task_is_faulted(task))
        return status_of(task);
    size_t size;
    char *text = text_new(&size);
    const size_t at = name_append(text, size, 0, "Faulted ");
    name_write(pro_task_error_all(task), text, size, at);
    return text;
}

const char *status_of(struct pro_task *task) { return pro_task_status_name(pro_task_status(task)); }

/* ---- CountdownEvent, and Gate: a countdown of one ---- */
struct countdown {
    struct monitor *monitor;
    int left;
};

struct countdown *countdown_new(int count)
{
    struct countdown *countdown = memory_new(sizeof *countdown);
    countdown->monitor = monitor_new();
    countdown->left = count;
    return countdown;
}

void countdown_signal(struct countdown *countdown)
{
    monitor_enter(countdown->monitor);
    if (countdown->left > 0 && --countdown->left == 0)
        monitor_pulse_all(countdown->monitor);
    monitor_exit(countdown->monitor);
}

int countdown_left(struct countdown *countdown)
{
    monitor_enter(countdown->monitor);
    const int left = countdown->left;
    monitor_exit(countdown->monitor);
    return left;
}

bool countdown_wait_ms(struct countdown *countdown, int ms)
{
    const uint64_t until = pro_now() + (uint64_t)PRO_MS(ms < 0 ? 0 : ms);
    monitor_enter(countdown->monitor);
    while (countdown->left > 0) {
        if (ms < 0) {
            monitor_wait(countdown->monitor, WAIT_FOR_EVER);
            continue;
        }
        const uint64_t now = pro_now();
        if (now >= until)
            break;
        monitor_wait(countdown->monitor, (int)((until - now) / 1000000u) + 1);
    }
    const bool done = countdown->left == 0;
    monitor_exit(countdown->monitor);
    return done;
}

struct gate {
    struct countdown *countdown;
    const char *name;
};

struct gate *gate_new(const char *name)
{
    struct gate *gate = memory_new(sizeof *gate);
    gate->countdown = countdown_new(1);
    gate->name = name;
    return gate;
}

void gate_open(struct gate *gate) { countdown_signal(gate->countdown); }

bool gate_is_open(struct gate *gate) { return countdown_wait_ms(gate->countdown, 0); }

bool gate_wait_ms(struct gate *gate, int ms) { return countdown_wait_ms(gate->countdown, ms); }

void gate_wait(struct gate *gate)
{
    if (!gate_wait_ms(gate, harness_step_ms()))
        trace_log("GATE TIMEOUT %s", gate->name);
}

/* ---- Worker ---- */
struct worker {
    const char *label;
    action_fn *fn;
    void *arg;
    struct gate *done;
    struct pro_execution_context *flow; /* C#'s Thread.Start flows it; NULL: suppressed */
};

static void worker_body(void *arg)
{
    struct worker *worker = arg;
    who_set(worker->label);
    worker->fn(worker->arg);
    gate_open(worker->done);
}

static void worker_main(void *arg)
{
    struct worker *worker = arg;
    if (worker->flow)
        pro_execution_context_run(worker->flow, worker_body, worker);
    else
        worker_body(worker);
}

static struct worker *worker_new(const char *label, action_fn *fn, void *arg)
{
    struct worker *worker = memory_new(sizeof *worker);
    worker->label = label, worker->fn = fn, worker->arg = arg;
    worker->done = gate_new(label);
    worker->flow = pro_execution_context_capture();
    thread_start(worker_main, worker);
    return worker;
}

void worker_start(const char *label, action_fn *fn, void *arg) { worker_new(label, fn, arg); }

void worker_run(const char *label, action_fn *fn, void *arg)
{
    struct worker *worker = worker_new(label, fn, arg);
    if (!gate_wait_ms(worker->done, harness_step_ms()))
        trace_log("STUCK worker %s", label);
}
