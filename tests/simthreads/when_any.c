/* SPDX-License-Identifier: MIT */
/* When-any: members that are added while one of them wins. A loser that keeps its continuation grows with each
 * question. */
#include "explore.h"

#include "awaiters/internal.h"

#include <proact/proact.h>

static struct {
    struct pro_completion_source *sources[2];
    struct pro_task *members[2], *any;
} race;

static void win(void *unused)
{
    (void)unused;
    EXPECT(pro_completion_source_set_result(race.sources[0], NULL, PRO_NO_RESULT) == PRO_OK);
}

static void ask(void *unused)
{
    (void)unused;
    race.any = pro_when_any(race.members, 2);
}

EXPLORE(the_loser_keeps_no_continuation_whenever_it_was_added, 500)
{
    /* Kills: asking whether the winner has published, and not whether it has begun, before the loser is left alone. */
    static void (*const parts[])(void *) = { win, ask };
    size_t winner = 7;

    for (int i = 0; i < 2; i++) {
        EXPECT(pro_completion_source_new(PRO_NO_RESULT, 0, &race.sources[i]) == PRO_OK);
        race.members[i] = pro_completion_source_task(race.sources[i]);
    }
    explore_together(parts, 2, NULL);
    EXPECT(pro_task_read(race.any, &winner, PRO_TYPE(size_t)) == PRO_OK && winner == 0);
    EXPECT(race.members[1]->slot == 0 || race.members[1]->slot == PROI_SLOT_MANY);
    EXPECT(race.members[1]->more == NULL);
    EXPECT(race.any->references == 1);
    pro_task_unref(race.any);
    EXPECT(race.members[1]->references == 2); /* ours and the source's */
    for (int i = 0; i < 2; i++) {
        pro_task_unref(race.members[i]);
        pro_completion_source_free(race.sources[i]);
    }
}
