/* SPDX-License-Identifier: MIT */
/* One source for every backend: a row is one operation in one situation, and docs/portability.md says how it may end on
 * which backend. A file of rows registers each row once for every backend of this system; its name becomes
 * "<op>_<situation>_on_<backend>". On the simulated kernel a row runs several times: gently, and late in other orders.
 *
 * Held in every row, for every op that is started through contract_start(): it is delivered exactly once and not inside
 * the starter, it is idle then, its count and what it says to have moved agree, a success carries no system's number;
 * and in the end nothing is pending and no handle is open. */
#ifndef PROACT_TEST_CONTRACT_H
#define PROACT_TEST_CONTRACT_H

#include <proact/proact.h>

#include <stdlib.h>

#include "harness_system.h"
#include "portability_table.h"

struct contract;

struct contract_row {
    const char *op, *situation;
    void (*run)(struct contract *contract); /* NULL: the two make no sense together; the table says why */
    unsigned sim_short_percent, sim_starve_percent;
    unsigned lease_bytes, lease_most; /* 0: the defaults */
};

/* An op that knows its test. */
struct contract_op {
    struct pro_op op;
    struct contract *contract;
    size_t asked; /* bytes; 0: the op moves none */
    unsigned delivered;
};

struct contract {
    struct pro_loop *loop; /* NULL when the row has freed it */
    const struct contract_row *row;
    const char *backend; /* short name */
    unsigned variation;
    bool in_starter;
    char allowed[128];
    /* for the rows */
    struct pro_socket listener, client, server;
    struct pro_addr addr;
    struct pro_file file;
};

enum { CONTRACT_MANY = 1000, CONTRACT_VARIATIONS = 3, CONTRACT_TRIES = 1000, CONTRACT_CELL = 128 };

/* ---- the table ---- */

enum { COLUMN_OP, COLUMN_SITUATION, COLUMN_URING, COLUMN_EPOLL, COLUMN_IOCP, COLUMN_SIM };

/* Copies the text of one cell, without the blanks and back quotes around it. */
static inline void contract_cell(const char *row, int column, char ret_text[CONTRACT_CELL])
{
    size_t length;

    for (int bars = 0; *row && bars <= column; row++)
        bars += *row == '|';
    row += strspn(row, " `");
    length = strcspn(row, "|");
    while (length && strchr(" `", row[length - 1]))
        length--;
    snprintf(ret_text, CONTRACT_CELL, "%.*s", (int)length, row);
}

static inline int contract_column(const char *backend)
{
    static const char *const names[] = { "uring", "epoll", "iocp", "sim" };
    int column = 0;

    while (strcmp(names[column], backend) != 0)
        column++;
    return COLUMN_URING + column;
}

static inline const char *contract_find(const char *op, const char *situation)
{
    char cell[CONTRACT_CELL];

    for (size_t i = 0; i < sizeof portability_rows / sizeof portability_rows[0]; i++) {
        contract_cell(portability_rows[i], COLUMN_OP, cell);
        if (strcmp(cell, op) != 0)
            continue;
        contract_cell(portability_rows[i], COLUMN_SITUATION, cell);
        if (strcmp(cell, situation) == 0)
            return portability_rows[i];
    }
    return NULL;
}

static inline bool contract_allows(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
        if ((at == list || at[-1] == ' ') && (!at[length] || at[length] == ','))
            return true;
    return false;
}

/* ---- outcomes ---- */

/* "OK"; "SHORT" and "END" for transfers; the code's name without PRO_E_ for failures. */
static inline const char *contract_word(const struct contract_op *it)
{
    if (it->op.result < 0)
        return pro_err_name((int)it->op.result) + sizeof "PRO_E_" - 1;
    if (!it->asked || (size_t)it->op.result == it->asked)
        return "OK";
    return it->op.result == 0 ? "END" : "SHORT";
}

/* The row's verdict on @it. */
static inline void contract_check(struct contract *contract, const struct contract_op *it)
{
    const char *word = contract_word(it);

    if (!contract_allows(contract->allowed, word))
        test_fail(__FILE__, __LINE__, "%s, %s, on %s: %s (native %d); docs/portability.md allows %s", contract->row->op,
                  contract->row->situation, contract->backend, word, it->op.native, contract->allowed);
}

