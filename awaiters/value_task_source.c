/* SPDX-License-Identifier: MIT */
/* ManualResetValueTaskSourceCore: completes once per version, keeps one continuation, and is used again. Unlike a task
   it never runs what captured something in place, and always in place what captured nothing (SEM-216, 217). */
#include "internal.h"

#include <string.h>

/* The slot: 0, the continuation, or one of these. */
#define SLOT_COMPLETED ((uintptr_t)1) /* nobody had asked to be told */
#define SLOT_RUN       ((uintptr_t)3) /* its one continuation was run */

static bool is_completed(const struct pro_value_task_source_core *core)
{
    return proi_load(&core->slot, PROI_ACQUIRE) & SLOT_COMPLETED; /* what was stored before is seen now */
}

/* PRO_OK, or what a misuse answers. */
static int check(const struct pro_value_task_source_core *core, uint16_t version, const char *who)
{
    if (!core)
        return proi_misuse(PRO_E_INVALID, "%s: the core is NULL", who);
    if (version != core->version_now)
        return proi_misuse(PRO_E_STATE,
                           "%s: version %u was meant, and the source has gone on to %u: a value task is consumed once",
                           who, (unsigned)version, (unsigned)core->version_now);
    return PRO_OK;
}

uint16_t pro_value_task_source_core_version(const struct pro_value_task_source_core *core)
{
    if (core)
        return core->version_now;
    proi_misuse(PRO_E_INVALID, "pro_value_task_source_core_version: the core is NULL");
    return 0;
}

int pro_value_task_source_core_reset(struct pro_value_task_source_core *core)
{
    if (!core)
        return proi_misuse(PRO_E_INVALID, "pro_value_task_source_core_reset: the core is NULL");
    core->version_now++;
    pro_error_unref(core->error);
    core->error = NULL;
    core->type = PRO_NO_RESULT;
    proi_store(&core->slot, (uintptr_t)0, PROI_RELAXED);
    /* Release: who completes the next version comes after all this. */
    proi_store(&core->reserved, 0u, PROI_RELEASE);
    return PRO_OK;
}

/* ---- completing ---- */

static int reserve(struct pro_value_task_source_core *core, const char *who)
{
    /* Two completers: the one that finds 0 wins; the other has changed nothing (SEM-212, 220). */
    if (proi_exchange(&core->reserved, 1u, PROI_ACQ_REL))
        return proi_misuse(PRO_E_STATE, "%s: this version is complete already; reset the core first", who);
    return PRO_OK;
}

/* A captured context is posted to, a captured scheduler queued to; what captured nothing runs here, whatever is
   current. The stack's end is the one thing that moves it: .NET would overflow. */
static void run(struct pro_continuation *continuation, bool asynchronously)
{
    if (continuation->captured || asynchronously || proi_stack_is_short())
        proi_continuation_dispatch(continuation, false);
    else
        proi_continuation_invoke(continuation);
}

static void publish(struct pro_value_task_source_core *core)
{
    const bool asynchronously = core->run_continuations_asynchronously;
    uintptr_t slot = 0;

    /* Against the registration's exchange: it comes first and we find its continuation, or it comes second and finds
       COMPLETED. Release: whoever sees a completed slot sees the outcome. Once it is seen without a continuation the
       core may be reset or gone. */
    if (proi_compare_exchange(&core->slot, &slot, SLOT_COMPLETED, PROI_ACQ_REL))
        return;
    /* Only a registration changes an empty slot, and only once: this store meets no other. */
    proi_store(&core->slot, SLOT_RUN, PROI_RELEASE);
    run((struct pro_continuation *)slot, asynchronously);
}

int pro_value_task_source_core_set_result(struct pro_value_task_source_core *core, const void *result,
                                          struct pro_type type)
{
    static const char who[] = "pro_value_task_source_core_set_result";
    int code;

    if (!core || (!result && type.size))
        return proi_misuse(PRO_E_INVALID, "%s: an argument is NULL", who);
    if (type.size > PRO_VALUE_TASK_INLINE && (!core->storage || core->storage_size < type.size))
        return proi_misuse(PRO_E_INVALID, "%s: a result of %u bytes needs a storage of that size", who,
                           (unsigned)type.size);
    code = reserve(core, who);
    if (code < 0)
        return code;
    core->type = type;
    if (type.size)
        memcpy(type.size > PRO_VALUE_TASK_INLINE ? core->storage : core->value, result, type.size);
    publish(core);
    return PRO_OK;
}

int pro_value_task_source_core_set_error(struct pro_value_task_source_core *core, struct pro_error *error)
{
    static const char who[] = "pro_value_task_source_core_set_error";
    int code;

    if (!core || !error) {
        pro_error_unref(error);
        return proi_misuse(PRO_E_INVALID, "%s: an argument is NULL", who);
    }
    code = reserve(core, who);
    if (code < 0) {
        pro_error_unref(error);
        return code;
    }
    core->error = error;
    publish(core);
    return PRO_OK;
}

