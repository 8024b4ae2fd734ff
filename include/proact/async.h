/* SPDX-License-Identifier: MIT */
/* Async methods: what the C# compiler generates, by hand and readable.
 *
 *     struct copy { PRO_FRAME; …everything that lives across an await… };
 *     PRO_ASYNC(copy_move_next, struct copy, self)
 *         …PRO_AWAIT(…)…
 *         PRO_RETURN(size_t, self->total);
 *     PRO_FINALLY
 *         …once, however the body ended; may await…
 *     PRO_ASYNC_END
 *     struct pro_task *copy_async(…) { …PRO_NEW_FRAME…; return PRO_START(self); }
 *
 * The rules.
 *   1. Locals do not live across an await. What must, goes into the frame. (-O2 -Wmaybe-uninitialized finds most slips.)
 *   2. No PRO_AWAIT inside a switch of your own: the body is one. `break` directly in the body leaves it.
 *   3. One PRO_AWAIT a line.
 *   4. A failed or cancelled await leaves the body for PRO_FINALLY, and the method's task gets that error.
 *   5. PRO_AWAIT takes the reference it is given: PRO_AWAIT(foo_async()) leaks nothing; keep yours with pro_borrow().
 *   6. After PRO_START the frame is not yours: it may be gone.
 */
#ifndef PROACT_ASYNC_H
#define PROACT_ASYNC_H

#include <proact/awaiter.h>

#ifndef __cplusplus /* C only: the macros need _Generic and jump past declarations */

/* A structure, so that `return 0;` in a body does not compile. */
struct pro_step {
    unsigned char code;
};

struct pro_frame {
    struct pro_step (*move_next)(struct pro_frame *frame);
    uint64_t pc;          /* where to go on; its low half is the line that waits */
    const struct pro_site *site; /* of the body: file, function, first line      */
    struct pro_continuation continuation;
    struct pro_awaiter awaiting;
    struct pro_error *error; /* what PRO_AWAIT_STATUS saw                           */
    struct pro_error *fault; /* why it is leaving                                   */
    void (*drop)(void *result);
    struct pro_sync_context *void_context; /* async void: the context of the call             */
    int status;                     /* of the last PRO_AWAIT_STATUS                        */
    unsigned char await_options;    /* of the present await                                */
    unsigned char flags;            /* enum proi_frame_flag                                */
    bool abandoned;                 /* pro_continuation_abandon() was called               */
    uint64_t leave_pc;              /* where leaving goes: the finally section, the end, a loop that disposes of its stream */
    struct pro_value_task value;    /* the awaited value task                              */
};

/* The first member of every frame. */
#define PRO_FRAME struct pro_frame pro_frame_

/* Gives a zeroed frame with its task, in one allocation, or NULL: return pro_task_no_memory() then. */
#define PRO_NEW_FRAME(frame_type, move_next, result_type)                                                              \
    ((frame_type *)pro_frame_new_(sizeof(frame_type), (move_next), PRO_TYPE(result_type), PRO_HERE))
#define PRO_NEW_FRAME_VOID(frame_type, move_next)                                                                      \
    ((frame_type *)pro_frame_new_(sizeof(frame_type), (move_next), PRO_NO_RESULT, PRO_HERE))
/* What becomes of a result that nobody takes: @fn is called with a pointer to it. Results with such an owner move on reading. */
#define PRO_ON_DROP(self, fn) ((void)((self)->pro_frame_.drop = (fn)))

/* Runs to the first incomplete await, on this thread (SEM-080), and gives the task. */
#define PRO_START(self) pro_frame_start_(&(self)->pro_frame_)
/* The same, and gives a value task (SEM-094): when the method ran to its end, the result itself, and the frame's memory is given back at
   once; else the task, and the memory goes back when it was awaited. */
#define PRO_START_VALUE(self) pro_frame_start_value_(&(self)->pro_frame_)
/* async void, of a frame that is not NULL: no task; an error goes to the context current now, else to the unhandled handler (SEM-130…136). */
#define PRO_START_VOID(self) pro_frame_start_void_(&(self)->pro_frame_)

