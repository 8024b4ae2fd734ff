/* SPDX-License-Identifier: MIT */
/* Cancellation sources: a level that rises once, callbacks last-in first-out, links to parents, a timer. */
#include "internal.h"

#include <proact/timer.h>

#include <string.h>

struct cancel_timer;

/* A type-stable block: a registration left over from a freed source finds another generation. */
struct pro_cancellation_source {
    uint32_t generation; /* shared */
    uint32_t references; /* shared */
    uint32_t canceled;   /* shared: rises to 1 once */
    uint32_t disposed;   /* shared: rises to 1 once */
    uint32_t rounds;     /* shared: callbacks that have returned; what unregister_wait sleeps on */
    struct proi_mutex lock;
    uint64_t running_thread;                       /* under lock: who runs callbacks */
    struct pro_cancellation_registration *running; /* under lock: the one that runs now; may be freed by itself */
    struct pro_cancellation_registration *newest;  /* under lock */
    struct cancel_timer *timer;                    /* under lock */
    size_t parent_count;
    struct parent_link *parents;
};

struct parent_link {
    struct pro_cancellation_registration registration;
    struct pro_cancellation_source *parent; /* held */
    struct pro_cancellation_source *child;
};

/* ---- making and dropping ---- */

static struct pro_cancellation_source *new_source(void)
{
    struct pro_cancellation_source *const source = proi_block_alloc(sizeof *source);

    if (!source)
        return NULL;
    memset((char *)source + sizeof source->generation, 0, sizeof *source - sizeof source->generation);
    proi_store(&source->references, 1u, PROI_RELAXED);
    return source;
}

int pro_cancellation_source_new(struct pro_cancellation_source **ret_source)
{
    struct pro_cancellation_source *source;

    if (!ret_source)
        return proi_misuse(PRO_E_INVALID, "pro_cancellation_source_new: ret_source is NULL");
    source = new_source();
    if (!source)
        return PRO_E_NO_MEMORY;
    *ret_source = source;
    return PRO_OK;
}

struct pro_cancellation_source *pro_cancellation_source_ref(struct pro_cancellation_source *source)
{
    if (source)
        proi_fetch_add(&source->references, 1u, PROI_RELAXED);
    return source;
}

/* For who knows the block but has no reference: false when the last one is gone. */
static bool try_ref(struct pro_cancellation_source *source)
{
    uint32_t references = proi_load(&source->references, PROI_RELAXED);

    while (references)
        /* Against the last unref: it reaches 0 first and we see it, or we are counted and it is not the last. */
        if (proi_compare_exchange(&source->references, &references, references + 1, PROI_ACQ_REL))
            return true;
    return false;
}

static void drop_timer(struct pro_cancellation_source *source);

/* What a registration holds while it may still run. */
static void drop_captures(struct pro_cancellation_registration *registration)
{
    proi_flow_drop(registration->flow);
    registration->flow = NULL;
    if (registration->context)
        pro_sync_context_unref(registration->context);
    registration->context = NULL;
}

/* Drops what is still registered: nothing of it runs. The lock is held, and let go around the drops, which may run code
   of users; so each registration is left alone before that: its owner may free it as soon as it is off the list. */
static void drop_all(struct pro_cancellation_source *source)
{
    while (source->newest) {
        struct pro_cancellation_registration *const registration = source->newest;
        struct pro_cancellation_registration captures = { .flow = registration->flow,
                                                          .context = registration->context };

        source->newest = registration->next;
        if (source->newest)
            source->newest->previous = NULL;
        registration->linked = false;
        registration->flow = NULL;
        registration->context = NULL;
        proi_unlock(&source->lock);
        drop_captures(&captures);
        proi_lock(&source->lock);
    }
}

void pro_cancellation_source_unref(struct pro_cancellation_source *source)
{
    if (!source || proi_fetch_sub(&source->references, 1u, PROI_ACQ_REL) != 1)
        return;
    drop_timer(source);
    proi_lock(&source->lock);
    drop_all(source); /* a registration that outlives its source finds another generation */
    proi_unlock(&source->lock);
    for (size_t i = 0; i < source->parent_count; i++) {
        pro_cancellation_unregister_wait(&source->parents[i].registration);
        pro_cancellation_source_unref(source->parents[i].parent);
    }
    proi_free(source->parents);
    proi_store(&source->generation, source->generation + 1, PROI_RELEASE);
    proi_block_free(source, sizeof *source);
}

