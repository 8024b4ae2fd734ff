/* SPDX-License-Identifier: MIT */
/* SynchronizationContext: the ambient state of a thread, the interface's own functions, and what the base class does
   where a context leaves an entry empty (SEM-110…118). */
#include "call.h"

PROI_THREAD_LOCAL struct proi_ambient proi_ambient;

/* ---- work items ---- */
void pro_work_run(struct pro_work *work)
{
    if (!work || !work->run) {
        proi_misuse(PRO_E_INVALID,
                    "pro_work_run: the item is NULL or has no function; fill in work.run before it is posted");
        return;
    }
    work->run(work);
}

struct call {
    struct pro_work work; /* first */
    pro_work_fn *fn;
    void *arg;
    void *flow; /* captured where it was posted (SEM-112), if it flows */
};

static void call_run(struct pro_work *work)
{
    struct call *call = PRO_CONTAINER(work, struct call, work);
    pro_work_fn *fn = call->fn;
    void *arg = call->arg;
    void *const flow = proi_flow_enter(call->flow);

    /* Before the call: it may never return (a loop's thread ending), or post again and find the block warm. */
    proi_block_free(call, sizeof *call);
    fn(arg);
    proi_flow_leave(flow);
}

static void call_run_bare(struct pro_work *work) /* under what its thread has */
{
    const struct call call = *PRO_CONTAINER(work, struct call, work);

    proi_block_free(work, sizeof call);
    call.fn(call.arg);
}

struct pro_work *proi_call_new(pro_work_fn *fn, void *arg, bool flows)
{
    struct call *call = proi_block_alloc(sizeof *call);

    if (!call)
        return NULL;
    *call = (struct call){ .work = { .run = flows ? call_run : call_run_bare }, .fn = fn, .arg = arg };
    if (flows)
        call->flow = proi_flow_capture();
    return &call->work;
}

/* ---- contexts ---- */
int pro_sync_context_init(struct pro_sync_context *context, const struct pro_sync_context_vtable *vtable,
                          const char *name)
{
    if (!context)
        return proi_misuse(PRO_E_INVALID, "pro_sync_context_init: the context is NULL; pass the one embedded in yours");
    *context = (struct pro_sync_context){ .vtable = vtable, .name = name, .references = 1 };
    return PRO_OK;
}

struct pro_sync_context *pro_sync_context_ref(struct pro_sync_context *context)
{
    /* Relaxed: who adds a reference has one, so nothing is published or freed by this. */
    if (context)
        proi_fetch_add(&context->references, 1, PROI_RELAXED);
    return context;
}

/* One report at a time reads; see internal.h. */
static struct proi_mutex report_lock;

void proi_report_begin(void) { proi_lock(&report_lock); }
void proi_report_end(void) { proi_unlock(&report_lock); }

void proi_report_pass(void)
{
    proi_lock(&report_lock);
    proi_unlock(&report_lock);
}

void pro_sync_context_unref(struct pro_sync_context *context)
{
    /* Release: what this thread did with the context comes before the count. Acquire: whoever counts to zero sees what
       every other thread did, and may destroy. */
    if (!context || proi_fetch_sub(&context->references, 1, PROI_ACQ_REL) != 1)
        return;
    proi_report_pass();
    if (context->vtable && context->vtable->destroy)
        context->vtable->destroy(context);
}

struct pro_sync_context *pro_sync_context_current(void) { return proi_ambient.context; }

struct pro_sync_context *pro_sync_context_set(struct pro_sync_context *context)
{
    struct pro_sync_context *previous = proi_ambient.context;

    proi_ambient.context = context;
    return previous;
}

void proi_context_post(struct pro_sync_context *context, struct pro_work *work)
{
    if (context && context->vtable && context->vtable->post && context->vtable->post(context, work) == PRO_OK)
        return;
    /* The base class (SEM-112), and contexts that refuse: closed pumps, closed loops. */
    proi_pool_post(work, PROI_POOL_GLOBAL);
}

void proi_context_capture(struct pro_sync_context *context)
{
    pro_sync_context_ref(context);
    if (context && context->vtable && context->vtable->captured)
        context->vtable->captured(context);
}

void proi_context_release(struct pro_sync_context *context)
{
    if (context && context->vtable && context->vtable->released)
        context->vtable->released(context);
    pro_sync_context_unref(context);
}

int pro_sync_context_post(struct pro_sync_context *context, pro_work_fn *fn, void *arg)
{
    struct pro_work *work;

    if (!context || !fn)
        return proi_misuse(PRO_E_INVALID,
                           "pro_sync_context_post: the %s is NULL; use pro_pool_post() to run something without "
                           "a context",
                           context ? "function" : "context");
    /* The base class's Post flows; one that is overridden does so only if it says so (SEM-112). */
    work = proi_call_new(fn, arg, !context->vtable || !context->vtable->post || context->vtable->post_flows);
    if (!work)
        return PRO_E_NO_MEMORY;
    proi_context_post(context, work);
    return PRO_OK;
}

