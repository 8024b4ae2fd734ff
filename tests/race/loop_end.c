/* SPDX-License-Identifier: MIT */
/* The end of a loop while methods that captured it go on, and handles that are closed and opened anew while others use
   their old values. */
#include <proact/proact.h>

#include "harness_system.h"
#include "loops.h"
#include "race/team.h"

enum { COMPLETERS = 3, EACH = 8, ROUNDS = 200, METHODS = COMPLETERS * EACH };

/* ---- methods ---- */

static struct {
    struct pro_loop *loop;
    uint64_t owner; /* the thread that frees it */
    struct pro_completion_source *sources[METHODS];
    struct pro_task *awaited[METHODS], *methods[METHODS];
    uint32_t inside, outside; /* shared: methods that went on on the owner's thread, or on the pool */
} now;

struct waiting {
    PRO_FRAME;
    struct pro_task *awaited; /* borrowed */
    bool came_back;
};

PRO_ASYNC(waiting_move_next, struct waiting, self)
    PRO_AWAIT(pro_borrow(self->awaited));
    self->came_back = true;
    PRO_FINALLY
    CHECK(self->came_back);
    if (proi_thread_id() == now.owner) {
        CHECK(pro_loop_current() == now.loop && pro_sync_context_current() == pro_loop_context(now.loop));
        proi_fetch_add(&now.inside, 1u, PROI_RELAXED);
    } else {
        CHECK(pro_pool_is_worker());
        CHECK(pro_loop_context(now.loop) == NULL); /* not before it is closed */
        proi_fetch_add(&now.outside, 1u, PROI_RELAXED);
    }
PRO_ASYNC_END

static void start_all(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < METHODS; i++) {
        struct waiting *const self = PRO_NEW_FRAME_VOID(struct waiting, waiting_move_next);

        REQUIRE(self != NULL);
        self->awaited = now.awaited[i];
        now.methods[i] = PRO_START(self);
    }
}

static void prepare(const char *backend)
{
    now.loop = loop_on(backend, "ending", false);
    now.owner = proi_thread_id();
    for (unsigned i = 0; i < METHODS; i++) {
        REQUIRE(pro_completion_source_new(PRO_NO_RESULT, i % 2 ? PRO_TASK_ASYNC_CONTINUATIONS : 0, &now.sources[i]) ==
                PRO_OK);
        now.awaited[i] = pro_completion_source_task(now.sources[i]);
    }
    CHECK_EQ(pro_loop_post(now.loop, start_all, NULL), PRO_OK);
    REQUIRE(pro_loop_run_once(now.loop, 0) >= 0);
}

static void complete_some(struct team_member *member, unsigned round)
{
    (void)round;
    for (unsigned i = 0; i < EACH; i++) {
        team_linger(member, 2000);
        CHECK_EQ(pro_completion_source_set_result(now.sources[member->number * EACH + i], NULL, PRO_NO_RESULT), PRO_OK);
    }
}

static void check_and_drop(void)
{
    for (unsigned i = 0; i < METHODS; i++) {
        CHECK_EQ(pro_task_wait(now.methods[i], PRO_HOW_DEFAULT, NULL, PRO_HERE), PRO_OK);
        pro_task_unref(now.methods[i]);
        pro_task_unref(now.awaited[i]);
        pro_completion_source_free(now.sources[i]);
    }
}

static void end_while_completing(const char *backend)
{
    struct team team = { .size = COMPLETERS, .rounds = ROUNDS, .round = complete_some };
    struct team_member owner = { &team, COMPLETERS, test_seed() };
    struct proi_thread threads[COMPLETERS];

    now.inside = now.outside = 0;
    for (unsigned i = 0; i < COMPLETERS; i++) {
        team.members[i] = (struct team_member){ &team, i, test_seed() * 100 + i };
        REQUIRE(proi_thread_start(&threads[i], "completer", team_thread, &team.members[i], 0) == PRO_OK);
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        prepare(backend);
        team_meet(&team);
        for (uint64_t turns = test_random(&owner.random) % 4; turns > 0; turns--)
            REQUIRE(pro_loop_run_once(now.loop, 0) >= 0);
        CHECK_EQ(pro_loop_free(now.loop), PRO_OK);
        team_meet(&team);
        check_and_drop();
    }
    for (unsigned i = 0; i < COMPLETERS; i++)
        proi_thread_join(&threads[i]);
    CHECK_EQ(now.inside + now.outside, ROUNDS * METHODS);
    test_note("%s: %u inside, %u outside", backend, now.inside, now.outside);
}

TEST(a_method_goes_on_inside_the_freeing_of_its_loop_or_after_it)
{
    /* Kills: a context that refuses before the free has run what it took; an item between the last look and the end. */
    for (const char *const *backend = test_backends(); *backend; backend++)
        end_while_completing(*backend);
}

/* ---- values of handles ---- */

enum { REOPENED = 3000 };

static struct {
    struct proi_mutex lock; /* guards value */
    struct pro_socket value;
    uint32_t over; /* shared */
} shown;

static void use_old_values(void *unused)
{
    uint32_t used = 0;

    (void)unused;
    while (!proi_load(&shown.over, PROI_ACQUIRE)) {
        struct pro_op op = { 0 };
        struct pro_socket value, got;

        proi_lock(&shown.lock);
        value = shown.value;
        proi_unlock(&shown.lock);
        for (int i = 0; i < 20 && value.handle; i++) {
            (void)pro_accept(&op, &value, &got, PRO_HOW_DEFAULT); /* filled, and never submitted */
            CHECK(op.result == INT64_MIN || op.result == PRO_E_CLOSED);
            used++;
        }
    }
    test_note("%u uses", used);
}

/* The block is a listener's, a file's, a listener's… */
static void open_and_close(struct pro_loop *loop)
{
    const struct pro_addr addr = pro_addr_loopback(0);
    struct pro_op op = { 0 };
    struct pro_socket listener;
    struct pro_file file;

    REQUIRE(pro_listen(loop, &addr, NULL, &listener) == PRO_OK);
    proi_lock(&shown.lock);
    shown.value = listener;
    proi_unlock(&shown.lock);
    CHECK_EQ(loop_answer(loop, pro_close(&op, &listener)), PRO_OK);
    REQUIRE(loop_answer(loop, pro_file_open(&op, loop, "loop_end.tmp", PRO_OPEN_WRITE | PRO_OPEN_CREATE, &file,
                                            PRO_HOW_DEFAULT)) == PRO_OK);
    CHECK_EQ(loop_answer(loop, pro_file_close(&op, &file)), PRO_OK);
}

TEST(an_old_value_of_a_handle_finds_it_closed_and_never_of_another_kind)
{
    /* Kills: a kind that is read plainly while the block becomes another handle's (found by the sanitizer); one that is
       believed although the generation has changed since: misuse would end the program. */
    struct pro_loop *const loop = loop_sim();
    struct proi_thread thread;

    proi_store(&shown.over, 0u, PROI_RELAXED);
    shown.value = (struct pro_socket){ 0 };
    REQUIRE(proi_thread_start(&thread, "user", use_old_values, NULL, 0) == PRO_OK);
    for (unsigned i = 0; i < REOPENED; i++)
        open_and_close(loop);
    proi_store(&shown.over, 1u, PROI_RELEASE);
    proi_thread_join(&thread);
    loop_end(loop);
}