static inline void contract_done(struct pro_op *op)
{
    struct contract_op *it = PRO_CONTAINER(op, struct contract_op, op);

    it->delivered++;
    CHECK_EQ(it->delivered, 1);
    CHECK(!it->contract->in_starter);
    CHECK_EQ(op->state, PRO_OP_IDLE);
    CHECK(op->transferred <= it->asked);
    if (op->result >= 0) {
        CHECK_EQ(op->native, 0);
        CHECK_EQ(op->result, op->transferred);
    }
}

/* ---- starting and waiting ---- */

/* @asked bytes are to be moved by @op, which a verb has just filled and which is @it's own. */
static inline void contract_start_bytes(struct contract *contract, struct contract_op *it, size_t asked,
                                        struct pro_op *op)
{
    REQUIRE(op == &it->op);
    it->contract = contract;
    it->asked = asked;
    it->delivered = 0;
    contract->in_starter = true;
    CHECK_EQ(pro_then(op, contract_done), PRO_OK);
    contract->in_starter = false;
    CHECK_EQ(it->delivered, 0);
}

static inline void contract_start(struct contract *contract, struct contract_op *it, struct pro_op *op)
{
    contract_start_bytes(contract, it, 0, op);
}

static inline void contract_wait(struct contract *contract, struct contract_op *it)
{
    while (!it->delivered)
        REQUIRE(pro_loop_run_once(contract->loop, PRO_INFINITE) >= 0);
}

static inline void contract_wait_all(struct contract *contract, struct contract_op *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        contract_wait(contract, &all[i]);
}

/* For steps that are not the row's own subject. */
static inline void contract_must(struct contract *contract, struct contract_op *it, struct pro_op *op)
{
    contract_start(contract, it, op);
    contract_wait(contract, it);
    if (it->op.result < 0) {
        test_fail(__FILE__, __LINE__, "a step on the way failed: %s: %s (native %d)", pro_op_kind_name(it->op.kind),
                  contract_word(it), it->op.native);
        test_abandon();
    }
}

/* Completes what the kernel was asked so far, as far as that goes without waiting. */
static inline void contract_turns(struct contract *contract)
{
    for (int i = 0; i < 3; i++)
        REQUIRE(pro_loop_run_once(contract->loop, 0) >= 0);
}

/* ---- sockets ---- */

static inline void contract_listen(struct contract *contract, int backlog)
{
    struct pro_listen_options options = { .backlog = backlog };
    struct pro_addr any_port = pro_addr_loopback(0);

    REQUIRE(pro_listen(contract->loop, &any_port, &options, &contract->listener) == PRO_OK);
    REQUIRE(pro_socket_local_addr(&contract->listener, &contract->addr) == PRO_OK);
    CHECK(contract->addr.port != 0);
}

static inline void contract_close(struct contract *contract, const struct pro_socket *socket)
{
    struct contract_op it = { 0 };

    contract_must(contract, &it, pro_close(&it.op, socket));
    CHECK(!pro_socket_is_open(socket));
}

/* client and server, connected; nobody listens any more. */
static inline void contract_pair(struct contract *contract)
{
    static struct contract_op accepted, connected;

    contract_listen(contract, 0);
    contract_start(contract, &accepted,
                   pro_accept(&accepted.op, &contract->listener, &contract->server, PRO_HOW_DEFAULT));
    contract_must(contract, &connected,
                  pro_connect(&connected.op, contract->loop, &contract->addr, &contract->client, PRO_HOW_DEFAULT));
    contract_wait(contract, &accepted);
    REQUIRE(accepted.op.result == PRO_OK);
    contract_close(contract, &contract->listener);
}

static inline void contract_close_pair(struct contract *contract)
{
    if (pro_socket_is_open(&contract->client))
        contract_close(contract, &contract->client);
    if (pro_socket_is_open(&contract->server))
        contract_close(contract, &contract->server);
}

/* Closes with a reset. */
static inline void contract_abort(struct contract *contract, const struct pro_socket *socket)
{
    CHECK_EQ(pro_socket_set_abortive(socket, true), PRO_OK);
    contract_close(contract, socket);
}

