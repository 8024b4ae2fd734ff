/* SPDX-License-Identifier: MIT */
/* The runtime of async methods: start, suspend, resume, leave, finish. The macros of async.h call nothing else. */
#include "trace.h"

#include <string.h>

static struct pro_task *task_of(struct pro_frame *frame) { return proi_task_of_body(frame); }

static struct pro_site site_of(struct pro_frame *frame)
{
    const struct pro_site *const where = proi_load(&task_of(frame)->where, PROI_RELAXED);

    return where ? *where : (struct pro_site){ NULL, "an async method", 0 };
}

_Static_assert(offsetof(struct pro_frame, there.value) == offsetof(struct pro_frame, continuation.captured) &&
                   sizeof((struct pro_frame *)NULL)->there == sizeof(struct pro_continuation),
               "what lasts of a continuation lies before the value");

const struct proi_task_class proi_method_class = { .name = "async method" };

/* A block often was a frame of the same method in its last life: then much of it is as it should be already. Whatever
   ends a frame leaves its error NULL, and the slot COMPLETED: until its first suspension nobody can know the task. */
PROI_INLINE void *frame_begin(struct pro_task *task, const struct pro_method_head_ *head,
                              const struct pro_method_ *method, struct pro_step (*move_next)(struct pro_frame *frame))
{
    struct pro_frame *const frame = proi_task_body(task);
    const void *const kind = proi_kind_of_method(&method->created);

    proi_task_begin(task, PRO_TASK_WAITING_FOR_ACTIVATION);
    if (PROI_UNLIKELY(proi_load(&task->kind, PROI_RELAXED) != kind || frame->move_next != move_next)) {
        proi_task_set_kind(task, head, kind);
        proi_store(&task->slot, PROI_SLOT_COMPLETED, PROI_RELAXED);
        frame->move_next = move_next;
        frame->error = NULL;
    }
    frame->pc = PRO_PC_LOW_(PRO_PC_START_);
    frame->leave_pc = PRO_PC_LOW_(PRO_PC_FINALLY_);
    /* Awaiting and continuation are written before they are read. */
    memset(&frame->status, 0, offsetof(struct pro_frame, awaiting) - offsetof(struct pro_frame, status));
    return frame;
}

_Static_assert((int)PRO_BLOCK_STEP_BITS_ == (int)PROI_STEP_BITS, "async.h knows the classes of blocks");

static PROI_APART void *frame_new_slowly(const struct pro_method_ *method,
                                         struct pro_step (*move_next)(struct pro_frame *frame))
{
    struct pro_method_head_ head = method->head;
    void *block;

    head.block_class = proi_block_class(method->size);
    block = proi_block_take(PROI_BLOCKS_OF_TASKS, head.block_class, method->size);
    return block ? frame_begin(block, &head, method, move_next) : NULL;
}

PROI_HOT void *pro_frame_new_(const struct pro_method_ *method, struct pro_step (*move_next)(struct pro_frame *frame))
{
    void *const block = proi_block_take_warm(PROI_BLOCKS_OF_TASKS, method->head.block_class);

    if (PROI_UNLIKELY(!block))
        return frame_new_slowly(method, move_next);
    return frame_begin(block, &method->head, method, move_next);
}

/* The copy lies behind the result, where the site lasts as long as the task. */
void *pro_frame_new_copying_(const struct pro_method_ *method, struct pro_step (*move_next)(struct pro_frame *frame))
{
    const size_t copy_at = (method->size + _Alignof(struct pro_method_) - 1) & ~(_Alignof(struct pro_method_) - 1);
    struct pro_method_ larger = *method, *copy;
    char *frame;

    if (copy_at + sizeof larger > UINT32_MAX)
        return NULL;
    larger.size = (uint32_t)(copy_at + sizeof larger);
    larger.head.block_class = proi_block_class(larger.size);
    frame = pro_frame_new_(&larger, move_next);
    if (!frame)
        return NULL;
    copy = (struct pro_method_ *)(void *)((char *)task_of((struct pro_frame *)(void *)frame) + copy_at);
    *copy = larger;
    proi_store(&task_of((struct pro_frame *)(void *)frame)->kind, proi_kind_of_method(&copy->created), PROI_RELAXED);
    memset(frame + sizeof(struct pro_frame), 0,
           method->head.result_offset - sizeof(struct pro_task) - sizeof(struct pro_frame));
    return frame;
}

