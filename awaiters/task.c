/* SPDX-License-Identifier: MIT */
/* The task: its state word, its reference count, completing it once, reading it. */
#include "trace.h"

#include <string.h>

enum { RESULT_ALIGN = 16, IMMORTAL = 0 };
/* What the last unref has to look at. */
#define UNPLAIN                                                                                                        \
    ((uint32_t)(PROI_TASK_STATUS | PROI_TASK_LISTED | PROI_TASK_OWNED | PROI_TASK_MARKED | PROI_TASK_DESTROYS |        \
                PROI_TASK_FREED))

static const struct proi_task_class promise_class = { .name = "promise" };

/* ---- making and dropping ---- */

struct pro_task *proi_task_new(const struct proi_task_class *class, size_t body_size, struct pro_type type,
                               enum pro_task_status status)
{
    const size_t result_at = (sizeof(struct pro_task) + body_size + RESULT_ALIGN - 1) & ~(size_t)(RESULT_ALIGN - 1);
    const size_t size = result_at + type.size;
    const uint32_t state = (uint32_t)status | (class->destroy ? (uint32_t)PROI_TASK_DESTROYS : 0);
    const unsigned block_class = proi_block_class(size);
    struct pro_task *task;
    void *block;

    if (size > UINT32_MAX)
        return NULL;
    block = proi_block_take_warm(PROI_BLOCKS_OF_TASKS, block_class);
    if (!block)
        block = proi_block_take(PROI_BLOCKS_OF_TASKS, block_class, size);
    if (!block)
        return NULL;
    task = block;
    proi_task_begin(task, state);
    /* Before its class, whose needs a report may call from then on. */
    memset(proi_task_body(task), 0, body_size);
    proi_task_set_kind(task, &(struct pro_method_head_){ type, (uint32_t)result_at, block_class }, class);
    proi_store(&task->slot, (uintptr_t)0, PROI_RELAXED);
    return task;
}

PROI_COLD bool proi_task_is_stale_slowly(const struct pro_task *task, const char *who)
{
    (void)task;
    proi_misuse(PRO_E_STATE,
                "%s: the task was freed: its last reference was dropped, or an await took it; keep one of your own "
                "with pro_task_ref(), or await with pro_keep()",
                who);
    return true;
}

struct pro_task *pro_task_ref(struct pro_task *task)
{
    if (!task)
        return NULL;
    if (proi_task_is_stale(task, "pro_task_ref"))
        return pro_task_from_error(pro_error_of(PRO_E_STATE));
    /* Relaxed: who has a reference may make another. */
    if (proi_load(&task->references, PROI_RELAXED) != IMMORTAL)
        proi_fetch_add(&task->references, 1u, PROI_RELAXED);
    return task;
}

bool proi_task_try_ref(struct pro_task *task)
{
    uint32_t references = proi_load(&task->references, PROI_RELAXED);

    /* Against the last unref, if that counts down: it reaches 0 first and we see it, and 0 stays; or we are counted and
       it is not the last. If it only finds that it has the last, the count stays 1, and goes back there with ours. */
    while (references)
        if (proi_compare_exchange(&task->references, &references, references + 1, PROI_ACQ_REL))
            return true;
    return false;
}

/* ---- faulted tasks at whose error nobody has looked yet: for the sweep ---- */

static struct {
    struct proi_mutex lock;
    struct pro_task *first;
} faulted;

/* By the completer, which has a reference. */
static void list_faulted(struct pro_task *task)
{
    if (proi_load(&task->state, PROI_RELAXED) & PROI_TASK_OBSERVED)
        return;
    proi_lock(&faulted.lock);
    task->previous_faulted = NULL;
    task->next_faulted = faulted.first;
    if (faulted.first)
        faulted.first->previous_faulted = task;
    faulted.first = task;
    proi_fetch_or(&task->state, (uint32_t)PROI_TASK_LISTED, PROI_RELEASE);
    proi_unlock(&faulted.lock);
}

/* With the lock held. */
static void unlist(struct pro_task *task)
{
    if (task->previous_faulted)
        task->previous_faulted->next_faulted = task->next_faulted;
    else
        faulted.first = task->next_faulted;
    if (task->next_faulted)
        task->next_faulted->previous_faulted = task->previous_faulted;
    proi_fetch_and(&task->state, ~(uint32_t)PROI_TASK_LISTED, PROI_RELEASE);
}

/* The oldest knowledge of a task here is its place in the list: it is referenced unless its last reference is being
   dropped, which for a listed task is a decrement to 0 (pro_task_unref), and then its owner takes it off under the
   lock. NULL: none is left. */
