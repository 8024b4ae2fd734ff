/* SPDX-License-Identifier: MIT */
/* A reusable completion source: versions, and what misuse gives. */
#include "harness.h"

struct source {
    struct pro_value_task_source base;
    struct pro_value_task_source_core core;
};

static struct pro_value_task_source_core *core_of(struct pro_value_task_source *source)
{
    return &PRO_CONTAINER(source, struct source, base)->core;
}

static int get_status(struct pro_value_task_source *source, uint16_t version)
{
    return pro_value_task_source_core_get_status(core_of(source), version);
}

static int on_completed(struct pro_value_task_source *source, struct pro_continuation *continuation, uint16_t version,
                        unsigned flags)
{
    return pro_value_task_source_core_on_completed(core_of(source), continuation, version, flags);
}

static int get_result(struct pro_value_task_source *source, uint16_t version, void *ret_result, struct pro_type type,
                      struct pro_error **ret_error)
{
    return pro_value_task_source_core_get_result(core_of(source), version, ret_result, type, ret_error);
}

static const struct pro_value_task_source_vtable vtable = { .get_status = get_status,
                                                            .on_completed = on_completed,
                                                            .get_result = get_result };
static struct source s = { .base = { &vtable } };

static struct pro_value_task task_of_s(void)
{
    return pro_value_task_from_source(&s.base, pro_value_task_source_core_version(&s.core), PRO_TYPE(int));
}

static int set_result(int value) { return pro_value_task_source_core_set_result(&s.core, &value, PRO_TYPE(int)); }

struct awaiting {
    PRO_FRAME;
    const char *name;
    struct pro_value_task v;
    int r;
};

PRO_ASYNC(awaiting_move_next, struct awaiting, self)
    PRO_AWAIT_TO(&self->r, self->v);
    trace_log("%s: resumed with %d", self->name, self->r);
    PRO_RETURN(int, self->r);
PRO_ASYNC_END

static struct pro_task *await_async(const char *name, struct pro_value_task v)
{
    struct awaiting *self = PRO_NEW_FRAME(struct awaiting, awaiting_move_next, int);
    if (!self)
        return pro_task_no_memory();
    self->name = name, self->v = v;
    return PRO_START(self);
}

static void never(struct pro_continuation *continuation)
{
    (void)continuation;
    trace_log("never");
}

static const char *name_of(int status) { return pro_value_task_status_name(status); }

SCENARIO(063)
{
    int x = 0;
    trace_log("version %d, %s", pro_value_task_source_core_version(&s.core), name_of(get_status(&s.base, 0)));
    struct pro_value_task v = task_of_s();
    trace_log("GetResult before completion: %s", err_of(get_result(&s.base, 0, &x, PRO_TYPE(int), NULL), NULL));
    struct pro_task *t = await_async("first", v);
    static struct pro_continuation second;
    pro_continuation_init(&second, never);
    trace_log("a second continuation: %s", err_of(on_completed(&s.base, &second, 0, PRO_SOURCE_NO_FLAGS), NULL));
    set_result(5);
    trace_log("after SetResult: %s %s", status_of(t), name_of(get_status(&s.base, 0)));
    get_result(&s.base, 0, &x, PRO_TYPE(int), NULL);
    trace_log("GetResult again, same version: %d", x);
    trace_log("SetResult again: %s", err_of(set_result(6), NULL));
    pro_value_task_source_core_reset(&s.core);
    trace_log("version %d, %s", pro_value_task_source_core_version(&s.core), name_of(get_status(&s.base, 1)));
    trace_log("the old value task, IsCompleted: %s", err_of(pro_value_task_status(v), NULL));
    trace_log("the old value task, Result: %s", err_of(PRO_VALUE_TASK_RESULT(v, &x), NULL));
    pro_value_task_source_core_set_error(&s.core, test_error("e"));
    trace_log("status %s", name_of(get_status(&s.base, 1)));
    struct pro_error *error = NULL;
    const int code = pro_task_get_result(await_async("second", task_of_s()), &x, PRO_TYPE(int), &error, PRO_HERE);
    trace_log("await: %s", err_of(code, error));
    pro_value_task_source_core_reset(&s.core);
    pro_value_task_source_core_set_error(&s.core, pro_error_of(PRO_E_CANCELED));
    trace_log("status %s, canceled: %s, faulted: %s", name_of(get_status(&s.base, 2)),
              text_of_bool(pro_value_task_is_canceled(task_of_s())),
              text_of_bool(pro_value_task_is_faulted(task_of_s())));
    pro_value_task_source_core_reset(&s.core);
    struct pro_task *as_task = pro_value_task_as_task(task_of_s());
    trace_log("AsTask: %s", status_of(as_task));
    set_result(8);
    trace_log("AsTask: %s %d", status_of(as_task), result_of(as_task));
}
