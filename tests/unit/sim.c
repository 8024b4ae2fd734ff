/* SPDX-License-Identifier: MIT */
/* The simulated kernel's own promises: what the seed decides, what the clock does, what can be made to go wrong. That
 * it behaves like a kernel is held by tests/contract/. */
#include <proact/proact.h>

#include <stdlib.h>

#include "harness_system.h"
#include "proactor/internal.h"
#include "sim/sim.h"

static struct pro_loop *loop_new(struct pro_sim_options options)
{
    struct pro_loop_options all = { .name = "simulated", .backend = "sim", .sim = options };
    struct pro_loop *loop = NULL;

    REQUIRE(pro_loop_new(&all, &loop) == PRO_OK);
    REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    return loop;
}

static unsigned delivered; /* by all callbacks of a test */

static void count(struct pro_op *op)
{
    (void)op;
    delivered++;
}

static int64_t finish(struct pro_loop *loop, struct pro_op *op)
{
    unsigned target = delivered + 1;

    REQUIRE(pro_then(op, count) == PRO_OK);
    while (delivered < target)
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    return op->result;
}

/* ---- the seed ---- */

enum { TRACED = 60 };
static unsigned trace[TRACED], traced;

static void note(struct pro_op *op) { trace[traced++] = (unsigned)(uintptr_t)op->user; }

/* The order in which as many independent ops come back. */
static void order_of(uint64_t seed, int64_t max_delay_ns, unsigned ret_order[TRACED])
{
    static struct pro_op ops[TRACED];
    struct pro_loop *loop = loop_new((struct pro_sim_options){ .seed = seed, .max_delay_ns = max_delay_ns });

    traced = 0;
    for (unsigned i = 0; i < TRACED; i++) {
        ops[i].user = (void *)(uintptr_t)i;
        REQUIRE(pro_then(pro_nop(&ops[i], loop, PRO_HOW_DEFAULT), note) == PRO_OK);
    }
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(traced, TRACED);
    memcpy(ret_order, trace, sizeof trace);
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
}

TEST(the_same_seed_gives_the_same_order_and_another_seed_another)
{
    /* Kills: a choice that depends on an address, on time, or on nothing. */
    unsigned first[TRACED], again[TRACED], other[TRACED];

    for (int64_t delay = 0; delay <= PRO_MS(1); delay += PRO_MS(1)) {
        order_of(test_seed(), delay, first);
        order_of(test_seed(), delay, again);
        order_of(test_seed() + 1, delay, other);
        CHECK(memcmp(first, again, sizeof first) == 0);
        CHECK(memcmp(first, other, sizeof first) != 0);
    }
}

TEST(the_seed_can_be_read_back)
{
    /* Kills: a run that nobody can repeat, because its seed is not known. */
    struct pro_loop *loop = loop_new((struct pro_sim_options){ .seed = 4711 });

    CHECK_EQ(proi_sim_seed(loop->backend), 4711);
    pro_loop_free(loop);
}

/* ---- the clock ---- */

TEST(a_long_sleep_takes_no_time)
{
    /* Kills: a virtual clock that waits for the real one, or stops short of the deadline. */
    struct pro_loop *loop = loop_new((struct pro_sim_options){ 0 });
    struct pro_op op = { 0 };
    uint64_t before = pro_loop_now(loop), real = pro_now();

    CHECK_EQ(finish(loop, pro_sleep(&op, loop, PRO_S(1000000), PRO_HOW_DEFAULT)), PRO_OK);
    CHECK(pro_loop_now(loop) - before >= (uint64_t)PRO_S(1000000));
    CHECK(pro_loop_now(loop) - before < (uint64_t)PRO_S(1000001));
    CHECK(pro_now() - real < (uint64_t)PRO_S(30));
    pro_loop_free(loop);
}

