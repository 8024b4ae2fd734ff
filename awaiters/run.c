/* SPDX-License-Identifier: MIT */
/* The ways into a loop with a task: pro_loop_run_until() and pro_run(). */
#include "internal.h"

/* Lives on the stack of run_until; the wake touches nothing of it after the last store. */
struct wake_up {
    struct pro_continuation continuation;
    struct pro_loop *loop;
    uint32_t done;
};

static void wake_loop(struct pro_continuation *continuation)
{
    struct wake_up *const wake_up = PRO_CONTAINER(continuation, struct wake_up, continuation);
    struct pro_loop *const loop = wake_up->loop;

    proi_store(&wake_up->done, 1u, PROI_RELEASE);
    proi_loop_poke(loop); /* loops are type-stable: at worst a stranger takes one turn more */
}

int pro_loop_run_until(struct pro_loop *loop, struct pro_task *task)
{
    struct wake_up wake_up = { .loop = loop };
    int code = PRO_OK;

    if (!loop || !task)
        return proi_misuse(PRO_E_INVALID, "pro_loop_run_until: an argument is NULL");
    if (!pro_loop_context(loop))
        return PRO_E_LOOP_CLOSED;
    if (pro_task_is_completed(task))
        return PRO_OK;
    pro_task_ref(task);
    proi_continuation_make(&wake_up.continuation, wake_loop, PROI_CONTINUATION_WAITER);
    if (proi_task_add(task, &wake_up.continuation)) {
        while (!pro_task_is_completed(task) && code >= 0) {
            code = pro_loop_run_once(loop, PRO_INFINITE);
            if (code >= 0 && !pro_task_is_completed(task) && proi_loop_stopped(loop))
                code = PRO_E_STATE;
        }
        /* Complete, but the completer may still be on its way through wake_loop. */
        if (!proi_task_remove(task, &wake_up.continuation))
            while (!proi_load(&wake_up.done, PROI_ACQUIRE))
                proi_wait(&wake_up.done, 0, PRO_MS(1));
    }
    if (pro_task_is_completed(task))
        code = PRO_OK;
    pro_task_unref(task);
    return code;
}

static struct pro_task *call_in_context(struct pro_loop *loop, struct pro_task *(*async_main)(void *arg), void *arg)
{
    struct pro_sync_context *const previous = pro_sync_context_set(pro_loop_context(loop));
    struct pro_task *const task = async_main(arg);

    pro_sync_context_set(previous);
    return task;
}

struct first_call {
    struct pro_task *(*async_main)(void *arg);
    void *arg;
    struct pro_loop *loop;
    struct pro_task *task;
};

static void make_first_call(void *arg)
{
    struct first_call *const call = arg;

    call->task = call_in_context(call->loop, call->async_main, call->arg);
    if (!call->task)
        call->task = pro_task_from_error(pro_error_of(proi_misuse(PRO_E_INVALID, "pro_run: async_main gave no task")));
}

int pro_run(struct pro_task *(*async_main)(void *arg), void *arg)
{
    struct first_call call = { async_main, arg, NULL, NULL };
    struct pro_error *error;
    int code;

    if (!async_main)
        return proi_misuse(PRO_E_INVALID, "pro_run: async_main is NULL");
    code = pro_loop_new(NULL, &call.loop);
    if (code < 0)
        return code;
    /* As the loop's first item, so that it is the running loop for all that async_main starts. */
    code = pro_loop_post(call.loop, make_first_call, &call);
    while (code >= 0 && !call.task)
        code = pro_loop_run_once(call.loop, PRO_INFINITE);
    if (call.task) {
        code = pro_loop_run_until(call.loop, call.task);
        if (code == PRO_OK && !pro_task_is_succeeded(call.task)) {
            error = pro_task_error(call.task);
            code = pro_error_code(error);
            proi_notice("the main task failed: %s", pro_error_message(error));
        }
        pro_task_unref(call.task);
    }
    pro_loop_free(call.loop);
    return code > 0 ? PRO_OK : code;
}
