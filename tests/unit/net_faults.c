/* SPDX-License-Identifier: MIT */
/* What peers and networks do to a connection, on every backend: resets, half-closed streams, readers that are slow,
   transfers cut in the middle. (One operation in one situation: tests/contract/.) */
#include <proact/proact.h>

#include <stdlib.h>

#include "harness_system.h"
#include "loops.h"

enum { LARGE = 8 << 20, SMALL_BUFFER = 16384, CHUNK = 65536, SLOW_BYTES = 2000 };

static unsigned char large[LARGE], chunk[CHUNK];

/* A pattern whose period is no power of two: a part that is sent twice, or left out, shows. */
static void fill(void)
{
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (unsigned char)(i % 251 + i / 65521);
}

static void on_each(void (*check)(struct pro_loop *loop))
{
    for (const char *const *backend = test_backends(); *backend; backend++) {
        struct pro_loop *const loop = loop_on(*backend, "faults", false);

        check(loop);
        loop_end(loop);
    }
}

static void connect_small(struct pro_loop *loop, struct pair *pair)
{
    loop_connect(loop, pair);
    CHECK_EQ(pro_socket_set_buffers(&pair->client, SMALL_BUFFER, SMALL_BUFFER), PRO_OK);
    CHECK_EQ(pro_socket_set_buffers(&pair->server, SMALL_BUFFER, SMALL_BUFFER), PRO_OK);
}

static int64_t close_it(struct pro_loop *loop, const struct pro_socket *socket)
{
    struct pro_op op = { 0 };

    return loop_answer(loop, pro_close(&op, socket));
}

static int64_t receive(struct pro_loop *loop, const struct pro_socket *socket, size_t length)
{
    struct pro_op op = { 0 };

    return loop_answer(loop, pro_recv(&op, socket, chunk, length, PRO_HOW_DEFAULT));
}

static void reset(struct pro_loop *loop, const struct pro_socket *socket)
{
    CHECK_EQ(pro_socket_set_abortive(socket, true), PRO_OK);
    CHECK_EQ(close_it(loop, socket), PRO_OK);
}

/* Starts @op; its answer comes to @heard while the loop turns for others. */
static void begin(struct heard *heard, struct pro_op *op)
{
    *heard = (struct heard){ { 0 }, 0 };
    op->user = heard;
    REQUIRE(pro_then(op, heard_op) == PRO_OK);
}

static bool is_over(const struct heard *heard) { return gate_count(&heard->gate) > 0; }

static int64_t finish(struct pro_loop *loop, const struct heard *heard)
{
    while (!is_over(heard))
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    return heard->result;
}

/* ---- resets ---- */

static void reset_before_the_receive(struct pro_loop *loop)
{
    struct pair pair;

    loop_connect(loop, &pair);
    reset(loop, &pair.client);
    CHECK_EQ(receive(loop, &pair.server, 16), PRO_E_RESET);
    CHECK(receive(loop, &pair.server, 16) <= 0); /* no system gives data now; some say 0 the second time */
    CHECK_EQ(close_it(loop, &pair.server), PRO_OK);
}

TEST(a_receive_posted_after_the_reset_hears_of_it)
{
    /* Kills: taking a reset that came before for the end of the stream. */
    on_each(reset_before_the_receive);
}

static void reset_under_everything(struct pro_loop *loop)
{
    enum { RECEIVES = 20 };
    static struct pro_op receives[RECEIVES];
    static unsigned char bytes[RECEIVES];
    struct heard heard[RECEIVES], sending;
    struct pro_op send = { 0 };
    struct pair pair;
    int64_t result;

    connect_small(loop, &pair);
    for (int i = 0; i < RECEIVES; i++)
        begin(&heard[i], pro_recv(&receives[i], &pair.server, &bytes[i], 1, PRO_HOW_DEFAULT));
    begin(&sending, pro_send_all(&send, &pair.server, large, LARGE, PRO_HOW_DEFAULT));
    for (int i = 0; i < 3; i++)
        REQUIRE(pro_loop_run_once(loop, 0) >= 0);
    CHECK(!is_over(&sending));
    reset(loop, &pair.client);
    result = finish(loop, &sending);
    CHECK(result == PRO_E_RESET || result == PRO_E_PIPE || result == PRO_E_ABORTED);
    CHECK(send.transferred < LARGE);
    for (int i = 0; i < RECEIVES;
         i++) { /* the first to look takes the error with it; the others find a stream that is over */
        result = finish(loop, &heard[i]);
        CHECK(result == PRO_E_RESET || result == PRO_E_ABORTED || result == 0);
    }
    CHECK_EQ(close_it(loop, &pair.server), PRO_OK);
}