static int check_not_disposed(const struct pro_cancellation_source *source, const char *who)
{
    if (PROI_UNLIKELY(proi_load(&source->disposed, PROI_ACQUIRE)))
        return proi_misuse(PRO_E_CLOSED, "%s: the source was disposed of", who);
    return PRO_OK;
}

int pro_cancellation_source_dispose(struct pro_cancellation_source *source)
{

    if (!source)
        return proi_misuse(PRO_E_INVALID, "pro_cancellation_source_dispose: the source is NULL");
    proi_lock(&source->lock); /* with it who registers: before, and is taken off here, or after, and sees it */
    proi_store(&source->disposed, 1u, PROI_RELEASE);
    drop_all(source);
    proi_unlock(&source->lock);
    drop_timer(source);
    for (size_t i = 0; i < source->parent_count; i++)
        pro_cancellation_unregister(&source->parents[i].registration);
    return PRO_OK;
}

struct pro_cancellation_token pro_cancellation_source_token(struct pro_cancellation_source *source)
{
    if (source && check_not_disposed(source, "pro_cancellation_source_token") < 0)
        return PRO_TOKEN_NONE;
    return (struct pro_cancellation_token){ source };
}

int pro_cancellation_source_get_token(struct pro_cancellation_source *source, struct pro_cancellation_token *ret_token)
{
    static const char who[] = "pro_cancellation_source_get_token";
    int code;

    if (!source || !ret_token)
        return proi_misuse(PRO_E_INVALID, "%s: an argument is NULL", who);
    code = check_not_disposed(source, who);
    if (code == PRO_OK)
        ret_token->source = source;
    return code;
}

bool pro_cancellation_token_can_be_canceled(struct pro_cancellation_token token) { return token.source != NULL; }

bool pro_cancellation_token_is_canceled(struct pro_cancellation_token token)
{
    return token.source && proi_load(&token.source->canceled, PROI_ACQUIRE);
}

/* ---- one callback ---- */

/* What a callback needs, copied before it runs: its registration may be freed inside. */
struct call {
    struct pro_work work; /* when it is sent to a context */
    pro_cancellation_fn *callback;
    struct pro_error *(*fallible)(void *arg);
    void *arg;
    void *flow;
    struct pro_error *error;
};

static void make_call(struct pro_work *work)
{
    struct call *const call = PRO_CONTAINER(work, struct call, work);
    void *const flow = proi_flow_enter(call->flow);

    if (call->fallible)
        call->error = call->fallible(call->arg);
    else
        call->callback(call->arg);
    proi_flow_leave(flow);
}

static void send_call(void *arg) { make_call(arg); }

/* Runs it, on its context if it has one. Takes context and flow. Gives the error. */
static struct pro_error *run_call(struct call call, struct pro_sync_context *context)
{
    if (!context) {
        make_call(&call.work);
        return call.error;
    }
    if (pro_sync_context_send(context, send_call, &call.work) < 0)
        make_call(&call.work); /* it cannot take it: better here than lost */
    pro_sync_context_unref(context);
    return call.error;
}

/* ---- cancelling ---- */

struct failures {
    bool stop_at_first, dropped;
    struct pro_error **list;
    size_t count, room;
};

static void add_failure(struct failures *failures, struct pro_error *error)
{
    struct pro_error **larger;

    if (failures->count == failures->room) {
        larger = proi_realloc(failures->list, (failures->room + 4) * 2 * sizeof *larger);
        if (!larger) { /* the others tell enough */
            failures->dropped = true;
            pro_error_unref(error);
            return;
        }
        failures->list = larger;
        failures->room = (failures->room + 4) * 2;
    }
    failures->list[failures->count++] = error;
}

