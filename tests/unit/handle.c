/* SPDX-License-Identifier: MIT */
/* Handles: values with a generation, the order of close, and what the end of a loop does to them. */
#include "proactor/internal.h"

#include <proact/proact.h>

#include "gate.h"
#include "loops.h"
#include "told.h"

static void close_socket(struct pro_loop *loop, const struct pro_socket *socket)
{
    struct pro_op op = { 0 };

    CHECK_EQ(loop_answer(loop, pro_close(&op, socket)), PRO_OK);
}

TEST(a_block_that_is_used_again_has_another_generation)
{
    // Kills: a generation that is set to the same number at each open.
    struct pro_loop *const loop = loop_new();
    struct pair old, fresh;

    loop_connect(loop, &old);
    close_socket(loop, &old.client);
    close_socket(loop, &old.server);
    close_socket(loop, &old.listener);
    loop_connect(loop, &fresh);
    const struct pro_socket *const sockets[] = { &old.client, &old.server, &old.listener };
    bool reused = false;

    for (int i = 0; i < 3; i++) {
        const struct pro_socket *const others[] = { &fresh.client, &fresh.server, &fresh.listener };

        for (int k = 0; k < 3; k++)
            if (sockets[i]->handle == others[k]->handle) {
                reused = true;
                CHECK(sockets[i]->generation != others[k]->generation);
            }
    }
    CHECK(reused);
    loop_end(loop);
}

TEST(copies_of_a_value_are_one_handle)
{
    // Kills: a state that is kept in the value.
    struct pro_loop *const loop = loop_new();
    struct pair pair;
    struct pro_socket copy;

    loop_connect(loop, &pair);
    copy = pair.client;
    CHECK(pro_socket_is_open(&copy));
    CHECK(pro_socket_loop(&copy) == loop);
    close_socket(loop, &copy);
    CHECK(!pro_socket_is_open(&pair.client));
    loop_end(loop);
}

struct order {
    struct pro_op *delivered[8];
    int count;
};

static void note_order(struct pro_op *op)
{
    struct order *const order = op->user;

    order->delivered[order->count++] = op;
}

struct closing {
    struct pair pair;
    struct order order;
    struct pro_op ops[4];
    struct pro_socket accepted;
    char byte;
};

/* On the loop, so that what a closed handle answers is delivered there, too. */
static void close_twice(void *arg)
{
    struct closing *const it = arg;

    CHECK_EQ(pro_then(pro_close(&it->ops[1], &it->pair.client), note_order), PRO_OK);
    CHECK_EQ(pro_then(pro_close(&it->ops[2], &it->pair.client), note_order), PRO_OK); /* it has nothing to do */
    CHECK_EQ(pro_then(pro_recv(&it->ops[3], &it->pair.client, &it->byte, 1, PRO_HOW_DEFAULT), note_order), PRO_OK);
}

