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