/* Opens the method's MoveNext: a static function @name. @self is a pointer to the frame. */
#define PRO_ASYNC(name, frame_type, self)                                                                              \
    static struct pro_step name(struct pro_frame *frame_)                                                              \
    {                                                                                                                  \
        _Static_assert(offsetof(frame_type, pro_frame_) == 0, "PRO_FRAME must be the first member");                   \
        static const struct pro_site pro_site_ = { __FILE__, #name, __LINE__ };                                        \
        frame_type *const self = (frame_type *)(void *)frame_;                                                         \
    pro_again_:                                                                                                        \
        switch (frame_->pc) {                                                                                          \
        default:                                                                                                       \
            if (frame_->pc != PRO_PC_FINALLY_ && !pro_frame_lost_(frame_))                                                                      \
                return PRO_FINISHED_;                                                                                  \
            frame_->pc = PRO_PC_END_; /* there is no finally section, or it is all the same now */                      \
            goto pro_again_;                                                                                           \
        case PRO_PC_START_:                                                                                            \
            (void)self;                                                                                                \
            frame_->site = &pro_site_;

/* Waits for @x: a task (its reference is taken), a value task, an op that a verb has filled, an awaiter, or one of these with ConfigureAwait. */
#define PRO_AWAIT(x) PRO_AWAIT_WITH_(x, pro_frame_take_result_(frame_, NULL, PRO_NO_RESULT))
/* The same, and copies the result to *@pointer; its type is checked. */
#define PRO_AWAIT_TO(pointer, x) PRO_AWAIT_WITH_(x, pro_frame_take_result_(frame_, (pointer), PRO_TYPE_OF(pointer)))
/* The same, but stays on failure: PRO_STATUS is PRO_OK or the error's code, PRO_ERROR the error (borrowed until the next
   await; NULL for ops, whose result says all). C#'s try/catch around one await. */
#define PRO_AWAIT_STATUS(x) PRO_AWAIT_WITH_(x, pro_frame_take_status_(frame_, NULL, PRO_NO_RESULT))
#define PRO_AWAIT_STATUS_TO(pointer, x)                                                                                \
    PRO_AWAIT_WITH_(x, pro_frame_take_status_(frame_, (pointer), PRO_TYPE_OF(pointer)))
#define PRO_STATUS (frame_->status)
#define PRO_ERROR (frame_->error)

/* Ends the method with a result of @type; without one. */
#define PRO_RETURN(type, value)                                                                                        \
    do {                                                                                                               \
        type *const pro_result_ = (type *)pro_frame_result_(frame_, PRO_TYPE(type), __LINE__);                         \
        if (pro_result_)                                                                                               \
            *pro_result_ = (value);                                                                                    \
        PRO_LEAVE_;                                                                                                    \
    } while (0)
#define PRO_RETURN_VOID PRO_LEAVE_
/* Ends the method with an error: a given one (taken), or a new one of @code with a sentence. */
#define PRO_THROW(error)                                                                                               \
    do {                                                                                                               \
        pro_frame_throw_(frame_, (error));                                                                             \
        PRO_LEAVE_;                                                                                                    \
    } while (0)
#define PRO_THROW_NEW(code, sentence) PRO_THROW(pro_error_new((code), PRO_HERE, "%s", (sentence)))

/* Opens the section that runs once however the body ended; optional. An error in it ends it at once; the first error
   is kept. */
#define PRO_FINALLY                                                                                                    \
        PRO_FALLTHROUGH_;                                                                                              \
        case PRO_PC_FINALLY_:                                                                                          \
            frame_->leave_pc = PRO_PC_END_;

#define PRO_ASYNC_END                                                                                                  \
        PRO_FALLTHROUGH_;                                                                                              \
        case PRO_PC_END_:                                                                                              \
            (void)0;                                                                                                   \
        }                                                                                                              \
        pro_frame_finish_(frame_);                                                                                     \
        return PRO_FINISHED_;                                                                                          \
    }

/* ---- private: what the macros expand to ---- */
#if defined(__GNUC__)
#define PRO_FALLTHROUGH_ __attribute__((fallthrough))
#else
#define PRO_FALLTHROUGH_ (void)0
#endif
/* Labels that do not fit an int or an enum: an await inside a user's own switch is then a warning in every compiler. */
#define PRO_PC_ (UINT64_C(0xC0) << 48)
#define PRO_PC_START_ PRO_PC_
#define PRO_PC_FINALLY_ (PRO_PC_ + 0xfffffff0u)
#define PRO_PC_END_ (PRO_PC_ + 0xfffffff1u)
#define PRO_SUSPENDED_ ((struct pro_step){ 1 })
#define PRO_FINISHED_ ((struct pro_step){ 2 })
#define PRO_LEAVE_                                                                                                     \
    do {                                                                                                               \
        frame_->pc = frame_->leave_pc;                                                                                 \
        goto pro_again_;                                                                                               \
    } while (0)
#define PRO_FRAME_AWAIT_(x)                                                                                            \
    _Generic((x), struct pro_task *: pro_frame_await_task_, struct pro_op *: pro_frame_await_op_,                      \
             struct pro_awaiter: pro_frame_await_awaiter_, struct pro_configured_awaiter: pro_frame_await_configured_, \
             struct pro_value_task: pro_frame_await_value_,                                                            \
             struct pro_configured_value_task: pro_frame_await_configured_value_)(frame_, (x), PRO_CONFIGURE_AWAIT_DEFAULT)
/* The resume point is set before the await is registered: it may resume elsewhere at once, and from then on the frame is not ours. */
#define PRO_AWAIT_WITH_(x, take)                                                                                       \
    do {                                                                                                               \
        frame_->pc = PRO_PC_ + __LINE__;                                                                               \
        if (PRO_FRAME_AWAIT_(x))                                                                                       \
            return PRO_SUSPENDED_;                                                                                     \
        PRO_FALLTHROUGH_;                                                                                              \
        case PRO_PC_ + __LINE__:                                                                                       \
            if (take)                                                                                                  \
                PRO_LEAVE_;                                                                                            \
    } while (0)

PRO_API void *pro_frame_new_(size_t size, struct pro_step (*move_next)(struct pro_frame *), struct pro_type result,
                             struct pro_site site);
PRO_API PRO_NODISCARD struct pro_task *pro_frame_start_(struct pro_frame *frame);
PRO_API void pro_frame_start_void_(struct pro_frame *frame);
PRO_API PRO_NODISCARD struct pro_value_task pro_frame_start_value_(struct pro_frame *frame);
/* true: suspended */
PRO_API bool pro_frame_await_task_(struct pro_frame *frame, struct pro_task *task, unsigned options);
PRO_API bool pro_frame_await_op_(struct pro_frame *frame, struct pro_op *op, unsigned options);
PRO_API bool pro_frame_await_awaiter_(struct pro_frame *frame, struct pro_awaiter awaiter, unsigned options);
PRO_API bool pro_frame_await_configured_(struct pro_frame *frame, struct pro_configured_awaiter awaiter, unsigned unused);
PRO_API bool pro_frame_await_value_(struct pro_frame *frame, struct pro_value_task task, unsigned options);
PRO_API bool pro_frame_await_configured_value_(struct pro_frame *frame, struct pro_configured_value_task task, unsigned unused);
PRO_API bool pro_frame_take_result_(struct pro_frame *frame, void *ret_result, struct pro_type type); /* true: leave */
PRO_API bool pro_frame_take_status_(struct pro_frame *frame, void *ret_result, struct pro_type type); /* false */
PRO_API void *pro_frame_result_(struct pro_frame *frame, struct pro_type type, int line);
PRO_API void pro_frame_throw_(struct pro_frame *frame, struct pro_error *error);
PRO_API bool pro_frame_lost_(struct pro_frame *frame); /* false: it has ended and must not be resumed */
PRO_API void pro_frame_finish_(struct pro_frame *frame);

#endif /* !__cplusplus */

#endif
