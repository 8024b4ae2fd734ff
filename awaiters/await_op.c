/* SPDX-License-Identifier: MIT */
/* The awaiter of operations: the place where a completion becomes a continuation. A loop delivers as a thread of
   nobody's, without a context: what captured this loop's context, and what captured nothing, resume here and now; the
   rest travels. */
#include "internal.h"

#include <string.h>

static bool op_is_completed(void *self) { return proi_op_is_over(self); }

/* Delivery, on the loop's thread. */
static void op_delivered(struct pro_op *op)
{
    struct pro_continuation *const continuation = op->waiter;
    struct pro_loop *const loop = proi_op_loop(op);
    struct pro_sync_context *context;
    struct proi_ambient saved;

    if (proi_loop_is_background(loop)) { /* it runs no user code */
        proi_continuation_dispatch(continuation, false);
        return;
    }
    saved = proi_ambient_enter((struct proi_ambient){ .context = NULL });
    context = proi_continuation_context(continuation);
    if (context && proi_loop_of_context(context) == loop)
        proi_ambient.context = context;
    proi_continuation_dispatch(continuation, true);
    proi_ambient_leave(saved);
}

static void op_on_completed(void *self, struct pro_continuation *continuation, unsigned options)
{
    struct pro_op *const op = self;
    struct pro_sync_context *const current = proi_ambient.context;
    int code;

    /* The op itself keeps its loop alive: its own context need not be held meanwhile. */
    if (options & PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT && current &&
        proi_loop_of_context(current) == proi_op_loop(op) && proi_loop_is_current(proi_op_loop(op))) {
        continuation->captured = current;
        if (continuation->work.task)
            proi_store(&continuation->work.task->awaits_context, (uintptr_t)current, PROI_RELEASE);
    } else {
        pro_continuation_capture(continuation, options);
    }
    code = proi_loop_await_op(op, op_delivered, continuation);
    if (code < 0) /* its loop was closed just now, or it is misused: the result tells */
        proi_continuation_dispatch(continuation, true);
}

/* A count may be read as any integer that holds it. */
static int copy_count(int64_t count, void *ret_result, struct pro_type type)
{
    const int32_t narrow = (int32_t)count;

    if (type.size == sizeof count)
        memcpy(ret_result, &count, sizeof count);
    else if (type.size == sizeof narrow && narrow == count)
        memcpy(ret_result, &narrow, sizeof narrow);
    else
        return PRO_E_TYPE;
    return PRO_OK;
}

static int op_get_result(void *self, void *ret_result, struct pro_type type, struct pro_error **ret_error)
{
    struct pro_op *const op = self;
    int code = PRO_OK;

    if (!proi_op_is_over(op))
        code = proi_misuse(PRO_E_STATE, "the op is still in flight: its result is not there yet");
    else if (op->result < 0)
        code = (int)op->result;
    else if (ret_result)
        code = copy_count(op->result, ret_result, type);
    if (code < 0 && ret_error)
        *ret_error = op->result < 0 ? pro_op_error(op, PRO_SITE_UNKNOWN) : pro_error_of(code);
    if (proi_op_is_over(op))
        proi_op_take_back(op);
    return code;
}

static struct pro_op *op_awaited(void *self) { return self; }

const struct pro_awaiter_vtable proi_op_awaiter = { .is_completed = op_is_completed,
                                                    .on_completed = op_on_completed,
                                                    .get_result = op_get_result,
                                                    .awaited_op = op_awaited };

struct pro_awaiter pro_op_get_awaiter(struct pro_op *op)
{
    if (!op) {
        proi_misuse(PRO_E_INVALID, "the awaited op is NULL");
        op = pro_nop(NULL, NULL, PRO_HOW_DEFAULT); /* a stand-in that fails */
    }
    return (struct pro_awaiter){ &proi_op_awaiter, op };
}