/* Runs the callbacks, newest first, each taken off just before it runs (SEM-232). The caller has a reference. */
static void run_callbacks(struct pro_cancellation_source *source, struct failures *failures)
{
    proi_lock(&source->lock);
    source->running_thread = proi_thread_id();
    while (source->newest) {
        struct pro_cancellation_registration *const registration = source->newest;
        const struct call call = { .callback = registration->callback,
                                   .fallible = registration->fallible,
                                   .arg = registration->arg,
                                   .flow = registration->flow };
        struct pro_sync_context *const context = registration->context;
        struct pro_error *error;

        registration->flow = NULL;
        registration->context = NULL;
        source->newest = registration->next;
        if (source->newest)
            source->newest->previous = NULL;
        registration->linked = false;
        source->running = registration;
        proi_unlock(&source->lock);
        error = run_call(call, context); /* the registration may be freed inside */
        proi_lock(&source->lock);
        source->running = NULL;
        proi_fetch_add(&source->rounds, 1u, PROI_RELEASE);
        proi_wake_all(&source->rounds);
        if (error) {
            add_failure(failures, error);
            if (failures->stop_at_first)
                drop_all(source);
        }
    }
    source->running_thread = 0;
    proi_unlock(&source->lock);
}

/* One canceller wins and runs what is registered; a registration that comes after sees the level and runs by itself:
   both look under the lock. True: this call raised it. */
static bool raise_level(struct pro_cancellation_source *source)
{
    proi_lock(&source->lock);
    if (proi_load(&source->canceled, PROI_RELAXED)) {
        proi_unlock(&source->lock);
        return false;
    }
    proi_store(&source->canceled, 1u, PROI_RELEASE);
    proi_unlock(&source->lock);
    drop_timer(source);
    return true;
}

/* The errors of the callbacks as one, or the first alone; NULL: none. */
static struct pro_error *sum_up(struct failures *failures)
{
    struct pro_error *error = NULL;

    if (failures->count && failures->stop_at_first)
        error = pro_error_ref(failures->list[0]);
    else if (failures->count)
        error = pro_error_aggregate(failures->list, failures->count);
    else if (failures->dropped)
        error = pro_error_of(PRO_E_NO_MEMORY);
    for (size_t i = 0; i < failures->count; i++)
        pro_error_unref(failures->list[i]);
    proi_free(failures->list);
    return error;
}

/* For cancellations that nobody calls: a timer's, a parent's. Errors of callbacks are nobody's, too. */
static void cancel_held(struct pro_cancellation_source *source)
{
    struct failures failures = { .stop_at_first = false };
    struct pro_error *error;

    if (!raise_level(source))
        return;
    run_callbacks(source, &failures);
    error = sum_up(&failures);
    if (error)
        proi_unhandled(error);
    pro_error_unref(error);
}

int pro_cancellation_source_cancel_telling(struct pro_cancellation_source *source, bool stop_at_first,
                                           struct pro_error **ret_error)
{
    struct failures failures = { .stop_at_first = stop_at_first };
    struct pro_error *error = NULL;
    int code = PRO_OK;

    if (!source)
        return proi_misuse(PRO_E_INVALID, "pro_cancellation_source_cancel: the source is NULL");
    code = check_not_disposed(source, "pro_cancellation_source_cancel");
    if (code < 0)
        return code;
    pro_cancellation_source_ref(source); /* a callback may drop the caller's */
    if (raise_level(source)) {
        run_callbacks(source, &failures);
        error = sum_up(&failures);
        code = pro_error_code(error);
    }
    if (ret_error && error)
        *ret_error = error;
    else
        pro_error_unref(error);
    pro_cancellation_source_unref(source);
    return code;
}

int pro_cancellation_source_cancel(struct pro_cancellation_source *source)
{
    return pro_cancellation_source_cancel_telling(source, false, NULL);
}

/* ---- cancel async ---- */

struct async_cancel {
    struct pro_work work;
    struct pro_cancellation_source *source; /* held until it has run */
};

static const struct proi_task_class cancel_class = { .name = "cancel async" };

static void run_async_cancel(struct pro_work *work)
{
    struct async_cancel *const it = PRO_CONTAINER(work, struct async_cancel, work);
    struct pro_task *const task = proi_task_of_body(it);
    struct failures failures = { .stop_at_first = false };
    struct pro_error *error;

    run_callbacks(it->source, &failures);
    pro_cancellation_source_unref(it->source);
    error = sum_up(&failures);
    proi_task_reserve(task);
    if (error) /* the aggregate is the task's one error */
        proi_task_fail(task, error, false);
    else
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    pro_task_unref(task);
}

struct pro_task *pro_cancellation_source_cancel_async(struct pro_cancellation_source *source)
{
    struct async_cancel *it;
    struct pro_task *task;
    bool none;

