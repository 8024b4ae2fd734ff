/* SPDX-License-Identifier: MIT */
/* What ends an operation early by itself: a deadline, a token. Few have one, so it is no part of the op, but a block of
   its own from submission to the end. A sleep is in the wheel with or without one: its deadline only moves its moment.
 */
#include "internal.h"

struct pro_op *proi_limit_op(struct pro_timer_ *timer) { return PRO_CONTAINER(timer, struct proi_limit, timer)->op; }

PROI_APART int proi_limit_open(struct pro_op *op)
{
    struct proi_limit *const limit = proi_block_alloc(sizeof *limit);
    int code = PRO_OK;

    if (!limit)
        return PRO_E_NO_MEMORY;
    limit->timer.slot = 0;
    limit->timer.of_limit = true;
    limit->op = op;
    limit->node = NULL;
    if (op->flags & PROI_OP_TOKEN)
        code = proi_token_attach(limit, op->source);
    if (code < 0) {
        proi_block_free(limit, sizeof *limit);
        return code;
    }
    op->limit = limit;
    op->flags |= PROI_OP_LIMITED;
    if (op->flags & PROI_OP_DEADLINE && op->kind != PRO_OP_SLEEP) {
        limit->timer.moment_ns = op->deadline_ns;
        proi_op_arm(op, &limit->timer);
    }
    return PRO_OK;
}

PROI_APART void proi_limit_close(struct pro_op *op)
{
    struct proi_limit *const limit = op->limit;

    proi_wheel_disarm(op->loop->own.wheel, &limit->timer);
    if (limit->node)
        proi_token_detach(limit);
    op->flags &= (uint16_t) ~(PROI_OP_LIMITED | PROI_OP_TOKEN);
    proi_block_free(limit, sizeof *limit);
}