static struct pro_task *take_faulted(void)
{
    struct pro_task *task, *taken = NULL;

    proi_lock(&faulted.lock);
    for (task = faulted.first; task && !taken; task = task->next_faulted) {
        /* Else it was listed a moment before it faults. */
        if (proi_state_is_final(proi_load(&task->state, PROI_ACQUIRE)) && proi_task_try_ref(task))
            taken = task;
    }
    if (taken)
        unlist(taken);
    proi_unlock(&faulted.lock);
    return taken;
}

/* The aggregate of its errors, made when it is first asked for; borrowed. */
static struct pro_error *aggregate_of(struct pro_task *task)
{
    uintptr_t word = proi_load(&task->error, PROI_ACQUIRE);
    struct pro_error *first = proi_error_of_word(word), *aggregate;

    if (word & PROI_ERROR_AGGREGATE)
        return first;
    aggregate = pro_error_aggregate(&first, 1);
    /* Of an immortal task nobody would ever free it. Without memory it is one without its error, which must stay. */
    if (proi_load(&task->references, PROI_RELAXED) == IMMORTAL || !pro_error_inner(aggregate, 0)) {
        pro_error_unref(aggregate);
        return pro_error_of(PRO_E_AGGREGATE);
    }
    /* Two readers: one aggregate stays, the other is dropped. Release: who finds ours finds it made. Acquire: we find
       the other's made. The first error stays for who has been given it: the aggregate has a reference of its own. */
    if (proi_compare_exchange(&task->error, &word, (uintptr_t)aggregate | PROI_ERROR_AGGREGATE, PROI_ACQ_REL)) {
        pro_error_unref(first);
        return aggregate;
    }
    pro_error_unref(aggregate);
    return proi_error_of_word(word);
}

/* While its one reference is still counted, so that the handler may ask. */
static void tell_unobserved(struct pro_task *task)
{
    proi_store(&task->references, 1u, PROI_RELAXED);
    proi_unobserved(task, aggregate_of(task));
}

/* The next life begins with what is marked [clean] zero. */
static void clear(struct pro_task *task)
{
    proi_store(&task->awaits, (uintptr_t)0, PROI_RELAXED);
    proi_store(&task->awaits_context, (uintptr_t)0, PROI_RELAXED);
    proi_store(&task->awaits_line, 0u, PROI_RELAXED);
    proi_store(&task->name, NULL, PROI_RELAXED);
    proi_store(&task->id, 0u, PROI_RELAXED);
    proi_task_set_error(task, NULL);
    task->more = NULL;
    task->drop = NULL;
    proi_store(&task->slot, PROI_SLOT_COMPLETED, PROI_RELAXED); /* it may have ended incomplete */
}

/* The walk of wait.c reads the generation, what a life has written, and the generation again. Finds it the old one, all
   is of one life. What is written before comes before the new generation, by its release. And what is written after it
   is a release, too, as far as the walk believes it: the state, and what is awaited. Who has acquired one of those
   finds the new generation, in whatever order this processor makes its stores known. */
PROI_INLINE void give_block(struct pro_task *task)
{
    proi_store(&task->generation, task->generation + 1, PROI_RELEASE);
    proi_store(&task->state, (uint32_t)PROI_TASK_FREED, PROI_RELEASE);
    if (!proi_block_give_warm(PROI_BLOCKS_OF_TASKS, task->block_class, task))
        proi_block_give(PROI_BLOCKS_OF_TASKS, task->block_class, task);
}

static PROI_APART void destroy(struct pro_task *task)
{
    const uint32_t state = proi_load(&task->state, PROI_ACQUIRE);
    const struct proi_task_class *const class = proi_task_class(task);

    if (state & PROI_TASK_LISTED) {
        proi_lock(&faulted.lock);
        if (proi_load(&task->state, PROI_RELAXED) & PROI_TASK_LISTED)
            unlist(task);
        proi_unlock(&faulted.lock);
    }
    if (proi_status_of(state) == PRO_TASK_FAULTED && !(state & PROI_TASK_OBSERVED))
        tell_unobserved(task);
    if (proi_status_of(state) == PRO_TASK_RAN_TO_COMPLETION && state & PROI_TASK_OWNED && !(state & PROI_TASK_TAKEN))
        task->drop(proi_task_result_at(task));
    if (class->needs && class->needs != proi_needs_nobody)
        proi_report_pass(); /* a report may be asking it for its members */
    if (class->destroy)
        class->destroy(task);
    pro_error_unref(proi_error_of_word(proi_load(&task->error, PROI_ACQUIRE)));
    clear(task);
    give_block(task);
}

