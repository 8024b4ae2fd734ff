/* SPDX-License-Identifier: MIT */
/* Async streams: IAsyncEnumerator, `await foreach`, and iterators written as async methods.
 *
 *     struct numbers { PRO_STREAM_FRAME; int i, count; };
 *     PRO_ASYNC(numbers_move_next, struct numbers, self)
 *         for (self->i = 0; self->i < self->count; self->i++) {
 *             PRO_AWAIT(pro_delay(PRO_MS(10), PRO_TOKEN_NONE));
 *             PRO_YIELD_RETURN(int, self->i);
 *         }
 *     PRO_ASYNC_END
 *     struct pro_stream *numbers(int count)
 *     {
 *         struct numbers *self = PRO_NEW_STREAM(struct numbers, numbers_move_next, int);
 *         if (self)
 *             self->count = count;
 *         return PRO_START_STREAM(self);
 *     }
 *
 *     PRO_AWAIT_FOREACH(&self->each, &self->n, numbers(3)) {
 *         …PRO_AWAIT(…), break, continue, PRO_RETURN(…)…
 *     }
 */
#ifndef PROACT_STREAM_H
#define PROACT_STREAM_H

#include <proact/async.h>

PRO_BEGIN_DECLS

struct pro_stream;

struct pro_stream_vtable {
    /* A value task of bool: is there a next item? One at a time: not before the last one's result was taken. */
    struct pro_value_task (*move_next)(struct pro_stream *stream);
    /* Copies the present item: after move_next gave true, until it is called again. */
    int (*current)(struct pro_stream *stream, void *ret_item, struct pro_type type);
    /* Ends it, and frees it when the value task, which has no result, completes. Not while a move_next is pending. */
    struct pro_value_task (*dispose)(struct pro_stream *stream);
};
/* A sequence for one consumer. Embed it first in one of your own. */
struct pro_stream {
    const struct pro_stream_vtable *vtable;
};

/* MoveNextAsync, Current, DisposeAsync. NULL or incomplete streams: PRO_E_INVALID (misuse). A value task of bool: is there a next
   item? Borrows the stream. [one thread at a time: the one consumer's] */
PRO_API PRO_NODISCARD struct pro_value_task pro_stream_move_next(struct pro_stream *stream);
/* Copies the present item. PRO_E_STATE: there is none; PRO_E_TYPE: it is of another type. [one thread at a time] */
PRO_API int pro_stream_current(struct pro_stream *stream, void *ret_item, struct pro_type type);
/* Takes the stream: it is gone when the value task, which has no result, is complete. [one thread at a time] */
PRO_API PRO_NODISCARD struct pro_value_task pro_stream_dispose(struct pro_stream *stream);

/* Gives a stream of the tasks (struct pro_task *, borrowed until the stream is disposed of) in the order of their completion, failed
   ones included and without their errors; those complete when it is first asked, in order of the arguments. The consumer is resumed
   asynchronously (SEM-192). @token, once cancelled, fails the next move while there are tasks to give, also when one is there; a wait
   ends inside the cancel, where a task's continuations may run. A NULL task: PRO_E_INVALID. Borrows the array; holds the tasks.
   [any thread] */
PRO_API PRO_NODISCARD int pro_when_each(struct pro_task *const *tasks, size_t count, struct pro_cancellation_token token,
                                        struct pro_stream **ret_stream);

/* Gives a stream that fails with @error (taken) when it is asked for its first item. [any thread] */
PRO_API PRO_NODISCARD struct pro_stream *pro_stream_from_error(struct pro_error *error);

#ifndef __cplusplus

/* ---- consuming: await foreach ---- */
/* One PRO_AWAIT_FOREACH, in the frame of the method that loops. */
struct pro_foreach {
    struct pro_stream *stream; /* disposed of however the loop is left */
    uint32_t outer_leave_pc;
    unsigned options;
    unsigned char phase;
    bool has_item, leaving, failed;
};

/* Takes @stream, copies each item to *@item, and runs the statement that follows for it; the item's type is checked. break and continue
   are this loop's, awaits are allowed. However it is left (end, break, an error, PRO_RETURN), the stream is disposed of, and that is
   awaited. @each: a struct pro_foreach of its own, and @item, both in the frame. One a line, as PRO_AWAIT. */
#define PRO_AWAIT_FOREACH(each, item, stream) PRO_AWAIT_FOREACH_WITH(each, item, stream, PRO_CONFIGURE_AWAIT_DEFAULT)
/* With ConfigureAwait: @options is PRO_AWAIT_NONE or PRO_AWAIT_CONTINUE_ON_CAPTURED_CONTEXT. */
/* The inner loop is the user's; whatever ends it, the outer one disposes. Who leaves the body from inside comes to the same place by the
   frame's leave_pc. */
