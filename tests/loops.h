/* SPDX-License-Identifier: MIT */
/* For tests that need a loop and the answer of an operation, but not what lies between. */
#ifndef PROACT_TEST_LOOPS_H
#define PROACT_TEST_LOOPS_H

#include <proact/proact.h>

#include "gate.h"
#include "harness.h"

/* @backend: a short name, or NULL: $PROACT_BACKEND, else the best. */
static inline struct pro_loop *loop_on(const char *backend, const char *name, bool strict)
{
    const struct pro_loop_options options = { .name = name,
                                              .backend = backend ? test_backend_name(backend) : NULL,
                                              .strict = strict };
    struct pro_loop *loop = NULL;

    REQUIRE(pro_loop_new(&options, &loop) == PRO_OK);
    return loop;
}

static inline struct pro_loop *loop_new(void) { return loop_on(NULL, NULL, false); }
static inline struct pro_loop *loop_sim(void) { return loop_on("sim", NULL, false); }

static inline void loop_end(struct pro_loop *loop) { CHECK_EQ(pro_loop_free(loop), PRO_OK); }

struct heard {
    struct gate gate;
    int64_t result;
};

static inline void heard_op(struct pro_op *op)
{
    struct heard *const heard = op->user;

    heard->result = op->result;
    gate_add(&heard->gate);
}

/* Submits @op and runs @loop, or waits for the background loop, until it is delivered; gives its result. */
static inline int64_t loop_answer(struct pro_loop *loop, struct pro_op *op)
{
    struct heard heard = { { 0 }, 0 };
    bool elsewhere;
    int code;

    op->user = &heard;
    elsewhere = op->loop && op->loop != loop;
    code = pro_then(op, heard_op);
    if (code < 0)
        return code;
    if (elsewhere)
        gate_wait(&heard.gate, 1);
    while (!gate_count(&heard.gate))
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    return heard.result;
}

/* A connected pair on @loop. */
struct pair {
    struct pro_socket listener, client, server;
};

static inline void loop_connect(struct pro_loop *loop, struct pair *pair)
{
    struct pro_addr addr = pro_addr_loopback(0);
    struct pro_op accept = { 0 }, connect = { 0 };
    struct heard accepted = { { 0 }, 0 };

    REQUIRE(pro_listen(loop, &addr, NULL, &pair->listener) == PRO_OK);
    REQUIRE(pro_socket_local_addr(&pair->listener, &addr) == PRO_OK);
    accept.user = &accepted;
    REQUIRE(pro_then(pro_accept(&accept, &pair->listener, &pair->server, PRO_HOW_DEFAULT), heard_op) == PRO_OK);
    REQUIRE(loop_answer(loop, pro_connect(&connect, loop, &addr, &pair->client, PRO_HOW_DEFAULT)) == PRO_OK);
    while (!gate_count(&accepted.gate))
        REQUIRE(pro_loop_run_once(loop, PRO_INFINITE) >= 0);
    REQUIRE(accepted.result == PRO_OK);
}

#endif