/* When @references, read with acquire, is not 1, or the task is not one of the plain ones. */
static PROI_APART void unref_slowly(struct pro_task *task, uint32_t references)
{
    if (proi_task_is_stale(task, "pro_task_unref") || references == IMMORTAL)
        return;
    /* 1 means that it is ours alone: nobody can make a second from nothing, but the sweep of a listed one. The acquire
       sees what the others did before they dropped theirs, which is a release. */
    /* A faulted one may be in the list of the sweep, which can make a second from nothing. */
    if ((references != 1 || proi_status_of(proi_load(&task->state, PROI_ACQUIRE)) == PRO_TASK_FAULTED) &&
        proi_fetch_sub(&task->references, 1u, PROI_ACQ_REL) != 1)
        return;
    destroy(task);
}

PROI_HOT void pro_task_unref(struct pro_task *task)
{
    uint32_t references;

    if (!task)
        return;
    references = proi_load(&task->references, PROI_ACQUIRE);
    /* Ours alone, a success, and nothing to do for it: all that is [clean] still is. */
    if (PROI_LIKELY(references == 1 && (proi_load(&task->state, PROI_RELAXED) & UNPLAIN) == PRO_TASK_RAN_TO_COMPLETION))
        give_block(task);
    else
        unref_slowly(task, references);
}

void pro_forget(struct pro_task *task) { pro_task_unref(task); }
struct pro_task *pro_borrow(struct pro_task *task) { return pro_task_ref(task); }

int pro_task_dispose(struct pro_task *task)
{
    if (!task)
        return proi_misuse(PRO_E_INVALID, "pro_task_dispose: the task is NULL");
    if (proi_task_is_stale(task, "pro_task_dispose"))
        return PRO_E_STATE;
    if (!pro_task_is_completed(task))
        return proi_misuse(
            PRO_E_STATE, "pro_task_dispose: the task is not complete; pro_task_unref() drops a reference at any time");
    pro_task_unref(task);
    return PRO_OK;
}

/* ---- completing ---- */

bool proi_task_reserve(struct pro_task *task)
{
    /* Two completers: the one whose bit was not there before wins; the other changes nothing. */
    return !(proi_fetch_or(&task->state, (uint32_t)PROI_TASK_RESERVED, PROI_ACQ_REL) & PROI_TASK_RESERVED);
}

/* Between reserve and here only flags change beside us, never the status: an addition moves it without touching them.
 */
static void set_status(struct pro_task *task, enum pro_task_status status)
{
    const uint32_t now = proi_load(&task->state, PROI_RELAXED) & PROI_TASK_STATUS;

    if (PROI_UNLIKELY(proi_fetch_add(&task->state, (uint32_t)status - now, PROI_SEQ_CST) & PROI_TASK_TRACED))
        proi_trace_end(task, status);
}

void proi_task_publish(struct pro_task *task, enum pro_task_status status)
{
    if (status == PRO_TASK_FAULTED)
        list_faulted(task); /* first: who sees the fault finds it in the sweep */
    set_status(task, status);
    proi_task_run_continuations(task);
}

void proi_task_publish_private(struct pro_task *task, enum pro_task_status status)
{
    const uint32_t flags = proi_load(&task->state, PROI_RELAXED) & ~(uint32_t)PROI_TASK_STATUS;

    proi_store(&task->state, flags | PROI_TASK_RESERVED | (uint32_t)status, PROI_RELEASE);
    proi_store(&task->slot, PROI_SLOT_COMPLETED, PROI_RELEASE);
    if (status == PRO_TASK_FAULTED)
        list_faulted(task);
}

void proi_task_fail(struct pro_task *task, struct pro_error *error, bool cancels)
{
    proi_task_set_error(task, error);
    proi_task_publish(task, cancels && pro_error_code(error) == PRO_E_CANCELED ? PRO_TASK_CANCELED : PRO_TASK_FAULTED);
}

void proi_task_fail_many(struct pro_task *task, struct pro_error *aggregate)
{
    proi_store(&task->error, (uintptr_t)aggregate | PROI_ERROR_AGGREGATE, PROI_RELAXED);
    proi_task_publish(task, PRO_TASK_FAULTED);
}

