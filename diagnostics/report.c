/* SPDX-License-Identifier: MIT */
/* Reports made from live objects. Of the threads that are blocked: from each down the chain of what its task awaits, to
   the queue where the last step sits and the thread that would have to run it. Of the async methods that have not
   ended: where each waits, and for what.

   Tasks are read from outside. Their blocks are type-stable, and what is read is written by atomics, so any of them may
   end, go, and come back as another. The report holds only the first of a chain. What the others lead to, contexts and
   the members of a combination, stays while the report reads (proi_report_begin()). Meanwhile no function of the user's
   is called, but for those of contexts that are there for reports: lines are kept and told afterwards. */
#include <awaiters/internal.h>

#include <proact/diagnostics.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BLOCKED = 64, MAX_CHAIN = 64, LINE = 400 };

/* A copy of one blocked thread, taken while the list was locked: until then the thread held its task. */
struct blocked_copy {
    uint64_t thread;
    struct pro_task *task; /* held */
    size_t count;
    struct pro_site site;
    bool bounded;
};

struct report {
    pro_report_fn *line;
    void *user;
    struct blocked_copy blocked[MAX_BLOCKED];
    size_t count;
    char *text; /* lines that are kept, each with its end */
    size_t used, room;
    bool is_short; /* of memory: some are lost */
};

static bool make_room(struct report *report, size_t size)
{
    const size_t room = (report->used + size) * 2;
    char *larger;

    if (report->used + size <= report->room)
        return true;
    larger = proi_realloc(report->text, room);
    if (!larger)
        return false;
    report->text = larger;
    report->room = room;
    return true;
}

/* Keeps a line. */
static void say(struct report *report, const char *format, ...) PRO_PRINTF(2, 3);
static void say(struct report *report, const char *format, ...)
{
    char text[LINE];
    va_list arguments;
    size_t size;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size = strlen(text) + 1;
    if (report->is_short || !make_room(report, size)) {
        report->is_short = true;
        return;
    }
    memcpy(report->text + report->used, text, size);
    report->used += size;
}

/* Tells the lines that were kept. */
static void tell(struct report *report)
{
    for (size_t at = 0; at < report->used; at += strlen(report->text + at) + 1)
        report->line(report->text + at, report->user);
    if (report->is_short)
        report->line("  ... and more, which there is no memory to tell", report->user);
    report->used = 0;
    report->is_short = false;
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
        report->blocked[report->count++] = (struct blocked_copy){ blocked->thread, pro_task_ref(blocked->tasks[0]),
                                                                  blocked->count, blocked->site, blocked->bounded };
}

/* T3 "ui" */
struct label {
    char text[64];
};

static struct label label_of(uint64_t thread)
{
    const char *const name = proi_thread_name(thread);
    struct label label;

    if (name)
        snprintf(label.text, sizeof label.text, "T%llu \"%s\"", (unsigned long long)thread, name);
    else
        snprintf(label.text, sizeof label.text, "T%llu", (unsigned long long)thread);
    return label;
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

/* The place where @task is suspended, as FILE:LINE. */
static struct label place_of(struct pro_task *task)
{
    const struct pro_site *const where = proi_load(&task->where, PROI_RELAXED);
    struct label place;

    snprintf(place.text, sizeof place.text, "%s:%u", base_name(where ? where->file : NULL), proi_task_line(task));
    return place;
}

static void tell_cures(struct report *report, const struct blocked_copy *blocked, struct pro_task *task)
{
    if (!blocked->thread) /* no thread waits for it */
        return;
    say(report, "  cures: await instead of blocking at %s:%d;", base_name(blocked->site.file), blocked->site.line);
    say(report, "         or capture no context at %s, nor at any await under it (PRO_AWAIT_NONE);",
        place_of(task).text);
    say(report, "         or start the work where no context is current (pro_task_run_async)");
}

/* Who has to run what is queued in @context. */
static void tell_server(struct report *report, struct pro_sync_context *context, const struct blocked_copy *asking,
                        struct pro_task *task)
{
    const struct blocked_copy *server;
    uint64_t thread = 0;