/* ---- situations that are the same for every op ---- */

/* A way to start the op that the row is about, once more each time it is called. */
typedef void contract_starter(struct contract *contract, struct contract_op *it, struct pro_how how);

/* True for a success that the row does not mean: what fills buffers, or goes before a reset is known, is started again.
 */
static inline bool contract_again(const struct contract *contract, const struct contract_op *it, unsigned tries)
{
    return it->op.result >= 0 && !contract_allows(contract->allowed, contract_word(it)) && tries < CONTRACT_TRIES;
}

static inline void contract_deadline(struct contract *contract, contract_starter *start, int64_t timeout_ns)
{
    static struct contract_op it;
    unsigned tries = 0;

    do {
        start(contract, &it, PRO_WITHIN(timeout_ns));
        contract_wait(contract, &it);
    } while (contract_again(contract, &it, tries++));
    contract_check(contract, &it);
}

static inline struct pro_cancellation_source *contract_source(void)
{
    struct pro_cancellation_source *source = NULL;

    REQUIRE(pro_cancellation_source_new(&source) == PRO_OK);
    return source;
}

static inline void contract_cancel_before(struct contract *contract, contract_starter *start)
{
    static struct contract_op it;
    struct pro_cancellation_source *source = contract_source();
    struct pro_how how = { .token = pro_cancellation_source_token(source) };

    CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    start(contract, &it, how);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    pro_cancellation_source_unref(source);
}

/* By the op or by a token; before the kernel knows the op, and after. */
static inline void contract_cancel_one(struct contract *contract, contract_starter *start, bool by_token, bool at_once)
{
    static struct contract_op it;
    struct pro_cancellation_source *source = contract_source();
    struct pro_how how = { .token = pro_cancellation_source_token(source) };

    start(contract, &it, by_token ? how : PRO_HOW_DEFAULT);
    if (!at_once)
        contract_turns(contract);
    if (by_token)
        CHECK_EQ(pro_cancellation_source_cancel(source), PRO_OK);
    else if (!it.delivered)
        CHECK_EQ(pro_op_cancel(&it.op), PRO_OK);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    CHECK_EQ(pro_op_cancel(&it.op), PRO_E_STATE);
    pro_cancellation_source_unref(source);
}

/* @prepare, when given, makes what one op needs; @clean takes it away. */
static inline void contract_cancel_pending(struct contract *contract, void (*prepare)(struct contract *contract),
                                           contract_starter *start, void (*clean)(struct contract *contract))
{
    for (unsigned way = 0; way < 4; way++) {
        if (prepare)
            prepare(contract);
        contract_cancel_one(contract, start, way & 1, way & 2);
        if (clean)
            clean(contract);
    }
}

/* @close gives a closing op of the handle on which @start's op pends. */
static inline void contract_close_pending(struct contract *contract, contract_starter *start,
                                          struct pro_op *(*close)(struct contract *contract, struct pro_op *op))
{
    static struct contract_op it, closing;

    start(contract, &it, PRO_HOW_DEFAULT);
    contract_turns(contract);
    contract_start(contract, &closing, close(contract, &closing.op));
    contract_wait(contract, &closing);
    CHECK_EQ(closing.op.result, PRO_OK);
    CHECK_EQ(it.delivered, 1); /* every completion comes before the close's own */
    contract_check(contract, &it);
}

/* For ops without a handle: the loop itself goes. */
static inline void contract_free_pending(struct contract *contract, contract_starter *start)
{
    static struct contract_op it;

    start(contract, &it, PRO_HOW_DEFAULT);
    CHECK_EQ(pro_loop_free(contract->loop), PRO_OK);
    contract->loop = NULL;
    CHECK_EQ(it.delivered, 1);
    contract_check(contract, &it);
}

static inline void contract_many(struct contract *contract, contract_starter *start)
{
    static struct contract_op all[CONTRACT_MANY];

    for (size_t i = 0; i < CONTRACT_MANY; i++)
        start(contract, &all[i], PRO_HOW_DEFAULT);
    contract_wait_all(contract, all, CONTRACT_MANY);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        contract_check(contract, &all[i]);
}

