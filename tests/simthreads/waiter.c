/* SPDX-License-Identifier: MIT */
/* Standing in line: grants against limits, joining against granting. A grant that is lost leaves a task pending or a
 * count wrong. */
#include "explore.h"

#include <proact/proact.h>

static struct {
    struct pro_semaphore *semaphore;
    struct pro_cancellation_source *source;
    struct pro_channel *channel;
    struct pro_task *task;
    int code;
} race;

static struct pro_how until_canceled(void)
{
    return (struct pro_how){ .token = pro_cancellation_source_token(race.source) };
}

static void begin(void)
{
    EXPECT(pro_semaphore_new(0, 1, &race.semaphore) == PRO_OK);
    EXPECT(pro_cancellation_source_new(&race.source) == PRO_OK);
}

static void finish(void)
{
    pro_task_unref(race.task);
    pro_cancellation_source_unref(race.source);
    pro_semaphore_free(race.semaphore);
}

static void grant(void *unused)
{
    (void)unused;
    EXPECT(pro_semaphore_release(race.semaphore, 1) == 0);
}
static void cancel(void *unused) { (void)unused, pro_cancellation_source_cancel(race.source); }
static void wait_as_task(void *unused)
{
    (void)unused, race.task = pro_semaphore_wait_async(race.semaphore, until_canceled());
}
static void wait_as_thread(void *unused)
{
    (void)unused;
    race.code = pro_semaphore_wait(race.semaphore, until_canceled(), PRO_HERE);
}

EXPLORE(a_grant_that_meets_a_cancellation_is_kept_or_stays_in_the_count, 500)
{
    /* Kills: a waiter that both take out of its line; a limit that ends one that was granted. */
    static void (*const parts[])(void *) = { grant, cancel };

    begin();
    wait_as_task(NULL);
    explore_together(parts, 2, NULL);
    EXPECT(pro_task_is_completed(race.task));
    EXPECT(pro_task_is_succeeded(race.task) != pro_semaphore_try_wait(race.semaphore));
    finish();
}

EXPLORE(a_wait_that_begins_while_one_is_released_gets_it, 500)
{
    /* Kills: joining without a second look at the count. */
    static void (*const parts[])(void *) = { grant, wait_as_task };

    begin();
    explore_together(parts, 2, NULL);
    EXPECT(pro_task_is_succeeded(race.task));
    EXPECT(pro_semaphore_count(race.semaphore) == 0);
    finish();
}

EXPLORE(a_wait_that_begins_while_its_token_is_cancelled_ends, 500)
{
    /* Kills: a limit that strikes before the waiter has joined, and is forgotten. */
    static void (*const parts[])(void *) = { cancel, wait_as_task };

    begin();
    explore_together(parts, 2, NULL);
    EXPECT(pro_task_is_canceled(race.task));
    EXPECT(pro_semaphore_release(race.semaphore, 1) == 0);
    EXPECT(pro_semaphore_count(race.semaphore) == 1);
    finish();
}

/* Of two other threads beside the waiting one the search would have ten times the schedules, and find no more: what the
   two can do to each other is the test above. */
static void cancel_and_grant(void *unused) { cancel(unused), grant(unused); }
static void grant_and_cancel(void *unused) { grant(unused), cancel(unused); }

static void check_thread(void (*const *parts)(void *))
{
    begin();
    explore_together(parts, 2, NULL);
    EXPECT(race.code == PRO_OK || race.code == PRO_E_CANCELED);
    EXPECT(pro_semaphore_count(race.semaphore) == (race.code == PRO_OK ? 0 : 1));
    finish();
}

EXPLORE(a_thread_whose_limit_strikes_keeps_a_grant_that_comes_now, 500)
{
    /* Kills: giving up without asking whether the grant was there. */
    static void (*const parts[])(void *) = { cancel_and_grant, wait_as_thread };

    check_thread(parts);
}

EXPLORE(a_thread_that_was_granted_one_keeps_it_when_its_limit_strikes_now, 500)
{
    /* Kills: giving up without asking, because the token is looked at first. */
    static void (*const parts[])(void *) = { grant_and_cancel, wait_as_thread };

    check_thread(parts);
}

static void write_one(void *unused)
{
    const int item = 7;

    (void)unused;
    EXPECT(PRO_CHANNEL_TRY_WRITE(race.channel, &item) == 1);
}
static void read_one(void *unused) { (void)unused, race.task = pro_channel_read_async(race.channel, until_canceled()); }
static void begin_channel(void)
{
    begin();
    EXPECT(pro_channel_new(PRO_TYPE(int), NULL, &race.channel) == PRO_OK);
}

/* One item was written. */
static void finish_channel(void)
{
    int item = 0;

    EXPECT(pro_task_is_completed(race.task));
    EXPECT(pro_channel_count(race.channel) == (pro_task_is_succeeded(race.task) ? 0u : 1u));
    EXPECT(pro_task_is_canceled(race.task) || (pro_task_read(race.task, &item, PRO_TYPE(int)) == PRO_OK && item == 7));
    pro_channel_free(race.channel);
    finish();
}

EXPLORE(an_item_that_meets_a_cancellation_goes_to_the_read_or_stays_in_the_channel, 500)
{
    /* Kills: an item given to a read that was cancelled. */
    static void (*const parts[])(void *) = { write_one, cancel };

    begin_channel();
    read_one(NULL);
    explore_together(parts, 2, NULL);
    finish_channel();
}

EXPLORE(a_read_that_begins_while_an_item_comes_gets_it, 500)
{
    /* Kills: a read that joins beside an item. */
    static void (*const parts[])(void *) = { write_one, read_one };

    begin_channel();
    explore_together(parts, 2, NULL);
    EXPECT(pro_task_is_succeeded(race.task));
    finish_channel();
}

EXPLORE(a_read_that_begins_while_its_token_is_cancelled_ends, 500)
{
    /* Kills: a limit that strikes before the read has joined, and is forgotten. */
    static void (*const parts[])(void *) = { cancel, read_one };

    begin_channel();
    explore_together(parts, 2, NULL);
    EXPECT(pro_task_is_canceled(race.task));
    write_one(NULL);
    finish_channel();
}