static void check_close(struct pro_loop *loop, struct closing *it)
{
    for (int i = 0; i < 4; i++)
        it->ops[i].user = &it->order;
    loop_connect(loop, &it->pair);
    CHECK_EQ(pro_then(pro_recv(&it->ops[0], &it->pair.client, &it->byte, 1, PRO_HOW_DEFAULT), note_order), PRO_OK);
    CHECK_EQ(pro_loop_run_once(loop, 0), 0);
    CHECK_EQ(pro_loop_post(loop, close_twice, it), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(it->order.count, 4);
    CHECK_EQ(it->ops[0].result, PRO_E_CLOSED);
    CHECK_EQ(it->ops[1].result, PRO_OK);
    CHECK_EQ(it->ops[2].result, PRO_E_CLOSED);
    CHECK_EQ(it->ops[3].result, PRO_E_CLOSED);
    CHECK(it->order.delivered[3] == &it->ops[1]);
}

TEST(close_collects_what_is_pending_and_comes_last)
{
    // Kills: a native that is closed under an op; a pending op that is forgotten; a close that waits for ever.
    for (const char *const *backend = test_backends(); *backend; backend++) {
        struct pro_loop *const loop = loop_on(*backend, NULL, false);
        struct closing it = { .byte = 0 };

        check_close(loop, &it);
        it.order.count = 0;
        CHECK_EQ(pro_then(pro_accept(&it.ops[0], &it.pair.listener, &it.accepted, PRO_HOW_DEFAULT), note_order),
                 PRO_OK);
        CHECK_EQ(pro_then(pro_close(&it.ops[1], &it.pair.listener), note_order), PRO_OK); /* in one turn */
        CHECK_EQ(pro_loop_run(loop), PRO_OK);
        CHECK_EQ(it.order.count, 2);
        CHECK_EQ(it.ops[0].result, PRO_E_CLOSED);
        CHECK_EQ(it.ops[1].result, PRO_OK);
        loop_end(loop);
    }
}

TEST(the_end_of_a_loop_ends_its_ops_and_closes_its_handles)
{
    // Kills: an op that is never delivered; a handle that outlives its loop.
    for (const char *const *backend = test_backends(); *backend; backend++) {
        struct pro_loop *const loop = loop_on(*backend, NULL, false);
        struct order order = { .count = 0 };
        struct pro_op ops[3] = { { .user = &order }, { .user = &order }, { .user = &order } };
        struct pro_socket accepted;
        struct pair pair;
        char byte;

        loop_connect(loop, &pair);
        CHECK_EQ(pro_then(pro_recv(&ops[0], &pair.client, &byte, 1, PRO_HOW_DEFAULT), note_order), PRO_OK);
        CHECK_EQ(pro_then(pro_accept(&ops[1], &pair.listener, &accepted, PRO_HOW_DEFAULT), note_order), PRO_OK);
        CHECK_EQ(pro_loop_run_once(loop, 0), 0);
        CHECK_EQ(pro_then(pro_sleep(&ops[2], loop, PRO_S(3600), PRO_HOW_DEFAULT), note_order), PRO_OK);
        loop_end(loop);
        CHECK_EQ(order.count, 3);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(ops[i].result, PRO_E_LOOP_CLOSED);
        CHECK(!pro_socket_is_open(&pair.client) && !pro_socket_is_open(&pair.listener));
        CHECK_EQ(pro_socket_set_abortive(&pair.server, true), PRO_E_LOOP_CLOSED);
    }
}

TEST(the_end_of_a_loop_closes_its_own_handles_wherever_they_lie)
{
    // Kills: a walk that ends with the first slab, or with the first handle that is another's; one that takes
    // another's.
    enum { EACH = 2 * PROI_SLAB_HANDLES };
    struct pro_loop *const loops[2] = { loop_on("sim", "first", false), loop_on("sim", "second", false) };
    const struct pro_addr addr = pro_addr_loopback(0);
    static struct pro_socket listeners[2][EACH];
    struct pro_loop_stats stats;

    for (int i = 0; i < EACH; i++)
        for (int k = 0; k < 2; k++)
            REQUIRE(pro_listen(loops[k], &addr, NULL, &listeners[k][i]) == PRO_OK);
    CHECK_EQ(pro_loop_get_stats(loops[0], &stats), PRO_OK);
    CHECK_EQ(stats.handles, EACH);
    loop_end(loops[0]);
    for (int i = 0; i < EACH; i++) {
        CHECK(listeners[0][i].handle->generation != listeners[0][i].generation); /* closed, and not only its loop */
        CHECK(pro_socket_is_open(&listeners[1][i]));
    }
    CHECK_EQ(pro_loop_get_stats(loops[1], &stats), PRO_OK);
    CHECK_EQ(stats.handles, EACH);
    loop_end(loops[1]);
}

TEST(a_close_that_waits_for_an_op_outlives_the_end_of_its_loop)
{
    // Kills: a close that the end of the loop ends with the ops it waits for; one that takes itself for one of them.
    for (const char *const *backend = test_backends(); *backend; backend++) {
        struct pro_loop *const loop = loop_on(*backend, NULL, false);
        struct closing it = { .byte = 0 };

        for (int i = 0; i < 4; i++)
            it.ops[i].user = &it.order;
        loop_connect(loop, &it.pair);
        for (int i = 0; i < 2; i++)
            CHECK_EQ(pro_then(pro_recv(&it.ops[i], &it.pair.client, &it.byte, 1, PRO_HOW_DEFAULT), note_order), PRO_OK);
        CHECK_EQ(pro_loop_run_once(loop, 0), 0);
        CHECK_EQ(pro_then(pro_close(&it.ops[2], &it.pair.client), note_order), PRO_OK);
        loop_end(loop);
        CHECK_EQ(it.order.count, 3);
        CHECK(it.order.delivered[2] == &it.ops[2]);
        CHECK_EQ(it.ops[2].result, PRO_OK);
    }
}

TEST(a_handle_of_another_kind_is_refused)
{
    // Kills: a verb that takes any open handle.
    struct pro_loop *const loop = loop_new();
    struct pair pair;
    struct pro_file disguised;
    struct pro_op op = { 0 };
    uint64_t size;
    char byte;

    told_listen();
    loop_connect(loop, &pair);
    disguised = (struct pro_file){ pair.client.handle, pair.client.generation, pair.client.loop_id };
    CHECK_EQ(loop_answer(loop, pro_read_at(&op, &disguised, &byte, 1, 0, PRO_HOW_DEFAULT)), PRO_E_INVALID);
    CHECK_EQ(loop_answer(loop, pro_file_close(&op, &disguised)), PRO_E_INVALID);
    CHECK_EQ(pro_file_size(&disguised, &size), PRO_E_INVALID);
    CHECK_EQ(told_count(), 3);
    CHECK(pro_socket_is_open(&pair.client));
    loop_end(loop);
    told_stop();
}

/* ---- asked from other threads ---- */

struct asking {
    struct pro_socket sockets[2];
    uint32_t stop;
    struct gate asked;
};

static void ask(void *arg)
{
    struct asking *const asking = arg;

    while (!proi_load(&asking->stop, PROI_ACQUIRE)) {
        for (int i = 0; i < 2; i++) {
            const bool open = pro_socket_is_open(&asking->sockets[i]);
            struct pro_loop *const loop = pro_socket_loop(&asking->sockets[i]);

            CHECK(open || loop == NULL);
        }
        gate_add(&asking->asked);
    }
}

TEST(a_handle_may_be_asked_while_it_closes)
{
    // Kills: a block that is given back to the allocator; a state that is read without atomics.
    struct pro_loop *const loop = loop_new();
    struct asking asking = { .stop = 0 };
    struct proi_thread thread;
    struct pair pair;

    loop_connect(loop, &pair);
    asking.sockets[0] = pair.client;
    asking.sockets[1] = pair.server;
    REQUIRE(proi_thread_start(&thread, "asker", ask, &asking, 0) == PRO_OK);
    gate_wait(&asking.asked, 1);
    close_socket(loop, &pair.client);
    gate_wait(&asking.asked, gate_count(&asking.asked) + 2);
    for (int i = 0; i < 20; i++) { /* its block lives again, as others */
        struct pair more;

        loop_connect(loop, &more);
        close_socket(loop, &more.client);
        close_socket(loop, &more.server);
        close_socket(loop, &more.listener);
    }
    loop_end(loop);
    gate_wait(&asking.asked, gate_count(&asking.asked) + 2);
    proi_store(&asking.stop, 1u, PROI_RELEASE);
    proi_thread_join(&thread);
}
