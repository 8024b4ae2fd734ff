/* SPDX-License-Identifier: MIT */
/* Leased receives that find no buffer: they stand in line, and what stands in line costs little. */
#include <proact/proact.h>

#include "loops.h"
#include "proactor/internal.h"

enum { MESSAGE = 64, WAITERS = 20, TURNS_MOST = 5000 };

static struct waiter {
    struct pair pair;
    struct pro_op op;
    struct pro_lease lease;
    bool ended;     /* by the test, while in line */
    unsigned place; /* the how-manieth was over; 0: it is not */
} waiters[WAITERS];
static unsigned over, submitted;
static const struct proi_backend_type *real;

static void counting_submit(struct proi_backend *backend, struct pro_op *op)
{
    submitted += op->kind == PRO_OP_RECV_LEASE;
    real->submit(backend, op);
}

/* Whose first @count waiters have connections, and whose submissions are counted. */
static struct pro_loop *loop_of(const char *backend, unsigned most, unsigned count)
{
    static struct proi_backend_type counting;
    const struct pro_loop_options options = { .backend = test_backend_name(backend),
                                              .lease_bytes = MESSAGE,
                                              .lease_most = most };
    struct pro_loop *loop = NULL;

    REQUIRE(pro_loop_new(&options, &loop) == PRO_OK);
    memset(waiters, 0, sizeof waiters);
    over = submitted = 0;
    for (unsigned i = 0; i < count; i++)
        loop_connect(loop, &waiters[i].pair);
    real = loop->type;
    counting = *real;
    counting.submit = counting_submit;
    loop->type = &counting;
    return loop;
}

static void end(struct pro_loop *loop)
{
    loop->type = real;
    loop_end(loop);
}

static void on_each(void (*check)(const char *backend))
{
    for (const char *const *backend = test_backends(); *backend; backend++)
        check(*backend);
}

static void send_to(struct pro_loop *loop, const struct waiter *waiter)
{
    struct pro_op op = { 0 };

    REQUIRE(loop_answer(loop, pro_send(&op, &waiter->pair.client, "x", 1, PRO_HOW_DEFAULT)) == 1);
}

static void received(struct pro_op *op)
{
    struct waiter *const waiter = op->user;

    CHECK_EQ(op->result, waiter->ended ? PRO_E_CANCELED : 1);
    waiter->place = ++over;
    CHECK_EQ(pro_lease_return(&waiter->lease), PRO_OK);
}

static void begin(struct waiter *waiter)
{
    waiter->op.user = waiter;
    REQUIRE(pro_then(pro_recv_lease(&waiter->op, &waiter->pair.server, &waiter->lease, PRO_HOW_DEFAULT), received) ==
            PRO_OK);
}

static bool in_line(const struct waiter *waiter) { return waiter->op.flags & PROI_OP_STARVED; }

/* The loop's only buffer is lent, to the first of them. */
static struct pro_lease take_buffer(struct pro_loop *loop)
{
    struct pro_op op = { 0 };
    struct pro_lease lease;

    send_to(loop, &waiters[0]);
    REQUIRE(loop_answer(loop, pro_recv_lease(&op, &waiters[0].pair.server, &lease, PRO_HOW_DEFAULT)) == 1);
    return lease;
}

static void run_until_in_line(struct pro_loop *loop, const struct waiter *waiter)
{
    for (int i = 0; i < TURNS_MOST && !in_line(waiter); i++)
        REQUIRE(pro_loop_run_once(loop, PRO_MS(1)) >= 0);
    CHECK(in_line(waiter));
}

static void run_until_over(struct pro_loop *loop, unsigned count)
{
    while (over < count)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
}

static void check_newcomer(const char *backend)
{
    struct pro_loop *const loop = loop_of(backend, 1, 3);
    struct pro_lease lease = take_buffer(loop);

    send_to(loop, &waiters[1]);
    send_to(loop, &waiters[2]);
    begin(&waiters[1]);
    run_until_in_line(loop, &waiters[1]);
    CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    begin(&waiters[2]);
    run_until_over(loop, 2);
    CHECK_EQ(waiters[1].place, 1);
    CHECK_EQ(waiters[2].place, 2);
    end(loop);
}