    if (!source)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_cancellation_source_cancel_async: the source is NULL")));
    if (check_not_disposed(source, "pro_cancellation_source_cancel_async") < 0)
        return pro_task_from_error(pro_error_of(PRO_E_CLOSED));
    task = proi_task_new(&cancel_class, sizeof *it, PRO_NO_RESULT, PRO_TASK_WAITING_FOR_ACTIVATION, PRO_SITE_UNKNOWN);
    if (!task)
        return pro_task_no_memory();
    if (!raise_level(source)) {
        pro_task_unref(task);
        return pro_task_completed();
    }
    proi_lock(&source->lock);
    none = !source->newest;
    proi_unlock(&source->lock);
    if (none) {
        pro_task_unref(task);
        return pro_task_completed();
    }
    it = proi_task_body(task);
    it->source = pro_cancellation_source_ref(source);
    it->work = (struct pro_work){ .run = run_async_cancel, .task = task };
    pro_task_ref(task); /* the item's */
    proi_pool_post(&it->work, PROI_POOL_GLOBAL);
    return task;
}

bool pro_cancellation_source_try_reset(struct pro_cancellation_source *source)
{

    if (!source) {
        proi_misuse(PRO_E_INVALID, "pro_cancellation_source_try_reset: the source is NULL");
        return false;
    }
    if (check_not_disposed(source, "pro_cancellation_source_try_reset") < 0)
        return false;
    drop_timer(source);
    proi_lock(&source->lock);
    if (proi_load(&source->canceled, PROI_RELAXED)) {
        proi_unlock(&source->lock);
        return false;
    }
    drop_all(source);
    proi_unlock(&source->lock);
    return true;
}

/* ---- registrations ---- */

int pro_cancellation_register_callback(struct pro_cancellation_token token,
                                       struct pro_cancellation_registration *registration,
                                       const struct pro_cancellation_callback *how)
{
    struct pro_cancellation_source *const source = token.source;

    if (!registration || !how || !how->callback == !how->fallible)
        return proi_misuse(PRO_E_INVALID, "pro_cancellation_register: an argument is NULL");
    if (registration->linked)
        return proi_misuse(PRO_E_STATE, "pro_cancellation_register: this registration is in use");
    *registration = (struct pro_cancellation_registration){
        .source = source, .callback = how->callback, .fallible = how->fallible, .arg = how->arg
    };
    if (!source)
        return PRO_OK; /* it can never be cancelled */
    registration->generation = proi_load(&source->generation, PROI_RELAXED);
    registration->context = how->context ? pro_sync_context_ref(how->context) : NULL;
    registration->flow = how->without_flow ? PROI_FLOW_NOT_CAPTURED : proi_flow_capture();
    proi_lock(&source->lock);
    if (proi_load(&source->canceled, PROI_RELAXED)) {
        const struct call call = {
            .callback = how->callback, .fallible = how->fallible, .arg = how->arg, .flow = registration->flow
        };
        struct pro_sync_context *const context = registration->context;
        struct pro_error *error;

        proi_unlock(&source->lock);
        *registration = (struct pro_cancellation_registration){ .source = NULL };
        error = run_call(call, context); /* SEM-233 */
        if (!error)
            return PRO_OK;
        proi_unhandled(error);
        pro_error_unref(error);
        return PRO_OK;
    }
    if (proi_load(&source->disposed, PROI_RELAXED)) { /* nothing will ever run it */
        proi_unlock(&source->lock);
        drop_captures(registration);
        *registration = (struct pro_cancellation_registration){ .source = NULL };
        return PRO_OK;
    }
    registration->linked = true;
    registration->next = source->newest;
    if (source->newest)
        source->newest->previous = registration;
    source->newest = registration;
    proi_unlock(&source->lock);
    return PRO_OK;
}

int pro_cancellation_register(struct pro_cancellation_token token, struct pro_cancellation_registration *registration,
                              pro_cancellation_fn *callback, void *arg)
{
    const struct pro_cancellation_callback how = { .callback = callback, .arg = arg, .without_flow = true };

    return pro_cancellation_register_callback(token, registration, &how);
}

