/* SPDX-License-Identifier: MIT */
/* What every verb does first: it makes the op ready, says what it is for, and how long. Inline, since a verb knows its
   kind, and most of its callers that there is no limit; what is not the rule is called. */
#ifndef PROACT_PROACTOR_VERB_H
#define PROACT_PROACTOR_VERB_H

#include "internal.h"

/* op.c: the stand-in that a verb gives back for an op that cannot be filled; told as misuse. */
struct pro_op *proi_op_refuse_to_begin(struct pro_op *op, enum pro_op_kind kind);
void proi_op_use_any_loop(struct pro_op *op, struct pro_loop *loop);
void proi_op_use_any_handle(struct pro_op *op, struct pro_handle *handle, uint32_t generation, uint32_t loop_id,
                            unsigned kinds);
void proi_op_limit_it(struct pro_op *op, int64_t timeout_ns, uint64_t deadline_ns,
                      struct pro_cancellation_source *source);

/* False: it is in flight or NULL; *op is then a stand-in that fails. */
PROI_INLINE bool proi_op_begin(struct pro_op **op, enum pro_op_kind kind)
{
    struct pro_op *const it = *op;

    if (PROI_UNLIKELY(!it || (it->state != PRO_OP_IDLE && it->state != PRO_OP_READY))) {
        *op = proi_op_refuse_to_begin(it, kind);
        return false;
    }
    it->result = INT64_MIN; /* reading it early shows */
    it->transferred = 0;
    it->native = 0;
    it->kind = (unsigned char)kind;
    it->state = PRO_OP_READY;
    it->why = PROI_WHY_NONE;
    it->place = 0;
    it->flags = 0;
    it->loop = NULL;
    it->handle = NULL;
    return true; /* done and waiter are set by the submit; buffer, length and offset by the verbs that have them */
}

/* NULL: the thread's own, else the background one. */
PROI_INLINE void proi_op_use_loop(struct pro_op *op, struct pro_loop *loop)
{
    struct pro_loop *const here = proi_running_loop;

    if (PROI_LIKELY(here && (!loop || loop == here) && !proi_load(&here->closing, PROI_RELAXED)))
        op->loop = here;
    else
        proi_op_use_any_loop(op, loop);
}

/* @kinds: bits 1 << enum proi_handle_kind. An open handle of the loop that this thread runs changes on this thread
   only. Against a block that is another's by now: with its loop we have acquired the number that came before, which is
   not ours (see proi_handle_look()). */
PROI_INLINE void proi_op_use_handle(struct pro_op *op, struct pro_handle *handle, uint32_t generation, uint32_t loop_id,
                                    unsigned kinds)
{
    struct pro_loop *const here = proi_running_loop;

    if (PROI_LIKELY(handle && here && proi_load(&handle->loop, PROI_ACQUIRE) == here &&
                    proi_load(&handle->generation, PROI_RELAXED) == generation &&
                    proi_load(&handle->state, PROI_RELAXED) == PROI_HANDLE_OPEN &&
                    kinds >> proi_load(&handle->kind, PROI_RELAXED) & 1u && !proi_load(&here->closing, PROI_RELAXED))) {
        op->loop = here;
        op->handle = handle;
        op->handle_generation = generation;
    } else {
        proi_op_use_any_handle(op, handle, generation, loop_id, kinds);
    }
}

/* After the loop is known. */
PROI_INLINE void proi_op_limit(struct pro_op *op, struct pro_how how)
{
    if (PROI_UNLIKELY(how.timeout_ns || how.deadline_ns || how.token.source))
        proi_op_limit_it(op, how.timeout_ns, how.deadline_ns, how.token.source);
}

#endif
