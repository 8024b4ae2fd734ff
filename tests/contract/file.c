/* SPDX-License-Identifier: MIT */
/* Files: opening, reading, writing, making durable, closing, in every situation (contract.h). A file never keeps anyone
 * waiting for good, so a deadline or a cancel may always come too late; what is held is that each of them has one clear
 * outcome. */
#include "contract.h"

static const char path[] = "contract_file.tmp";
static const char folder[] = ".";

enum { LENGTH = 10000, BLOCK = 64 };
static unsigned char bytes[LENGTH], buffer[LENGTH];
static unsigned char blocks[CONTRACT_MANY][BLOCK];

static unsigned char pattern(size_t position) { return (unsigned char)(position * 37 + position / 253); }

static void close_file(struct contract *contract)
{
    struct contract_op it = { 0 };

    if (pro_file_is_open(&contract->file))
        contract_must(contract, &it, pro_file_close(&it.op, &contract->file));
    CHECK(!pro_file_is_open(&contract->file));
}

/* Opens the file empty; fill() puts the pattern in. */
static void make_file(struct contract *contract)
{
    struct contract_op it = { 0 };
    unsigned flags = PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_CREATE | PRO_OPEN_TRUNCATE;

    contract_must(contract, &it, pro_file_open(&it.op, contract->loop, path, flags, &contract->file, PRO_HOW_DEFAULT));
}

static void make_filled_file(struct contract *contract)
{
    struct contract_op it = { 0 };

    for (size_t i = 0; i < LENGTH; i++)
        bytes[i] = pattern(i);
    make_file(contract);
    for (size_t done = 0; done < LENGTH; done += it.op.transferred) {
        contract_start_bytes(contract, &it, LENGTH - done,
                             pro_write_at(&it.op, &contract->file, bytes + done, LENGTH - done, done, PRO_HOW_DEFAULT));
        contract_wait(contract, &it);
        REQUIRE(it.op.result > 0);
    }
}

static void remove_file(struct contract *contract)
{
    close_file(contract);
    remove(path); /* not there on the simulated kernel */
}

static struct pro_op *closing_file(struct contract *contract, struct pro_op *op)
{
    return pro_file_close(op, &contract->file);
}

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

/* ---- read_at and write_at ---- */

static bool is_write(const struct contract *contract) { return strcmp(contract->row->op, "write_at") == 0; }

static void start_transfer_at(struct contract *contract, struct contract_op *it, size_t length, uint64_t offset,
                              struct pro_how how)
{
    contract_start_bytes(contract, it, length,
                         is_write(contract) ? pro_write_at(&it->op, &contract->file, bytes, length, offset, how)
                                            : pro_read_at(&it->op, &contract->file, buffer, length, offset, how));
}

static void start_transfer(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    start_transfer_at(contract, it, LENGTH, 0, how);
}