TEST(a_reset_ends_every_pending_receive_and_the_send)
{
    /* Kills: telling only one of those who wait. */
    on_each(reset_under_everything);
}

/* A connection that its client has given up before it was accepted may come, dead, or be skipped; the living one comes.
 */
static void accept_after_reset(struct pro_loop *loop)
{
    struct pro_addr addr = pro_addr_loopback(0);
    struct pro_socket listener, dead, alive, got;
    struct pro_op op = { 0 }, accept = { 0 };
    unsigned char byte = 42;

    REQUIRE(pro_listen(loop, &addr, NULL, &listener) == PRO_OK);
    REQUIRE(pro_socket_local_addr(&listener, &addr) == PRO_OK);
    REQUIRE(loop_answer(loop, pro_connect(&op, loop, &addr, &dead, PRO_HOW_DEFAULT)) == PRO_OK);
    reset(loop, &dead);
    REQUIRE(loop_answer(loop, pro_connect(&op, loop, &addr, &alive, PRO_HOW_DEFAULT)) == PRO_OK);
    CHECK_EQ(loop_answer(loop, pro_send_all(&op, &alive, &byte, 1, PRO_HOW_DEFAULT)), 1);
    for (int i = 0; i < 2; i++) {
        REQUIRE(loop_answer(loop, pro_accept(&accept, &listener, &got, PRO_HOW_DEFAULT)) == PRO_OK);
        if (receive(loop, &got, 16) == 1)
            break;
        CHECK_EQ(i, 0);
        CHECK_EQ(close_it(loop, &got), PRO_OK);
    }
    CHECK_EQ(chunk[0], 42);
    CHECK_EQ(close_it(loop, &got), PRO_OK);
    CHECK_EQ(close_it(loop, &alive), PRO_OK);
}

TEST(a_connection_that_is_reset_before_it_is_accepted_does_not_stop_the_listener)
{
    /* Kills: an accept that fails for good, or hangs, because one client has gone. */
    on_each(accept_after_reset);
}

/* ---- half-closed streams ---- */

static void half_close(struct pro_loop *loop)
{
    struct heard sending;
    struct pro_op op = { 0 }, send = { 0 };
    size_t received = 0;
    struct pair pair;
    int64_t count;

    loop_connect(loop, &pair);
    CHECK_EQ(loop_answer(loop, pro_send_all(&op, &pair.client, "question", 8, PRO_HOW_DEFAULT)), 8);
    CHECK_EQ(loop_answer(loop, pro_shutdown(&op, &pair.client, PRO_SHUTDOWN_SEND, PRO_HOW_DEFAULT)), PRO_OK);
    for (received = 0; (count = receive(loop, &pair.server, CHUNK)) > 0; received += (size_t)count)
        ;
    CHECK_EQ(count, 0);
    CHECK_EQ(received, 8);
    CHECK_EQ(loop_answer(loop, pro_send_all(&op, &pair.client, "more", 4, PRO_HOW_DEFAULT)), PRO_E_PIPE);
    begin(&sending, pro_send_all(&send, &pair.server, large, LARGE, PRO_HOW_DEFAULT)); /* the other half still works */
    for (received = 0; received < LARGE; received += (size_t)count) {
        count = receive(loop, &pair.client, CHUNK);
        REQUIRE(count > 0 && memcmp(chunk, large + received, (size_t)count) == 0);
    }
    CHECK_EQ(finish(loop, &sending), LARGE);
    CHECK_EQ(loop_answer(loop, pro_shutdown(&op, &pair.server, PRO_SHUTDOWN_SEND, PRO_HOW_DEFAULT)), PRO_OK);
    CHECK_EQ(receive(loop, &pair.client, CHUNK), 0);
    CHECK_EQ(receive(loop, &pair.server, CHUNK), 0); /* the end stays the end */
    CHECK_EQ(close_it(loop, &pair.client), PRO_OK);
    CHECK_EQ(close_it(loop, &pair.server), PRO_OK);
}

TEST(each_half_of_a_stream_ends_by_itself)
{
    /* Kills: a shutdown of one direction that ends both; an end of the stream that is told once. */
    fill();
    on_each(half_close);
}

/* ---- slow readers, short sends ---- */

/* Takes the next bytes of @large from @socket, at most @most of them. */
static size_t take(struct pro_loop *loop, const struct pro_socket *socket, size_t at, size_t most)
{
    const int64_t count = receive(loop, socket, most);

    REQUIRE(count > 0 && at + (size_t)count <= LARGE);
    REQUIRE(memcmp(chunk, large + at, (size_t)count) == 0);
    return (size_t)count;
}

