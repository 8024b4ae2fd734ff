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
 *   5. PRO_AWAIT takes the reference it is given: PRO_AWAIT(foo_async()) leaks nothing; PRO_AWAIT(pro_keep(task)) leaves you yours.
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

/* What a method has beside its task. What belongs to the outcome (why it fails, who drops its result) is in the task. */
struct pro_frame {
    struct pro_step (*move_next)(struct pro_frame *frame);
    uint32_t pc;                  /* the low half of the label where to go on; 0: it has ended   */
    uint32_t leave_pc;            /* of the label where leaving goes: the finally section, the end, a loop that disposes of its stream */
    int status;                   /* of the last PRO_AWAIT_STATUS                                */
    unsigned char await_options;  /* of the present await                                        */
    unsigned char flags;          /* enum pro_frame_flag_                                        */
    uint16_t version;             /* of the awaited source of a value task                       */
    struct pro_awaiter awaiting;  /* vtable NULL: nothing is to be taken                         */
    union {
        struct pro_continuation continuation;
        struct { /* a value task's result that is there, until it is taken: that await has no use for a continuation */
            void *lasting[4]; /* of the continuation */
            unsigned char value[PRO_VALUE_TASK_INLINE];
            struct pro_type type;
        } there;
    };
    struct pro_error *error;      /* what PRO_AWAIT_STATUS saw; else NULL                        */
};

/* The first member of every frame. */
#define PRO_FRAME struct pro_frame pro_frame_

/* Gives a zeroed frame with its task, in one allocation, or NULL: return pro_task_no_memory() then. To zero it costs what it is large:
   keep a buffer of many KiB elsewhere, and a pointer to it in the frame. */
#define PRO_NEW_FRAME(frame_type, move_next, result_type)                                                              \
    PRO_NEW_FRAME_(frame_type, (move_next), (uint32_t)sizeof(result_type), PRO_TYPE_TAG_((result_type *)0))
#define PRO_NEW_FRAME_VOID(frame_type, move_next) PRO_NEW_FRAME_(frame_type, (move_next), 0, 0)
/* What becomes of a result that nobody takes: @fn is called with a pointer to it. Results with such an owner move on reading. */
#define PRO_ON_DROP(self, fn) pro_frame_on_drop_(&(self)->pro_frame_, (fn))

/* Runs to the first incomplete await, on this thread (SEM-080), and gives the task. */
#define PRO_START(self) pro_frame_start_(&(self)->pro_frame_)
/* The same, and gives a value task (SEM-094): when the method ran to its end, the result itself, and the frame's memory is given back at
   once; else the task, and the memory goes back when it was awaited. */
#define PRO_START_VALUE(self) pro_frame_start_value_(&(self)->pro_frame_)
/* async void, of a frame that is not NULL: no task; an error goes to the context current now, else to the unhandled
   handler, on a thread of the pool (SEM-130…136). */
#define PRO_START_VOID(self) pro_frame_start_void_(&(self)->pro_frame_)

