/* SPDX-License-Identifier: MIT */
/* The task's word: one completer wins, flags set meanwhile survive, and whoever sees the task complete sees its
 * outcome. */
#include "explore.h"

#include <proact/proact.h>

#include "awaiters/delegate.h"

static struct {
    struct pro_completion_source *source;
    struct pro_task *task;
    int won[2];
    unsigned told;
} race;

static void begin(void)
{
    EXPECT(pro_completion_source_new(PRO_TYPE(int), 0, &race.source) == PRO_OK);
    race.task = pro_completion_source_task(race.source);
}

static void complete_with(int number)
{
    if (pro_completion_source_try_set_result(race.source, &number, PRO_TYPE(int)) == PRO_OK) {
        race.won[number] = 1;
        EXPECT(pro_task_is_completed(race.task));
    }
}
static void complete_first(void *unused) { (void)unused, complete_with(0); }
static void complete_second(void *unused) { (void)unused, complete_with(1); }

/* Whoever sees it complete sees the result of the one that won. */
static void read_it(void *unused)
{
    int number = 7;

    (void)unused;
    if (!pro_task_is_completed(race.task))
        return;
    EXPECT(pro_task_read(race.task, &number, PRO_TYPE(int)) == PRO_OK);
    EXPECT(number == 0 || number == 1);
}

EXPLORE(of_two_completers_exactly_one_wins_and_its_result_stays, 500)
{
    /* Kills: reserving by a load and a store. */
    static void (*const parts[])(void *) = { complete_first, complete_second, read_it };
    int number = 7;

    begin();
    explore_together(parts, 3, NULL);
    EXPECT(race.won[0] + race.won[1] == 1);
    EXPECT(pro_task_read(race.task, &number, PRO_TYPE(int)) == PRO_OK);
    EXPECT(race.won[number]);
    pro_task_unref(race.task);
    pro_completion_source_free(race.source);
}

static void fail_it(void *unused)
{
    (void)unused;
    EXPECT(pro_completion_source_try_set_error(race.source, pro_error_new(PRO_E_USER, PRO_HERE, "x")) == PRO_OK);
}

static void look_at_it(void *unused)
{
    struct pro_error *error;

    (void)unused;
    if (!pro_task_is_faulted(race.task))
        return;
    error = pro_task_error_all(race.task);
    EXPECT(error && pro_error_code(pro_error_inner(error, 0)) == PRO_E_USER);
    EXPECT(error == pro_task_error_all(race.task));
}

static void unobserved(struct pro_task *task, struct pro_error *error, void *unused)
{
    (void)task, (void)error, (void)unused;
    EXPECT(!"an error that was looked at is told as unobserved");
}

EXPLORE(an_error_is_whole_for_whoever_sees_the_fault_and_observing_it_is_not_forgotten, 500)
{
    /* Kills: publishing before the error is stored; moving the status by a plain store that drops a flag. */
    static void (*const parts[])(void *) = { fail_it, look_at_it, look_at_it };

    pro_set_unobserved_handler(unobserved, NULL);
    begin();
    explore_together(parts, 3, NULL);
    EXPECT(pro_task_is_faulted(race.task) && pro_task_error(race.task));
    pro_completion_source_free(race.source);
    pro_task_unref(race.task);
}

static void drop_it(void *unused) { (void)unused, pro_task_unref(race.task); }

static void free_source(void *unused) { (void)unused, pro_completion_source_free(race.source); }

static void broken(struct pro_task *task, struct pro_error *error, void *unused)
{
    (void)task, (void)error, (void)unused;
    race.told++;
}

EXPLORE(of_two_last_references_exactly_one_frees_the_task, 500)
{
    /* Kills: dropping a reference by a load and a store: its error is told never, or twice. */
    static void (*const parts[])(void *) = { drop_it, drop_it, free_source };

    pro_set_unobserved_handler(broken, NULL);
    begin();
    pro_task_ref(race.task);
    explore_together(parts, 3, NULL);
    EXPECT(race.told == 1);
}

/* ---- a delay that faults, since its loop is gone, while its token is cancelled ---- */

static struct {
    struct pro_loop *loop;
    struct pro_cancellation_source *source;
} going;

static void cancel_it(void *unused)
{
    (void)unused;
    EXPECT(pro_cancellation_source_cancel(going.source) == PRO_OK);
}

static void end_its_loop(void *unused)
{
    (void)unused;
    EXPECT(pro_loop_free(going.loop) == PRO_OK);
}

static void start_delay(void *arg) { pro_forget(pro_delay(PRO_S(1), pro_cancellation_source_token(arg))); }

EXPLORE(a_task_that_goes_faulted_while_a_callback_looks_at_it_goes_once, 500)
{
    /* Kills: a callback without a reference that counts one without looking: what it drops then is the last once more.
     */
    static void (*const parts[])(void *) = { cancel_it, end_its_loop };
    const struct pro_loop_options options = { .backend = "sim" };

    pro_set_unobserved_handler(broken, NULL);
    EXPECT(pro_cancellation_source_new(&going.source) == PRO_OK);
    EXPECT(pro_loop_new(&options, &going.loop) == PRO_OK);
    EXPECT(pro_loop_post(going.loop, start_delay, going.source) == PRO_OK);
    EXPECT(pro_loop_run_once(going.loop, 0) >= 0);
    explore_together(parts, 2, NULL);
    EXPECT(race.told <= 1);
    pro_cancellation_source_unref(going.source);
}

/* ---- a cold task that is dropped while it is cancelled ---- */

struct same_size {
    unsigned char bytes[sizeof(struct delegate)];
};

static void drop_and_use_again(void *unused)
{
    struct same_size bytes, read;
    struct pro_task *other;

    (void)unused;
    memset(&bytes, 0x55, sizeof bytes);
    pro_task_unref(race.task);
    other = pro_task_from_result(&bytes, PRO_TYPE(struct same_size)); /* in the same block, if that is gone */
    (void)proi_now();                                                 /* a point at which the callback may go on */
    EXPECT(pro_task_read(other, &read, PRO_TYPE(struct same_size)) == PRO_OK);
    EXPECT(memcmp(&bytes, &read, sizeof bytes) == 0);
    pro_task_unref(other);
}

static struct pro_error *never(void *arg, void *ret_result)
{
    (void)arg, (void)ret_result;
    EXPECT(!"a cold task ran");
    return NULL;
}

EXPLORE(a_cold_task_that_is_dropped_while_it_is_cancelled_does_not_go_under_the_callback, 500)
{
    /* Kills: a claimed task whose end does not wait for the callback that has claimed it. */
    static void (*const parts[])(void *) = { cancel_it, drop_and_use_again };

    EXPECT(pro_cancellation_source_new(&going.source) == PRO_OK);
    race.task = pro_task_new(never, NULL, PRO_NO_RESULT, pro_cancellation_source_token(going.source), PRO_TASK_DEFAULT);
    explore_together(parts, 2, NULL);
    pro_cancellation_source_unref(going.source);
}