/* ---- bad arguments ---- */

/* Starts number @index of the ways to call the op wrongly; false: there is no such number. Runs on the loop, where a
   handle that leads to no loop is answered as well. */
typedef bool contract_bad_starter(struct contract *contract, struct contract_op *it, int index);

enum { CONTRACT_MOST_BAD = 16 };
struct contract_bad {
    struct contract *contract;
    contract_bad_starter *start;
    struct contract_op ops[CONTRACT_MOST_BAD];
    int count;
};

static inline void contract_start_bad(void *arg)
{
    struct contract_bad *bad = arg;

    while (bad->count < CONTRACT_MOST_BAD && bad->start(bad->contract, &bad->ops[bad->count], bad->count))
        bad->count++;
}

/* The row says how each ends: with INVALID. */
static inline void contract_bad_arguments(struct contract *contract, contract_bad_starter *start)
{
    static struct contract_bad bad;

    bad = (struct contract_bad){ .contract = contract, .start = start };
    REQUIRE(pro_loop_post(contract->loop, contract_start_bad, &bad) == PRO_OK);
    while (!bad.count)
        REQUIRE(pro_loop_run_once(contract->loop, PRO_INFINITE) >= 0);
    for (int i = 0; i < bad.count; i++) {
        contract_wait(contract, &bad.ops[i]);
        contract_check(contract, &bad.ops[i]);
    }
}

/* ---- after close ---- */

struct contract_late {
    struct contract *contract;
    contract_starter *start;
    struct contract_op it;
};

static inline void contract_start_late(void *arg)
{
    struct contract_late *late = arg;

    late->start(late->contract, &late->it, PRO_HOW_DEFAULT);
}

/* The handle that @start uses is closed already. On the loop, as with bad arguments. */
static inline void contract_after_close(struct contract *contract, contract_starter *start)
{
    static struct contract_late late;

    late = (struct contract_late){ .contract = contract, .start = start };
    REQUIRE(pro_loop_post(contract->loop, contract_start_late, &late) == PRO_OK);
    contract_wait(contract, &late.it);
    contract_check(contract, &late.it);
}

/* ---- running a row on a backend ---- */

struct contract_test {
    struct test test;
    const struct contract_row *row;
    const char *backend;
    char name[96];
};

static inline void contract_ignore_misuse(int code, const char *sentence, void *user)
{
    (void)code, (void)sentence, (void)user;
}

static inline void contract_open(struct contract *contract)
{
    struct pro_loop_options options = { .name = "contract", .backend = test_backend_name(contract->backend) };

    options.sim.seed = test_seed() + contract->variation;
    options.sim.max_delay_ns = contract->variation ? PRO_US(500) : 0;
    options.sim.short_percent = contract->row->sim_short_percent;
    options.sim.starve_percent = contract->row->sim_starve_percent;
    options.lease_bytes = contract->row->lease_bytes;
    options.lease_most = contract->row->lease_most;
    REQUIRE(pro_loop_new(&options, &contract->loop) == PRO_OK);
    REQUIRE(pro_loop_run_once(contract->loop, 0) >= 0); /* it is this thread's from now on */
}

static inline void contract_end(struct contract *contract)
{
    struct pro_loop_stats stats;

    if (!contract->loop)
        return;
    CHECK_EQ(pro_loop_run(contract->loop), PRO_OK);
    CHECK_EQ(pro_loop_get_stats(contract->loop, &stats), PRO_OK);
    CHECK_EQ(stats.pending, 0);
    CHECK_EQ(stats.handles, 0);
    CHECK_EQ(stats.timers, 0);
    CHECK_EQ(stats.leases, 0);
    CHECK_EQ(stats.delivered, stats.submitted);
    CHECK_EQ(pro_loop_free(contract->loop), PRO_OK);
}

