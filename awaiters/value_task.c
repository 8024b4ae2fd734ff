/* SPDX-License-Identifier: MIT */
/* Value tasks: a value, a task or a source (SEM-210, 211). How sources complete is in value_task_source.c. */
#include "internal.h"

#include <string.h>

/* Its source refused it: what get_result will say stands in as.value. No user ever sees this kind. */
enum { KIND_FAILED = PRO_VALUE_TASK_SOURCE + 1 };

/* ---- making ---- */

struct pro_value_task pro_value_task_from_result(const void *result, struct pro_type type)
{
    struct pro_value_task task = { .kind = PRO_VALUE_TASK_VALUE, .type = type };

    if (!result && type.size)
        return pro_value_task_from_error(
            pro_error_of(proi_misuse(PRO_E_INVALID, "pro_value_task_from_result: the result is NULL")));
    if (type.size > PRO_VALUE_TASK_INLINE)
        return pro_value_task_from_task(pro_task_from_result(result, type), type);
    if (type.size)
        memcpy(task.as.value, result, type.size);
    return task;
}

struct pro_value_task pro_value_task_from_task(struct pro_task *task, struct pro_type type)
{
    if (!task)
        task =
            pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_value_task_from_task: the task is NULL")));
    return (struct pro_value_task){ .kind = PRO_VALUE_TASK_TASK, .type = type, .as.task = task };
}

struct pro_value_task pro_value_task_from_error(struct pro_error *error)
{
    return pro_value_task_from_task(pro_task_from_error(error), PRO_NO_RESULT);
}

struct pro_value_task pro_value_task_from_canceled(struct pro_cancellation_token token)
{
    return pro_value_task_from_task(pro_task_from_canceled(token), PRO_NO_RESULT);
}

static bool is_whole(const struct pro_value_task_source *source)
{
    return source && source->vtable && source->vtable->get_status && source->vtable->on_completed &&
           source->vtable->get_result;
}

struct pro_value_task pro_value_task_from_source(struct pro_value_task_source *source, uint16_t version,
                                                 struct pro_type type)
{
    if (!is_whole(source))
        return pro_value_task_from_error(pro_error_of(proi_misuse(
            PRO_E_INVALID, "pro_value_task_from_source: the source is NULL or lacks one of its three functions")));
    return (
        struct pro_value_task){ .kind = PRO_VALUE_TASK_SOURCE, .version = version, .type = type, .as.source = source };
}

/* ---- asking ---- */

static int status_of_task(const struct pro_task *task)
{
    switch (pro_task_status(task)) {
    case PRO_TASK_RAN_TO_COMPLETION:
        return PRO_VALUE_TASK_SUCCEEDED;
    case PRO_TASK_CANCELED:
        return PRO_VALUE_TASK_CANCELED;
    case PRO_TASK_FAULTED:
        return PRO_VALUE_TASK_FAULTED;
    default:
        return PRO_VALUE_TASK_PENDING;
    }
}

int pro_value_task_status(struct pro_value_task task)
{
    switch (task.kind) {
    case PRO_VALUE_TASK_TASK:
        return status_of_task(task.as.task);
    case PRO_VALUE_TASK_SOURCE:
        return task.as.source->vtable->get_status(task.as.source, task.version);
    default:
        return PRO_VALUE_TASK_SUCCEEDED;
    }
}

const char *pro_value_task_status_name(int status)
{
    static const char *const names[] = { "Pending", "Succeeded", "Faulted", "Canceled" };

    return status >= PRO_VALUE_TASK_PENDING && status <= PRO_VALUE_TASK_CANCELED ? names[status] : "unknown";
}

bool pro_value_task_is_completed(struct pro_value_task task)
{
    return pro_value_task_status(task) != PRO_VALUE_TASK_PENDING;
}
bool pro_value_task_is_succeeded(struct pro_value_task task)
{
    return pro_value_task_status(task) == PRO_VALUE_TASK_SUCCEEDED;
}
bool pro_value_task_is_faulted(struct pro_value_task task)
{
    return pro_value_task_status(task) == PRO_VALUE_TASK_FAULTED;
}
bool pro_value_task_is_canceled(struct pro_value_task task)
{
    return pro_value_task_status(task) == PRO_VALUE_TASK_CANCELED;
}

/* ---- the awaiter of what is kept in place ---- */