TEST(time_does_not_pass_while_something_can_happen)
{
    /* Kills: a clock that jumps over completions that are due now. */
    struct pro_loop *loop = loop_new((struct pro_sim_options){ 0 });
    struct pro_op sleep = { 0 }, op = { 0 };
    uint64_t before = pro_loop_now(loop);

    REQUIRE(pro_then(pro_sleep(&sleep, loop, PRO_S(5), PRO_HOW_DEFAULT), count) == PRO_OK);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(finish(loop, pro_nop(&op, loop, PRO_HOW_DEFAULT)), PRO_OK);
    CHECK_EQ(pro_loop_now(loop), before);
    CHECK_EQ(pro_op_cancel(&sleep), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    pro_loop_free(loop);
}

TEST(who_only_polls_sees_delayed_completions_as_well)
{
    /* Kills: a clock that stands still for ever because nobody sleeps. */
    struct pro_loop *loop = loop_new((struct pro_sim_options){ .seed = test_seed(), .max_delay_ns = PRO_US(200) });
    struct pro_op op = { 0 };
    unsigned polls = 0, target = delivered + 1;

    REQUIRE(pro_then(pro_nop(&op, loop, PRO_HOW_DEFAULT), count) == PRO_OK);
    for (; delivered < target && polls < 1000; polls++)
        REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    CHECK_EQ(delivered, target);
    pro_loop_free(loop);
}

/* ---- sockets ---- */

struct ends {
    struct pro_socket listener, client, server;
    struct pro_addr addr;
};

static void listen_on(struct pro_loop *loop, const char *text, int backlog, struct ends *ends)
{
    struct pro_listen_options options = { .backlog = backlog };
    struct pro_addr addr;

    REQUIRE(pro_addr_parse(text, &addr) == PRO_OK);
    REQUIRE(pro_listen(loop, &addr, &options, &ends->listener) == PRO_OK);
    REQUIRE(pro_socket_local_addr(&ends->listener, &ends->addr) == PRO_OK);
}

static void connect_ends(struct pro_loop *loop, const char *text, struct ends *ends)
{
    struct pro_op op = { 0 };

    listen_on(loop, text, 0, ends);
    REQUIRE(finish(loop, pro_connect(&op, loop, &ends->addr, &ends->client, PRO_HOW_DEFAULT)) == PRO_OK);
    REQUIRE(finish(loop, pro_accept(&op, &ends->listener, &ends->server, PRO_HOW_DEFAULT)) == PRO_OK);
}

TEST(a_port_has_one_listener_and_this_machine_two_addresses)
{
    /* Kills: an address comparison that forgets "any", the family, or that the machine has no others. */
    struct pro_loop *loop = loop_new((struct pro_sim_options){ 0 });
    struct ends ends, other;
    struct pro_addr addr;
    struct pro_socket extra;
    struct pro_op op = { 0 };

    listen_on(loop, "127.0.0.1:7000", 0, &ends);
    REQUIRE(pro_addr_parse("0.0.0.0:7000", &addr) == PRO_OK);
    CHECK_EQ(pro_listen(loop, &addr, NULL, &extra), PRO_E_IN_USE);
    REQUIRE(pro_addr_parse("127.0.0.2:7000", &addr) == PRO_OK);
    CHECK_EQ(pro_listen(loop, &addr, NULL, &extra), PRO_OK);
    listen_on(loop, "[::]:7000", 0, &other);
    REQUIRE(pro_addr_parse("10.0.0.1:7001", &addr) == PRO_OK);
    CHECK_EQ(pro_listen(loop, &addr, NULL, &extra), PRO_E_ADDRESS);
    CHECK_EQ(finish(loop, pro_connect(&op, loop, &addr, &extra, PRO_HOW_DEFAULT)), PRO_E_UNREACHABLE);
    REQUIRE(pro_addr_parse("[::1]:7000", &addr) == PRO_OK);
    CHECK_EQ(finish(loop, pro_connect(&op, loop, &addr, &extra, PRO_HOW_DEFAULT)), PRO_OK);
    CHECK_EQ(finish(loop, pro_accept(&op, &other.listener, &extra, PRO_HOW_DEFAULT)), PRO_OK);
    pro_loop_free(loop); /* closes what is open */
}

TEST(a_connect_to_a_full_listener_goes_on_when_one_is_accepted)
{
    /* Kills: an accept that makes room and tells nobody; a listener that closes without an answer to those outside. */
    struct pro_loop *loop = loop_new((struct pro_sim_options){ .seed = test_seed() });
    struct ends ends;
    struct pro_socket second, third;
    struct pro_op op = { 0 }, waiting = { 0 };
    unsigned before;

    listen_on(loop, "127.0.0.1:0", 1, &ends);
    REQUIRE(finish(loop, pro_connect(&op, loop, &ends.addr, &ends.client, PRO_HOW_DEFAULT)) == PRO_OK);
    before = delivered;
    REQUIRE(pro_then(pro_connect(&waiting, loop, &ends.addr, &second, PRO_HOW_DEFAULT), count) == PRO_OK);
    for (int i = 0; i < 10; i++)
        REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    CHECK_EQ(delivered, before);
    CHECK_EQ(finish(loop, pro_accept(&op, &ends.listener, &ends.server, PRO_HOW_DEFAULT)), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(waiting.result, PRO_OK);
    REQUIRE(pro_then(pro_connect(&waiting, loop, &ends.addr, &third, PRO_HOW_DEFAULT), count) == PRO_OK);
    for (int i = 0; i < 10; i++)
        REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    CHECK_EQ(finish(loop, pro_close(&op, &ends.listener)), PRO_OK);
    CHECK_EQ(pro_loop_run(loop), PRO_OK);
    CHECK_EQ(waiting.result, PRO_E_REFUSED);
    pro_loop_free(loop);
}

TEST(the_buffer_between_two_ends_is_as_large_as_asked_for)
{
    /* Kills: a stream that takes everything, so that nothing is ever short. */
    static char data[5000];
    struct pro_loop *loop = loop_new((struct pro_sim_options){ .socket_buffer = 1000 });
    struct ends ends;
    struct pro_op op = { 0 };

    connect_ends(loop, "127.0.0.1:0", &ends);
    CHECK_EQ(finish(loop, pro_send(&op, &ends.client, data, sizeof data, PRO_HOW_DEFAULT)), 1000);
    CHECK_EQ(finish(loop, pro_send(&op, &ends.client, data, sizeof data, PRO_WITHIN(1))), PRO_E_TIMEOUT);
    CHECK_EQ(finish(loop, pro_recv(&op, &ends.server, data, 300, PRO_HOW_DEFAULT)), 300);
    CHECK_EQ(finish(loop, pro_send(&op, &ends.client, data, sizeof data, PRO_HOW_DEFAULT)), 300);
    pro_loop_free(loop);
}

TEST(bytes_stay_in_order_while_the_buffer_grows)
{
    /* Kills: growing a ring without what is in it, or with its two parts the wrong way round. */
    static unsigned char data[7000], back[7000];
    const size_t sizes[] = { 1000, 400, 5000 };
    struct pro_loop *loop = loop_new((struct pro_sim_options){ 0 });
    struct ends ends;
    struct pro_op op = { 0 };
    size_t sent = 0;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 7 + i / 256);
    connect_ends(loop, "127.0.0.1:0", &ends);
    for (size_t i = 0; i < 3; sent += sizes[i++]) {
        REQUIRE(finish(loop, pro_send(&op, &ends.client, data + sent, sizes[i], PRO_HOW_DEFAULT)) == (int64_t)sizes[i]);
        if (i == 0) /* so that the next ones go round the ring's end */
            REQUIRE(finish(loop, pro_recv(&op, &ends.server, back, 500, PRO_HOW_DEFAULT)) == 500);
    }
    CHECK_EQ(finish(loop, pro_recv(&op, &ends.server, back + 500, sizeof back - 500, PRO_HOW_DEFAULT)), sent - 500);
    CHECK(memcmp(data, back, sent) == 0);
    pro_loop_free(loop);
}

TEST(a_close_with_bytes_unread_resets_the_other_end)
{
    /* Kills: an end that loses bytes and looks as if it had read them. */
    struct pro_loop *loop = loop_new((struct pro_sim_options){ 0 });
    struct ends ends;
    struct pro_op op = { 0 };
    char byte;

    connect_ends(loop, "127.0.0.1:0", &ends);
    CHECK_EQ(finish(loop, pro_send(&op, &ends.client, "x", 1, PRO_HOW_DEFAULT)), 1);
    CHECK_EQ(finish(loop, pro_close(&op, &ends.server)), PRO_OK);
    CHECK_EQ(finish(loop, pro_recv(&op, &ends.client, &byte, 1, PRO_HOW_DEFAULT)), PRO_E_RESET);
    pro_loop_free(loop);
}

TEST(a_connection_cannot_move_to_another_simulated_machine)
{
    /* Kills: two loops that share an object, each under its own lock. */
    struct pro_loop *loop = loop_new((struct pro_sim_options){ 0 }), *other = loop_new((struct pro_sim_options){ 0 });
    struct ends ends;
    struct pro_op op = { 0 };
    struct pro_loop_stats stats;
    char byte;

    pro_set_notice_handler(NULL, NULL);
    listen_on(loop, "127.0.0.1:0", 0, &ends);
    REQUIRE(finish(loop, pro_connect(&op, loop, &ends.addr, &ends.client, PRO_HOW_DEFAULT)) == PRO_OK);
    CHECK_EQ(finish(loop, pro_accept_for(&op, &ends.listener, other, &ends.server, PRO_HOW_DEFAULT)),
             PRO_E_NOT_SUPPORTED);
    CHECK_EQ(finish(loop, pro_recv(&op, &ends.client, &byte, 1, PRO_HOW_DEFAULT)), 0); /* that end was closed */
    CHECK_EQ(pro_loop_get_stats(other, &stats), PRO_OK);
    CHECK_EQ(stats.handles, 0);
    pro_loop_free(loop);
    pro_loop_free(other);
}

/* ---- what goes wrong on request ---- */

TEST(errors_come_as_often_as_asked_for_and_break_the_connection_for_both)
{
    /* Kills: injected errors that never come, or leave a connection whole. */
    struct pro_loop *loop = loop_new((struct pro_sim_options){ .seed = test_seed() });
    struct ends ends;
    struct pro_op op = { 0 };
    unsigned failed = 0;
    char byte;

    connect_ends(loop, "127.0.0.1:0", &ends);
    ((struct sim *)loop->backend)->options.error_percent = 30;
    for (int i = 0; i < 1000; i++)
        failed += finish(loop, pro_file_open(&op, loop, "missing", PRO_OPEN_READ, &(struct pro_file){ 0 },
                                             PRO_HOW_DEFAULT)) == PRO_E_IO;
    CHECK(failed > 200 && failed < 400);
    while (finish(loop, pro_send(&op, &ends.client, "x", 1, PRO_HOW_DEFAULT)) >= 0) {
    }
    CHECK_EQ(op.result, PRO_E_RESET);
    ((struct sim *)loop->backend)->options.error_percent = 0;
    CHECK_EQ(finish(loop, pro_recv(&op, &ends.server, &byte, 1, PRO_HOW_DEFAULT)), PRO_E_RESET);
    pro_loop_free(loop);
}

TEST(a_full_disk_takes_what_fits_and_then_says_so)
{
    /* Kills: a write that fails as a whole although part of it went; space that truncating does not give back. */
    static char data[3 * SIM_PAGE_SIZE];
    struct pro_loop *loop = loop_new((struct pro_sim_options){ 0 });
    struct pro_file file;
    struct pro_op op = { 0 };
    uint64_t size = 0;

    proi_sim_set_space(loop->backend, 2 * SIM_PAGE_SIZE);
    CHECK_EQ(finish(loop, pro_file_open(&op, loop, "a/b", PRO_OPEN_WRITE | PRO_OPEN_CREATE, &file, PRO_HOW_DEFAULT)),
             PRO_OK);
    CHECK_EQ(finish(loop, pro_write_at(&op, &file, data, sizeof data, 100, PRO_HOW_DEFAULT)), 2 * SIM_PAGE_SIZE - 100);
    CHECK_EQ(finish(loop, pro_write_at(&op, &file, data, 1, 2 * SIM_PAGE_SIZE, PRO_HOW_DEFAULT)), PRO_E_NO_SPACE);
    CHECK_EQ(pro_file_size(&file, &size), PRO_OK);
    CHECK_EQ(size, 2 * SIM_PAGE_SIZE);
    CHECK_EQ(finish(loop, pro_file_close(&op, &file)), PRO_OK);
    CHECK_EQ(finish(loop, pro_file_open(&op, loop, "a", PRO_OPEN_READ, &file, PRO_HOW_DEFAULT)), PRO_E_IS_DIRECTORY);
    CHECK_EQ(finish(loop, pro_file_open(&op, loop, "a/b", PRO_OPEN_WRITE | PRO_OPEN_TRUNCATE, &file, PRO_HOW_DEFAULT)),
             PRO_OK);
    CHECK_EQ(finish(loop, pro_write_at(&op, &file, data, 1, UINT64_C(1) << 40, PRO_HOW_DEFAULT)), 1); /* one page */
    CHECK_EQ(pro_file_size(&file, &size), PRO_OK);
    CHECK_EQ(size, (UINT64_C(1) << 40) + 1);
    pro_loop_free(loop);
}

/* ---- memory ---- */

static unsigned allocations, failing; /* the failing-th allocation gives nothing; 0: none does */

static void *counted_allocate(size_t size, void *user)
{
    (void)user;
    return ++allocations == failing ? NULL : malloc(size);
}

static void *counted_resize(void *block, size_t size, void *user)
{
    (void)user;
    return ++allocations == failing ? NULL : realloc(block, size);
}

static void counted_release(void *block, void *user)
{
    (void)user;
    free(block);
}

enum { RECEIVES = 4 }; /* of a message each, into a lease */

/* A little of everything. PRO_OK, or PRO_E_NO_MEMORY; anything else is reported. */
static int64_t little_of_everything(struct pro_loop *loop)
{
    static char data[3000], back[3000];
    struct ends ends;
    struct pro_file file;
    struct pro_op op = { 0 };
    struct pro_lease lease;
    struct pro_addr addr = pro_addr_loopback(0);
    int64_t result = pro_listen(loop, &addr, NULL, &ends.listener);

    if (result == PRO_OK)
        result = pro_socket_local_addr(&ends.listener, &ends.addr);
    if (result >= 0)
        result = finish(loop, pro_connect(&op, loop, &ends.addr, &ends.client, PRO_HOW_DEFAULT));
    if (result >= 0)
        result = finish(loop, pro_accept(&op, &ends.listener, &ends.server, PRO_HOW_DEFAULT));
    if (result >= 0)
        result = finish(loop, pro_send_all(&op, &ends.client, data, sizeof data, PRO_HOW_DEFAULT));
    if (result >= 0)
        result = finish(loop, pro_recv(&op, &ends.server, back, sizeof back, PRO_HOW_DEFAULT));
    for (int i = 0; i < RECEIVES && result >= 0; i++) {
        result = finish(loop, pro_send_all(&op, &ends.client, data, 1, PRO_HOW_DEFAULT));
        if (result >= 0)
            result = finish(loop, pro_recv_lease(&op, &ends.server, &lease, PRO_HOW_DEFAULT));
        if (result >= 0)
            pro_lease_return(&lease);
    }
    if (result >= 0)
        result = finish(loop, pro_file_open(&op, loop, "f", PRO_OPEN_WRITE | PRO_OPEN_CREATE, &file, PRO_HOW_DEFAULT));
    if (result >= 0)
        result = finish(loop, pro_write_at(&op, &file, data, sizeof data, 0, PRO_HOW_DEFAULT));
    return result < 0 ? result : PRO_OK;
}

TEST(no_memory_at_any_point_is_an_answer)
{
    /* Kills: an allocation whose failure is not looked at, or loses an op, or leaves half an object; a receive that
       stands in line for a buffer where there is none, nor can be. */
    struct pro_allocator allocator = { counted_allocate, counted_resize, counted_release, NULL };
    struct pro_loop_options options = { .name = "no memory",
                                        .backend = "sim",
                                        .sim = { .seed = test_seed(), .starve_percent = 75 } };
    unsigned rounds = 0;
    int64_t result;

    REQUIRE(pro_set_allocator(&allocator) == PRO_OK);
    proi_slabs_of_one = true; /* each block may fail */
    do {
        struct pro_loop *loop = NULL;

        pro_memory_trim(); /* else blocks kept from the round before hide allocations */
        allocations = 0;
        failing = ++rounds;
        result = pro_loop_new(&options, &loop);
        if (result == PRO_OK)
            result = little_of_everything(loop);
        CHECK(result == PRO_OK || result == PRO_E_NO_MEMORY);
        pro_loop_free(loop);
    } while (allocations >= failing && rounds < 500);
    CHECK_EQ(result, PRO_OK);
    CHECK(rounds > 10 && rounds < 500);
    test_note("%u allocations, each of which failed once", rounds - 1);
    failing = 0;
}