#define PRO_AWAIT_FOREACH_WITH(each, item, stream, options)                                                            \
    for (pro_foreach_begin_(frame_, (each), (stream), (options), PRO_PC_LOW_(PRO_PC_UNWIND_ + __LINE__));              \
         (each)->phase != PRO_FOREACH_OVER_; (each)->leaving = false)                                                  \
        if ((each)->phase == PRO_FOREACH_DISPOSES_) {                                                                  \
            PRO_FALLTHROUGH_;                                                                                          \
        PRO_CASE_(PRO_PC_UNWIND_ + __LINE__):                                                                          \
            frame_->pc = PRO_PC_LOW_(PRO_PC_DISPOSED_ + __LINE__);                                                     \
            if (pro_foreach_dispose_(frame_, (each)))                                                                  \
                return PRO_SUSPENDED_;                                                                                 \
            PRO_FALLTHROUGH_;                                                                                          \
        PRO_CASE_(PRO_PC_DISPOSED_ + __LINE__):                                                                        \
            if (pro_foreach_disposed_(frame_, (each)))                                                                 \
                PRO_LEAVE_;                                                                                            \
        } else                                                                                                         \
            for ((each)->phase = PRO_FOREACH_DISPOSES_, (each)->leaving = true;;)                                      \
                if (!(each)->has_item) {                                                                               \
                    frame_->pc = PRO_PC_LOW_(PRO_PC_ + __LINE__);                                                      \
                    if (pro_foreach_next_(frame_, (each)))                                                             \
                        return PRO_SUSPENDED_;                                                                         \
                    PRO_FALLTHROUGH_;                                                                                  \
                PRO_CASE_(PRO_PC_ + __LINE__):                                                                         \
                    if (!pro_foreach_take_(frame_, (each), (item), PRO_TYPE_OF(item)))                                 \
                        break;                                                                                         \
                } else if (((each)->has_item = false)) {                                                               \
                } else

/* ---- writing: iterators ---- */
/* What stands beside the frame of an iterator. */
struct pro_iterator {
    struct pro_stream stream;
    struct pro_value_task_source source;
    struct pro_value_task_source_core core; /* of the present move_next, or of the disposal */
    unsigned char state;
    bool disposing, has_item;
};
/* The first member of an iterator's frame, in place of PRO_FRAME. */
#define PRO_STREAM_FRAME                                                                                               \
    struct pro_frame pro_frame_;                                                                                       \
    struct pro_iterator pro_iterator_
/* Gives a zeroed frame, in one allocation for the whole stream, or NULL. */
#define PRO_NEW_STREAM(frame_type, move_next, item_type)                                                               \
    PRO_NEW_FRAME_(frame_type, (move_next), (uint32_t)sizeof(item_type), PRO_TYPE_TAG_((item_type *)0))
/* Gives the stream of the frame; of NULL, one that fails with PRO_E_NO_MEMORY. The body begins when the first item is asked for; a stream
   that is disposed of before runs PRO_FINALLY alone (C# runs nothing: it has a collector). Items that own something: PRO_ON_DROP, then they move to the consumer. */
#define PRO_START_STREAM(self) pro_iterator_start_((self) ? &(self)->pro_iterator_ : NULL)

/* Gives the next item, and goes on when the one after it is asked for; or leaves for PRO_FINALLY when the consumer has disposed of the
   stream. Not in PRO_FINALLY. `yield break` is PRO_RETURN_VOID. */
#define PRO_YIELD_RETURN(type, value)                                                                                  \
    do {                                                                                                               \
        {                                                                                                              \
            type *const pro_item_ = (type *)pro_iterator_item_(frame_, PRO_TYPE(type), __LINE__);                      \
            if (!pro_item_)                                                                                            \
                PRO_LEAVE_;                                                                                            \
            *pro_item_ = (value);                                                                                      \
        }                                                                                                              \
        frame_->pc = PRO_PC_LOW_(PRO_PC_ + __LINE__);                                                                  \
        pro_iterator_yield_(frame_); /* the consumer may go on inside, and with it this body */                        \
        return PRO_SUSPENDED_;                                                                                         \
        PRO_CASE_(PRO_PC_ + __LINE__):                                                                                 \
            if (pro_iterator_is_disposed_(frame_))                                                                     \
                PRO_LEAVE_;                                                                                            \
    } while (0)

/* ---- private: what the macros expand to ---- */
#define PRO_PC_UNWIND_ (PRO_PC_ + (UINT64_C(1) << 29))
#define PRO_PC_DISPOSED_ (PRO_PC_ + (UINT64_C(2) << 29))
enum { PRO_FOREACH_ITERATES_, PRO_FOREACH_DISPOSES_, PRO_FOREACH_OVER_ };
PRO_API void pro_foreach_begin_(struct pro_frame *frame, struct pro_foreach *each, struct pro_stream *stream, unsigned options,
                                uint32_t unwind_pc);
PRO_API bool pro_foreach_next_(struct pro_frame *frame, struct pro_foreach *each); /* true: suspended */
PRO_API bool pro_foreach_take_(struct pro_frame *frame, struct pro_foreach *each, void *ret_item, struct pro_type type); /* an item? */
PRO_API bool pro_foreach_dispose_(struct pro_frame *frame, struct pro_foreach *each);  /* true: suspended */
PRO_API bool pro_foreach_disposed_(struct pro_frame *frame, struct pro_foreach *each); /* true: leave */
PRO_API PRO_NODISCARD struct pro_stream *pro_iterator_start_(struct pro_iterator *iterator);
PRO_API void *pro_iterator_item_(struct pro_frame *frame, struct pro_type type, int line);
PRO_API void pro_iterator_yield_(struct pro_frame *frame);
PRO_API bool pro_iterator_is_disposed_(struct pro_frame *frame); /* true: leave */

#endif /* !__cplusplus */

PRO_END_DECLS

#endif