static int take_value(const void *value, struct pro_type have, void *ret_result, struct pro_type type,
                      struct pro_error **ret_error)
{
    if (!ret_result)
        return PRO_OK;
    if (!proi_type_fits(have, type)) {
        if (ret_error)
            *ret_error = pro_error_new(PRO_E_TYPE, PRO_SITE_UNKNOWN,
                                       "the value task's result has %u bytes, %u were asked for%s", (unsigned)have.size,
                                       (unsigned)type.size, have.size == type.size ? ", of another type" : "");
        return PRO_E_TYPE;
    }
    memcpy(ret_result, value, type.size);
    return PRO_OK;
}

static struct pro_task *task_of_source(struct pro_value_task_source *source)
{
    return source->vtable->awaited_task ? source->vtable->awaited_task(source) : NULL;
}

/* From now on get_result says @code, without asking the source, which was told of the misuse already. */
static void fail_with(struct pro_value_task *task, int code)
{
    task->kind = KIND_FAILED;
    memcpy(task->as.value, &code, sizeof code);
}

static bool kept_is_completed(void *self)
{
    struct pro_value_task *const task = self;
    int status;

    if (task->kind != PRO_VALUE_TASK_SOURCE)
        return true;
    status = pro_value_task_status(*task);
    if (status < 0)
        fail_with(task, status);
    return status != PRO_VALUE_TASK_PENDING;
}

static void kept_on_completed(void *self, struct pro_continuation *continuation, unsigned options)
{
    struct pro_value_task *const task = self;
    struct pro_value_task_source *const source = task->as.source;
    const unsigned captures =
        options & PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT ? PRO_SOURCE_USE_SCHEDULING_CONTEXT : PRO_SOURCE_NO_FLAGS;
    const int code = task->kind == PRO_VALUE_TASK_SOURCE
                         ? source->vtable->on_completed(source, continuation, task->version, captures)
                         : PRO_E_STATE;

    if (code >= 0)
        return; /* all of it may be gone */
    if (task->kind ==
        PRO_VALUE_TASK_SOURCE) /* nothing was stored: the method goes on, with that error (differs from SEM-033) */
        fail_with(task, code);
    pro_continuation_capture(continuation, options);
    proi_continuation_dispatch(continuation, true);
}

static int kept_get_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    struct pro_value_task *const task = self;
    struct pro_value_task_source *const source = task->as.source;
    int code;

    if (task->kind == PRO_VALUE_TASK_VALUE)
        return take_value(task->as.value, task->type, ret_result, type, ret_error);
    if (task->kind == PRO_VALUE_TASK_SOURCE) {
        fail_with(task, PRO_E_STATE); /* it is consumed */
        return source->vtable->get_result(source, task->version, ret_result, type, ret_error);
    }
    memcpy(&code, task->as.value, sizeof code);
    if (ret_error)
        *ret_error = pro_error_of(code);
    return code;
}

static struct pro_task *kept_awaited_task(void *self)
{
    const struct pro_value_task *const task = self;

    return task->kind == PRO_VALUE_TASK_SOURCE ? task_of_source(task->as.source) : NULL;
}

static const struct pro_awaiter_vtable kept_vtable = { .is_completed = kept_is_completed,
                                                       .on_completed = kept_on_completed,
                                                       .get_result = kept_get_result,
                                                       .awaited_task = kept_awaited_task };

struct pro_awaiter pro_value_task_get_awaiter(struct pro_value_task *task)
{
    if (!task) {
        proi_misuse(PRO_E_INVALID, "pro_value_task_get_awaiter: the value task is NULL");
        return pro_task_get_awaiter(pro_task_no_memory());
    }
    if (task->kind == PRO_VALUE_TASK_TASK)
        return pro_task_get_awaiter(task->as.task);
    return (struct pro_awaiter){ &kept_vtable, task };
}

struct pro_configured_value_task pro_configure_await_value(struct pro_value_task task, unsigned options)
{
    return (struct pro_configured_value_task){ task, options };
}

/* ---- what a frame awaits: nothing of the value task stays but what these know ---- */

static int there_get_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    struct pro_frame *const frame = self;
    const int code = take_value(frame->there.value, frame->there.type, ret_result, type, ret_error);

    /* An awaiter that runs its continuation again finds one that holds nothing. */
    frame->continuation.captured = NULL;
    frame->continuation.flow = NULL;
    frame->continuation.kind = PROI_CONTINUATION_AWAIT;
    frame->continuation.flags = 0;
    return code;
}