/* Opens the method's MoveNext: a static function @name. @self is a pointer to the frame. */
#define PRO_ASYNC(name, frame_type, self)                                                                              \
    PRO_HOT_ static struct pro_step name(struct pro_frame *frame_)                                                     \
    {                                                                                                                  \
        _Static_assert(offsetof(frame_type, pro_frame_) == 0, "PRO_FRAME must be the first member");                   \
        static const struct pro_site pro_site_ = { __FILE__, #name, __LINE__ };                                        \
        frame_type *const self = (frame_type *)(void *)frame_;                                                         \
        struct pro_task *pro_ready_ = NULL; /* what is awaited, when it can be read on the spot */                     \
        uint64_t pro_pc_ = PRO_PC_OF_(frame_->pc);                                                                     \
        (void)self, (void)pro_ready_;                                                                                  \
    pro_again_:                                                                                                        \
        switch (pro_pc_) {                                                                                             \
        default:                                                                                                       \
            if (pro_pc_ != PRO_PC_FINALLY_ && !pro_frame_lost_(frame_))                                                \
                return PRO_FINISHED_;                                                                                  \
            pro_pc_ = PRO_PC_END_; /* there is no finally section, or it is all the same now */                        \
            goto pro_again_;                                                                                           \
        case PRO_PC_START_:                                                                                            \
            pro_frame_is_at_(frame_, &pro_site_);

/* Waits for @x: a task (its reference is taken), a value task, an op that a verb has filled, an awaiter, or one of these with ConfigureAwait. */
#define PRO_AWAIT(x) PRO_AWAIT_WITH_(x, PRO_TAKE_RESULT_(x), NULL, PRO_NO_RESULT)
/* The same, and copies the result to *@pointer; its type is checked. */
#define PRO_AWAIT_TO(pointer, x) PRO_AWAIT_WITH_(x, PRO_TAKE_RESULT_(x), (pointer), PRO_TYPE_OF(pointer))
/* The same, but stays on failure: PRO_STATUS is PRO_OK or the error's code, PRO_ERROR the error (borrowed until the next
   await; NULL for ops, whose result says all). C#'s try/catch around one await. */
#define PRO_AWAIT_STATUS(x) PRO_AWAIT_WITH_(x, PRO_TAKE_STATUS_(x), NULL, PRO_NO_RESULT)
#define PRO_AWAIT_STATUS_TO(pointer, x) PRO_AWAIT_WITH_(x, PRO_TAKE_STATUS_(x), (pointer), PRO_TYPE_OF(pointer))
#define PRO_STATUS (frame_->status)
#define PRO_ERROR (frame_->error)

/* Ends the method with a result of @type; without one. */
#define PRO_RETURN(type, value)                                                                                        \
    do {                                                                                                               \
        type *const pro_result_ = (type *)pro_frame_result_at_(frame_, PRO_TYPE(type), __LINE__);                      \
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

/* Opens the section that runs once however the body ended; optional. An error in it, thrown or awaited, ends it at once and takes the
   place of the body's error or result, as in C# (SEM-090); a cancellation there cancels the method. To keep the body's: PRO_AWAIT_STATUS. */
#define PRO_FINALLY                                                                                                    \
        PRO_FALLTHROUGH_;                                                                                              \
        case PRO_PC_FINALLY_:                                                                                          \
            frame_->leave_pc = PRO_PC_LOW_(PRO_PC_END_);

#define PRO_ASYNC_END                                                                                                  \
        PRO_FALLTHROUGH_;                                                                                              \
        case PRO_PC_END_:                                                                                              \
            (void)0;                                                                                                   \
        }                                                                                                              \
        return pro_frame_finish_(frame_);                                                                              \
    }

/* ---- private: what the macros expand to ---- */
#if defined(__GNUC__)
#define PRO_FALLTHROUGH_ __attribute__((fallthrough))
#define PRO_LIKELY_(x) __builtin_expect(!!(x), 1)
#define PRO_MAY_ALIAS_ __attribute__((may_alias))
#define PRO_HOT_ __attribute__((aligned(64))) /* begins a cache line: what it costs does not hang on what lies before it */
#define PRO_NEVER_(x) ((x) ? __builtin_unreachable() : (void)0)
#else
#define PRO_FALLTHROUGH_ (void)0
#define PRO_LIKELY_(x) (x)
#define PRO_MAY_ALIAS_
#define PRO_HOT_
#define PRO_NEVER_(x) ((void)0)
#endif
/* Labels of 64 bits. A frame keeps the lower half, whose sign is the upper one: loaded by one instruction, compared without a register. */
#define PRO_PC_ UINT64_C(0xffffffff80000000)
#define PRO_PC_FINALLY_ (PRO_PC_ + 0x7ffffff0u)
#define PRO_PC_END_ (PRO_PC_ + 0x7ffffff1u)
#define PRO_PC_START_ (PRO_PC_ + 0x7ffffff2u)
/* In the lower half, below two bits that tell the labels of a line apart, is the line. */
#define PRO_PC_LOW_(label) ((uint32_t)((label) & 0xffffffffu))
#define PRO_PC_OF_(low) ((uint64_t)(int32_t)(low))
#define PRO_PC_LINE_ 0x1fffffffu
/* With a second label that no frame has, and that fits no int and no enum: an await inside a user's own switch is then a warning in every
   compiler. In the body's switch it costs nothing, for its value never comes. */
#define PRO_CASE_(label) case (label): case (label) - PRO_PC_ + (UINT64_C(0xC0) << 48)
#define PRO_SUSPENDED_ ((struct pro_step){ 1 })
#define PRO_FINISHED_ ((struct pro_step){ 2 })
#define PRO_LEAVE_                                                                                                     \
    do {                                                                                                               \
        pro_pc_ = PRO_PC_OF_(frame_->leave_pc);                                                                        \
        goto pro_again_;                                                                                               \
    } while (0)
#define PRO_FRAME_AWAIT_(x)                                                                                            \
    _Generic((x), struct pro_task *: pro_await_task_, struct pro_kept_task: pro_await_kept_,                           \
             struct pro_op *: pro_await_op_, struct pro_awaiter: pro_await_awaiter_,                                   \
             struct pro_configured_awaiter: pro_await_configured_, struct pro_value_task: pro_await_value_,            \
             struct pro_configured_value_task: pro_await_configured_value_)
#define PRO_TAKE_RESULT_(x)                                                                                            \
    _Generic((x), struct pro_task *: pro_take_owned_, struct pro_kept_task: pro_take_kept_,                            \
             struct pro_op *: pro_take_op_, struct pro_awaiter: pro_take_awaiter_, default: pro_take_other_)
#define PRO_TAKE_STATUS_(x)                                                                                            \
    _Generic((x), struct pro_task *: pro_take_owned_status_, struct pro_kept_task: pro_take_kept_status_,              \
             default: pro_take_other_status_)
/* The resume point is set before the await is registered: it may resume elsewhere at once, and from then on the frame is not ours. */
#define PRO_AWAIT_WITH_(x, take, pointer, type)                                                                        \
    do {                                                                                                               \
        pro_ready_ = PRO_FRAME_AWAIT_(x)(frame_, (x), PRO_PC_LOW_(PRO_PC_ + __LINE__), PRO_CONFIGURE_AWAIT_DEFAULT);   \
        if (pro_ready_ == PRO_IS_SUSPENDED_)                                                                           \
            return PRO_SUSPENDED_;                                                                                     \
        PRO_FALLTHROUGH_;                                                                                              \
        PRO_CASE_(PRO_PC_ + __LINE__):                                                                                 \
            if (take(frame_, pro_ready_, pointer, type))                                                               \
                PRO_LEAVE_;                                                                                            \
    } while (0)

/* Of a task: the type of its result, where that lies, and the library's class of its block (of a large one more than there are). */
struct pro_method_head_ {
    struct pro_type type;
    uint32_t result_offset, block_class;
} PRO_MAY_ALIAS_;
/* The first members of every task, for what is done in place. Nothing here is for users. */
struct pro_task_head_ {
    uint32_t references;
    uint32_t state; /* atomic; its low bits are the status */
    struct pro_method_head_ method;
    const struct pro_site *where; /* of the body: file, function, first line */
} PRO_MAY_ALIAS_;
enum { PRO_TASK_SIZE_ = 128 };  /* of a task, which lies before its frame */
enum { PRO_TASK_OWNED_ = 16384 }; /* in its state: reading moves the result */
enum pro_frame_flag_ {
    PRO_FRAME_ABANDONED_ = 1, /* pro_continuation_abandon() was called */
    PRO_FRAME_SUSPENDED_ = 2, /* at least once: it has a reference to its own task */
    PRO_FRAME_WAITING_ = 4,   /* exactly one continuation is out */
    PRO_FRAME_FAILED_ = 8,    /* why it is leaving is in its task */
    PRO_FRAME_HAS_RESULT_ = 16,
    PRO_FRAME_VOID_ = 32,     /* async void: nobody has its task */
    PRO_FRAME_ITERATOR_ = 64, /* of a stream: its task is never completed, and lives as long as the stream */
    PRO_FRAME_HAS_ERROR_ = 128 /* error is not NULL */
};

/* ---- a frame ---- */
/* What is known of a method where it is called; static. */
struct pro_method_ {
    struct pro_site created; /* first */
    struct pro_method_head_ head;
    uint32_t size; /* of the block: task, frame, result */
};
enum { PRO_BLOCK_STEP_BITS_ = 5 }; /* of the classes of small blocks */
#define PRO_RESULT_AT_(frame_type) ((PRO_TASK_SIZE_ + sizeof(frame_type) + 15) & ~(size_t)15)
#define PRO_BLOCK_SIZE_(frame_type, result_size) (PRO_RESULT_AT_(frame_type) + (result_size))
#define PRO_METHOD_(frame_type, result_size, tag)                                                                      \
    {                                                                                                                  \
        { __FILE__, __func__, __LINE__ },                                                                              \
            { { (result_size), (tag) },                                                                                \
              (uint32_t)PRO_RESULT_AT_(frame_type),                                                                    \
              (uint32_t)((PRO_BLOCK_SIZE_(frame_type, result_size) - 1) >> PRO_BLOCK_STEP_BITS_) },                    \
            (uint32_t)PRO_BLOCK_SIZE_(frame_type, result_size)                                                         \
    }
#if defined(__GNUC__)
#define PRO_NEW_FRAME_(frame_type, fn, result_size, tag)                                                               \
    __extension__({                                                                                                    \
        static const struct pro_method_ pro_method_ = PRO_METHOD_(frame_type, result_size, tag);                       \
        frame_type *const pro_made_ = (frame_type *)pro_frame_new_(&pro_method_, (fn));                                \
        if (PRO_LIKELY_(pro_made_ != NULL) && sizeof(frame_type) > sizeof(struct pro_frame))                           \
            __builtin_memset((char *)pro_made_ + sizeof(struct pro_frame), 0,                                          \
                             sizeof(frame_type) - sizeof(struct pro_frame));                                           \
        pro_made_;                                                                                                     \
    })
#else
#define PRO_NEW_FRAME_(frame_type, fn, result_size, tag)                                                               \
    ((frame_type *)pro_frame_new_copying_(&(const struct pro_method_)PRO_METHOD_(frame_type, result_size, tag), (fn)))
#endif
/* The frame's own part is ready, the user's members are not zeroed yet. */
PRO_API void *pro_frame_new_(const struct pro_method_ *method, struct pro_step (*move_next)(struct pro_frame *frame));
/* For compilers that cannot have a static object inside an expression: @method is gone afterwards, and the frame is all zeroed. */
PRO_API void *pro_frame_new_copying_(const struct pro_method_ *method, struct pro_step (*move_next)(struct pro_frame *frame));
PRO_API void pro_frame_on_drop_(struct pro_frame *frame, void (*drop)(void *result));
PRO_API PRO_NODISCARD struct pro_task *pro_frame_start_(struct pro_frame *frame);
PRO_API void pro_frame_start_void_(struct pro_frame *frame);
PRO_API PRO_NODISCARD struct pro_value_task pro_frame_start_value_(struct pro_frame *frame);
PRO_API void *pro_frame_result_(struct pro_frame *frame, struct pro_type type, int line);
PRO_API void pro_frame_throw_(struct pro_frame *frame, struct pro_error *error);
PRO_API bool pro_frame_lost_(struct pro_frame *frame); /* false: it has ended and must not be resumed */
PRO_API struct pro_step pro_frame_finish_(struct pro_frame *frame);

static inline bool pro_type_is_(struct pro_type have, struct pro_type want)
{
#if defined(__GNUC__)
    uint64_t had, wanted; /* in one comparison */

    __builtin_memcpy(&had, &have, sizeof had);
    __builtin_memcpy(&wanted, &want, sizeof wanted);
    return had == wanted;
#else
    return have.size == want.size && have.tag == want.tag;
#endif
}

/* The body begins. Reports may read the place from other threads; in most blocks the last life has left it. */
static inline void pro_frame_is_at_(struct pro_frame *frame, const struct pro_site *site)
{
    struct pro_task_head_ *const task = (struct pro_task_head_ *)(void *)((char *)frame - PRO_TASK_SIZE_);

    if (PRO_LIKELY_(task->where == site))
        return;
#if defined(__GNUC__)
    __atomic_store_n(&task->where, site, __ATOMIC_RELAXED);
#else
    task->where = site;
#endif
}

static inline void *pro_frame_result_at_(struct pro_frame *frame, struct pro_type type, int line)
{
    struct pro_task_head_ *const task = (struct pro_task_head_ *)(void *)((char *)frame - PRO_TASK_SIZE_);

    if (!PRO_LIKELY_(pro_type_is_(task->method.type, type) && !(frame->flags & PRO_FRAME_ITERATOR_)))
        return pro_frame_result_(frame, type, line);
    frame->flags |= PRO_FRAME_HAS_RESULT_;
    return (char *)task + task->method.result_offset;
}

/* ---- an await ---- */
/* true: suspended */
PRO_API bool pro_frame_await_task_(struct pro_frame *frame, struct pro_task *task, unsigned options);
PRO_API bool pro_frame_await_op_(struct pro_frame *frame, struct pro_op *op, unsigned options);
PRO_API bool pro_frame_await_awaiter_(struct pro_frame *frame, struct pro_awaiter awaiter, unsigned options);
PRO_API bool pro_frame_await_configured_(struct pro_frame *frame, struct pro_configured_awaiter awaiter, unsigned unused);
PRO_API bool pro_frame_await_value_(struct pro_frame *frame, struct pro_value_task task, unsigned options);
PRO_API bool pro_frame_await_configured_value_(struct pro_frame *frame, struct pro_configured_value_task task, unsigned unused);
/* Makes a complete task (its reference is taken) what the await takes its result from. */
PRO_API void pro_frame_take_up_(struct pro_frame *frame, struct pro_task *task);
PRO_API bool pro_frame_take_result_(struct pro_frame *frame, void *ret_result, struct pro_type type); /* true: leave */
PRO_API bool pro_frame_take_status_(struct pro_frame *frame, void *ret_result, struct pro_type type); /* false */

/* Did it run to completion, with a result that is just copied? */
static inline bool pro_task_is_ready_(const struct pro_task *task)
{
#if defined(__GNUC__) && !defined(PRO_AWAIT_BY_CALL_)
    const struct pro_task_head_ *const head = (const struct pro_task_head_ *)(const void *)task;

    /* Acquire: who sees the success sees the result. */
    return task && (__atomic_load_n(&head->state, __ATOMIC_ACQUIRE) & (7u | (unsigned)PRO_TASK_OWNED_)) ==
                       (unsigned)PRO_TASK_RAN_TO_COMPLETION;
#else
    (void)task;
    return false;
#endif
}

/* What an await gives: the task itself, when it is to be read on the spot; NULL: complete, and what is to be taken is in the frame. */
#define PRO_IS_SUSPENDED_ ((struct pro_task *)(uintptr_t)1)
#define PRO_AWAIT_LONG_(suspended) ((suspended) ? PRO_IS_SUSPENDED_ : NULL)

static inline struct pro_task *pro_await_task_(struct pro_frame *frame, struct pro_task *task, uint32_t pc, unsigned options)
{
    if (PRO_LIKELY_(pro_task_is_ready_(task)) && !(options & ~(unsigned)PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT))
    {
        PRO_NEVER_(task == PRO_IS_SUSPENDED_);
        return task;
    }
    frame->pc = pc;
    return PRO_AWAIT_LONG_(pro_frame_await_task_(frame, task, options));
}
static inline struct pro_task *pro_await_kept_(struct pro_frame *frame, struct pro_kept_task kept, uint32_t pc,
                                               unsigned options)
{
    if (PRO_LIKELY_(pro_task_is_ready_(kept.task)) && !(options & ~(unsigned)PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT))
        return kept.task;
    frame->pc = pc;
    return PRO_AWAIT_LONG_(pro_frame_await_task_(frame, pro_task_ref(kept.task), options));
}
static inline struct pro_task *pro_await_op_(struct pro_frame *frame, struct pro_op *op, uint32_t pc, unsigned options)
{
    frame->pc = pc;
    return PRO_AWAIT_LONG_(pro_frame_await_op_(frame, op, options));
}
static inline struct pro_task *pro_await_awaiter_(struct pro_frame *frame, struct pro_awaiter awaiter, uint32_t pc,
                                                  unsigned options)
{
    frame->pc = pc;
    return PRO_AWAIT_LONG_(pro_frame_await_awaiter_(frame, awaiter, options));
}
static inline struct pro_task *pro_await_configured_(struct pro_frame *frame, struct pro_configured_awaiter awaiter, uint32_t pc,
                                                     unsigned unused)
{
    frame->pc = pc;
    return PRO_AWAIT_LONG_(pro_frame_await_configured_(frame, awaiter, unused));
}
static inline struct pro_task *pro_await_value_(struct pro_frame *frame, struct pro_value_task task, uint32_t pc,
                                                unsigned options)
{
    frame->pc = pc;
    return PRO_AWAIT_LONG_(pro_frame_await_value_(frame, task, options));
}
static inline struct pro_task *pro_await_configured_value_(struct pro_frame *frame, struct pro_configured_value_task task,
                                                           uint32_t pc, unsigned unused)
{
    frame->pc = pc;
    return PRO_AWAIT_LONG_(pro_frame_await_configured_value_(frame, task, unused));
}

/* ---- and its result ---- */
/* False: it is of another type, which the long way tells, or takes after all. */
static inline bool pro_task_read_ready_(struct pro_task *ready, void *ret_result, struct pro_type type)
{
    const struct pro_task_head_ *const head = (const struct pro_task_head_ *)(const void *)ready;

    if (!ret_result)
        return true;
    if (!pro_type_is_(head->method.type, type))
        return false;
#if defined(__GNUC__)
    __builtin_memcpy(ret_result, (const char *)head + head->method.result_offset, type.size);
#endif
    return true;
}
static inline bool pro_take_other_(struct pro_frame *frame, struct pro_task *ready, void *ret_result, struct pro_type type)
{
    (void)ready;
    return pro_frame_take_result_(frame, ret_result, type);
}
/* A method that has only given way has nothing to take. */
static inline bool pro_take_awaiter_(struct pro_frame *frame, struct pro_task *ready, void *ret_result, struct pro_type type)
{
    (void)ready;
    return frame->awaiting.vtable && pro_frame_take_result_(frame, ret_result, type);
}
/* An op that was delivered, and not abandoned, says all by itself. */
static inline bool pro_take_op_(struct pro_frame *frame, struct pro_task *ready, void *ret_result, struct pro_type type)
{
    const struct pro_op *const op = (const struct pro_op *)frame->awaiting.self;

    (void)ready;
    if (PRO_LIKELY_(!ret_result && op->state == PRO_OP_IDLE && op->result >= 0 && !(frame->flags & PRO_FRAME_ABANDONED_)))
        return false;
    return pro_frame_take_result_(frame, ret_result, type);
}
static inline bool pro_take_other_status_(struct pro_frame *frame, struct pro_task *ready, void *ret_result, struct pro_type type)
{
    (void)ready;
    return pro_frame_take_status_(frame, ret_result, type);
}
static inline bool pro_take_owned_(struct pro_frame *frame, struct pro_task *ready, void *ret_result, struct pro_type type)
{
    if (PRO_LIKELY_(ready && pro_task_read_ready_(ready, ret_result, type))) {
        pro_task_unref(ready);
        return false;
    }
    if (ready)
        pro_frame_take_up_(frame, ready);
    return pro_frame_take_result_(frame, ret_result, type);
}
static inline bool pro_take_kept_(struct pro_frame *frame, struct pro_task *ready, void *ret_result, struct pro_type type)
{
    if (PRO_LIKELY_(ready && pro_task_read_ready_(ready, ret_result, type)))
        return false;
    if (ready)
        pro_frame_take_up_(frame, pro_task_ref(ready));
    return pro_frame_take_result_(frame, ret_result, type);
}
static inline bool pro_take_owned_status_(struct pro_frame *frame, struct pro_task *ready, void *ret_result, struct pro_type type)
{
    if (PRO_LIKELY_(ready && !frame->error && pro_task_read_ready_(ready, ret_result, type))) {
        frame->status = PRO_OK;
        pro_task_unref(ready);
        return false;
    }
    if (ready)
        pro_frame_take_up_(frame, ready);
    return pro_frame_take_status_(frame, ret_result, type);
}
static inline bool pro_take_kept_status_(struct pro_frame *frame, struct pro_task *ready, void *ret_result, struct pro_type type)
{
    if (PRO_LIKELY_(ready && !frame->error && pro_task_read_ready_(ready, ret_result, type))) {
        frame->status = PRO_OK;
        return false;
    }
    if (ready)
        pro_frame_take_up_(frame, pro_task_ref(ready));
    return pro_frame_take_status_(frame, ret_result, type);
}

#endif /* !__cplusplus */

#endif
