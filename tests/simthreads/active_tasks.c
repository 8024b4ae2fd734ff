/* SPDX-License-Identifier: MIT */
/* The table of active tasks: whoever comes first, the one who puts a task into it, the one who completes the task, or
 * the one who switches the table off, it ends up holding nothing. */
#include "explore.h"

#include "awaiters/trace.h"

static struct {
    struct pro_completion_source *source;
    struct pro_task *task;
} race;

static void begin(void)
{
    EXPECT(pro_completion_source_new(PRO_NO_RESULT, 0, &race.source) == PRO_OK);
    race.task = pro_completion_source_task(race.source);
    pro_async_debugging_enable(true);
}

static void put_in(void *unused) { (void)unused, proi_trace_begin(race.task, "race"); }
static void complete_it(void *unused)
{
    (void)unused;
    EXPECT(pro_completion_source_set_result(race.source, NULL, PRO_NO_RESULT) == PRO_OK);
    EXPECT(pro_active_task_from_id(pro_task_id(race.task)) == NULL);
}
static void switch_off(void *unused) { (void)unused, pro_async_debugging_enable(false); }

static void expect_nothing_held(void)
{
    EXPECT(proi_load(&race.task->references, PROI_RELAXED) == 2); /* ours, and the source's */
    pro_task_unref(race.task);
    pro_completion_source_free(race.source);
}

EXPLORE(a_task_completed_while_it_is_put_into_the_table_does_not_stay_there, 300)
{
    /* Kills: no second look at the status after it was put in; a mark that is set after it. */
    static void (*const parts[])(void *) = { put_in, complete_it };

    begin();
    explore_together(parts, 2, NULL);
    expect_nothing_held();
}

EXPLORE(a_table_switched_off_while_a_task_is_put_into_it_holds_nothing, 300)
{
    /* Kills: the mode not asked again under the lock. */
    static void (*const parts[])(void *) = { put_in, switch_off };

    begin();
    explore_together(parts, 2, NULL);
    expect_nothing_held();
}

EXPLORE(of_completer_and_switch_one_takes_the_task_out, 300)
{
    /* Kills: an entry taken out without the lock. */
    static void (*const parts[])(void *) = { complete_it, switch_off };

    begin();
    proi_trace_begin(race.task, "race");
    explore_together(parts, 2, NULL);
    expect_nothing_held();
}
