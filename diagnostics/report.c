/* SPDX-License-Identifier: MIT */
/* A report of the threads that are blocked, made from live objects: from each blocked thread down the chain of what its task
   awaits, to the queue where the last step sits and the thread that would have to run it. It reads tasks from outside: their
   blocks are type-stable, and what it reads is written by relaxed atomics. */
#include <awaiters/internal.h>

#include <proact/diagnostics.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BLOCKED = 64, MAX_CHAIN = 64, LINE = 400 };

/* A copy of one blocked thread, taken while the list was locked; its task is held by the thread as long as it blocks. */
struct blocked_copy {
    uint64_t thread;
    const struct pro_task *task;
    size_t count;
    struct pro_site site;
    bool bounded;
};

struct report {
    pro_report_fn *line;
    void *user;
    struct blocked_copy blocked[MAX_BLOCKED];
    size_t count;
    unsigned pool_blocked; /* of these, in how many chains the next step sits in the pool */
};

static void say(const struct report *report, const char *format, ...) __attribute__((format(gnu_printf, 2, 3)));
static void say(const struct report *report, const char *format, ...)
{
    char text[LINE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    report->line(text, report->user);
}

/* The file's own name, without the folders: what a person recognises. */
static const char *base_name(const char *path)
{
    const char *name = path ? path : "?";

    for (const char *at = name; *at; at++)
        if (*at == '/' || *at == '\\')
            name = at + 1;
    return name;
}

static const char *known(const char *text) { return text ? text : "?"; }

static void copy_blocked(const struct proi_blocked *blocked, void *arg)
{
    struct report *const report = arg;

    if (report->count < MAX_BLOCKED)
        report->blocked[report->count++] = (struct blocked_copy){ blocked->thread, blocked->tasks[0], blocked->count,
                                                                  blocked->site, blocked->bounded };
}

static const struct blocked_copy *find_thread(const struct report *report, uint64_t thread)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->blocked[i].thread == thread)
            return &report->blocked[i];
    return NULL;
}

/* ---- queues ---- */

struct search {
    const struct pro_task *task;
    size_t at, position; /* 1 is the oldest; 0: not there */
};

static void look(struct pro_work *work, void *arg)
{
    struct search *const search = arg;

    search->at++;
    if (work->task == search->task && !search->position)
        search->position = search->at;
}

static struct search search_context(struct pro_sync_context *context, const struct pro_task *task)
{
    struct search search = { task, 0, 0 };

    if (context->vtable && context->vtable->for_each_queued)
        context->vtable->for_each_queued(context, look, &search);
    return search;
}

static struct search search_pool(const struct pro_task *task)
{
    struct search search = { task, 0, 0 };

    proi_pool_for_each_queued(look, &search);
    return search;
}

/* ---- the end of a chain: where the last step sits, and who would have to run it ---- */

static void tell_server(const struct report *report, struct pro_sync_context *context, uint64_t asking)
{
    const struct blocked_copy *server;
    uint64_t thread = 0;

    if (!context->vtable || !context->vtable->owner_thread || !context->vtable->owner_thread(context, &thread)) {
        say(report, "    which admits one thread at a time, and is occupied");
        return;
    }
    server = find_thread(report, thread);
    if (server && thread == asking)
        say(report, "    which is served by thread T%llu only: the one that is blocked at %s:%d  <-- the ring closes here",
            (unsigned long long)thread, base_name(server->site.file), server->site.line);
    else if (server)
        say(report, "    which is served by thread T%llu only, and that one is blocked, too, at %s:%d", (unsigned long long)thread,
            base_name(server->site.file), server->site.line);
    else
        say(report, "    which is served by thread T%llu", (unsigned long long)thread);
}

/* A pending step that is in no queue is on its way, or its context cannot be asked. */
static void tell_step(struct report *report, const struct pro_task *task, uint64_t asking)
{
    struct pro_sync_context *const context =
        (struct pro_sync_context *)proi_load((uintptr_t *)(uintptr_t)&task->awaits_context, PROI_RELAXED);
    struct search search;

    if (context) {
        search = search_context(context, task);
        if (search.position)
            say(report, "    its next step is queued in context \"%s\" (%zu of %zu waiting there)", known(context->name),
                search.position, search.at);
        else
            say(report, "    its next step must run in context \"%s\" (%zu waiting there)", known(context->name), search.at);
        tell_server(report, context, asking);
        return;
    }
    search = search_pool(task);
    if (search.position) {
        struct pro_pool_stats stats = { 0 };

        pro_pool_get_stats(&stats);
        report->pool_blocked++;
        say(report, "    its next step is queued in the thread pool (%zu of %zu waiting there)", search.position, search.at);
        say(report, "    whose %u threads (maximum %u) are all needed: %u of them are blocked in waits", stats.threads,
            stats.max_threads, stats.blocked);
    } else {
        say(report, "    its next step is ready to run");
    }
}

