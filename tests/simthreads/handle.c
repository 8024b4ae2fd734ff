/* SPDX-License-Identifier: MIT */
/* The block of a handle: whoever asks it for its loop while it is closed and opened again gets the answer of the life
 * it asked for, or none. */
#include "explore.h"

#include "loops.h"

static struct {
    struct pro_loop *first, *second;
    struct pro_socket asked, opened;
} race;

static void ask(void *unused)
{
    struct pro_loop *loop;

    (void)unused;
    loop = pro_socket_loop(&race.asked);
    EXPECT(loop == race.first || loop == NULL);
}

static void close_and_open(void *unused)
{
    const struct pro_addr addr = pro_addr_loopback(0);
    struct pro_op op = { 0 };

    (void)unused;
    EXPECT(loop_answer(race.first, pro_close(&op, &race.asked)) == PRO_OK);
    EXPECT(pro_listen(race.second, &addr, NULL, &race.opened) == PRO_OK);
    EXPECT(race.opened.handle == race.asked.handle); /* the block is used again */
}

EXPLORE(a_handle_gives_the_loop_of_its_own_life_however_soon_its_block_is_used_again, 100)
{
    /* Kills: the loop read after the check, with nothing looked at again. */
    static void (*const parts[])(void *) = { ask, close_and_open };
    const struct pro_addr addr = pro_addr_loopback(0);

    race.first = loop_on("sim", "first", false);
    race.second = loop_on("sim", "second", false);
    EXPECT(pro_listen(race.first, &addr, NULL, &race.asked) == PRO_OK);
    explore_together(parts, 2, NULL);
    EXPECT(pro_loop_free(race.first) == PRO_OK);
    EXPECT(pro_loop_free(race.second) == PRO_OK);
}

static void free_first(void *unused)
{
    (void)unused;
    EXPECT(pro_loop_free(race.first) == PRO_OK);
}

/* One block, three lives: of the second loop, of the first, of the second again. */
static void open_on_both(void *unused)
{
    const struct pro_addr addr = pro_addr_loopback(0);
    struct pro_op op = { 0 };
    int code;

    (void)unused;
    EXPECT(loop_answer(race.second, pro_close(&op, &race.opened)) == PRO_OK);
    code = pro_listen(race.first, &addr, NULL, &race.asked);
    EXPECT(code == PRO_OK || code == PRO_E_LOOP_CLOSED);
    EXPECT(pro_listen(race.second, &addr, NULL, &race.opened) == PRO_OK);
}

EXPLORE(the_end_of_a_loop_closes_its_handles_and_none_that_lived_elsewhere_meanwhile, 100)
{
    /* Kills: the loop of a handle read before its state: the end of one loop then closes another's handle; a handle
       that is its loop's before the lock says so: closed twice, or by nobody. */
    static void (*const parts[])(void *) = { free_first, open_on_both };
    const struct pro_addr addr = pro_addr_loopback(0);
    struct pro_loop_stats stats;
    struct pro_socket first;

    race.first = loop_on("sim", "first", false);
    race.second = loop_on("sim", "second", false);
    race.asked = (struct pro_socket){ 0 };
    EXPECT(pro_listen(race.second, &addr, NULL, &race.opened) == PRO_OK);
    EXPECT(pro_listen(race.first, &addr, NULL, &first) == PRO_OK);
    explore_together(parts, 2, NULL);
    EXPECT(!pro_socket_is_open(&first) && !pro_socket_is_open(&race.asked));
    EXPECT(pro_socket_is_open(&race.opened));
    EXPECT(pro_loop_get_stats(race.second, &stats) == PRO_OK && stats.handles == 1);
    EXPECT(pro_loop_free(race.second) == PRO_OK);
}