/* ---- starting ---- */

static PROI_COLD void run_in_flow(struct pro_frame *frame)
{
    struct pro_sync_context *const context = proi_ambient.context;
    void *const flow = proi_flow_ref(proi_ambient.flow);

    frame->move_next(frame); /* the frame may be gone */
    proi_ambient.context = context;
    proi_flow_leave(flow);
}

/* What the body changes of context and ambient values before its first suspension stays in it (SEM-084, 085). */
PROI_INLINE void run(struct pro_frame *frame)
{
    struct pro_sync_context *const context = proi_ambient.context;

    if (PROI_UNLIKELY(proi_ambient.flow != NULL)) {
        run_in_flow(frame);
        return;
    }
    frame->move_next(frame); /* the frame may be gone */
    if (PROI_UNLIKELY(proi_ambient.context != context))
        proi_ambient.context = context;
    if (PROI_UNLIKELY(proi_ambient.flow != NULL))
        proi_flow_leave_slowly(NULL);
}

void proi_frame_run(struct pro_frame *frame) { run(frame); }

static bool was_started(const struct pro_frame *frame)
{
    return frame->pc != PRO_PC_LOW_(PRO_PC_START_) || frame->flags;
}

static PROI_COLD struct pro_task *started_before(void)
{
    return pro_task_from_error(pro_error_of(proi_misuse(PRO_E_STATE, "this frame was started before; make a new one")));
}

PROI_HOT struct pro_task *pro_frame_start_(struct pro_frame *frame)
{
    if (PROI_UNLIKELY(!frame))
        return pro_task_no_memory();
    if (PROI_UNLIKELY(was_started(frame)))
        return started_before();
    run(frame); /* our reference keeps the task */
    return task_of(frame);
}

/* async void has its context there, and nobody who could leave a result. */
void pro_frame_on_drop_(struct pro_frame *frame, void (*drop)(void *result))
{
    if (!(frame->flags & PRO_FRAME_VOID_))
        proi_task_own(task_of(frame), drop);
}

struct pro_value_task pro_frame_start_value_(struct pro_frame *frame)
{
    const struct pro_type type = frame ? task_of(frame)->type : PRO_NO_RESULT;
    struct pro_task *const task = pro_frame_start_(frame);
    struct pro_value_task value;

    /* An owned result stays in the task, which drops it if nobody takes it. */
    if (!pro_task_is_succeeded(task) || type.size > PRO_VALUE_TASK_INLINE || proi_task_drop(task))
        return pro_value_task_from_task(task, type);
    value = type.size ? pro_value_task_from_result(proi_task_result_at(task), type) : PRO_VALUE_TASK_COMPLETED;
    pro_task_unref(task);
    return value;
}

bool proi_frame_make_iterator(struct pro_frame *frame)
{
    if (was_started(frame))
        return false;
    frame->flags |= PRO_FRAME_ITERATOR_; /* items are dropped one by one: the task owns none */
    return true;
}

bool proi_frame_is_iterator(const struct pro_frame *frame) { return frame->flags & PRO_FRAME_ITERATOR_; }

/* The operations of async void are told to the context of the call, whatever becomes current later (SEM-130, 133). */
void pro_frame_start_void_(struct pro_frame *frame)
{
    struct pro_sync_context *const context = proi_ambient.context;

    if (!frame) {
        proi_unhandled(pro_error_of(PRO_E_NO_MEMORY));
        return;
    }
    if (was_started(frame)) {
        proi_misuse(PRO_E_STATE, "this frame was started before; make a new one");
        return;
    }
    frame->flags |= PRO_FRAME_VOID_;
    if (context) {
        proi_context_capture(context);
        pro_sync_context_operation_started(context);
    }
    proi_task_own(task_of(frame), NULL);
    task_of(frame)->void_context = context;
    proi_frame_run(frame);
}

/* ---- suspending and resuming ---- */

/* What was awaited, and the context, may go from here on: first the words that lead reports there (proi_report_pass()).
 */
static void go_on(struct pro_frame *frame)
{
    struct pro_task *const task = task_of(frame);

    proi_store(&task->awaits, (uintptr_t)0, PROI_RELAXED);
    proi_store(&task->awaits_context, (uintptr_t)0, PROI_RELAXED);
    frame->move_next(frame);
}