static inline void contract_run(void)
{
    const struct contract_test *test = PRO_CONTAINER(test_current(), struct contract_test, test);
    const char *refusal = test_backend_refusal(test->backend);
    const char *line = contract_find(test->row->op, test->row->situation);
    unsigned variations = strcmp(test->backend, "sim") == 0 ? CONTRACT_VARIATIONS : 1;

    if (refusal)
        SKIP(test->backend, refusal);
    REQUIRE(line);
    pro_set_misuse_handler(contract_ignore_misuse, NULL);
    for (unsigned variation = 0; variation < variations; variation++) {
        struct contract contract = { .row = test->row, .backend = test->backend, .variation = variation };

        contract_cell(line, contract_column(test->backend), contract.allowed);
        contract_open(&contract);
        test->row->run(&contract);
        contract_end(&contract);
    }
}

static inline void contract_name(struct contract_test *test)
{
    int length =
        snprintf(test->name, sizeof test->name, "%s_%s_on_%s", test->row->op, test->row->situation, test->backend);

    for (int i = 0; i < length && i < (int)sizeof test->name; i++)
        if (test->name[i] == ' ' || test->name[i] == ',')
            test->name[i] = '_';
}

static inline void contract_register(const struct contract_row *rows, size_t count, const char *file, int line)
{
    for (size_t i = 0; i < count; i++)
        for (const struct test_backend *backend = test_backend_table; rows[i].run && backend->short_name; backend++) {
            struct contract_test *test = calloc(1, sizeof *test); /* lives as long as the program */

            if (!test)
                abort();
            test->row = &rows[i];
            test->backend = backend->short_name;
            contract_name(test);
            test->test = (struct test){ .name = test->name, .run = contract_run, .file = file, .line = line };
            test_register(&test->test);
        }
}

/* ---- the table and the rows are the same ---- */

static inline const struct contract_row *contract_row_of(const struct contract_row *rows, size_t count, const char *op,
                                                         const char *situation)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].op, op) == 0 && (!situation || strcmp(rows[i].situation, situation) == 0))
            return &rows[i];
    return NULL;
}

/* Both ways: a row that the page does not have, a line of the page that nobody runs; and every op in all nine
   situations. */
static inline void contract_compare(const struct contract_row *rows, size_t count)
{
    static const char *const situations[] = {
        "success",   "short",        "deadline",     "cancel before", "cancel while pending", "close while pending",
        "peer gone", "bad argument", "1,000 at once"
    };
    char op[CONTRACT_CELL], situation[CONTRACT_CELL], cell[CONTRACT_CELL];

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < sizeof situations / sizeof situations[0]; j++)
            if (!contract_row_of(rows, count, rows[i].op, situations[j]))
                test_fail(__FILE__, __LINE__, "there is no row for %s, %s", rows[i].op, situations[j]);
        if (!contract_find(rows[i].op, rows[i].situation))
            test_fail(__FILE__, __LINE__, "docs/portability.md lacks %s, %s", rows[i].op, rows[i].situation);
    }
    for (size_t i = 0; i < sizeof portability_rows / sizeof portability_rows[0]; i++) {
        const struct contract_row *row;

        contract_cell(portability_rows[i], COLUMN_OP, op);
        contract_cell(portability_rows[i], COLUMN_SITUATION, situation);
        row = contract_row_of(rows, count, op, situation);
        if (!row && contract_row_of(rows, count, op, NULL))
            test_fail(__FILE__, __LINE__, "nobody runs docs/portability.md's %s, %s", op, situation);
        for (int column = COLUMN_URING; row && column <= COLUMN_SIM; column++) {
            contract_cell(portability_rows[i], column, cell);
            if (!row->run != (strcmp(cell, "—") == 0))
                test_fail(__FILE__, __LINE__, "%s, %s: the cell \"%s\" and the test do not agree", op, situation, cell);
        }
    }
}

#define CONTRACT_ROWS(rows)                                                                                            \
    __attribute__((constructor)) static void register_##rows(void)                                                     \
    {                                                                                                                  \
        contract_register(rows, sizeof rows / sizeof rows[0], __FILE__, __LINE__);                                     \
    }                                                                                                                  \
    TEST(the_rows_are_those_of_portability_md)                                                                         \
    {                                                                                                                  \
        /* Kills: a row that nobody runs, a promise that nobody tests. */                                              \
        contract_compare(rows, sizeof rows / sizeof rows[0]);                                                          \
    }

#endif
