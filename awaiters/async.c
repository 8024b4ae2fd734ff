/* SPDX-License-Identifier: MIT */
/* The runtime of async methods: start, suspend, resume, leave, finish. The macros of async.h call nothing else. */
#include "internal.h"

enum proi_frame_flag {
    FRAME_STARTED = 1,
    FRAME_SUSPENDED = 2, /* at least once: it has a reference to its own task */
    FRAME_WAITING = 4,   /* exactly one continuation is out */
    FRAME_HAS_RESULT = 16,
    FRAME_VOID = 32,    /* async void: nobody has its task */
    FRAME_ITERATOR = 64 /* of a stream: its task is never completed, and lives as long as the stream */
};

static struct pro_task *task_of(struct pro_frame *frame) { return proi_task_of_body(frame); }

static const char *function_of(const struct pro_frame *frame)
{
    return frame->site ? frame->site->function : "an async method";
}

static const struct proi_task_class frame_class = { .name = "async method" };

void *pro_frame_new_(size_t size, struct pro_step (*move_next)(struct pro_frame *), struct pro_type result,
                     struct pro_site site)
{
    struct pro_task *const task = proi_task_new(&frame_class, size, result, PRO_TASK_WAITING_FOR_ACTIVATION, site);
    struct pro_frame *frame;

    if (!task)
        return NULL;
    frame = proi_task_body(task);
    frame->move_next = move_next;
    frame->pc = PRO_PC_START_;
    frame->leave_pc = PRO_PC_FINALLY_;
    frame->continuation.work.task = task;
    return frame;
}

/* ---- starting ---- */

/* What the body changes of context and ambient values before its first suspension stays in it (SEM-084, 085). */
void proi_frame_run(struct pro_frame *frame)
{
    struct pro_sync_context *const context = proi_ambient.context;
    void *const flow = proi_flow_ref(proi_ambient.flow);

    frame->flags |= FRAME_STARTED;
    frame->move_next(frame); /* the frame may be gone */
    proi_ambient.context = context;
    proi_flow_leave(flow);
}

struct pro_task *pro_frame_start_(struct pro_frame *frame)
{
    if (!frame)
        return pro_task_no_memory();
    if (frame->flags & FRAME_STARTED)
        return pro_task_from_error(
            pro_error_of(proi_misuse(PRO_E_STATE, "this frame was started before; make a new one")));
    task_of(frame)->drop = frame->drop;
    proi_frame_run(frame); /* our reference keeps the task */
    return task_of(frame);
}

struct pro_value_task pro_frame_start_value_(struct pro_frame *frame)
{
    const struct pro_type type = frame ? task_of(frame)->type : PRO_NO_RESULT;
    struct pro_task *const task = pro_frame_start_(frame);
    struct pro_value_task value;

    /* An owned result stays in the task, which drops it if nobody takes it. */
    if (!pro_task_is_succeeded(task) || type.size > PRO_VALUE_TASK_INLINE || task->drop)
        return pro_value_task_from_task(task, type);
    value = type.size ? pro_value_task_from_result(proi_task_result_at(task), type) : PRO_VALUE_TASK_COMPLETED;
    pro_task_unref(task);
    return value;
}

bool proi_frame_make_iterator(struct pro_frame *frame)
{
    if (frame->flags & FRAME_STARTED)
        return false;
    frame->flags |= FRAME_STARTED | FRAME_ITERATOR;
    task_of(frame)->drop = NULL; /* items are dropped one by one */
    return true;
}

bool proi_frame_is_iterator(const struct pro_frame *frame) { return frame->flags & FRAME_ITERATOR; }

/* The operations of async void are told to the context of the call, whatever becomes current later (SEM-130, 133). */
void pro_frame_start_void_(struct pro_frame *frame)
{
    struct pro_sync_context *const context = proi_ambient.context;

    if (!frame) {
        proi_unhandled(pro_error_of(PRO_E_NO_MEMORY));
        return;
    }
    if (frame->flags & FRAME_STARTED) {
        proi_misuse(PRO_E_STATE, "this frame was started before; make a new one");
        return;
    }
    frame->flags |= FRAME_VOID;
    if (context) {
        proi_context_capture(context);
        if (context->vtable && context->vtable->operation_started)
            context->vtable->operation_started(context);
    }
    frame->void_context = context;
    proi_frame_run(frame);
}

