/* SPDX-License-Identifier: MIT */
/* SEM-232…242: what callbacks of a cancellation do to others: fail through a linked source, dispose of the source they
 * are called by, register again; and the ambient values that they see. */
#include "letters.h"

static struct pro_cancellation_source *linked_to(struct pro_cancellation_source *parent)
{
    const struct pro_cancellation_token token = pro_cancellation_source_token(parent);
    struct pro_cancellation_source *child = NULL;

    REQUIRE(pro_cancellation_source_new_linked(&token, 1, &child) == PRO_OK);
    return child;
}

TEST(who_cancels_a_parent_is_given_what_callbacks_of_linked_sources_failed_with)
{
    /* SEM-234, SEM-239. Kills: telling the unhandled handler instead; stopping in the child because the parent was told
       to stop at the first. */
    for (int stop = 0; stop < 2; stop++) {
        struct pro_cancellation_source *const parent = cancellation_new(), *const child = linked_to(parent);
        struct pro_cancellation_registration registrations[4] = { { 0 } };
        struct pro_error *error = NULL;

        order[0] = '\0';
        register_failing(child, &registrations[0], "a");
        register_failing(child, &registrations[1], "b");
        CHECK_EQ(pro_cancellation_source_cancel_telling(parent, stop, &error), PRO_E_AGGREGATE);
        CHECK_STR(order, "ba");
        REQUIRE(pro_error_inner_count(error) == (stop ? 2 : 1)); /* the child's aggregate, alone or within another */
        if (!stop)
            REQUIRE(pro_error_inner_count(pro_error_inner(error, 0)) == 2);
        CHECK_STR(pro_error_message(pro_error_inner(stop ? error : pro_error_inner(error, 0), 0)), "b");
        CHECK(pro_cancellation_token_is_canceled(pro_cancellation_source_token(child)));
        pro_error_unref(error);
        pro_cancellation_source_unref(child);
        pro_cancellation_source_unref(parent);
    }
}

static struct pro_cancellation_source *disposed_of;
static void dispose(void *unused)
{
    (void)unused;
    CHECK_EQ(pro_cancellation_source_dispose(disposed_of), PRO_OK);
}

TEST(a_callback_that_disposes_of_its_source_takes_nothing_from_the_others)
{
    /* SEM-232, SEM-241. Kills: dropping what the canceller has yet to run, and with it the cancellation of linked
       sources; keeping what nobody runs. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_cancellation_registration first = { 0 }, last = { 0 }, taken = { 0 };
    struct pro_cancellation_source *child;

    order[0] = '\0';
    disposed_of = source;
    register_failing(source, &first, "a");
    register_failing(source, &taken, "b");
    child = linked_to(source);
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &last, dispose, NULL), PRO_OK);
    CHECK(pro_cancellation_unregister(&taken));
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_E_AGGREGATE);
    CHECK_STR(order, "a");
    CHECK(pro_cancellation_token_is_canceled(pro_cancellation_source_token(child)));
    pro_cancellation_source_unref(child);
    pro_cancellation_source_unref(source);

    disposed_of = cancellation_new(); /* nobody cancels: gone */
    register_failing(disposed_of, &first, "c");
    dispose(NULL);
    CHECK(!pro_cancellation_unregister(&first));
    CHECK_STR(order, "a");
    pro_cancellation_source_unref(disposed_of);
}

static struct pro_async_local *local;
static void change(void *value) { CHECK_EQ(pro_async_local_set(local, value), PRO_OK); }

static void never_send(struct pro_sync_context *context, struct pro_work *work)
{
    (void)context;
    test_fail(__FILE__, __LINE__, "the callback was sent");
    pro_work_run(work);
}

TEST(a_late_callback_is_called_in_place_and_its_error_is_who_registers_his)
{
    /* SEM-233, SEM-237. Kills: the unhandled handler told of the error; a callback sent to its context; one under
       values of its own, which a call in place has not. */
    static const struct pro_sync_context_vtable vtable = { .send = never_send };
    struct pro_cancellation_source *const source = cancellation_new();
    const struct pro_cancellation_token token = pro_cancellation_source_token(source);
    struct pro_cancellation_registration registration = { 0 };
    struct pro_error *error = NULL;
    struct pro_cancellation_callback how = { .fallible = fail_with_letter, .arg = "a", .ret_error = &error };
    struct pro_sync_context context;
    int value;

    order[0] = '\0';
    REQUIRE(pro_sync_context_init(&context, &vtable, "none") == PRO_OK);
    REQUIRE(pro_async_local_new(NULL, &local) == PRO_OK);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    CHECK_EQ(pro_cancellation_register_callback(token, &registration, &how), PRO_E_USER);
    CHECK_STR(pro_error_message(error), "a");
    pro_error_unref(error);
    how.ret_error = NULL;
    CHECK_EQ(pro_cancellation_register_callback(token, &registration, &how), PRO_E_USER);
    CHECK_STR(order, "aa");
    how = (struct pro_cancellation_callback){ .callback = change, .arg = &value, .context = &context };
    CHECK_EQ(pro_cancellation_register_callback(token, &registration, &how), PRO_OK);
    CHECK(pro_async_local_get(local) == &value);
    CHECK(!pro_cancellation_unregister(&registration));
    change(NULL);
    pro_async_local_unref(local);
    pro_cancellation_source_unref(source);
}

static void *seen;
static void note_value(void *unused)
{
    (void)unused;
    seen = pro_async_local_get(local);
}

TEST(callbacks_of_cancel_async_see_the_values_of_who_called_it)
{
    /* SEM-238, SEM-242. Kills: an item of the pool under no values. */
    struct pro_cancellation_source *const source = cancellation_new();
    struct pro_cancellation_registration registration = { 0 };
    struct pro_task *task;
    int value;

    REQUIRE(pro_async_local_new(NULL, &local) == PRO_OK);
    CHECK_EQ(pro_cancellation_register(pro_cancellation_source_token(source), &registration, note_value, NULL), PRO_OK);
    change(&value);
    task = pro_cancellation_source_cancel_async(source);
    change(NULL);
    CHECK_EQ(wait_some(task), PRO_OK);
    CHECK(seen == &value);
    pro_task_unref(task);
    pro_async_local_unref(local);
    pro_cancellation_source_unref(source);
}