static void slow_reader(struct pro_loop *loop)
{
    struct pro_op send = { 0 };
    struct heard sending;
    size_t received = 0;
    struct pair pair;

    connect_small(loop, &pair);
    begin(&sending, pro_send_all(&send, &pair.client, large, LARGE, PRO_HOW_DEFAULT));
    while (received < SLOW_BYTES)
        received += take(loop, &pair.server, received, 1);
    CHECK(!is_over(&sending));
    while (received < LARGE)
        received += take(loop, &pair.server, received, CHUNK);
    CHECK_EQ(finish(loop, &sending), LARGE);
    CHECK_EQ(send.transferred, LARGE);
    CHECK_EQ(close_it(loop, &pair.client), PRO_OK);
    CHECK_EQ(receive(loop, &pair.server, CHUNK), 0);
    CHECK_EQ(close_it(loop, &pair.server), PRO_OK);
}

TEST(eight_megabytes_reach_a_reader_that_takes_them_byte_by_byte_at_first)
{
    /* Kills: a send_all that repeats or skips a part after a short trip, or takes what is buffered for all. */
    fill();
    on_each(slow_reader);
}

static void short_sends(struct pro_loop *loop)
{
    size_t sent = 0, received = 0;
    struct pro_op send = { 0 };
    struct heard sending;
    struct pair pair;

    connect_small(loop, &pair);
    while (sent < LARGE) {
        begin(&sending, pro_send(&send, &pair.client, large + sent, LARGE - sent, PRO_HOW_DEFAULT));
        while (!is_over(&sending) && received < LARGE)
            received += take(loop, &pair.server, received, CHUNK);
        REQUIRE(finish(loop, &sending) > 0 && (size_t)sending.result <= LARGE - sent);
        CHECK_EQ(send.transferred, sending.result);
        sent += (size_t)sending.result;
    }
    while (received < LARGE)
        received += take(loop, &pair.server, received, CHUNK);
    CHECK_EQ(received, sent);
    CHECK_EQ(close_it(loop, &pair.client), PRO_OK);
    CHECK_EQ(close_it(loop, &pair.server), PRO_OK);
}

TEST(what_a_short_send_says_is_what_went)
{
    /* Kills: a count that is not the number of bytes which left. */
    fill();
    on_each(short_sends);
}

/* ---- sends that are cut in the middle ---- */

enum cut { CUT_BY_CANCEL, CUT_BY_CLOSE };

/* What the peer gets to its end is what the send says has gone, and is the beginning of the data. */
static void cut_send(struct pro_loop *loop, enum cut cut)
{
    struct pro_op send = { 0 };
    struct heard sending;
    size_t received = 0;
    struct pair pair;
    int64_t count;

    connect_small(loop, &pair);
    begin(&sending, pro_send_all(&send, &pair.client, large, LARGE, PRO_HOW_DEFAULT));
    while (received < LARGE / 4)
        received += take(loop, &pair.server, received, CHUNK);
    REQUIRE(!is_over(&sending));
    if (cut == CUT_BY_CANCEL)
        CHECK_EQ(pro_op_cancel(&send), PRO_OK);
    else
        CHECK_EQ(close_it(loop, &pair.client), PRO_OK);
    CHECK_EQ(finish(loop, &sending), cut == CUT_BY_CANCEL ? PRO_E_CANCELED : PRO_E_CLOSED);
    CHECK(send.transferred >= received && send.transferred < LARGE);
    if (cut == CUT_BY_CANCEL)
        CHECK_EQ(close_it(loop, &pair.client), PRO_OK);
    while ((count = receive(loop, &pair.server, CHUNK)) > 0) {
        REQUIRE(received + (size_t)count <= LARGE && memcmp(chunk, large + received, (size_t)count) == 0);
        received += (size_t)count;
    }
    CHECK_EQ(count, 0);
    CHECK_EQ(received, send.transferred);
    CHECK_EQ(close_it(loop, &pair.server), PRO_OK);
}

static void cancel_send(struct pro_loop *loop) { cut_send(loop, CUT_BY_CANCEL); }
static void close_under_send(struct pro_loop *loop) { cut_send(loop, CUT_BY_CLOSE); }

TEST(a_cancelled_send_all_says_how_much_the_peer_will_get)
{
    /* Kills: losing the count of the trip that was under way. */
    fill();
    on_each(cancel_send);
}

TEST(a_close_under_a_send_all_still_delivers_what_the_send_says_has_gone)
{
    /* Kills: a close that throws away what the system has taken, or that does not wait for the send. */
    fill();
    on_each(close_under_send);
}