static int failed_get_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    const int code = (int)(intptr_t)self;

    (void)ret_result, (void)type;
    if (ret_error)
        *ret_error = pro_error_of(code);
    return code;
}

static struct pro_task *source_awaited_task(void *self) { return task_of_source(self); }

const struct pro_awaiter_vtable proi_value_there = { .get_result = there_get_result };
const struct pro_awaiter_vtable proi_value_source = { .awaited_task = source_awaited_task };
static const struct pro_awaiter_vtable failed_vtable = { .get_result = failed_get_result };

struct pro_awaiter proi_value_failed(int code)
{
    return (struct pro_awaiter){ &failed_vtable, (void *)(intptr_t)code };
}

/* ---- consuming ---- */

int pro_value_task_get_result(struct pro_value_task task, void *ret_result, struct pro_type type,
                              struct pro_error **ret_error, struct pro_site site)
{
    int code;

    if (task.kind != PRO_VALUE_TASK_TASK)
        return kept_get_result(&task, ret_result, type, ret_error);
    code = pro_task_get_result(task.as.task, ret_result, ret_result ? type : PRO_NO_RESULT, ret_error, site);
    pro_task_unref(task.as.task);
    return code;
}

void pro_value_task_drop(struct pro_value_task task)
{
    if (task.kind == PRO_VALUE_TASK_TASK)
        pro_task_unref(task.as.task);
}

/* A task that ends as a source does: its continuation and the source live in the task's body. */
struct followed {
    struct pro_continuation continuation;
    struct pro_value_task from;
};

static const struct proi_task_class followed_class = { .name = "value task" };

static void source_completed(struct pro_continuation *continuation)
{
    struct followed *const followed = PRO_CONTAINER(continuation, struct followed, continuation);
    struct pro_task *const task = proi_task_of_body(followed);
    struct pro_error *error = NULL;
    int code;

    proi_store(&task->awaits, (uintptr_t)0, PROI_RELAXED); /* before it is taken: proi_report_pass() */
    code = kept_get_result(&followed->from, task->type.size ? proi_task_result_at(task) : NULL, task->type, &error);
    proi_task_reserve(task);
    if (code < 0)
        proi_task_fail(task, error ? error : pro_error_of(code), true);
    else
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    pro_task_unref(task);
}

static struct pro_task *follow_source(struct pro_value_task from)
{
    struct pro_task *const task =
        proi_task_new(&followed_class, sizeof(struct followed), from.type, PRO_TASK_WAITING_FOR_ACTIVATION);
    struct followed *followed;

    if (!task)
        return pro_task_no_memory();
    followed = proi_task_body(task);
    followed->from = from;
    proi_continuation_make(&followed->continuation, source_completed, PROI_CONTINUATION_AWAIT);
    followed->continuation.flow = PROI_FLOW_NOT_CAPTURED;
    proi_task_mark(task);
    proi_store(&task->awaits, (uintptr_t)kept_awaited_task(&followed->from), PROI_RELEASE);
    pro_task_ref(task); /* the continuation's */
    if (kept_is_completed(&followed->from))
        source_completed(&followed->continuation);
    else
        kept_on_completed(&followed->from, &followed->continuation, PRO_AWAIT_NONE);
    return task;
}

struct pro_task *pro_value_task_as_task(struct pro_value_task task)
{
    if (task.kind == PRO_VALUE_TASK_TASK)
        return task.as.task;
    if (task.kind == PRO_VALUE_TASK_SOURCE)
        return follow_source(task);
    return task.type.size ? pro_task_from_result(task.as.value, task.type) : pro_task_completed();
}

struct pro_value_task pro_value_task_preserve(struct pro_value_task task)
{
    return task.kind == PRO_VALUE_TASK_SOURCE ? pro_value_task_from_task(follow_source(task), task.type) : task;
}

struct pro_value_task pro_value_task_borrow(struct pro_value_task task)
{
    if (task.kind == PRO_VALUE_TASK_SOURCE)
        return pro_value_task_from_error(pro_error_of(proi_misuse(
            PRO_E_STATE, "pro_value_task_borrow: the source of a value task can be consumed once; preserve it first")));
    if (task.kind == PRO_VALUE_TASK_TASK)
        pro_task_ref(task.as.task);
    return task;
}