/* ---- suspending and resuming ---- */

static void resume(struct pro_continuation *continuation)
{
    struct pro_frame *const frame = PRO_CONTAINER(continuation, struct pro_frame, continuation);
    struct pro_task *const task = task_of(frame);

    if (!(frame->flags & FRAME_WAITING)) {
        proi_misuse(PRO_E_STATE, "%s was resumed twice by one await: an awaiter ran its continuation again",
                    function_of(frame));
        return;
    }
    frame->flags &= (unsigned char)~FRAME_WAITING;
    proi_store(&task->awaits_task, (uintptr_t)0, PROI_RELAXED);
    proi_store(&task->awaits_loop, (uintptr_t)0, PROI_RELAXED);
    frame->move_next(frame);
}

/* For reports, which read from other threads. */
static void tell_what_it_awaits(struct pro_frame *frame, const struct pro_awaiter *awaiter)
{
    struct pro_task *const task = task_of(frame);
    const struct pro_op *const op = awaiter->vtable->awaited_op ? awaiter->vtable->awaited_op(awaiter->self) : NULL;
    const struct pro_task *const other =
        awaiter->vtable->awaited_task ? awaiter->vtable->awaited_task(awaiter->self) : NULL;

    proi_store(&task->awaits_task, (uintptr_t)other, PROI_RELAXED);
    proi_store(&task->awaits_loop, (uintptr_t)proi_op_loop(op), PROI_RELAXED);
    proi_store(&task->awaits_context, (uintptr_t)0, PROI_RELAXED); /* the capture tells, if there is one */
    proi_store(&task->awaits_line, (uint32_t)frame->pc, PROI_RELAXED);
    proi_store(&task->where, frame->site, PROI_RELAXED);
}

static void yield_then(struct pro_frame *frame)
{
    pro_continuation_capture(&frame->continuation, frame->await_options);
    proi_continuation_dispatch(&frame->continuation, false);
}

static bool await(struct pro_frame *frame, struct pro_configured_awaiter awaiter)
{
    const struct pro_awaiter_vtable *const vtable = awaiter.awaiter.vtable;
    void *const self = awaiter.awaiter.self;
    const bool completed = vtable == &proi_owned_task ? pro_task_is_completed(self) : vtable->is_completed(self);

    frame->awaiting = awaiter.awaiter;
    frame->await_options = (unsigned char)awaiter.options;
    if (completed && !(awaiter.options & PRO_AWAIT_FORCE_YIELDING))
        return false;
    if (!(frame->flags & FRAME_SUSPENDED)) {
        /* Nobody else can know the task yet. */
        frame->flags |= FRAME_SUSPENDED;
        if (!(frame->flags & (FRAME_VOID | FRAME_ITERATOR)))
            proi_store(&task_of(frame)->references, 2u, PROI_RELAXED);
    }
    frame->flags |= FRAME_WAITING;
    proi_continuation_make(&frame->continuation, resume, PROI_CONTINUATION_AWAIT);
    frame->continuation.flow = proi_flow_capture(); /* captured anew at every suspension (SEM-086) */
    tell_what_it_awaits(frame, &awaiter.awaiter);
    /* All is saved: it may run on, elsewhere or right inside the call, and the frame may be gone when it returns
     * (SEM-032). */
    if (completed)
        yield_then(frame);
    else if (vtable->unsafe_on_completed)
        vtable->unsafe_on_completed(self, &frame->continuation, awaiter.options);
    else
        vtable->on_completed(self, &frame->continuation, awaiter.options);
    return true;
}

bool pro_frame_await_task_(struct pro_frame *frame, struct pro_task *task, unsigned options)
{
    return await(frame, pro_configure_await(task, options));
}

bool pro_frame_await_op_(struct pro_frame *frame, struct pro_op *op, unsigned options)
{
    return await(frame, pro_configure_await_op(op, options));
}

