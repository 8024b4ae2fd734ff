/* SPDX-License-Identifier: MIT */
/* Cancellation sources: a level that rises once, callbacks last-in first-out, registrations. */
#include "cancellation.h"

/* ---- making and dropping ---- */

/* The memory of sources becomes nothing else: whoever has a stale pointer or a registration left over finds a source,
   and can see that it is not his. */
static struct proi_home home = { .size = sizeof(struct pro_cancellation_source) };

/* Lock, generation and rounds stay what they are: a stale registration may hold the one at this moment, and compare
   the others. It touches nothing else (lock_source_of()). */
struct pro_cancellation_source *proi_cancellation_source_make(void)
{
    struct pro_cancellation_source *const source = proi_home_take(&home);

    if (!source)
        return NULL;
    source->running_thread = 0;
    source->running = source->newest = NULL;
    source->timer = NULL;
    source->parent_count = 0;
    source->parents = NULL;
    proi_store(&source->disposed, 0u, PROI_RELAXED);
    proi_store(&source->references, 1u, PROI_RELAXED);
    proi_store(&source->level, (uint32_t)CANCEL_NOT, PROI_RELEASE);
    return source;
}

static void give_memory_back(struct pro_cancellation_source *source)
{
    proi_lock(&source->lock); /* with lock_source_of() */
    proi_store(&source->generation, source->generation + 1, PROI_RELEASE);
    proi_store(&source->level, (uint32_t)CANCEL_FREED, PROI_RELEASE);
    proi_unlock(&source->lock);
    proi_home_give(&home, source);
}

/* Best effort: it may be somebody else's again by now. */
static bool is_freed(const struct pro_cancellation_source *source)
{
    return PROI_UNLIKELY(proi_load(&source->level, PROI_RELAXED) == CANCEL_FREED);
}

static int tell_freed(const char *who)
{
    return proi_misuse(PRO_E_STATE, "%s: the source was freed; keep a reference as long as its tokens are used", who);
}

int proi_cancellation_check(const struct pro_cancellation_source *source, const char *who)
{
    if (is_freed(source))
        return tell_freed(who);
    if (PROI_UNLIKELY(proi_load(&source->disposed, PROI_ACQUIRE)))
        return proi_misuse(PRO_E_CLOSED, "%s: the source was disposed of", who);
    return PRO_OK;
}

int pro_cancellation_source_new(struct pro_cancellation_source **ret_source)
{
    struct pro_cancellation_source *source;

    if (!ret_source)
        return proi_misuse(PRO_E_INVALID, "pro_cancellation_source_new: ret_source is NULL");
    source = proi_cancellation_source_make();
    if (!source)
        return PRO_E_NO_MEMORY;
    *ret_source = source;
    return PRO_OK;
}

struct pro_cancellation_source *pro_cancellation_source_ref(struct pro_cancellation_source *source)
{
    if (!source)
        return NULL;
    if (is_freed(source)) {
        tell_freed("pro_cancellation_source_ref");
        return NULL;
    }
    proi_fetch_add(&source->references, 1u, PROI_RELAXED);
    return source;
}

bool proi_cancellation_try_ref(struct pro_cancellation_source *source)
{
    uint32_t references = proi_load(&source->references, PROI_RELAXED);

    while (references)
        /* Against the last unref: it reaches 0 first and we see it, or we are counted and it is not the last. */
        if (proi_compare_exchange(&source->references, &references, references + 1, PROI_ACQ_REL))
            return true;
    return false;
}

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
    if (source && is_freed(source)) {
        tell_freed("pro_cancellation_source_unref");
        return;
    }
    if (!source || proi_fetch_sub(&source->references, 1u, PROI_ACQ_REL) != 1)
        return;
    proi_cancellation_drop_timer(source);
    proi_lock(&source->lock);
    drop_all(source); /* a registration that outlives its source finds another generation */
    proi_unlock(&source->lock);
    proi_cancellation_leave_parents(source);
    give_memory_back(source);
}

int pro_cancellation_source_dispose(struct pro_cancellation_source *source)
{
    if (!source)
        return proi_misuse(PRO_E_INVALID, "pro_cancellation_source_dispose: the source is NULL");
    if (is_freed(source))
        return tell_freed("pro_cancellation_source_dispose");
    proi_lock(&source->lock); /* with it who registers: before, and is taken off here, or after, and sees it */
    proi_store(&source->disposed, 1u, PROI_RELEASE);
    if (!source->running_thread) /* a canceller that has begun runs them all, linked sources' among them */
        drop_all(source);
    proi_unlock(&source->lock);
    proi_cancellation_drop_timer(source);
    proi_cancellation_unhook_parents(source);
    return PRO_OK;
}

