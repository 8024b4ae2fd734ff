/* SPDX-License-Identifier: MIT */
/* Opening and closing files, in every situation (contract.h). */
#define CONTRACT_FILE "open"
#include "file.h"

static const char folder[] = ".";

/* ---- open ---- */

static void start_open(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    contract_start(contract, it,
                   pro_file_open(&it->op, contract->loop, path, PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_CREATE,
                                 &contract->file, how));
}

static void open_success(struct contract *contract)
{
    /* Kills: CREATE or TRUNCATE that does not, or does without being asked. */
    static struct contract_op it;
    uint64_t size = 99;

    make_filled_file(contract);
    close_file(contract);
    start_open(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    CHECK_EQ(pro_file_size(&contract->file, &size), PRO_OK);
    CHECK_EQ(size, LENGTH);
    close_file(contract);
    make_file(contract);
    CHECK_EQ(pro_file_size(&contract->file, &size), PRO_OK);
    CHECK_EQ(size, 0);
    remove_file(contract);
}

static void open_deadline(struct contract *contract)
{
    /* Kills: a file left open by an open that was answered with a timeout. */
    contract_deadline(contract, start_open, 1);
    remove_file(contract);
}

static void open_cancel_before(struct contract *contract)
{
    /* Kills: making a file that nobody wants any more. */
    contract_cancel_before(contract, start_open);
    remove_file(contract);
}

static void open_cancel_pending(struct contract *contract)
{
    /* Kills: a cancelled open that leaves its file open. */
    contract_cancel_pending(contract, NULL, start_open, remove_file);
}

static void open_loop_freed(struct contract *contract)
{
    /* Kills: freeing a loop under an open. */
    contract_free_pending(contract, start_open);
    remove(path);
}

static void open_and_check(struct contract *contract, const char *name, unsigned flags)
{
    static struct contract_op it;

    contract_start(contract, &it, pro_file_open(&it.op, contract->loop, name, flags, &contract->file, PRO_HOW_DEFAULT));
    contract_wait(contract, &it);
    contract_check(contract, &it);
    if (it.op.result < 0)
        CHECK(!pro_file_is_open(&contract->file)); /* untouched on failure */
}

static void open_missing(struct contract *contract)
{
    /* Kills: an error number that the table of codes lacks. */
    open_and_check(contract, "contract_file_that_is_not_there.tmp", PRO_OPEN_READ);
}

static void open_existing(struct contract *contract)
{
    /* Kills: taking somebody's file for a new one. */
    make_file(contract);
    close_file(contract);
    open_and_check(contract, path, PRO_OPEN_WRITE | PRO_OPEN_CREATE | PRO_OPEN_EXCLUSIVE);
    remove_file(contract);
}

static void open_folder(struct contract *contract)
{
    /* Kills: opening what cannot be read. */
    open_and_check(contract, folder, PRO_OPEN_READ);
    open_and_check(contract, folder, PRO_OPEN_WRITE);
}

static bool open_start_bad(struct contract *contract, struct contract_op *it, int index)
{
    struct pro_how how = PRO_HOW_DEFAULT;
    const char *name = path;
    unsigned flags = PRO_OPEN_READ;
    struct pro_file *to = &contract->file;

    if (index == 0)
        name = NULL;
    else if (index == 1)
        name = "";
    else if (index == 2)
        flags = 0;
    else if (index == 3)
        flags = PRO_OPEN_READ | PRO_OPEN_TRUNCATE;
    else if (index == 4)
        flags = 1u << 20;
    else if (index == 5)
        to = NULL;
    else if (index == 6)
        how.timeout_ns = -1;
    else
        return false;
    contract_start(contract, it, pro_file_open(&it->op, contract->loop, name, flags, to, how));
    return true;
}

static void open_bad_argument(struct contract *contract)
{
    /* Kills: emptying a file that was opened for reading. */
    contract_bad_arguments(contract, open_start_bad);
}

static void open_many(struct contract *contract)
{
    /* Kills: a pool of threads that loses work when it is full. */
    static struct contract_op all[CONTRACT_MANY];
    static struct pro_file files[CONTRACT_MANY];

    make_file(contract);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        contract_start(contract, &all[i],
                       pro_file_open(&all[i].op, contract->loop, path, PRO_OPEN_READ, &files[i], PRO_HOW_DEFAULT));
    contract_wait_all(contract, all, CONTRACT_MANY);
    for (size_t i = 0; i < CONTRACT_MANY; i++) {
        contract_check(contract, &all[i]);
        contract_must(contract, &all[i], pro_file_close(&all[i].op, &files[i]));
    }
    remove_file(contract);
}

/* ---- close ---- */

static void start_close(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    (void)how; /* it takes none */
    contract_start(contract, it, pro_file_close(&it->op, &contract->file));
}

static void close_success(struct contract *contract)
{
    /* Kills: a close that leaves the file usable. */
    static struct contract_op it;

    make_file(contract);
    start_close(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    CHECK(!pro_file_is_open(&contract->file));
    remove_file(contract);
}

static void close_cancel_pending(struct contract *contract)
{
    /* Kills: cancelling a close, which would keep the handle for ever. */
    static struct contract_op it;

    make_file(contract);
    start_close(contract, &it, PRO_HOW_DEFAULT);
    CHECK_EQ(pro_op_cancel(&it.op), PRO_E_STATE);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    remove_file(contract);
}

static void close_while_closing(void *arg)
{
    struct contract_late *late = arg;
    static struct contract_op first;

    start_close(late->contract, &first, PRO_HOW_DEFAULT);
    start_close(late->contract, &late->it, PRO_HOW_DEFAULT);
}

static void close_close_pending(struct contract *contract)
{
    /* Kills: closing twice what was opened once. */
    static struct contract_late second;

    second = (struct contract_late){ .contract = contract };
    make_file(contract);
    REQUIRE(pro_loop_post(contract->loop, close_while_closing, &second) == PRO_OK);
    contract_wait(contract, &second.it);
    contract_check(contract, &second.it);
    remove_file(contract);
}

static bool close_start_bad(struct contract *contract, struct contract_op *it, int index)
{
    static const struct pro_file never_opened;

    if (index > 1)
        return false;
    contract_start(contract, it, pro_file_close(&it->op, index == 0 ? &never_opened : NULL));
    return true;
}

static void close_bad_argument(struct contract *contract)
{
    /* Kills: closing descriptor 0. */
    contract_bad_arguments(contract, close_start_bad);
}

static void close_after_close(struct contract *contract)
{
    /* Kills: closing whoever has the number now. */
    make_file(contract);
    close_file(contract);
    contract_after_close(contract, start_close);
    remove_file(contract);
}

static void close_many(struct contract *contract)
{
    /* Kills: a lost one among many. */
    static struct contract_op all[CONTRACT_MANY];
    static struct pro_file files[CONTRACT_MANY];

    make_file(contract);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        contract_must(contract, &all[i],
                      pro_file_open(&all[i].op, contract->loop, path, PRO_OPEN_READ, &files[i], PRO_HOW_DEFAULT));
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        contract_start(contract, &all[i], pro_file_close(&all[i].op, &files[i]));
    contract_wait_all(contract, all, CONTRACT_MANY);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        contract_check(contract, &all[i]);
    remove_file(contract);
}

static const struct contract_row rows[] = {
    { "file_open", "success", open_success, 0, 0, 0, 0 },
    { "file_open", "short", NULL, 0, 0, 0, 0 },
    { "file_open", "deadline", open_deadline, 0, 0, 0, 0 },
    { "file_open", "cancel before", open_cancel_before, 0, 0, 0, 0 },
    { "file_open", "cancel while pending", open_cancel_pending, 0, 0, 0, 0 },
    { "file_open", "close while pending", open_loop_freed, 0, 0, 0, 0 },
    { "file_open", "peer gone", NULL, 0, 0, 0, 0 },
    { "file_open", "bad argument", open_bad_argument, 0, 0, 0, 0 },
    { "file_open", "1,000 at once", open_many, 0, 0, 0, 0 },
    { "file_open", "no such file", open_missing, 0, 0, 0, 0 },
    { "file_open", "it exists", open_existing, 0, 0, 0, 0 },
    { "file_open", "a directory", open_folder, 0, 0, 0, 0 },
    { "file_close", "success", close_success, 0, 0, 0, 0 },
    { "file_close", "short", NULL, 0, 0, 0, 0 },
    { "file_close", "deadline", NULL, 0, 0, 0, 0 },
    { "file_close", "cancel before", NULL, 0, 0, 0, 0 },
    { "file_close", "cancel while pending", close_cancel_pending, 0, 0, 0, 0 },
    { "file_close", "close while pending", close_close_pending, 0, 0, 0, 0 },
    { "file_close", "peer gone", NULL, 0, 0, 0, 0 },
    { "file_close", "bad argument", close_bad_argument, 0, 0, 0, 0 },
    { "file_close", "after close", close_after_close, 0, 0, 0, 0 },
    { "file_close", "1,000 at once", close_many, 0, 0, 0, 0 },
};
CONTRACT_ROWS(rows)