static PROI_COLD void go_on_telling(struct pro_frame *frame)
{
    const struct proi_trace_resumed resumed = proi_trace_resuming(task_of(frame));

    go_on(frame); /* the frame may be gone */
    proi_trace_has_resumed(resumed);
}

static void resume(struct pro_continuation *continuation)
{
    struct pro_frame *const frame = PRO_CONTAINER(continuation, struct pro_frame, continuation);

    if (!(frame->flags & PRO_FRAME_WAITING_)) {
        proi_misuse(PRO_E_STATE, "%s was resumed twice by one await: an awaiter ran its continuation again",
                    site_of(frame).function);
        return;
    }
    frame->flags &= (unsigned char)~PRO_FRAME_WAITING_;
    if (proi_is_tracing())
        go_on_telling(frame);
    else
        go_on(frame);
}

/* For reports and the walk of wait.c, which read from other threads. Releases: who finds what is awaited finds it made,
   and the end of the block's last life (give_block()). */
PROI_INLINE void tell_what_it_awaits(struct pro_frame *frame, const struct pro_awaiter *awaiter)
{
    struct pro_task *const task = task_of(frame);
    const struct pro_op *const op = awaiter->vtable->awaited_op ? awaiter->vtable->awaited_op(awaiter->self) : NULL;
    const struct pro_task *const other =
        awaiter->vtable->awaited_task ? awaiter->vtable->awaited_task(awaiter->self) : NULL;

    proi_store(&task->awaits, other ? (uintptr_t)other : proi_awaits_loop(proi_op_loop(op)), PROI_RELEASE);
    proi_store(&task->awaits_context, (uintptr_t)0, PROI_RELAXED); /* the capture tells, if there is one */
    proi_store(&task->awaits_line, frame->pc, PROI_RELAXED);
}

/* Nobody else can know the task yet. */
static void suspend_first(struct pro_frame *frame)
{
    struct pro_task *const task = task_of(frame);

    frame->flags |= PRO_FRAME_SUSPENDED_;
    frame->continuation.work.task = task;
    frame->continuation.invoke = resume;
    proi_store(&task->slot, (uintptr_t)0, PROI_RELAXED);
    proi_store(&task->state, proi_load(&task->state, PROI_RELAXED) | (uint32_t)PROI_TASK_MARKED, PROI_RELEASE);
    if (!(frame->flags & (PRO_FRAME_VOID_ | PRO_FRAME_ITERATOR_)))
        proi_store(&task->references, 2u, PROI_RELAXED);
}

static void yield_then(struct pro_frame *frame)
{
    pro_continuation_capture(&frame->continuation, frame->await_options);
    proi_continuation_dispatch(&frame->continuation, false);
}

/* After it, and once the continuation is given away, it may run on, elsewhere or right inside that call, and the frame
   may be gone (SEM-032). */
PROI_INLINE void suspend(struct pro_frame *frame, struct pro_awaiter awaiter)
{
    if (!(frame->flags & PRO_FRAME_SUSPENDED_))
        suspend_first(frame);
    frame->flags |= PRO_FRAME_WAITING_;
    proi_continuation_make(&frame->continuation, resume, PROI_CONTINUATION_AWAIT);
    frame->continuation.flow = proi_flow_capture(); /* captured anew at every suspension (SEM-086) */
    tell_what_it_awaits(frame, &awaiter);
    if (proi_is_tracing())
        proi_trace_suspended(task_of(frame), !(frame->flags & PRO_FRAME_ITERATOR_));
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
    suspend(frame, awaiter.awaiter);
    if (completed)
        yield_then(frame);
    else if (vtable->unsafe_on_completed)
        vtable->unsafe_on_completed(self, &frame->continuation, awaiter.options);
    else
        vtable->on_completed(self, &frame->continuation, awaiter.options);
    return true;
}

/* ---- the two awaits that a loop answers by itself: giving way, and its own operations ---- */

/* What they need not look at: a flow to capture, somebody who listens. */
static bool is_plain_here(void) { return !proi_ambient.flow && !proi_is_tracing(); }

static void store_if_new(uintptr_t *word, uintptr_t value)
{
    if (proi_load(word, PROI_RELAXED) != value)
        proi_store(word, value, PROI_RELEASE);
}