void proi_task_follow(struct pro_task *to, struct pro_task *from)
{
    const enum pro_task_status status = pro_task_status(from);
    uintptr_t word;

    if (status == PRO_TASK_RAN_TO_COMPLETION) {
        const int code = to->type.size ? proi_task_take(from, proi_task_result_at(to), to->type, NULL) : PRO_OK;

        if (code < 0) {
            proi_task_fail(to, pro_error_of(code), false);
        } else {
            if (to->type.size)
                proi_task_own(to, proi_task_drop(from)); /* it has moved, and its owner function with it */
            proi_task_publish(to, PRO_TASK_RAN_TO_COMPLETION);
        }
        return;
    }
    proi_task_observe(from);
    word = proi_load(&from->error, PROI_ACQUIRE);
    pro_error_ref(proi_error_of_word(word));
    proi_store(&to->error, word, PROI_RELAXED);
    proi_task_publish(to, status);
}

void proi_task_observe(struct pro_task *task)
{
    if (proi_load(&task->references, PROI_RELAXED) != IMMORTAL &&
        !(proi_load(&task->state, PROI_RELAXED) & PROI_TASK_OBSERVED))
        proi_fetch_or(&task->state, (uint32_t)PROI_TASK_OBSERVED, PROI_ACQ_REL);
}

int pro_task_report_unobserved(void)
{
    struct pro_task *task;
    int count = 0;

    while ((task = take_faulted()) != NULL) {
        if (!(proi_load(&task->state, PROI_ACQUIRE) & PROI_TASK_OBSERVED)) {
            proi_unobserved(task, pro_task_error_all(task)); /* counts as observed from here */
            count++;
        }
        pro_task_unref(task);
    }
    return count;
}

/* ---- asking ---- */

enum pro_task_status pro_task_status(const struct pro_task *task)
{
    return task ? proi_status_of(proi_load(&task->state, PROI_ACQUIRE)) : PRO_TASK_CANCELED;
}

const char *pro_task_status_name(enum pro_task_status status)
{
    static const char *const names[] = { "Created",
                                         "WaitingForActivation",
                                         "WaitingToRun",
                                         "Running",
                                         "WaitingForChildrenToComplete",
                                         "RanToCompletion",
                                         "Canceled",
                                         "Faulted" };

    return (unsigned)status <= PRO_TASK_FAULTED ? names[status] : "unknown";
}

bool pro_task_is_completed(const struct pro_task *task)
{
    return !task || proi_state_is_final(proi_load(&task->state, PROI_ACQUIRE));
}

bool pro_task_is_succeeded(const struct pro_task *task) { return pro_task_status(task) == PRO_TASK_RAN_TO_COMPLETION; }
bool pro_task_is_faulted(const struct pro_task *task) { return pro_task_status(task) == PRO_TASK_FAULTED; }
bool pro_task_is_canceled(const struct pro_task *task) { return pro_task_status(task) == PRO_TASK_CANCELED; }

uint64_t pro_task_id(struct pro_task *task)
{
    static uint32_t last;
    uint32_t id, fresh;

    if (!task)
        return 0;
    id = proi_load(&task->id, PROI_ACQUIRE);
    if (id)
        return id;
    proi_task_mark(task);
    do /* as in .NET: after all of them, they come again, but for 0 */
        fresh = proi_fetch_add(&last, 1u, PROI_RELAXED) + 1;
    while (!fresh);
    /* Two readers: one stores its number, the other's is lost and it takes the stored one. */
    if (!proi_compare_exchange(&task->id, &id, fresh, PROI_ACQ_REL))
        return id;
    if (proi_is_tracing())
        proi_trace_new_id(fresh);
    return fresh;
}

uint64_t pro_task_current_id(void) { return pro_task_id(proi_ambient.task); }

void pro_task_set_name(struct pro_task *task, const char *name)
{
    if (!task || proi_task_is_stale(task, "pro_task_set_name"))
        return;
    proi_task_mark(task);
    proi_store(&task->name, name, PROI_RELAXED);
}

void *pro_task_async_state(const struct pro_task *task)
{
    const struct proi_task_class *const class = task ? proi_task_class(task) : NULL;

    return class && class->async_state ? class->async_state(task) : NULL;
}

unsigned pro_task_options(const struct pro_task *task)
{
    const struct proi_task_class *const class = task ? proi_task_class(task) : NULL;

    return class && class->options ? class->options(task) : PRO_TASK_DEFAULT;
}

bool proi_type_fits(struct pro_type have, struct pro_type want)
{
    return have.size == want.size && (have.tag == want.tag || !have.tag || !want.tag);
}