TEST(who_waits_for_a_buffer_is_served_before_who_comes_later)
{
    /* Kills: a receive that comes anew and takes the buffer for which another one waits, for ever if there are enough
       of them; one that has waited its turn, and is sent to the end of the line. */
    on_each(check_newcomer);
}

static void check_refused_again(const char *backend)
{
    struct pro_loop *const loop = loop_of(backend, 1, 3);
    struct pro_lease lease = take_buffer(loop);

    for (int i = 1; i < 3; i++) {
        send_to(loop, &waiters[i]);
        begin(&waiters[i]);
        run_until_in_line(loop, &waiters[i]);
    }
    proi_lease_leave(&waiters[1].op);
    REQUIRE(proi_op_queue_pop(&loop->own.ready) == &waiters[1].op);
    proi_lease_wait(&waiters[1].op); /* as if the kernel had refused it */
    CHECK(loop->own.line.head == &waiters[1].op && loop->own.line.tail == &waiters[2].op);
    CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    run_until_over(loop, 2);
    end(loop);
}

TEST(who_is_served_and_refused_again_keeps_its_place)
{
    /* Kills: sending it to the end of the line. */
    on_each(check_refused_again);
}

static void check_without_data(const char *backend)
{
    struct pro_loop *const loop = loop_of(backend, 1, 3);
    struct pro_lease lease = take_buffer(loop);

    send_to(loop, &waiters[2]);
    begin(&waiters[1]); /* io_uring refuses it although it has no data */
    begin(&waiters[2]);
    run_until_in_line(loop, &waiters[2]);
    for (int i = 0; i < 3; i++)
        REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    CHECK(!loop->own.starving); /* it may sleep */
    CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    run_until_over(loop, 1);
    CHECK_EQ(waiters[2].place, 1);
    send_to(loop, &waiters[1]);
    run_until_over(loop, 2);
    CHECK(!loop->own.starving);
    end(loop);
}

TEST(who_is_served_and_has_no_data_does_not_keep_the_buffer_from_the_next)
{
    /* Kills: serving one for each buffer that comes home, and no more; a loop that sleeps while one is free, or spins
       while all are lent. */
    on_each(check_without_data);
}

static void check_tries(const char *backend)
{
    struct pro_loop *const loop = loop_of(backend, 1, WAITERS);
    struct pro_lease lease = take_buffer(loop);

    for (int i = 1; i < WAITERS; i++)
        send_to(loop, &waiters[i]);
    submitted = 0;
    for (int i = 1; i < WAITERS; i++)
        begin(&waiters[i]);
    for (int i = 1; i < WAITERS; i++)
        run_until_in_line(loop, &waiters[i]);
    CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    run_until_over(loop, WAITERS - 1);
    CHECK(submitted <= 4 * WAITERS); /* twice each, and some for a kernel that answers in a later turn */
    end(loop);
}

TEST(a_receive_in_line_goes_to_the_kernel_again_when_there_is_a_buffer_for_it)
{
    /* Kills: all of them going for each buffer. */
    on_each(check_tries);
}

static void check_ended(const char *backend)
{
    static const int ended[] = { 1, WAITERS - 1, WAITERS / 2 }; /* the first, the last, one between */
    struct pro_loop *const loop = loop_of(backend, 1, WAITERS);
    struct pro_lease lease = take_buffer(loop);

    for (int i = 1; i < WAITERS; i++)
        send_to(loop, &waiters[i]);
    for (int i = 1; i < WAITERS; i++)
        begin(&waiters[i]);
    for (int i = 1; i < WAITERS; i++)
        run_until_in_line(loop, &waiters[i]);
    submitted = 0;
    for (size_t i = 0; i < sizeof ended / sizeof *ended; i++) {
        waiters[ended[i]].ended = true;
        CHECK_EQ(pro_op_cancel(&waiters[ended[i]].op), PRO_OK);
        run_until_over(loop, (unsigned)i + 1);
        CHECK_EQ(waiters[ended[i]].place, i + 1);
    }
    CHECK_EQ(submitted, 0);
    CHECK_EQ(pro_lease_return(&lease), PRO_OK);
    run_until_over(loop, WAITERS - 1);
    end(loop);
}