/* As tell_what_it_awaits(); most of it is as the last await left it. */
PROI_INLINE void tell_await_of_loop(struct pro_frame *frame, uintptr_t awaits, const struct pro_sync_context *context)
{
    struct pro_task *const task = task_of(frame);
    const uint32_t line = frame->pc;

    store_if_new(&task->awaits, awaits);
    store_if_new(&task->awaits_context, (uintptr_t)context);
    if (proi_load(&task->awaits_line, PROI_RELAXED) != line)
        proi_store(&task->awaits_line, line, PROI_RELAXED);
}

/* By a loop that runs inside the body of a task: that is hidden, and its scheduler (SEM-049). */
static PROI_APART void go_on_hidden(struct pro_frame *frame)
{
    const struct proi_ambient saved = proi_ambient;

    proi_ambient.task = NULL;
    proi_ambient.scheduler = NULL;
    if (proi_is_tracing())
        go_on_telling(frame);
    else
        frame->move_next(frame);
    proi_ambient_leave(saved);
}

/* By the loop, as a thread of nobody's but for the context, which the caller puts back. */
PROI_INLINE void go_on_in_loop(struct pro_frame *frame)
{
    if (PROI_UNLIKELY((uintptr_t)proi_ambient.task | (uintptr_t)proi_ambient.scheduler) || proi_is_tracing())
        go_on_hidden(frame);
    else
        frame->move_next(frame);
    if (PROI_UNLIKELY(proi_ambient.flow != NULL))
        proi_flow_leave_slowly(NULL);
}

static PROI_HOT void go_on_after_yield(struct pro_work *work) /* in the loop's context */
{
    go_on_in_loop(PRO_CONTAINER(work, struct pro_frame, continuation.work));
}

static void go_on_after_bare_yield(struct pro_work *work) /* it had none; the loop puts its own back */
{
    proi_ambient.context = NULL;
    go_on_in_loop(PRO_CONTAINER(work, struct pro_frame, continuation.work));
}

static PROI_APART bool yield_elsewhere(struct pro_frame *frame)
{
    return await(frame, (struct pro_configured_awaiter){ pro_yield(), PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT });
}

static PROI_FLAT PROI_HOT bool await_yield(struct pro_frame *frame)
{
    const struct pro_sync_context *const loop = is_plain_here() ? proi_loop_give_way(&frame->continuation.work) : NULL;

    if (PROI_UNLIKELY(!loop))
        return yield_elsewhere(frame);
    /* It is queued, but this thread alone takes it out. */
    if (PROI_UNLIKELY(!(frame->flags & PRO_FRAME_SUSPENDED_)))
        suspend_first(frame);
    frame->continuation.work.run =
        PROI_LIKELY(proi_ambient.context != NULL) ? go_on_after_yield : go_on_after_bare_yield;
    frame->awaiting.vtable = NULL;
    tell_await_of_loop(frame, 0, loop);
    return true;
}

/* Delivery, on the loop's thread, in the context that was captured: the loop's. */
static PROI_HOT void go_on_after_op(struct pro_op *op)
{
    struct pro_frame *const frame = op->waiter;
    struct pro_sync_context *const outer = proi_ambient.context;

    proi_ambient.context = frame->continuation.captured;
    if (PROI_UNLIKELY(proi_stack_is_short())) { /* a loop in a loop in a loop: not inside this one */
        proi_continuation_make(&frame->continuation, resume, PROI_CONTINUATION_AWAIT);
        frame->continuation.captured = proi_ambient.context;
        frame->flags |= PRO_FRAME_WAITING_;
        proi_continuation_dispatch(&frame->continuation, false);
    } else {
        proi_store(&task_of(frame)->awaits, (uintptr_t)0, PROI_RELAXED);
        go_on_in_loop(frame);
    }
    proi_ambient.context = outer;
}

static bool await_op_of_loop(struct pro_frame *frame, struct pro_op *op)
{
    struct pro_sync_context *const loop = proi_loop_submit_here(op, go_on_after_op, frame);

    if (!loop)
        return false;
    /* It is submitted, but this thread delivers it. */
    if (PROI_UNLIKELY(!(frame->flags & PRO_FRAME_SUSPENDED_)))
        suspend_first(frame);
    frame->continuation.captured = loop;
    frame->awaiting = (struct pro_awaiter){ &proi_op_awaiter, op };
    frame->await_options = PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT;
    tell_await_of_loop(frame, (uintptr_t)op->loop | PROI_AWAITS_LOOP, loop);
    return true;
}