struct pro_cancellation_token pro_cancellation_source_token(struct pro_cancellation_source *source)
{
    if (source && proi_cancellation_check(source, "pro_cancellation_source_token") < 0)
        return PRO_TOKEN_NONE;
    return (struct pro_cancellation_token){ source };
}

int pro_cancellation_source_get_token(struct pro_cancellation_source *source, struct pro_cancellation_token *ret_token)
{
    static const char who[] = "pro_cancellation_source_get_token";
    int code;

    if (!source || !ret_token)
        return proi_misuse(PRO_E_INVALID, "%s: an argument is NULL", who);
    code = proi_cancellation_check(source, who);
    if (code == PRO_OK)
        ret_token->source = source;
    return code;
}

bool pro_cancellation_token_can_be_canceled(struct pro_cancellation_token token) { return token.source != NULL; }

bool pro_cancellation_token_is_canceled(struct pro_cancellation_token token)
{
    const uint32_t level = token.source ? proi_load(&token.source->level, PROI_ACQUIRE) : (uint32_t)CANCEL_NOT;

    if (PROI_UNLIKELY(level == CANCEL_FREED))
        tell_freed("pro_cancellation_token_is_canceled");
    return level != CANCEL_NOT; /* what is gone cancels nothing any more: better not to begin */
}

/* ---- one callback ---- */