/* ---- the chain ---- */

static void tell_task(const struct report *report, const char *verb, const struct pro_task *task)
{
    const struct proi_task_class *const class = proi_load((const struct proi_task_class **)(uintptr_t)&task->class, PROI_RELAXED);
    const char *const name = proi_load((const char **)(uintptr_t)&task->name, PROI_RELAXED);
    const char *const function = proi_load((const char **)(uintptr_t)&task->where_function, PROI_RELAXED);
    const char *const created = proi_load((const char **)(uintptr_t)&task->created.function, PROI_RELAXED);
    const char *const file = proi_load((const char **)(uintptr_t)&task->created.file, PROI_RELAXED);

    if (created)
        say(report, "  %s task \"%s\" (%s), made at %s:%d", verb, known(name ? name : created), function ? function : class->name,
            base_name(file), proi_load((int *)(uintptr_t)&task->created.line, PROI_RELAXED));
    else
        say(report, "  %s task \"%s\" (%s)", verb, known(name ? name : class->name), class->name);
}

struct members {
    struct pro_task *first;
    size_t count;
};

static void count_member(struct pro_task *member, void *arg)
{
    struct members *const members = arg;

    members->count++;
    if (!members->first && !proi_state_is_final(proi_load(&member->state, PROI_ACQUIRE)))
        members->first = member;
}

static void tell_chain(struct report *report, const struct blocked_copy *blocked)
{
    const struct pro_task *seen[MAX_CHAIN], *task = blocked->task;

    for (size_t depth = 0; task && depth < MAX_CHAIN; depth++) {
        struct pro_task *const it = (struct pro_task *)(uintptr_t)task; /* atomics take no const; nothing is written */
        const struct proi_task_class *const class = proi_load(&it->class, PROI_RELAXED);
        const struct pro_task *next = (const struct pro_task *)proi_load(&it->awaits_task, PROI_RELAXED);
        const struct pro_loop *const loop = (const struct pro_loop *)proi_load(&it->awaits_loop, PROI_RELAXED);
        const uint32_t line = proi_load(&it->awaits_line, PROI_RELAXED);

        for (size_t i = 0; i < depth; i++)
            if (seen[i] == task) {
                say(report, "    which is the task %zu lines of the chain above: they await each other  <-- the ring closes here",
                    depth - i);
                return;
            }
        seen[depth] = task;
        tell_task(report, depth ? "which awaits" : "waits for", task);
        if (line && (next || loop))
            say(report, "    suspended at %s:%u", base_name(proi_load(&it->where_file, PROI_RELAXED)), line);
        if (class->needs) {
            struct members members = { NULL, 0 };

            class->needs(task, count_member, &members);
            if (members.count > 1)
                say(report, "    of %zu tasks; the first that is not complete:", members.count);
            next = members.first;
        }
        if (next && proi_state_is_final(proi_load((uint32_t *)(uintptr_t)&next->state, PROI_ACQUIRE))) {
            tell_task(report, "which awaits", next);
            say(report, "    and that one is complete;");
            tell_step(report, task, blocked->thread);
            return;
        }
        if (!next && loop) {
            say(report, "    awaits an operation of loop \"%s\", served by thread T%llu", pro_loop_name(loop),
                (unsigned long long)proi_loop_thread(loop));
            return;
        }
        if (!next) {
            if (line || search_pool(task).position)
                tell_step(report, task, blocked->thread);
            else
                say(report, "    which somebody outside must complete");
            return;
        }
        task = next;
    }
}

int pro_report_blocked(pro_report_fn *line, void *user)
{
    struct report report = { .line = line, .user = user };

    if (!line)
        return proi_misuse(PRO_E_INVALID, "pro_report_blocked: the line function is NULL");
    proi_blocked_for_each(copy_blocked, &report);
    if (!report.count)
        say(&report, "no thread is blocked in a wait");
    for (size_t i = 0; i < report.count; i++) {
        const struct blocked_copy *const blocked = &report.blocked[i];

        say(&report, "thread T%llu is blocked in %s() at %s:%d%s%s", (unsigned long long)blocked->thread,
            known(blocked->site.function), base_name(blocked->site.file), blocked->site.line,
            blocked->count > 1 ? ", for one of several tasks" : "", blocked->bounded ? ", with a limit" : "");
        tell_chain(&report, blocked);
    }
    return (int)report.count;
}