bool pro_frame_await_task_(struct pro_frame *frame, struct pro_task *task, unsigned options)
{
    return await(frame, pro_configure_await(task, options));
}

static PROI_APART bool await_any_op(struct pro_frame *frame, struct pro_op *op, unsigned options)
{
    return await(frame, pro_configure_await_op(op, options));
}

PROI_HOT bool pro_frame_await_op_(struct pro_frame *frame, struct pro_op *op, unsigned options)
{
    if (PROI_LIKELY(op && options == PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT) && is_plain_here() &&
        PROI_LIKELY(await_op_of_loop(frame, op)))
        return true;
    return await_any_op(frame, op, options);
}

static PROI_APART bool await_any(struct pro_frame *frame, struct pro_awaiter awaiter, unsigned options)
{
    return await(frame, pro_configure_await_awaiter(awaiter, options));
}

bool pro_frame_await_awaiter_(struct pro_frame *frame, struct pro_awaiter awaiter, unsigned options)
{
    if (PROI_LIKELY(awaiter.vtable == &proi_yield_awaiter && options == PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT))
        return await_yield(frame);
    return await_any(frame, awaiter, options);
}

bool pro_frame_await_configured_(struct pro_frame *frame, struct pro_configured_awaiter awaiter, unsigned unused)
{
    (void)unused;
    return await(frame, awaiter);
}

/* Complete, with an error that nobody but the library has made. */
static bool await_failed(struct pro_frame *frame, int code)
{
    frame->awaiting = proi_value_failed(code);
    return false;
}

static PROI_APART bool await_source(struct pro_frame *frame, struct pro_value_task_source *source, uint16_t version,
                                    unsigned options)
{
    const struct pro_awaiter awaiter = { &proi_value_source, source };
    const int status = source->vtable->get_status(source, version);
    int code;

    if (status < 0)
        return await_failed(frame, status);
    frame->awaiting = awaiter;
    frame->version = version;
    if (status != PRO_VALUE_TASK_PENDING)
        return false;
    suspend(frame, awaiter);
    code = source->vtable->on_completed(source, &frame->continuation, version,
                                        options ? PRO_SOURCE_USE_SCHEDULING_CONTEXT : PRO_SOURCE_NO_FLAGS);
    if (code >= 0)
        return true; /* all of it may be gone */
    /* Nothing was stored: the method goes on, with that error (differs from SEM-033). */
    (void)await_failed(frame, code);
    pro_continuation_capture(&frame->continuation, options);
    proi_continuation_dispatch(&frame->continuation, true);
    return true;
}

bool pro_frame_await_value_(struct pro_frame *frame, struct pro_value_task task, unsigned options)
{
    frame->await_options = (unsigned char)(options & PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT);
    if (PROI_UNLIKELY(options & ~(unsigned)PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT)) {
        pro_value_task_drop(task);
        return await_failed(
            frame,
            proi_misuse(PRO_E_INVALID, "ConfigureAwait of a value task knows only whether to capture (SEM-107)"));
    }
    if (task.kind == PRO_VALUE_TASK_TASK)
        return await(frame, pro_configure_await(task.as.task, options));
    if (task.kind == PRO_VALUE_TASK_SOURCE)
        return await_source(frame, task.as.source, task.version, options);
    memcpy(frame->there.value, task.as.value, sizeof frame->there.value);
    frame->there.type = task.type;
    frame->awaiting = (struct pro_awaiter){ &proi_value_there, frame };
    return false;
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

        frame->flags |= PRO_FRAME_ABANDONED_;
    }
    proi_continuation_dispatch(continuation, true);
}

/* ---- results ---- */

static int get_result(struct pro_frame *frame, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    const struct pro_awaiter awaiter = frame->awaiting;
    int code;

    if (!awaiter.vtable)
        return PRO_OK; /* it has only given way */
    frame->awaiting = (struct pro_awaiter){ NULL, NULL };
    if (PROI_LIKELY(awaiter.vtable == &proi_owned_task &&
                    !(frame->flags & PRO_FRAME_ABANDONED_))) { /* what is awaited most, without the detours */
        code = proi_task_take(awaiter.self, ret_result, type, ret_error);
        pro_task_unref(awaiter.self);
        return code;
    }
    if (frame->flags & PRO_FRAME_ABANDONED_) {
        frame->flags &= (unsigned char)~PRO_FRAME_ABANDONED_;
        code = PRO_E_BROKEN_PROMISE;
        if (ret_error)
            *ret_error = pro_error_of(code);
    } else if (awaiter.vtable == &proi_value_source) {
        struct pro_value_task_source *const source = awaiter.self;

        code = source->vtable->get_result(source, frame->version, ret_result, type, ret_error);
    } else {
        code = awaiter.vtable->get_result(awaiter.self, ret_result, type, ret_error);
    }
    if (awaiter.vtable->release)
        awaiter.vtable->release(awaiter.self);
    return code;
}