bool pro_frame_await_awaiter_(struct pro_frame *frame, struct pro_awaiter awaiter, unsigned options)
{
    return await(frame, pro_configure_await_awaiter(awaiter, options));
}

bool pro_frame_await_configured_(struct pro_frame *frame, struct pro_configured_awaiter awaiter, unsigned unused)
{
    (void)unused;
    return await(frame, awaiter);
}

bool pro_frame_await_value_(struct pro_frame *frame, struct pro_value_task task, unsigned options)
{
    return await(frame, proi_value_task_keep(&frame->value, task, options));
}

bool pro_frame_await_configured_value_(struct pro_frame *frame, struct pro_configured_value_task task, unsigned unused)
{
    (void)unused;
    return pro_frame_await_value_(frame, task.task, task.options);
}

void pro_continuation_abandon(struct pro_continuation *continuation)
{
    if (!continuation) {
        proi_misuse(PRO_E_INVALID, "pro_continuation_abandon: the continuation is NULL");
        return;
    }
    if (continuation->invoke == resume) {
        struct pro_frame *const frame = PRO_CONTAINER(continuation, struct pro_frame, continuation);

        frame->abandoned = true;
    }
    proi_continuation_dispatch(continuation, true);
}

/* ---- results ---- */

static int get_result(struct pro_frame *frame, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    const struct pro_awaiter awaiter = frame->awaiting;
    int code;

    frame->awaiting = (struct pro_awaiter){ NULL, NULL };
    if (PROI_LIKELY(awaiter.vtable == &proi_owned_task &&
                    !frame->abandoned)) { /* what is awaited most, without the detours */
        code = proi_task_take(awaiter.self, ret_result, type, ret_error);
        pro_task_unref(awaiter.self);
        return code;
    }
    if (frame->abandoned) {
        frame->abandoned = false;
        code = PRO_E_BROKEN_PROMISE;
        if (ret_error)
            *ret_error = pro_error_of(code);
    } else {
        code = awaiter.vtable->get_result(awaiter.self, ret_result, type, ret_error);
    }
    if (awaiter.vtable->release)
        awaiter.vtable->release(awaiter.self);
    return code;
}

/* The first error is why the method ends; later ones, of the finally section, are dropped. */
static void set_fault(struct pro_frame *frame, struct pro_error *error)
{
    if (frame->fault)
        pro_error_unref(error);
    else
        frame->fault = error;
}

bool pro_frame_take_result_(struct pro_frame *frame, void *ret_result, struct pro_type type)
{
    struct pro_error *error = NULL;
    const int code = get_result(frame, ret_result, type, &error);

    if (code >= 0)
        return false;
    if (frame->await_options & PRO_AWAIT_SUPPRESS_THROWING) {
        pro_error_unref(error);
        return false;
    }
    set_fault(frame, error ? error : pro_error_of(code));
    return true;
}

bool pro_frame_take_status_(struct pro_frame *frame, void *ret_result, struct pro_type type)
{
    const bool is_op = frame->awaiting.vtable->awaited_op != NULL;

    pro_error_unref(frame->error);
    frame->error = NULL;
    frame->status = get_result(frame, ret_result, type, is_op ? NULL : &frame->error);
    return false;
}

void *pro_frame_result_(struct pro_frame *frame, struct pro_type type, int line)
{
    struct pro_task *const task = task_of(frame);

    if (frame->flags & FRAME_ITERATOR) {
        set_fault(frame, pro_error_of(proi_misuse(PRO_E_STATE,
                                                  "%s: an iterator gives items by PRO_YIELD_RETURN, and ends by "
                                                  "PRO_RETURN_VOID",
                                                  function_of(frame))));
        return NULL;
    }
    if (!proi_type_fits(task->type, type)) {
        set_fault(frame, pro_error_new(PRO_E_TYPE, (struct pro_site){ frame->site->file, frame->site->function, line },
                                       "PRO_RETURN: the method was made for another type of result"));
        return NULL;
    }
    frame->flags |= FRAME_HAS_RESULT;
    return proi_task_result_at(task);
}