    if (!context->vtable || !context->vtable->owner_thread || !context->vtable->owner_thread(context, &thread)) {
        say(report, "    which admits one thread at a time%s",
            asking->thread ? ", and the blocked one has not left it  <-- the ring closes here" : "");
        tell_cures(report, asking, task);
        return;
    }
    server = find_thread(report, thread);
    if (server && thread == asking->thread) {
        say(report, "    which only thread %s serves: the one that is blocked at %s:%d  <-- the ring closes here",
            label_of(thread).text, base_name(server->site.file), server->site.line);
        tell_cures(report, asking, task);
    } else if (server) {
        say(report, "    which only thread %s serves, and that one is blocked, too, at %s:%d", label_of(thread).text,
            base_name(server->site.file), server->site.line);
    } else {
        say(report, "    which thread %s serves", label_of(thread).text);
    }
}

static void tell_pool(struct report *report, const struct search *search)
{
    struct pro_pool_stats stats = { 0 };

    pro_pool_get_stats(&stats);
    say(report, "    its next step is queued in the thread pool (%zu of %zu waiting there)", search->position,
        search->at);
    say(report, "    which has %u threads of at most %u, and %u of them are blocked in waits%s", stats.threads,
        stats.max_threads, stats.blocked, stats.blocked >= stats.max_threads ? "  <-- the ring closes here" : "");
    if (stats.blocked >= stats.max_threads)
        say(report, "  cures: await instead of blocking on pool threads; or allow more than %u threads",
            stats.max_threads);
}

static struct pro_sync_context *captured_by(struct pro_task *task)
{
    return (struct pro_sync_context *)proi_load(&task->awaits_context, PROI_ACQUIRE);
}

static bool step_is_queued(struct pro_task *task)
{
    struct pro_sync_context *const context = captured_by(task);

    return (context ? search_context(context, task) : search_pool(task)).position != 0;
}

/* A pending step that is in no queue is on its way, or its context cannot be asked. */
static void tell_step(struct report *report, struct pro_task *task, const struct blocked_copy *blocked)
{
    struct pro_sync_context *const context = captured_by(task);
    struct search search;

    if (!context) {
        search = search_pool(task);
        if (search.position)
            tell_pool(report, &search);
        else
            say(report, "    its next step is ready to run");
        return;
    }
    search = search_context(context, task);
    if (search.position)
        say(report, "    its next step is queued in context \"%s\" (%zu of %zu waiting there),", known(context->name),
            search.position, search.at);
    else
        say(report, "    its next step must run in context \"%s\" (%zu waiting there),", known(context->name),
            search.at);
    if (proi_task_line(task))
        say(report, "    which the await at %s captured,", place_of(task).text);
    tell_server(report, context, blocked, task);
}

/* ---- the chain ---- */

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

static const char *name_of(struct pro_task *task)
{
    const char *const name = proi_load(&task->name, PROI_RELAXED);
    const struct pro_site *const created = proi_task_created(task);

    return name ? name : created ? created->function : proi_task_class(task)->name;
}

static void tell_task(struct report *report, const char *verb, struct pro_task *task)
{
    const struct proi_task_class *const class = proi_task_class(task);
    const struct pro_site *const where = proi_load(&task->where, PROI_RELAXED);
    const struct pro_site *const created = proi_task_created(task);

    if (created)
        say(report, "  %s task \"%s\" (%s), made at %s:%d", verb, name_of(task), where ? where->function : class->name,
            base_name(created->file), created->line);
    else
        say(report, "  %s task \"%s\" (%s)", verb, name_of(task), class->name);
}

/* The next task of the chain, or NULL when it ends with @task, whose end is then told. */
static struct pro_task *tell_link(struct report *report, struct pro_task *task, const struct blocked_copy *blocked)
{
    const struct proi_task_class *const class = proi_task_class(task);
    const uintptr_t awaits = proi_load(&task->awaits, PROI_ACQUIRE);
    const struct pro_loop *const loop = proi_awaited_loop(awaits);
    struct pro_task *next = proi_awaited_task(awaits);
    const bool suspended = proi_task_line(task) != 0;