/* The last error is why the method ends: one of the finally section, or of a stream's disposal, takes the place of what
   the body was leaving with, as a throw inside a finally block does in C#. Until the end the flag alone says that there
   is one. */
static void set_fault(struct pro_frame *frame, struct pro_error *error)
{
    pro_error_unref(proi_task_error(task_of(frame)));
    proi_task_set_error(task_of(frame), error);
    frame->flags |= PRO_FRAME_FAILED_;
}

/* NULL: there is none. */
static struct pro_error *take_fault(struct pro_frame *frame)
{
    struct pro_error *const fault = proi_task_error(task_of(frame));

    proi_task_set_error(task_of(frame), NULL);
    frame->flags &= (unsigned char)~PRO_FRAME_FAILED_;
    return fault;
}

static void drop_error(struct pro_frame *frame)
{
    pro_error_unref(frame->error);
    frame->error = NULL;
    frame->flags &= (unsigned char)~PRO_FRAME_HAS_ERROR_;
}

void pro_frame_take_up_(struct pro_frame *frame, struct pro_task *task)
{
    frame->awaiting = (struct pro_awaiter){ &proi_owned_task, task };
    frame->await_options = PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT;
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
    const bool is_op = frame->awaiting.vtable && frame->awaiting.vtable->awaited_op;

    if (frame->flags & PRO_FRAME_HAS_ERROR_)
        drop_error(frame);
    frame->status = get_result(frame, ret_result, type, is_op ? NULL : &frame->error);
    if (frame->error)
        frame->flags |= PRO_FRAME_HAS_ERROR_;
    return false;
}

PROI_COLD void *pro_frame_result_(struct pro_frame *frame, struct pro_type type, int line)
{
    struct pro_task *const task = task_of(frame);

    if (frame->flags & PRO_FRAME_ITERATOR_) {
        set_fault(frame, pro_error_of(proi_misuse(PRO_E_STATE,
                                                  "%s: an iterator gives items by PRO_YIELD_RETURN, and ends by "
                                                  "PRO_RETURN_VOID",
                                                  site_of(frame).function)));
        return NULL;
    }
    if (!proi_type_fits(task->type, type)) {
        const struct pro_site body = site_of(frame);

        set_fault(frame, pro_error_new(PRO_E_TYPE, (struct pro_site){ body.file, body.function, line },
                                       "PRO_RETURN: the method was made for another type of result"));
        return NULL;
    }
    frame->flags |= PRO_FRAME_HAS_RESULT_;
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
        proi_misuse(PRO_E_STATE, "%s has ended and was resumed", site_of(frame).function);
        return false;
    }
    /* An await inside a switch of the body's own. */
    set_fault(frame,
              pro_error_of(proi_misuse(PRO_E_STATE, "%s lost its resume point at line %u: no PRO_AWAIT inside a switch",
                                       site_of(frame).function, (unsigned)(frame->pc & PRO_PC_LINE_))));
    return true;
}

/* An error of async void is thrown where the method was called: in its context, else on the pool, to the process-wide
   handler (SEM-134). */
struct thrown {
    struct pro_work work;
    struct pro_sync_context *context; /* held; NULL: none */
    struct pro_error *error;
};

static void throw_there(struct pro_work *work)
{
    const struct thrown thrown = *PRO_CONTAINER(work, struct thrown, work);
    const struct pro_sync_context_vtable *const vtable = thrown.context ? thrown.context->vtable : NULL;

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
    struct thrown *const thrown = proi_block_alloc(sizeof *thrown);

    if (!thrown) { /* out of memory: better here than not at all */
        proi_unhandled(error);
        return;
    }
    *thrown = (struct thrown){ .work = { .run = throw_there },
                               .context = pro_sync_context_ref(context),
                               .error = pro_error_ref(error) };
    proi_context_post(context, &thrown->work);
}