int proi_task_take(struct pro_task *task, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    if (!pro_task_is_succeeded(task)) {
        proi_task_observe(task);
        if (ret_error)
            *ret_error = pro_error_ref(proi_task_error(task));
        return pro_error_code(proi_task_error(task));
    }
    if (!ret_result)
        return PRO_OK;
    if (!proi_type_fits(task->type, type)) {
        if (ret_error)
            *ret_error = pro_error_new(PRO_E_TYPE, PRO_SITE_UNKNOWN,
                                       "the task's result has %u bytes, %u were asked for%s", (unsigned)task->type.size,
                                       (unsigned)type.size, task->type.size == type.size ? ", of another type" : "");
        return PRO_E_TYPE;
    }
    /* Two readers of a result that moves: the one that sets the bit has it. */
    if (proi_task_drop(task) &&
        proi_fetch_or(&task->state, (uint32_t)PROI_TASK_TAKEN, PROI_ACQ_REL) & PROI_TASK_TAKEN) {
        if (ret_error)
            *ret_error = pro_error_new(PRO_E_STATE, PRO_SITE_UNKNOWN, "the task's result was taken before");
        return PRO_E_STATE;
    }
    memcpy(ret_result, proi_task_result_at(task), type.size);
    return PRO_OK;
}

int pro_task_read(struct pro_task *task, void *ret_result, struct pro_type type)
{
    if (!task)
        return proi_misuse(PRO_E_INVALID, "pro_task_read: the task is NULL");
    if (proi_task_is_stale(task, "pro_task_read") || !pro_task_is_completed(task))
        return PRO_E_STATE;
    return proi_task_take(task, ret_result, type, NULL);
}

struct pro_error *pro_task_error(struct pro_task *task)
{
    if (!task || proi_task_is_stale(task, "pro_task_error") || !pro_task_is_completed(task) ||
        pro_task_is_succeeded(task))
        return NULL;
    proi_task_observe(task);
    return proi_task_error(task);
}

struct pro_error *pro_task_error_all(struct pro_task *task)
{
    if (!task || proi_task_is_stale(task, "pro_task_error_all") || !pro_task_is_faulted(task))
        return NULL;
    proi_task_observe(task);
    return aggregate_of(task);
}

/* ---- complete from the start ---- */

static struct pro_task completed_task = { .references = IMMORTAL,
                                          .state = PRO_TASK_RAN_TO_COMPLETION | PROI_TASK_RESERVED,
                                          .kind = &promise_class,
                                          .slot = PROI_SLOT_COMPLETED };
static struct pro_task no_memory_task = { .references = IMMORTAL,
                                          .state = PRO_TASK_FAULTED | PROI_TASK_RESERVED | PROI_TASK_OBSERVED,
                                          .kind = &promise_class,
                                          .slot = PROI_SLOT_COMPLETED };
static struct proi_once no_memory_once;

struct pro_task *pro_task_completed(void) { return &completed_task; }

static void fill_no_memory(void) { proi_task_set_error(&no_memory_task, pro_error_of(PRO_E_NO_MEMORY)); }

struct pro_task *pro_task_no_memory(void)
{
    proi_once(&no_memory_once, fill_no_memory);
    return &no_memory_task;
}

struct pro_task *pro_task_from_result(const void *result, struct pro_type type)
{
    struct pro_task *task;

    if (!result && type.size)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_from_result: the result is NULL")));
    task = proi_task_new(&promise_class, 0, type, PRO_TASK_WAITING_FOR_ACTIVATION);
    if (!task)
        return pro_task_no_memory();
    if (type.size)
        memcpy(proi_task_result_at(task), result, type.size);
    proi_task_publish_private(task, PRO_TASK_RAN_TO_COMPLETION);
    return task;
}

static struct pro_task *complete_with(struct pro_error *error, enum pro_task_status status)
{
    struct pro_task *task = proi_task_new(&promise_class, 0, PRO_NO_RESULT, PRO_TASK_WAITING_FOR_ACTIVATION);

    if (!task) {
        pro_error_unref(error);
        return pro_task_no_memory();
    }
    proi_task_set_error(task, error);
    proi_task_publish_private(task, status);
    return task;
}

struct pro_task *pro_task_from_error(struct pro_error *error)
{
    if (!error)
        error = pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_from_error: the error is NULL"));
    return complete_with(error, PRO_TASK_FAULTED);
}

struct pro_task *pro_task_from_canceled(struct pro_cancellation_token token)
{
    if (token.source && !pro_cancellation_token_is_canceled(token))
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_task_from_canceled: the token is not cancelled")));
    return complete_with(pro_error_canceled(&token), PRO_TASK_CANCELED);
}