    if (suspended && (next || loop))
        say(report, "    suspended at %s", place_of(task).text);
    if (class->needs) {
        struct members members = { NULL, 0 };

        class->needs(task, count_member, &members);
        if (members.count > 1)
            say(report, "    of %zu tasks; the first that is not complete:", members.count);
        next = members.first;
    }
    if (next && proi_state_is_final(proi_load(&next->state, PROI_ACQUIRE))) {
        tell_task(report, "which awaits", next);
        say(report, "    and that one is complete;");
        tell_step(report, task, blocked);
        return NULL;
    }
    if (next)
        return next;
    if (loop && !step_is_queued(task))
        say(report, "    it awaits an operation of loop \"%s\", served by thread %s", pro_loop_name(loop),
            label_of(proi_loop_thread(loop)).text);
    else if (suspended || search_pool(task).position)
        tell_step(report, task, blocked);
    else
        say(report, "    which somebody outside must complete");
    return NULL;
}

static void tell_chain(struct report *report, const struct blocked_copy *blocked)
{
    struct pro_task *seen[MAX_CHAIN], *task = blocked->task;

    for (size_t depth = 0; task && depth < MAX_CHAIN; depth++) {
        for (size_t i = 0; i < depth; i++)
            if (seen[i] == task) {
                say(report, "    which is the task \"%s\" above: they await each other  <-- the ring closes here",
                    name_of(task));
                say(report, "  cures: one of them must not wait for the other; no context or thread can help");
                return;
            }
        seen[depth] = task;
        tell_task(report, depth ? "which awaits" : "waits for", task);
        task = tell_link(report, task, blocked);
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

        say(&report, "thread %s is blocked in %s() at %s:%d%s%s", label_of(blocked->thread).text,
            known(blocked->site.function), base_name(blocked->site.file), blocked->site.line,
            blocked->count > 1 ? ", for one of several tasks" : "", blocked->bounded ? ", with a limit" : "");
        proi_report_begin();
        tell_chain(&report, blocked);
        proi_report_end();
        tell(&report);
        pro_task_unref(blocked->task);
    }
    tell(&report);
    proi_free(report.text);
    return (int)report.count;
}

/* ---- methods that have not ended ---- */

struct incomplete {
    struct report report;
    int count;
};

/* @task is held by the walk of the table. */
static void tell_incomplete(struct pro_task *task, void *arg)
{
    static const struct blocked_copy nobody;
    struct incomplete *const it = arg;
    struct pro_task *next;

    if (!proi_load(&task->where, PROI_RELAXED) || proi_state_is_final(proi_load(&task->state, PROI_ACQUIRE)))
        return; /* no async method; or it has ended since */
    it->count++;
    proi_report_begin();
    tell_task(&it->report, "not ended:", task);
    next = tell_link(&it->report, task, &nobody);
    if (next)
        tell_task(&it->report, "  which awaits", next);
    proi_report_end();
    tell(&it->report);
}

int pro_report_incomplete(pro_report_fn *line, void *user)
{
    struct incomplete it = { .report = { .line = line, .user = user } };
    int code;

    if (!line)
        return proi_misuse(PRO_E_INVALID, "pro_report_incomplete: the line function is NULL");
    code = pro_active_tasks_for_each(tell_incomplete, &it);
    if (code < 0)
        return code;
    if (!it.count)
        say(&it.report, "every async method in the table of active tasks has ended");
    tell(&it.report);
    proi_free(it.report.text);
    return it.count;
}