/* What a callback needs, copied before it runs: its registration may be freed inside. */
struct call {
    struct pro_work work; /* when it is sent to a context */
    pro_cancellation_fn *callback;
    struct pro_error *(*fallible)(void *arg);
    void *arg;
    void *flow;
    struct pro_cancellation_source *source;
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

/* On the context's thread. It runs the callback, and so it is the one that must not wait for it (SEM-235). */
static void send_call(void *arg)
{
    struct call *const call = PRO_CONTAINER((struct pro_work *)arg, struct call, work);

    proi_lock(&call->source->lock);
    call->source->running_thread = proi_thread_id();
    proi_unlock(&call->source->lock);
    make_call(&call->work);
}

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

static void add_failure(struct proi_cancel_failures *failures, struct pro_error *error)
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

void proi_cancellation_run(struct pro_cancellation_source *source, struct proi_cancel_failures *failures)
{
    const uint64_t thread = proi_thread_id();

    proi_lock(&source->lock);
    while (source->newest) {
        struct pro_cancellation_registration *const registration = source->newest;
        const struct call call = { .callback = registration->callback,
                                   .fallible = registration->fallible,
                                   .arg = registration->arg,
                                   .flow = registration->flow,
                                   .source = source };
        struct pro_sync_context *const context = registration->context;
        struct pro_error *error;

        registration->flow = NULL;
        registration->context = NULL;
        source->newest = registration->next;
        if (source->newest)
            source->newest->previous = NULL;
        registration->linked = false;
        source->running_thread = thread; /* anew each time: a callback that was sent has put another there */
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
   both look under the lock. */
bool proi_cancellation_raise(struct pro_cancellation_source *source)
{
    proi_lock(&source->lock);
    if (proi_load(&source->level, PROI_RELAXED) != CANCEL_NOT) {
        proi_unlock(&source->lock);
        return false;
    }
    proi_store(&source->level, (uint32_t)CANCEL_RAISED, PROI_RELEASE);
    proi_unlock(&source->lock);
    proi_cancellation_drop_timer(source);
    return true;
}

struct pro_error *proi_cancellation_sum_up(struct proi_cancel_failures *failures)
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

struct pro_error *proi_cancellation_cancel_held(struct pro_cancellation_source *source)
{
    struct proi_cancel_failures failures = { .stop_at_first = false };

    if (!proi_cancellation_raise(source))
        return NULL;
    proi_cancellation_run(source, &failures);
    return proi_cancellation_sum_up(&failures);
}

int pro_cancellation_source_cancel_telling(struct pro_cancellation_source *source, bool stop_at_first,
                                           struct pro_error **ret_error)
{
    struct proi_cancel_failures failures = { .stop_at_first = stop_at_first };
    struct pro_error *error = NULL;
    int code = PRO_OK;

    if (!source)
        return proi_misuse(PRO_E_INVALID, "pro_cancellation_source_cancel: the source is NULL");
    code = proi_cancellation_check(source, "pro_cancellation_source_cancel");
    if (code < 0)
        return code;
    pro_cancellation_source_ref(source); /* a callback may drop the caller's */
    if (proi_cancellation_raise(source)) {
        proi_cancellation_run(source, &failures);
        error = proi_cancellation_sum_up(&failures);
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

bool pro_cancellation_source_try_reset(struct pro_cancellation_source *source)
{
    if (!source) {
        proi_misuse(PRO_E_INVALID, "pro_cancellation_source_try_reset: the source is NULL");
        return false;
    }
    if (proi_cancellation_check(source, "pro_cancellation_source_try_reset") < 0)
        return false;
    proi_cancellation_drop_timer(source);
    proi_lock(&source->lock);
    if (proi_load(&source->level, PROI_RELAXED) != CANCEL_NOT) {
        proi_unlock(&source->lock);
        return false;
    }
    drop_all(source);
    proi_unlock(&source->lock);
    return true;
}

/* ---- registrations ---- */

/* The level is up, or nothing will ever raise it: nothing stays registered. A late callback is a call like another:
   under the ambient values of who registers, whose context it need not be sent to, and what it fails with is his
   (SEM-233). */
static int register_too_late(struct pro_cancellation_registration *registration,
                             const struct pro_cancellation_callback *how, uint32_t level)
{
    struct pro_error *error = NULL;
    int code = PRO_OK;

    drop_captures(registration);
    *registration = (struct pro_cancellation_registration){ .source = NULL };
    if (level == CANCEL_FREED)
        return tell_freed("pro_cancellation_register");
    if (level != CANCEL_RAISED)
        return PRO_OK;
    if (how->fallible)
        error = how->fallible(how->arg);
    else
        how->callback(how->arg);
    if (error)
        code = pro_error_code(error);
    if (error && how->ret_error)
        *how->ret_error = error;
    else
        pro_error_unref(error);
    return code;
}

int pro_cancellation_register_callback(struct pro_cancellation_token token,
                                       struct pro_cancellation_registration *registration,
                                       const struct pro_cancellation_callback *how)
{
    struct pro_cancellation_source *const source = token.source;
    uint32_t level;

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
    level = proi_load(&source->level, PROI_RELAXED);
    if (level != CANCEL_NOT || proi_load(&source->disposed, PROI_RELAXED)) {
        proi_unlock(&source->lock);
        return register_too_late(registration, how, level);
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

/* Locks the source that @registration was made with; NULL: that one is gone. The first look spares the lock of a source
   that it has nothing to do with. The second decides, since the generation changes under the lock: either it has
   changed and we see it, or the source cannot go before we unlock. */
static struct pro_cancellation_source *lock_source_of(const struct pro_cancellation_registration *registration)
{
    struct pro_cancellation_source *const source = registration ? registration->source : NULL;

    if (!source || proi_load(&source->generation, PROI_RELAXED) != registration->generation)
        return NULL;
    proi_lock(&source->lock);
    if (proi_load(&source->generation, PROI_RELAXED) == registration->generation)
        return source;
    proi_unlock(&source->lock);
    return NULL;
}

bool pro_cancellation_unregister(struct pro_cancellation_registration *registration)
{
    struct pro_cancellation_source *const source = lock_source_of(registration);
    bool removed;

    if (!source)
        return false;
    removed = unlink_registration(source, registration);
    proi_unlock(&source->lock);
    if (removed)
        drop_captures(registration);
    return removed;
}

/* With the lock held: does its callback run on another thread? From inside it nobody waits, it would be for itself. */
static bool runs_elsewhere(const struct pro_cancellation_source *source,
                           const struct pro_cancellation_registration *registration)
{
    return source->running == registration && source->running_thread != proi_thread_id();
}

bool pro_cancellation_unregister_wait(struct pro_cancellation_registration *registration)
{
    struct pro_cancellation_source *source = lock_source_of(registration);
    bool removed;

    if (!source)
        return false;
    removed = unlink_registration(source, registration);
    while (!removed && source && runs_elsewhere(source, registration)) {
        const uint32_t seen = proi_load(&source->rounds, PROI_ACQUIRE);

        /* The canceller keeps the source while the callback runs. Once that has returned the source may go, and its
           memory be another's: the rounds go on counting there, so we do not sleep on, and the lock is asked for anew.
         */
        proi_unlock(&source->lock);
        proi_pool_blocking_begin();
        proi_wait(&source->rounds, seen, -1);
        proi_pool_blocking_end();
        source = lock_source_of(registration);
    }
    if (source)
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
    struct pro_cancellation_source *source;
    bool running;

    if (!registration)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_cancellation_unregister_async: the registration is NULL")));
    if (pro_cancellation_unregister(registration))
        return pro_task_completed();
    source = lock_source_of(registration);
    if (!source)
        return pro_task_completed();
    running = runs_elsewhere(source, registration);
    proi_unlock(&source->lock);
    return running ? pro_task_run(await_callback, registration, PRO_NO_RESULT, PRO_TOKEN_NONE) : pro_task_completed();
}