void pro_frame_throw_(struct pro_frame *frame, struct pro_error *error)
{
    set_fault(frame, error ? error : pro_error_of(proi_misuse(PRO_E_INVALID, "PRO_THROW: the error is NULL")));
}

/* ---- leaving ---- */

bool pro_frame_lost_(struct pro_frame *frame)
{
    if (frame->pc == 0) {
        proi_misuse(PRO_E_STATE, "%s has ended and was resumed", function_of(frame));
        return false;
    }
    /* An await inside a switch of the body's own. */
    set_fault(frame,
              pro_error_of(proi_misuse(PRO_E_STATE, "%s lost its resume point at line %u: no PRO_AWAIT inside a switch",
                                       function_of(frame), (unsigned)(uint32_t)frame->pc)));
    return true;
}

/* An error of async void is thrown where the method was called: in its context, else by the process-wide handler. */
struct thrown {
    struct pro_work work;
    struct pro_sync_context *context; /* held */
    struct pro_error *error;
};

static void throw_there(struct pro_work *work)
{
    const struct thrown thrown = *PRO_CONTAINER(work, struct thrown, work);
    const struct pro_sync_context_vtable *const vtable = thrown.context->vtable;

    proi_block_free(work, sizeof thrown);
    if (vtable && vtable->unhandled_error)
        vtable->unhandled_error(thrown.context, thrown.error);
    else
        proi_unhandled(thrown.error);
    pro_error_unref(thrown.error);
    pro_sync_context_unref(thrown.context);
}

static void throw_to(struct pro_sync_context *context, struct pro_error *error)
{
    struct thrown *const thrown = context ? proi_block_alloc(sizeof *thrown) : NULL;

    if (!thrown) {
        proi_unhandled(error);
        return;
    }
    *thrown = (struct thrown){ .work = { .run = throw_there },
                               .context = pro_sync_context_ref(context),
                               .error = pro_error_ref(error) };
    proi_context_post(context, &thrown->work);
}

static void finish_void(struct pro_frame *frame)
{
    struct pro_sync_context *const context = frame->void_context;
    struct pro_task *const task = task_of(frame);

    if (frame->fault)
        throw_to(context, frame->fault);
    pro_error_unref(frame->fault);
    if (context) {
        if (context->vtable && context->vtable->operation_completed)
            context->vtable->operation_completed(context);
        proi_context_release(context);
    }
    proi_task_publish_private(task, PRO_TASK_RAN_TO_COMPLETION);
    task->drop = NULL;
    pro_task_unref(task);
}

void pro_frame_finish_(struct pro_frame *frame)
{
    struct pro_task *const task = task_of(frame);
    const bool suspended = frame->flags & FRAME_SUSPENDED;
    enum pro_task_status status = PRO_TASK_RAN_TO_COMPLETION;

    frame->pc = 0;
    pro_error_unref(frame->error);
    frame->error = NULL;
    if (frame->flags & FRAME_VOID) {
        finish_void(frame);
        return;
    }
    if (frame->flags & FRAME_ITERATOR) {
        struct pro_error *const fault = frame->fault;

        frame->fault = NULL;
        proi_iterator_finish(frame, fault);
        return;
    }
    if (!frame->fault && task->type.size && !(frame->flags & FRAME_HAS_RESULT))
        frame->fault = pro_error_of(
            proi_misuse(PRO_E_STATE, "%s ended without PRO_RETURN, and it has a result", function_of(frame)));
    if (frame->fault) {
        status = pro_error_code(frame->fault) == PRO_E_CANCELED ? PRO_TASK_CANCELED : PRO_TASK_FAULTED; /* SEM-089 */
        if (frame->flags & FRAME_HAS_RESULT && task->drop)
            task->drop(proi_task_result_at(task)); /* returned, and then the finally section failed */
        task->error = frame->fault;
        frame->fault = NULL;
    }
    if (suspended) {
        proi_task_publish(task, status);
        pro_task_unref(task); /* the frame's own */
    } else {
        proi_task_publish_private(task, status);
    }
}
