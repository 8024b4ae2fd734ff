/* SPDX-License-Identifier: MIT */
/* Reports read what nobody holds for them: a context that a method captured, the members of what it awaits. Neither
 * goes while it is read, and neither is read when it is gone. */
#include "explore.h"

#include <proact/proact.h>

static struct {
    struct pro_completion_source *source;
    struct pro_task *gate, *method;
    struct pro_sync_context *context;
} race;

static void no_line(const char *line, void *user) { (void)line, (void)user; }
static void report(void *unused) { (void)unused, pro_report_incomplete(no_line, NULL); }
static void report_blocked(void *unused) { (void)unused, pro_report_blocked(no_line, NULL); }
static void block(void *unused) { (void)unused, PRO_WAIT(race.method); }

static struct pro_completion_source *source_new(struct pro_task **ret_task)
{
    struct pro_completion_source *source = NULL;

    EXPECT(pro_completion_source_new(PRO_NO_RESULT, 0, &source) == PRO_OK);
    *ret_task = pro_completion_source_task(source);
    return source;
}

/* ---- a context ---- */

struct checked { /* tells when it is used after its end */
    struct pro_sync_context base;
    struct pro_work *posted;
    bool is_gone;
};

static struct checked *of(struct pro_sync_context *context) { return PRO_CONTAINER(context, struct checked, base); }

static int post(struct pro_sync_context *context, struct pro_work *work)
{
    of(context)->posted = work;
    return PRO_OK;
}

static bool owner_thread(struct pro_sync_context *context, uint64_t *ret_thread)
{
    *ret_thread = 1;
    EXPECT(!of(context)->is_gone);
    return true;
}

static void for_each_queued(struct pro_sync_context *context, void (*visit)(struct pro_work *, void *), void *arg)
{
    (void)visit, (void)arg;
    EXPECT(!of(context)->is_gone);
}

static void destroy(struct pro_sync_context *context) { of(context)->is_gone = true; }

static const struct pro_sync_context_vtable checked_vtable = {
    .post = post, .owner_thread = owner_thread, .for_each_queued = for_each_queued, .destroy = destroy
};

struct awaits {
    PRO_FRAME;
    struct pro_task *first, *second; /* borrowed */
};

PRO_ASYNC(awaits_move_next, struct awaits, self)
    PRO_AWAIT(pro_keep(self->first));
    if (self->second)
        PRO_AWAIT(PRO_CONFIGURE_AWAIT(pro_borrow(self->second), PRO_AWAIT_NONE));
PRO_ASYNC_END

static struct pro_task *awaits_async(struct pro_task *first, struct pro_task *second)
{
    struct awaits *const self = PRO_NEW_FRAME_VOID(struct awaits, awaits_move_next);

    EXPECT(self != NULL);
    self->first = first;
    self->second = second;
    return PRO_START(self);
}

static void go_on_and_drop_context(void *unused)
{
    (void)unused;
    EXPECT(pro_completion_source_set_result(race.source, NULL, PRO_NO_RESULT) == PRO_OK);
    pro_work_run(of(race.context)->posted);
    pro_sync_context_unref(race.context);
    EXPECT(of(race.context)->is_gone);
}

static void explore_context(struct pro_task *second)
{
    static void (*const parts[])(void *) = { report, go_on_and_drop_context };
    struct checked checked = { .posted = NULL };

    pro_async_debugging_enable(true);
    race.source = source_new(&race.gate);
    race.context = &checked.base;
    EXPECT(pro_sync_context_init(race.context, &checked_vtable, "checked") == PRO_OK);
    pro_sync_context_set(race.context);
    race.method = awaits_async(race.gate, second);
    pro_sync_context_set(NULL);
    explore_together(parts, 2, NULL);
}

EXPLORE(a_context_that_a_report_reads_is_there_until_it_has_read, 100)
{
    /* Kills: the last reference that does not let a report pass. */
    struct pro_task *second;
    struct pro_completion_source *const source = source_new(&second);

    explore_context(second);
    EXPECT(pro_completion_source_set_result(source, NULL, PRO_NO_RESULT) == PRO_OK);
    EXPECT(pro_task_is_succeeded(race.method));
}

EXPLORE(a_method_that_has_gone_on_does_not_lead_to_the_context_that_it_had_captured, 100)
{
    /* Kills: a method that goes on and is still said to have captured it. */
    explore_context(NULL);
    EXPECT(pro_task_is_succeeded(race.method));
}

/* ---- members ---- */

/* As long as the combination of two tasks, so that it gets its block. */
struct garbage {
    char bytes[208];
};

static void complete_and_use_again(void *unused)
{
    struct garbage garbage;
    struct pro_task *tasks[2];

    (void)unused;
    memset(&garbage, 0xff, sizeof garbage);
    EXPECT(pro_completion_source_set_result(race.source, NULL, PRO_NO_RESULT) == PRO_OK);
    EXPECT(pro_task_is_succeeded(race.method));
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        tasks[i] = pro_task_from_result(&garbage, PRO_TYPE(struct garbage));
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        pro_task_unref(tasks[i]);
}

EXPLORE(a_combination_that_a_report_asks_for_its_members_is_there_until_it_has_asked, 100)
{
    /* Kills: a combination that goes without letting a report pass. */
    static void (*const parts[])(void *) = { block, report_blocked, complete_and_use_again };
    struct pro_task *members[2], *all;

    race.source = source_new(&race.gate);
    members[0] = pro_task_completed();
    members[1] = race.gate;
    all = pro_when_all(members, 2);
    race.method = awaits_async(all, NULL);
    pro_task_unref(all); /* the frame alone has it */
    explore_together(parts, 3, NULL);
}
