/* SPDX-License-Identifier: MIT */
/* TaskCompletionSource: a task that is completed by hand. */
#include "internal.h"

#include <string.h>

struct pro_completion_source {
    struct pro_task *task; /* one reference */
};

static void *source_state(const struct pro_task *task) { return task->source_state; }

static unsigned source_options(const struct pro_task *task)
{
    return proi_load(&task->state, PROI_RELAXED) & PROI_TASK_ASYNC ? PRO_TASK_ASYNC_CONTINUATIONS : PRO_TASK_DEFAULT;
}

static const struct proi_task_class source_class = { .name = "completion source",
                                                     .async_state = source_state,
                                                     .options = source_options };

int pro_completion_source_new(struct pro_type type, unsigned options, struct pro_completion_source **ret_source)
{
    struct pro_completion_source *source;

    if (!ret_source || options & ~(unsigned)PRO_TASK_ASYNC_CONTINUATIONS)
        return proi_misuse(PRO_E_INVALID, "pro_completion_source_new: ret_source is NULL or an option is not allowed");
    source = proi_block_alloc(sizeof *source);
    if (!source)
        return PRO_E_NO_MEMORY;
    source->task = proi_task_new(&source_class, 0, type, PRO_TASK_WAITING_FOR_ACTIVATION);
    if (!source->task) {
        proi_block_free(source, sizeof *source);
        return PRO_E_NO_MEMORY;
    }
    if (options & PRO_TASK_ASYNC_CONTINUATIONS)
        proi_fetch_or(&source->task->state, (uint32_t)PROI_TASK_ASYNC, PROI_RELAXED);
    *ret_source = source;
    return PRO_OK;
}

void pro_completion_source_free(struct pro_completion_source *source)
{
    if (!source)
        return;
    if (proi_task_reserve(source->task))
        proi_task_fail(source->task, pro_error_of(PRO_E_BROKEN_PROMISE), false);
    pro_task_unref(source->task);
    proi_block_free(source, sizeof *source);
}

int pro_completion_source_set_state(struct pro_completion_source *source, void *state)
{
    if (!source)
        return proi_misuse(PRO_E_INVALID, "pro_completion_source_set_state: the source is NULL");
    proi_task_mark(source->task);
    source->task->source_state = state;
    return PRO_OK;
}

struct pro_task *pro_completion_source_task(struct pro_completion_source *source)
{
    if (!source) {
        proi_misuse(PRO_E_INVALID, "pro_completion_source_task: the source is NULL");
        return pro_task_from_error(pro_error_of(PRO_E_INVALID));
    }
    return pro_task_ref(source->task);
}

/* ---- the three outcomes: each is tried, and set_… makes a misuse of losing ---- */

static int told(int code, const char *who)
{
    return code == PRO_E_STATE ? proi_misuse(code, "%s: the task is complete already", who) : code;
}

/* Somebody else has won, and may still be storing his outcome: who is told that it is complete must find it so, as in
   .NET. It is a matter of some instructions, unless the winner was interrupted; nobody wakes us. */
static int lost(const struct pro_task *task)
{
    enum { SPINS = 100 };
    uint32_t state;

    for (int spins = 0; !proi_state_is_final(state = proi_load(&task->state, PROI_ACQUIRE)); spins++)
        if (spins >= SPINS)
            proi_wait(&task->state, state, PRO_US(20));
    return PRO_E_STATE;
}

int pro_completion_source_try_set_result(struct pro_completion_source *source, const void *result, struct pro_type type)
{
    struct pro_task *task;

    if (!source || (!result && type.size))
        return proi_misuse(PRO_E_INVALID, "pro_completion_source_set_result: an argument is NULL");
    if (!proi_type_fits(source->task->type, type))
        return proi_misuse(PRO_E_TYPE, "pro_completion_source_set_result: the source was made for another type");
    if (!proi_task_reserve(source->task))
        return lost(source->task);
    task = pro_task_ref(source->task); /* a continuation may free the source */
    if (type.size)
        memcpy(proi_task_result_at(task), result, type.size);
    proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    pro_task_unref(task);
    return PRO_OK;
}

int pro_completion_source_try_set_error(struct pro_completion_source *source, struct pro_error *error)
{
    struct pro_task *task;

    if (!source || !error) {
        pro_error_unref(error);
        return proi_misuse(PRO_E_INVALID, "pro_completion_source_set_error: an argument is NULL");
    }
    if (proi_error_is_no_list(error)) /* who made it was told */
        return PRO_E_INVALID;
    /* The immortal aggregate is empty for want of memory, not of errors. */
    if (pro_error_code(error) == PRO_E_AGGREGATE && !pro_error_inner_count(error) &&
        error != pro_error_of(PRO_E_AGGREGATE)) {
        pro_error_unref(error);
        return proi_misuse(PRO_E_INVALID, "pro_completion_source_set_error: the list of errors is empty (SEM-183)");
    }
    if (!proi_task_reserve(source->task)) {
        pro_error_unref(error);
        return lost(source->task);
    }
    task = pro_task_ref(source->task);
    if (pro_error_code(error) == PRO_E_AGGREGATE && pro_error_inner_count(error)) /* SetException(list), SEM-183 */
        proi_task_fail_many(task, error);
    else
        proi_task_fail(task, error, false); /* a cancellation error, too, is a fault here (SEM-176) */
    pro_task_unref(task);
    return PRO_OK;
}

int pro_completion_source_try_set_canceled(struct pro_completion_source *source, struct pro_cancellation_token token)
{
    struct pro_task *task;

    if (!source)
        return proi_misuse(PRO_E_INVALID, "pro_completion_source_set_canceled: the source is NULL");
    if (!proi_task_reserve(source->task))
        return lost(source->task);
    task = pro_task_ref(source->task);
    proi_task_fail(task, pro_error_canceled(&token), true);
    pro_task_unref(task);
    return PRO_OK;
}

int pro_completion_source_set_result(struct pro_completion_source *source, const void *result, struct pro_type type)
{
    return told(pro_completion_source_try_set_result(source, result, type), "pro_completion_source_set_result");
}

int pro_completion_source_set_error(struct pro_completion_source *source, struct pro_error *error)
{
    return told(pro_completion_source_try_set_error(source, error), "pro_completion_source_set_error");
}

int pro_completion_source_set_canceled(struct pro_completion_source *source, struct pro_cancellation_token token)
{
    return told(pro_completion_source_try_set_canceled(source, token), "pro_completion_source_set_canceled");
}
