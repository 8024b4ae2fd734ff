/* SPDX-License-Identifier: MIT */
/* No operation that waits takes a thread, ours or one of the kernel's for us, on any backend. (Receives:
 * loop_behaviour.c.) */
#include <proact/proact.h>

#include "harness_system.h"
#include "loops.h"

enum { SLEEPS = 1000, ACCEPTS = 200, SENDS = 50, FLOOD = 1 << 20, LARGEST = SLEEPS };

static struct pro_op ops[LARGEST];
static struct pro_socket accepted[ACCEPTS];
static struct pair pairs[SENDS];
static unsigned char flood[FLOOD];
static unsigned delivered;

static void count(struct pro_op *op)
{
    (void)op;
    proi_fetch_add(&delivered, 1u, PROI_RELEASE);
}

/* Frees @loop with @pending operations, which took no thread beyond the @before. */
static void check_threads(struct pro_loop *loop, unsigned before, unsigned pending)
{
    for (int i = 0; i < 5; i++) /* the kernel knows them all now */
        REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    CHECK(before > 0);
    CHECK_EQ(delivered, 0);
    CHECK_EQ(test_thread_count(), before);
    loop_end(loop);
    CHECK_EQ(delivered, pending);
    for (unsigned i = 0; i < pending; i++)
        CHECK_EQ(ops[i].result, PRO_E_LOOP_CLOSED);
}

static struct pro_loop *begin(const char *short_name)
{
    struct pro_loop *const loop = loop_on(short_name, "threads", false);

    memset(ops, 0, sizeof ops);
    delivered = 0;
    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    return loop;
}

static void check_sleeps(const char *short_name)
{
    struct pro_loop *const loop = begin(short_name);
    const unsigned before = test_thread_count();

    for (unsigned i = 0; i < SLEEPS; i++)
        REQUIRE(pro_then(pro_sleep(&ops[i], loop, PRO_S(3600) + PRO_S(i), PRO_HOW_DEFAULT), count) == PRO_OK);
    check_threads(loop, before, SLEEPS);
}

static void check_accepts(const char *short_name)
{
    struct pro_loop *const loop = begin(short_name);
    const struct pro_addr addr = pro_addr_loopback(0);
    struct pro_socket listener;
    unsigned before;

    REQUIRE(pro_listen(loop, &addr, NULL, &listener) == PRO_OK);
    before = test_thread_count();
    for (unsigned i = 0; i < ACCEPTS; i++)
        REQUIRE(pro_then(pro_accept(&ops[i], &listener, &accepted[i], PRO_HOW_DEFAULT), count) == PRO_OK);
    check_threads(loop, before, ACCEPTS);
}

/* One send that does not end, because nobody reads. */
static void flood_one(struct pro_loop *loop, struct pair *pair)
{
    struct pro_op op = { 0 };
    int64_t result;

    loop_connect(loop, pair);
    CHECK_EQ(pro_socket_set_buffers(&pair->client, 16384, 16384), PRO_OK);
    CHECK_EQ(pro_socket_set_buffers(&pair->server, 16384, 16384), PRO_OK);
    do
        result = loop_answer(loop, pro_send(&op, &pair->client, flood, FLOOD, PRO_WITHIN(PRO_MS(10))));
    while (result > 0);
    CHECK_EQ(result, PRO_E_TIMEOUT);
}

static void check_sends(const char *short_name)
{
    struct pro_loop *const loop = begin(short_name);
    unsigned before;

    for (unsigned i = 0; i < SENDS; i++)
        flood_one(loop, &pairs[i]);
    before = test_thread_count();
    for (unsigned i = 0; i < SENDS; i++)
        REQUIRE(pro_then(pro_send_all(&ops[i], &pairs[i].client, flood, FLOOD, PRO_HOW_DEFAULT), count) == PRO_OK);
    check_threads(loop, before, SENDS);
}

static void on_each(void (*check)(const char *short_name))
{
    for (const char *const *backend = test_backends(); *backend; backend++)
        check(*backend);
}

TEST(a_thousand_sleeps_take_no_thread)
{
    /* Kills: a timer thread, a timer of the kernel for each sleep. */
    on_each(check_sleeps);
}

TEST(two_hundred_pending_accepts_take_no_thread)
{
    /* Kills: accepts that the kernel gives to its worker threads. */
    on_each(check_accepts);
}

TEST(sends_that_nobody_reads_take_no_thread)
{
    /* Kills: a blocking send on a thread of the kernel's. */
    on_each(check_sends);
}

static void nothing(void *unused) { (void)unused; }

TEST(a_thousand_sleeps_of_threads_without_a_loop_take_one_thread)
{
    /* Kills: a background loop for each thread, or a pool thread for each sleep. */
    struct proi_thread first;
    struct pro_cancellation_source *source = NULL;
    struct pro_how how;
    unsigned before, now;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    how = (struct pro_how){ .token = pro_cancellation_source_token(source) };
    memset(ops, 0, sizeof ops);
    delivered = 0;
    REQUIRE(proi_thread_start(&first, "first", nothing, NULL, 0) ==
            PRO_OK); /* a checker may start one of its own with it */
    proi_thread_join(&first);
    before = test_thread_count();
    for (unsigned i = 0; i < SLEEPS; i++)
        REQUIRE(pro_then(pro_sleep(&ops[i], NULL, PRO_S(3600), how), count) == PRO_OK);
    now = test_thread_count();
    CHECK(now <= before + 1);
    CHECK_EQ(proi_load(&delivered, PROI_RELAXED), 0);
    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    while (proi_load(&delivered, PROI_ACQUIRE) < SLEEPS) /* on the pool */
        proi_wait(&delivered, proi_load(&delivered, PROI_RELAXED), PRO_MS(1));
    for (unsigned i = 0; i < SLEEPS; i++)
        CHECK_EQ(ops[i].result, PRO_E_CANCELED);
    pro_cancellation_source_unref(source);
}
