/* SPDX-License-Identifier: MIT */
/* Two tasks await each other: no thread, no context, and still a deadlock.
 *
 * The price needs the discount, and the discount needs the price. Both methods ask the server first, so when each
 * starts there is nothing wrong yet; then each awaits the other's task. Nobody blocks: both are suspended, their
 * threads are free, all queues are empty. They wait for ever. A debugger shows idle threads and nothing else.
 * The main thread waits for the price, which is how somebody notices at all. Follow the report down from there: the
 * task, the line where it waits, the next task, the line where that one waits, and back at the first.
 * No option of await cures this: one of the two has to do without the other.
 */
#include "gallery.h"

static struct pro_task *price_task, *discount_task, *both_known;

struct price {
    PRO_FRAME;
    struct answer list_price;
};

PRO_ASYNC(price_move_next, struct price, self)
    PRO_AWAIT_TO(&self->list_price, ask_async("name", PRO_AWAIT_NONE));
    PRO_AWAIT(pro_borrow(both_known));
    say("the price waits for the discount");
    PRO_AWAIT(pro_borrow(discount_task));
PRO_ASYNC_END

static struct pro_task *price_async(void)
{
    struct price *self = PRO_NEW_FRAME_VOID(struct price, price_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

struct discount {
    PRO_FRAME;
    struct answer customer;
};

PRO_ASYNC(discount_move_next, struct discount, self)
    PRO_AWAIT_TO(&self->customer, ask_async("name", PRO_AWAIT_NONE));
    PRO_AWAIT(pro_borrow(both_known));
    say("the discount waits for the price");
    PRO_AWAIT(pro_borrow(price_task));
PRO_ASYNC_END

static struct pro_task *discount_async(void)
{
    struct discount *self = PRO_NEW_FRAME_VOID(struct discount, discount_move_next);
    return self ? PRO_START(self) : pro_task_no_memory();
}

static const char *play(void)
{
    struct pro_completion_source *gate; /* opens when both tasks are stored where the other finds them */
    server_start();
    if (pro_completion_source_new(PRO_NO_RESULT, 0, &gate) != PRO_OK)
        give_up("the scene cannot be set", PRO_E_NO_MEMORY);
    both_known = pro_completion_source_task(gate);
    price_task = price_async();
    discount_task = discount_async();
    pro_task_set_name(price_task, "price");
    pro_task_set_name(discount_task, "discount");
    pro_completion_source_set_result(gate, NULL, PRO_NO_RESULT);

    say("waits for the price");
    int code = PRO_WAIT(price_task);
    scene_end_with("the wait ended: %s", pro_err_name(code));
    return scene_wait();
}

SCENARIO(play, .expects = "deadlock");