/* Takes it off the list: true when it was there. With the lock held. */
static bool unlink_registration(struct pro_cancellation_source *source,
                                struct pro_cancellation_registration *registration)
{
    if (!registration->linked)
        return false;
    registration->linked = false;
    if (registration->previous)
        registration->previous->next = registration->next;
    else
        source->newest = registration->next;
    if (registration->next)
        registration->next->previous = registration->previous;
    return true;
}

static struct pro_cancellation_source *source_of(const struct pro_cancellation_registration *registration)
{
    struct pro_cancellation_source *const source = registration ? registration->source : NULL;

    return source && proi_load(&source->generation, PROI_ACQUIRE) == registration->generation ? source : NULL;
}

bool pro_cancellation_unregister(struct pro_cancellation_registration *registration)
{
    struct pro_cancellation_source *const source = source_of(registration);
    bool removed;

    if (!source)
        return false;
    proi_lock(&source->lock);
    removed = unlink_registration(source, registration);
    proi_unlock(&source->lock);
    if (removed)
        drop_captures(registration);
    return removed;
}

bool pro_cancellation_unregister_wait(struct pro_cancellation_registration *registration)
{
    struct pro_cancellation_source *const source = source_of(registration);
    bool removed;

    if (!source)
        return false;
    proi_lock(&source->lock);
    removed = unlink_registration(source, registration);
    /* Running on another thread: sleep until it has returned. From inside a callback: at once, it would wait for
     * itself. */
    while (!removed && source->running == registration && source->running_thread != proi_thread_id()) {
        const uint32_t seen = proi_load(&source->rounds, PROI_ACQUIRE);

        proi_unlock(&source->lock);
        proi_pool_blocking_begin();
        proi_wait(&source->rounds, seen, -1);
        proi_pool_blocking_end();
        proi_lock(&source->lock);
    }
    proi_unlock(&source->lock);
    if (removed)
        drop_captures(registration);
    return removed;
}

/* On the pool: sleeps until the callback has returned. */
static struct pro_error *await_callback(void *arg, void *ret_result)
{
    (void)ret_result;
    pro_cancellation_unregister_wait(arg);
    return NULL;
}

struct pro_task *pro_cancellation_unregister_async(struct pro_cancellation_registration *registration)
{
    struct pro_cancellation_source *const source = source_of(registration);
    bool running;

    if (!registration)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_cancellation_unregister_async: the registration is NULL")));
    if (!source || pro_cancellation_unregister(registration))
        return pro_task_completed();
    proi_lock(&source->lock);
    running = source->running == registration && source->running_thread != proi_thread_id();
    proi_unlock(&source->lock);
    return running ? pro_task_run(await_callback, registration, PRO_NO_RESULT, PRO_TOKEN_NONE) : pro_task_completed();
}

/* ---- links ---- */

static void parent_canceled(void *arg)
{
    struct parent_link *const link = arg;

    if (!try_ref(link->child))
        return; /* it is being freed, and waits for us */
    cancel_held(link->child);
    pro_cancellation_source_unref(link->child);
}

int pro_cancellation_source_new_linked(const struct pro_cancellation_token *tokens, size_t count,
                                       struct pro_cancellation_source **ret_source)
{
    struct pro_cancellation_source *source;

    if (!ret_source || (!tokens && count))
        return proi_misuse(PRO_E_INVALID, "pro_cancellation_source_new_linked: an argument is NULL");
    source = new_source();
    if (!source)
        return PRO_E_NO_MEMORY;
    source->parents = count ? proi_alloc_zeroed(count * sizeof *source->parents) : NULL;
    if (count && !source->parents) {
        pro_cancellation_source_unref(source);
        return PRO_E_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        struct parent_link *const link = &source->parents[source->parent_count];

        if (!tokens[i].source)
            continue;
        link->child = source;
        link->parent = pro_cancellation_source_ref(tokens[i].source);
        source->parent_count++;
    }
    for (size_t i = 0; i < source->parent_count; i++)
        pro_cancellation_register((struct pro_cancellation_token){ source->parents[i].parent },
                                  &source->parents[i].registration, parent_canceled, &source->parents[i]);
    *ret_source = source;
    return PRO_OK;
}

/* ---- cancel after: a sleep on the background loop ---- */

