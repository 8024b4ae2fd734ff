/* SPDX-License-Identifier: MIT */
PRO_ASYNC(move, struct x, self)
    PRO_AWAIT(step());
    PRO_AWAIT(step());
    PRO_AWAIT(step());
    PRO_AWAIT(step());
    PRO_AWAIT(step());
    PRO_AWAIT(step());
    PRO_AWAIT(step());
PRO_ASYNC_END