TEST(who_is_ended_in_line_leaves_it_alone)
{
    /* Kills: all of them trying again when one is ended; a line that is torn where one has left it. */
    on_each(check_ended);
}

static void check_demand(const char *backend)
{
    struct pro_loop *const loop = loop_of(backend, 64, WAITERS);
    struct pro_loop_stats stats;

    for (int i = 0; i < WAITERS; i++)
        send_to(loop, &waiters[i]);
    for (int i = 0; i < WAITERS; i++)
        begin(&waiters[i]);
    run_until_over(loop, WAITERS);
    REQUIRE(pro_loop_get_stats(loop, &stats) == PRO_OK);
    CHECK_EQ(stats.leases, 0);
    CHECK(stats.lease_buffers > 4);
    CHECK(stats.lease_buffers <= 64);
    end(loop);
}

TEST(more_buffers_are_made_while_more_stand_in_line_than_come_home)
{
    /* Kills: making more only when all are lent: with each turn a few come home, and that is all that a thousand
       connections get. */
    on_each(check_demand);
}

/* ---- a burst, and a line that lasts ---- */

enum { MANY = 600, SOON = 64 + 64 / 4, BURSTS = 300, MUCH = 16 << 20 };

static struct pro_op many[MANY];
static struct pro_lease leases[MANY];
static bool lasts;

/* Each receives from the same connection, once or again and again. */
static void received_one_of_many(struct pro_op *op)
{
    struct pro_lease *const lease = op->user;

    CHECK_EQ(pro_lease_return(lease), PRO_OK);
    over += op->result > 0;
    if (lasts)
        REQUIRE(pro_then(pro_recv_lease(op, &waiters[0].pair.server, lease, PRO_HOW_DEFAULT), received_one_of_many) ==
                PRO_OK);
}

static void begin_many(void)
{
    for (int i = 0; i < MANY; i++) {
        many[i].user = &leases[i];
        REQUIRE(pro_then(pro_recv_lease(&many[i], &waiters[0].pair.server, &leases[i], PRO_HOW_DEFAULT),
                         received_one_of_many) == PRO_OK);
    }
}

static size_t buffers_of(struct pro_loop *loop)
{
    struct pro_loop_stats stats;

    REQUIRE(pro_loop_get_stats(loop, &stats) == PRO_OK);
    return stats.lease_buffers;
}

static void feed(struct pro_loop *loop, size_t length)
{
    static const char bytes[MUCH];
    struct pro_op op = { 0 };

    REQUIRE(loop_answer(loop, pro_send_all(&op, &waiters[0].pair.client, bytes, length, PRO_HOW_DEFAULT)) ==
            (int64_t)length);
}

TEST(a_burst_goes_round_in_the_line_and_makes_few_buffers)
{
    /* Kills: a buffer for each that stands in line, whose page the program has for ever; many bursts taken for one that
       lasts. */
    struct pro_loop *const loop = loop_of("sim", 0, 1);

    lasts = false;
    for (unsigned i = 1; i <= BURSTS; i++) {
        begin_many();
        feed(loop, (size_t)(MANY - WAITERS) * MESSAGE);
        while (over < i * MANY)
            feed(loop, MESSAGE); /* no more than they take: a send would wait for others */
    }
    CHECK(buffers_of(loop) <= SOON);
    end(loop);
}

TEST(a_line_that_lasts_makes_more_buffers)
{
    /* Kills: never more than a burst may make, however long there are more to serve. */
    struct pro_loop *const loop = loop_of("sim", 0, 1);

    lasts = true;
    begin_many();
    feed(loop, MUCH);
    CHECK(buffers_of(loop) > SOON);
    lasts = false;
    end(loop);
}