/* Knows its source as long as the source knows it. The op is touched on the loop's thread only, once it is started. */
struct cancel_timer {
    struct pro_op op;
    struct pro_work stop;   /* posted to the loop to end the sleep */
    struct pro_work strike; /* posted to the pool: the background loop runs no user code */
    struct proi_mutex lock;
    struct pro_cancellation_source *source; /* under lock; NULL: nobody waits any more */
    uint32_t
        references; /* the op until it is delivered and has struck, and the source's pointer until the stop has run */
};

static void release_timer(struct cancel_timer *timer)
{
    if (proi_fetch_sub(&timer->references, 1u, PROI_ACQ_REL) == 1)
        proi_block_free(timer, sizeof *timer);
}

static void strike(struct pro_work *work)
{
    struct cancel_timer *const timer = PRO_CONTAINER(work, struct cancel_timer, strike);
    struct pro_cancellation_source *source;
    bool held;

    proi_lock(&timer->lock);
    source = timer->source;
    held = source && try_ref(source);
    proi_unlock(&timer->lock);
    if (held) {
        cancel_held(source);
        pro_cancellation_source_unref(source);
    }
    release_timer(timer);
}

/* On the loop's thread, as stop_timer(): the two see the op's state in one order. */
static void timer_delivered(struct pro_op *op)
{
    struct cancel_timer *const timer = PRO_CONTAINER(op, struct cancel_timer, op);

    if (op->result == PRO_OK) {
        timer->strike = (struct pro_work){ .run = strike };
        proi_pool_post(&timer->strike, PROI_POOL_GLOBAL);
    } else {
        release_timer(timer);
    }
}

static void stop_timer(struct pro_work *work)
{
    struct cancel_timer *const timer = PRO_CONTAINER(work, struct cancel_timer, stop);

    pro_op_cancel(&timer->op); /* PRO_E_STATE: it has struck meanwhile */
    release_timer(timer);
}

/* Gives the source @fresh (NULL: none) for the timer it has, which is stopped. */
static void replace_timer(struct pro_cancellation_source *source, struct cancel_timer *fresh)
{
    struct cancel_timer *old;

    proi_lock(&source->lock);
    old = source->timer;
    source->timer = fresh;
    proi_unlock(&source->lock);
    if (!old)
        return;
    proi_lock(&old->lock); /* after this the strike does not know the source */
    old->source = NULL;
    proi_unlock(&old->lock);
    old->stop = (struct pro_work){ .run = stop_timer };
    if (pro_loop_post_work(pro_loop_default(), &old->stop) < 0)
        release_timer(old);
}

static void drop_timer(struct pro_cancellation_source *source) { replace_timer(source, NULL); }

int pro_cancellation_source_cancel_after(struct pro_cancellation_source *source, int64_t delay_ns)
{
    struct cancel_timer *timer;
    struct pro_loop *loop;
    int code;

    if (!source || delay_ns < PRO_INFINITE)
        return proi_misuse(PRO_E_INVALID, "pro_cancellation_source_cancel_after: an argument is not valid");
    code = check_not_disposed(source, "pro_cancellation_source_cancel_after");
    if (code < 0)
        return code;
    if (proi_load(&source->canceled, PROI_ACQUIRE))
        return PRO_OK;
    drop_timer(source);
    if (delay_ns == PRO_INFINITE)
        return PRO_OK;
    loop = pro_loop_default();
    if (!loop)
        return PRO_E_NO_THREAD;
    timer = proi_block_alloc(sizeof *timer);
    if (!timer)
        return PRO_E_NO_MEMORY;
    memset(timer, 0, sizeof *timer);
    proi_store(&timer->references, 2u, PROI_RELAXED);
    timer->source = source;
    code = proi_loop_await_op(pro_sleep(&timer->op, loop, delay_ns, PRO_HOW_DEFAULT), timer_delivered, NULL);
    if (code < 0) {
        proi_block_free(timer, sizeof *timer);
        return code;
    }
    /* Started first and made known then, so that whoever stops it finds a started op. Should it strike in between, it
       is stopped later, in vain. Of two calls at once the later one here has its timer stay, and the other's is
       stopped. Against a cancel: it finds the timer, or its level, which it raised before it looked under the same
       lock, is seen here. */
    replace_timer(source, timer);
    if (proi_load(&source->canceled, PROI_ACQUIRE))
        drop_timer(source);
    return PRO_OK;
}