static void transfer_success(struct contract *contract)
{
    /* Kills: an offset that is ignored, or cut to 32 bits of the position of the file. */
    static struct contract_op it;
    uint64_t size = 0;

    make_filled_file(contract);
    start_transfer_at(contract, &it, 1000, is_write(contract) ? 20000 : 4095, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    if (is_write(contract)) {
        CHECK_EQ(pro_file_size(&contract->file, &size), PRO_OK);
        CHECK_EQ(size, 21000);
        memset(buffer, 0xaa, sizeof buffer);
        contract_start_bytes(contract, &it, 2000,
                             pro_read_at(&it.op, &contract->file, buffer, 2000, 19000, PRO_HOW_DEFAULT));
        contract_wait(contract, &it);
        CHECK_EQ(it.op.result, 2000);
        for (size_t i = 0; i < 1000; i++) /* the hole reads as zeros */
            CHECK(buffer[i] == 0 && buffer[1000 + i] == bytes[i]);
    } else {
        CHECK(memcmp(buffer, bytes + 4095, 1000) == 0);
    }
    remove_file(contract);
}

static void read_short(struct contract *contract)
{
    /* Kills: taking the end of the file for an error. */
    static struct contract_op it;

    make_filled_file(contract);
    start_transfer_at(contract, &it, 1000, LENGTH - 10, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    CHECK(it.op.result >= 1 && it.op.result <= 10);
    CHECK(memcmp(buffer, bytes + LENGTH - 10, (size_t)it.op.result) == 0);
    remove_file(contract);
}

static void read_past_end(struct contract *contract)
{
    /* Kills: one system's "end of file" error told as an error. */
    static struct contract_op it;
    const uint64_t offsets[] = { LENGTH, LENGTH + 1, UINT64_C(1) << 40 };

    make_filled_file(contract);
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        start_transfer_at(contract, &it, 10, offsets[i], PRO_HOW_DEFAULT);
        contract_wait(contract, &it);
        contract_check(contract, &it);
    }
    remove_file(contract);
}

static void write_short(struct contract *contract)
{
    /* Kills: telling the length asked for instead of what was written. */
    static struct contract_op it;
    uint64_t size = 0;

    make_file(contract);
    start_transfer(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    CHECK_EQ(pro_file_size(&contract->file, &size), PRO_OK);
    CHECK_EQ(size, it.op.result);
    remove_file(contract);
}

static void transfer_deadline(struct contract *contract)
{
    /* Kills: an answer while the system still writes into the buffer. */
    make_filled_file(contract);
    contract_deadline(contract, start_transfer, 1);
    remove_file(contract);
}

static void transfer_cancel_before(struct contract *contract)
{
    /* Kills: writing what nobody wants written any more. */
    make_filled_file(contract);
    contract_cancel_before(contract, start_transfer);
    remove_file(contract);
}

static void transfer_cancel_pending(struct contract *contract)
{
    /* Kills: a cancelled transfer that is delivered twice, or never. */
    contract_cancel_pending(contract, make_filled_file, start_transfer, remove_file);
}

static void transfer_close_pending(struct contract *contract)
{
    /* Kills: closing the file under a transfer. */
    make_filled_file(contract);
    contract_close_pending(contract, start_transfer, closing_file);
    remove_file(contract);
}

static void transfer_wrong_mode(struct contract *contract)
{
    /* Kills: an error number that the table of codes lacks. */
    static struct contract_op it;
    unsigned flags = is_write(contract) ? PRO_OPEN_READ : PRO_OPEN_WRITE;

    make_filled_file(contract);
    close_file(contract);
    contract_must(contract, &it, pro_file_open(&it.op, contract->loop, path, flags, &contract->file, PRO_HOW_DEFAULT));
    start_transfer(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    remove_file(contract);
}

static bool transfer_start_bad(struct contract *contract, struct contract_op *it, int index)
{
    static const struct pro_file never_opened;
    struct pro_how how = PRO_HOW_DEFAULT;
    const struct pro_file *file = &contract->file;
    void *data = buffer;
    size_t length = 10;
    uint64_t offset = 0;

    if (index == 0)
        file = &never_opened;
    else if (index == 1)
        file = NULL;
    else if (index == 2)
        data = NULL;
    else if (index == 3)
        length = 0;
    else if (index == 4)
        offset = UINT64_MAX;
    else if (index == 5)
        how.timeout_ns = -1;
    else
        return false;
    contract_start(contract, it,
                   is_write(contract) ? pro_write_at(&it->op, file, data, length, offset, how)
                                      : pro_read_at(&it->op, file, data, length, offset, how));
    return true;
}

static void transfer_bad_argument(struct contract *contract)
{
    /* Kills: an offset that some systems take for "here". */
    make_filled_file(contract);
    contract_bad_arguments(contract, transfer_start_bad);
    remove_file(contract);
}

static void transfer_after_close(struct contract *contract)
{
    /* Kills: writing into whichever file has the number now. */
    make_filled_file(contract);
    close_file(contract);
    contract_after_close(contract, start_transfer);
    remove_file(contract);
}

static void transfer_many(struct contract *contract)
{
    /* Kills: two transfers that share a position, a lost one among many. */
    static struct contract_op all[CONTRACT_MANY];
    bool writes = is_write(contract);

    for (size_t i = 0; i < CONTRACT_MANY; i++)
        memset(blocks[i], writes ? pattern(i) : 0, BLOCK);
    make_filled_file(contract);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        contract_start_bytes(
            contract, &all[i], BLOCK,
            writes ? pro_write_at(&all[i].op, &contract->file, blocks[i], BLOCK, i * BLOCK, PRO_HOW_DEFAULT)
                   : pro_read_at(&all[i].op, &contract->file, blocks[i], BLOCK, i, PRO_HOW_DEFAULT));
    contract_wait_all(contract, all, CONTRACT_MANY);
    for (size_t i = 0; i < CONTRACT_MANY; i++)
        contract_check(contract, &all[i]);
    for (size_t i = 0; i < CONTRACT_MANY; i++) {
        if (writes) {
            contract_start_bytes(contract, &all[i], BLOCK,
                                 pro_read_at(&all[i].op, &contract->file, buffer, BLOCK, i * BLOCK, PRO_HOW_DEFAULT));
            contract_wait(contract, &all[i]);
        }
        CHECK(memcmp(writes ? buffer : blocks[i], writes ? blocks[i] : bytes + i, BLOCK) == 0);
    }
    remove_file(contract);
}

/* ---- sync ---- */

static void start_sync(struct contract *contract, struct contract_op *it, struct pro_how how)
{
    contract_start(contract, it, pro_file_sync(&it->op, &contract->file, how));
}

static void sync_success(struct contract *contract)
{
    /* Kills: a sync that is never answered. */
    static struct contract_op it;

    make_filled_file(contract);
    start_sync(contract, &it, PRO_HOW_DEFAULT);
    contract_wait(contract, &it);
    contract_check(contract, &it);
    remove_file(contract);
}

static void sync_deadline(struct contract *contract)
{
    /* Kills: a deadline that abandons the op to the system. */
    make_filled_file(contract);
    contract_deadline(contract, start_sync, 1);
    remove_file(contract);
}

static void sync_cancel_before(struct contract *contract)
{
    /* Kills: submitting although the token is cancelled. */
    make_file(contract);
    contract_cancel_before(contract, start_sync);
    remove_file(contract);
}

static void sync_cancel_pending(struct contract *contract)
{
    /* Kills: a cancelled sync that is delivered twice, or never. */
    contract_cancel_pending(contract, make_filled_file, start_sync, remove_file);
}

static void sync_close_pending(struct contract *contract)
{
    /* Kills: closing the file under a sync. */
    make_filled_file(contract);
    contract_close_pending(contract, start_sync, closing_file);
    remove_file(contract);
}

static bool sync_start_bad(struct contract *contract, struct contract_op *it, int index)
{
    static const struct pro_file never_opened;
    struct pro_how how = { .timeout_ns = index == 2 ? -1 : 0 };

    if (index > 2)
        return false;
    contract_start(contract, it,
                   pro_file_sync(&it->op,
                                 index == 0   ? &never_opened
                                 : index == 1 ? NULL
                                              : &contract->file,
                                 how));
    return true;
}

static void sync_bad_argument(struct contract *contract)
{
    /* Kills: making descriptor 0 durable. */
    make_file(contract);
    contract_bad_arguments(contract, sync_start_bad);
    remove_file(contract);
}

static void sync_after_close(struct contract *contract)
{
    /* Kills: following a value whose handle belongs to somebody else now. */
    make_file(contract);
    close_file(contract);
    contract_after_close(contract, start_sync);
    remove_file(contract);
}

static void sync_many(struct contract *contract)
{
    /* Kills: a lost one among many. */
    make_file(contract);
    contract_many(contract, start_sync);
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
    { "file_open", "success", open_success, 0 },
    { "file_open", "short", NULL, 0 },
    { "file_open", "deadline", open_deadline, 0 },
    { "file_open", "cancel before", open_cancel_before, 0 },
    { "file_open", "cancel while pending", open_cancel_pending, 0 },
    { "file_open", "close while pending", open_loop_freed, 0 },
    { "file_open", "peer gone", NULL, 0 },
    { "file_open", "bad argument", open_bad_argument, 0 },
    { "file_open", "1,000 at once", open_many, 0 },
    { "file_open", "no such file", open_missing, 0 },
    { "file_open", "it exists", open_existing, 0 },
    { "file_open", "a directory", open_folder, 0 },
    { "read_at", "success", transfer_success, 0 },
    { "read_at", "short", read_short, 50 },
    { "read_at", "past the end", read_past_end, 0 },
    { "read_at", "deadline", transfer_deadline, 0 },
    { "read_at", "cancel before", transfer_cancel_before, 0 },
    { "read_at", "cancel while pending", transfer_cancel_pending, 0 },
    { "read_at", "close while pending", transfer_close_pending, 0 },
    { "read_at", "peer gone", NULL, 0 },
    { "read_at", "bad argument", transfer_bad_argument, 0 },
    { "read_at", "after close", transfer_after_close, 0 },
    { "read_at", "wrong mode", transfer_wrong_mode, 0 },
    { "read_at", "1,000 at once", transfer_many, 0 },
    { "write_at", "success", transfer_success, 0 },
    { "write_at", "short", write_short, 100 },
    { "write_at", "deadline", transfer_deadline, 0 },
    { "write_at", "cancel before", transfer_cancel_before, 0 },
    { "write_at", "cancel while pending", transfer_cancel_pending, 0 },
    { "write_at", "close while pending", transfer_close_pending, 0 },
    { "write_at", "peer gone", NULL, 0 },
    { "write_at", "bad argument", transfer_bad_argument, 0 },
    { "write_at", "after close", transfer_after_close, 0 },
    { "write_at", "wrong mode", transfer_wrong_mode, 0 },
    { "write_at", "1,000 at once", transfer_many, 0 },
    { "file_sync", "success", sync_success, 0 },
    { "file_sync", "short", NULL, 0 },
    { "file_sync", "deadline", sync_deadline, 0 },
    { "file_sync", "cancel before", sync_cancel_before, 0 },
    { "file_sync", "cancel while pending", sync_cancel_pending, 0 },
    { "file_sync", "close while pending", sync_close_pending, 0 },
    { "file_sync", "peer gone", NULL, 0 },
    { "file_sync", "bad argument", sync_bad_argument, 0 },
    { "file_sync", "after close", sync_after_close, 0 },
    { "file_sync", "1,000 at once", sync_many, 0 },
    { "file_close", "success", close_success, 0 },
    { "file_close", "short", NULL, 0 },
    { "file_close", "deadline", NULL, 0 },
    { "file_close", "cancel before", NULL, 0 },
    { "file_close", "cancel while pending", close_cancel_pending, 0 },
    { "file_close", "close while pending", close_close_pending, 0 },
    { "file_close", "peer gone", NULL, 0 },
    { "file_close", "bad argument", close_bad_argument, 0 },
    { "file_close", "after close", close_after_close, 0 },
    { "file_close", "1,000 at once", close_many, 0 },
};
CONTRACT_ROWS(rows)