static void leave_void_context(struct pro_task *task)
{
    struct pro_sync_context *const context = task->void_context;

    task->void_context = NULL;
    if (!context)
        return;
    pro_sync_context_operation_completed(context);
    proi_context_release(context);
}

static void finish_void(struct pro_frame *frame)
{
    struct pro_task *const task = task_of(frame);

    if (frame->flags & PRO_FRAME_FAILED_) {
        struct pro_error *const fault = take_fault(frame);

        throw_to(task->void_context, fault);
        pro_error_unref(fault);
    }
    leave_void_context(task);
    if (frame->flags & PRO_FRAME_SUSPENDED_) /* it may have been found in the table of active tasks, and be waited for */
        proi_task_publish(task, PRO_TASK_RAN_TO_COMPLETION);
    else
        proi_task_publish_private(task, PRO_TASK_RAN_TO_COMPLETION);
    pro_task_unref(task);
}

static PROI_APART struct pro_step finish_slowly(struct pro_frame *frame)
{
    struct pro_task *const task = task_of(frame);
    const bool suspended = frame->flags & PRO_FRAME_SUSPENDED_;
    enum pro_task_status status = PRO_TASK_RAN_TO_COMPLETION;

    drop_error(frame);
    if (frame->flags & PRO_FRAME_VOID_) {
        finish_void(frame);
        return PRO_FINISHED_;
    }
    if (frame->flags & PRO_FRAME_ITERATOR_) {
        proi_iterator_finish(frame, take_fault(frame));
        return PRO_FINISHED_;
    }
    if (!(frame->flags & (PRO_FRAME_FAILED_ | PRO_FRAME_HAS_RESULT_)) && task->type.size)
        set_fault(frame, pro_error_of(proi_misuse(PRO_E_STATE, "%s ended without PRO_RETURN, and it has a result",
                                                  site_of(frame).function)));
    if (frame->flags & PRO_FRAME_FAILED_) {
        status = pro_error_code(proi_task_error(task)) == PRO_E_CANCELED ? PRO_TASK_CANCELED
                                                                         : PRO_TASK_FAULTED; /* SEM-089 */
        if (frame->flags & PRO_FRAME_HAS_RESULT_ && task->type.size && task->drop)
            task->drop(proi_task_result_at(task)); /* returned, and then the finally section failed */
    }
    if (suspended) {
        proi_task_publish(task, status);
        pro_task_unref(task); /* the frame's own */
    } else {
        proi_task_publish_private(task, status);
    }
    return PRO_FINISHED_;
}

PROI_HOT struct pro_step pro_frame_finish_(struct pro_frame *frame)
{
    struct pro_task *const task = task_of(frame);
    const unsigned flags = frame->flags;

    frame->pc = 0;
    if (PROI_UNLIKELY(flags != PRO_FRAME_HAS_RESULT_ && (flags || task->type.size)))
        return finish_slowly(frame);
    /* Never suspended: nobody else can know the task, whose slot is still COMPLETED. */
    proi_store(&task->state,
               (proi_load(&task->state, PROI_RELAXED) & ~(uint32_t)PROI_TASK_STATUS) | PROI_TASK_RESERVED |
                   PRO_TASK_RAN_TO_COMPLETION,
               PROI_RELEASE);
    return PRO_FINISHED_;
}

void proi_frame_forget(struct pro_continuation *continuation)
{
    struct pro_frame *const frame = PRO_CONTAINER(continuation, struct pro_frame, continuation);
    struct pro_awaiter awaiting;

    if (continuation->invoke != resume)
        return;
    awaiting = frame->awaiting;
    frame->awaiting = (struct pro_awaiter){ NULL, NULL };
    proi_store(&task_of(frame)->awaits, (uintptr_t)0, PROI_RELAXED); /* as go_on() */
    if (awaiting.vtable && awaiting.vtable->release)
        awaiting.vtable->release(awaiting.self);
    pro_error_unref(take_fault(frame));
    drop_error(frame);
    if (frame->flags & PRO_FRAME_VOID_)
        leave_void_context(task_of(frame));
    if (!(frame->flags & PRO_FRAME_ITERATOR_)) /* the stream has that of an iterator */
        pro_task_unref(task_of(frame));
}
