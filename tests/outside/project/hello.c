/* SPDX-License-Identifier: MIT */
/* An async method that sleeps once. */
#include <proact/proact.h>

#include <stdio.h>

struct hello {
    PRO_FRAME;
    struct pro_op op;
};

PRO_ASYNC(hello_move_next, struct hello, self)
    PRO_AWAIT(pro_sleep(&self->op, NULL, PRO_MS(1), PRO_HOW_DEFAULT));
    printf("hello from proact %s on %s\n", pro_version(), pro_loop_backend(pro_loop_current()));
PRO_ASYNC_END

static struct pro_task *hello_async(void *unused)
{
    struct hello *self = PRO_NEW_FRAME_VOID(struct hello, hello_move_next);

    (void)unused;
    return self ? PRO_START(self) : pro_task_no_memory();
}

int main(void)
{
    return pro_run(hello_async, NULL) == PRO_OK ? 0 : 1;
}