/* ---- the three of a source ---- */

int pro_value_task_source_core_get_status(struct pro_value_task_source_core *core, uint16_t version)
{
    const int code = check(core, version, "pro_value_task_source_core_get_status");

    if (code < 0)
        return code;
    if (!is_completed(core))
        return PRO_VALUE_TASK_PENDING;
    if (!core->error)
        return PRO_VALUE_TASK_SUCCEEDED;
    return pro_error_code(core->error) == PRO_E_CANCELED ? PRO_VALUE_TASK_CANCELED : PRO_VALUE_TASK_FAULTED;
}

/* True: stored. False: *@ret_slot says why not. */
static bool store_continuation(struct pro_value_task_source_core *core, struct pro_continuation *continuation,
                               uintptr_t *ret_slot)
{
    *ret_slot = proi_load(&core->slot, PROI_ACQUIRE);
    /* Against the completer: see publish(). Against another registration, which is a misuse: one of the two finds the
       slot empty. Release: the completer sees the continuation's contents. */
    return !*ret_slot && proi_compare_exchange(&core->slot, ret_slot, (uintptr_t)continuation, PROI_ACQ_REL);
}

int pro_value_task_source_core_on_completed(struct pro_value_task_source_core *core,
                                            struct pro_continuation *continuation, uint16_t version, unsigned flags)
{
    static const char who[] = "pro_value_task_source_core_on_completed";
    const int code = check(core, version, who);
    uintptr_t slot;

    if (code < 0)
        return code;
    if (!continuation || !continuation->invoke)
        return proi_misuse(PRO_E_INVALID, "%s: the continuation is NULL or was not prepared", who);
    if (flags & PRO_SOURCE_FLOW_EXECUTION_CONTEXT) {
        proi_flow_drop(continuation->flow);
        continuation->flow = proi_flow_capture();
    }
    pro_continuation_capture(continuation, flags & PRO_SOURCE_USE_SCHEDULING_CONTEXT
                                               ? PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT
                                               : PRO_AWAIT_NONE);
    if (store_continuation(core, continuation, &slot))
        return PRO_OK;
    if (slot == SLOT_COMPLETED) {
        proi_continuation_dispatch(continuation, false); /* complete already: never here (SEM-219) */
        return PRO_OK;
    }
    proi_continuation_let_go(continuation);
    return proi_misuse(PRO_E_STATE, "%s: it has its one continuation already", who);
}

int pro_value_task_source_core_get_result(struct pro_value_task_source_core *core, uint16_t version, void *ret_result,
                                          struct pro_type type, struct pro_error **ret_error)
{
    static const char who[] = "pro_value_task_source_core_get_result";
    int code = check(core, version, who);

    if (code == PRO_OK && !is_completed(core))
        code = proi_misuse(PRO_E_STATE, "%s: the result is not there yet, and a source is not waited for", who);
    if (code == PRO_OK && core->error) {
        if (ret_error)
            *ret_error = pro_error_ref(core->error);
        return pro_error_code(core->error);
    }
    if (code == PRO_OK && ret_result && !proi_type_fits(core->type, type))
        code = PRO_E_TYPE;
    if (code < 0) {
        if (ret_error)
            *ret_error = pro_error_of(code);
        return code;
    }
    if (ret_result)
        memcpy(ret_result, core->type.size > PRO_VALUE_TASK_INLINE ? core->storage : core->value, core->type.size);
    return PRO_OK;
}

/* ---- the core as the source itself ---- */

static struct pro_value_task_source_core *core_of(struct pro_value_task_source *source)
{
    return PRO_CONTAINER(source, struct pro_value_task_source_core, source);
}

static int core_status(struct pro_value_task_source *source, uint16_t version)
{
    return pro_value_task_source_core_get_status(core_of(source), version);
}

static int core_on_completed(struct pro_value_task_source *source, struct pro_continuation *continuation,
                             uint16_t version, unsigned flags)
{
    return pro_value_task_source_core_on_completed(core_of(source), continuation, version, flags);
}

static int core_result(struct pro_value_task_source *source, uint16_t version, void *ret_result, struct pro_type type,
                       struct pro_error **ret_error)
{
    return pro_value_task_source_core_get_result(core_of(source), version, ret_result, type, ret_error);
}

static const struct pro_value_task_source_vtable core_vtable = { .get_status = core_status,
                                                                 .on_completed = core_on_completed,
                                                                 .get_result = core_result };

struct pro_value_task pro_value_task_source_core_task(struct pro_value_task_source_core *core, struct pro_type type)
{
    if (!core)
        return pro_value_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_value_task_source_core_task: the core is NULL")));
    core->source.vtable = &core_vtable;
    return pro_value_task_from_source(&core->source, core->version_now, type);
}