int pro_sync_context_post_work(struct pro_sync_context *context, struct pro_work *work)
{
    if (!context || !work || !work->run)
        return proi_misuse(PRO_E_INVALID,
                           "pro_sync_context_post_work: the %s is NULL; use pro_pool_post_work() to run an item "
                           "without a context",
                           context ? "item or its function" : "context");
    proi_context_post(context, work);
    return PRO_OK;
}

/* ---- operations ---- */
void pro_sync_context_operation_started(struct pro_sync_context *context)
{
    if (!context)
        proi_misuse(PRO_E_INVALID, "pro_sync_context_operation_started: the context is NULL");
    else if (context->vtable && context->vtable->operation_started)
        context->vtable->operation_started(context);
}

void pro_sync_context_operation_completed(struct pro_sync_context *context)
{
    if (!context)
        proi_misuse(PRO_E_INVALID, "pro_sync_context_operation_completed: the context is NULL");
    else if (context->vtable && context->vtable->operation_completed)
        context->vtable->operation_completed(context);
}

/* ---- sending ---- */
struct sent_call {
    struct pro_work work; /* first */
    pro_work_fn *fn;
    void *arg;
};

static void sent_call_run(struct pro_work *work)
{
    struct sent_call *call = PRO_CONTAINER(work, struct sent_call, work);

    call->fn(call->arg);
}

int pro_sync_context_send(struct pro_sync_context *context, pro_work_fn *fn, void *arg)
{
    /* On the stack: send returns only after it has run. */
    struct sent_call call = { .work = { .run = sent_call_run }, .fn = fn, .arg = arg };

    if (!context || !fn)
        return proi_misuse(PRO_E_INVALID,
                           "pro_sync_context_send: the %s is NULL; call the function yourself where no context "
                           "is meant",
                           context ? "function" : "context");
    if (context->vtable && context->vtable->send)
        context->vtable->send(context, &call.work);
    else
        pro_work_run(&call.work); /* the base class: inline, without becoming current */
    return PRO_OK;
}

struct errand {
    struct pro_work work; /* first */
    struct pro_work *inner;
    uint32_t done; /* shared: 0, then 1 */
};

static void errand_run(struct pro_work *work)
{
    struct errand *errand = PRO_CONTAINER(work, struct errand, work);
    uint32_t *done = &errand->done;

    pro_work_run(errand->inner);
    /* Release: the sender sees what the item did. From here on its stack may be gone; waking uses the address alone. */
    proi_store(done, 1, PROI_RELEASE);
    proi_wake_one(done);
}

void proi_context_post_and_wait(struct pro_sync_context *context, struct pro_work *work)
{
    struct errand errand = { .work = { .run = errand_run, .task = work->task }, .inner = work };

    proi_context_post(context, &errand.work);
    if (proi_load(&errand.done, PROI_ACQUIRE))
        return;
    proi_pool_blocking_begin();
    while (!proi_load(&errand.done, PROI_ACQUIRE))
        proi_wait(&errand.done, 0, -1);
    proi_pool_blocking_end();
}

/* ---- threads ---- */
uint64_t pro_thread_id(void) { return proi_thread_id(); }

/* Names by thread, for reports made on other threads. An entry lives until its thread ends. */
struct thread_name {
    struct thread_name *next;
    uint64_t thread;
    const char *name;
};
static struct proi_mutex thread_names_lock; /* guards the list and its entries */
static struct thread_name *thread_names;

static void thread_name_forget(void)
{
    uint64_t thread = proi_thread_id();
    struct thread_name *entry = NULL;

    proi_lock(&thread_names_lock);
    for (struct thread_name **link = &thread_names; *link; link = &(*link)->next) {
        if ((*link)->thread == thread) {
            entry = *link;
            *link = entry->next;
            break;
        }
    }
    proi_unlock(&thread_names_lock);
    if (entry)
        proi_block_free(entry, sizeof *entry);
}

static struct thread_name *thread_name_find(uint64_t thread)
{
    struct thread_name *entry = thread_names;

    while (entry && entry->thread != thread)
        entry = entry->next;
    return entry;
}

void pro_thread_set_name(const char *name)
{
    uint64_t thread = proi_thread_id();
    struct thread_name *fresh = proi_block_alloc(sizeof *fresh), *entry;

    proi_at_thread_exit(thread_name_forget);
    proi_lock(&thread_names_lock);
    entry = thread_name_find(thread);
    if (entry) {
        entry->name = name;
    } else if (fresh) { /* without memory the thread stays a number: names are for reports only */
        *fresh = (struct thread_name){ .next = thread_names, .thread = thread, .name = name };
        thread_names = fresh;
        fresh = NULL;
    }
    proi_unlock(&thread_names_lock);
    if (fresh)
        proi_block_free(fresh, sizeof *fresh);
}

const char *proi_thread_name(uint64_t thread)
{
    const struct thread_name *entry;
    const char *name;

    proi_lock(&thread_names_lock);
    entry = thread_name_find(thread);
    name = entry ? entry->name : NULL;
    proi_unlock(&thread_names_lock);
    return name;
}
