/* SPDX-License-Identifier: MIT */
/* When-each: its iterator looks for a member that is complete, and then waits for one. A member that completes in
   between must end the wait. */
#include "explore.h"

#include <proact/proact.h>

static struct {
    struct pro_completion_source *source;
    struct pro_task *member;
    struct pro_stream *stream;
    struct pro_task *given;
    bool more;
} race;

static void complete(void *unused)
{
    (void)unused;
    EXPECT(pro_completion_source_set_result(race.source, NULL, PRO_NO_RESULT) == PRO_OK);
}

static void take_the_first(void *unused)
{
    struct pro_task *const move = pro_value_task_as_task(pro_stream_move_next(race.stream));

    (void)unused;
    EXPECT(PRO_GET_RESULT(move, &race.more) == PRO_OK);
    EXPECT(race.more);
    EXPECT(pro_stream_current(race.stream, &race.given, PRO_TYPE(struct pro_task *)) == PRO_OK);
    pro_task_unref(move);
}

EXPLORE(a_member_that_completes_while_the_iterator_lies_down_is_given, 500)
{
    /* Kills: a wait that begins without a second look; which is a deadlock here. */
    static void (*const parts[])(void *) = { complete, take_the_first };

    EXPECT(pro_completion_source_new(PRO_NO_RESULT, 0, &race.source) == PRO_OK);
    race.member = pro_completion_source_task(race.source);
    EXPECT(pro_when_each(&race.member, 1, PRO_TOKEN_NONE, &race.stream) == PRO_OK);
    explore_together(parts, 2, NULL);
    EXPECT(race.given == race.member);
}
