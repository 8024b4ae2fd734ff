/* SPDX-License-Identifier: MIT */
/* Reading, writing and making durable, in every situation (contract.h). */
#define CONTRACT_FILE "transfer"
#include "file.h"

enum { BLOCK = 64 };
static unsigned char buffer[LENGTH];
static unsigned char blocks[CONTRACT_MANY][BLOCK];

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
        contract_start_bytes(contract, &it, 8000,
                             pro_read_at(&it.op, &contract->file, buffer, 8000, 13000, PRO_HOW_DEFAULT));
        contract_wait(contract, &it);
        CHECK_EQ(it.op.result, 8000);
        for (size_t i = 0; i < 7000; i++) /* the hole reads as zeros */
            CHECK(buffer[i] == 0);
        CHECK(memcmp(buffer + 7000, bytes, 1000) == 0);
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

static const struct contract_row rows[] = {
    { "read_at", "success", transfer_success, 0, 0, 0, 0 },
    { "read_at", "short", read_short, 50, 0, 0, 0 },
    { "read_at", "past the end", read_past_end, 0, 0, 0, 0 },
    { "read_at", "deadline", transfer_deadline, 0, 0, 0, 0 },
    { "read_at", "cancel before", transfer_cancel_before, 0, 0, 0, 0 },
    { "read_at", "cancel while pending", transfer_cancel_pending, 0, 0, 0, 0 },
    { "read_at", "close while pending", transfer_close_pending, 0, 0, 0, 0 },
    { "read_at", "peer gone", NULL, 0, 0, 0, 0 },
    { "read_at", "bad argument", transfer_bad_argument, 0, 0, 0, 0 },
    { "read_at", "after close", transfer_after_close, 0, 0, 0, 0 },
    { "read_at", "wrong mode", transfer_wrong_mode, 0, 0, 0, 0 },
    { "read_at", "1,000 at once", transfer_many, 0, 0, 0, 0 },
    { "write_at", "success", transfer_success, 0, 0, 0, 0 },
    { "write_at", "short", write_short, 100, 0, 0, 0 },
    { "write_at", "deadline", transfer_deadline, 0, 0, 0, 0 },
    { "write_at", "cancel before", transfer_cancel_before, 0, 0, 0, 0 },
    { "write_at", "cancel while pending", transfer_cancel_pending, 0, 0, 0, 0 },
    { "write_at", "close while pending", transfer_close_pending, 0, 0, 0, 0 },
    { "write_at", "peer gone", NULL, 0, 0, 0, 0 },
    { "write_at", "bad argument", transfer_bad_argument, 0, 0, 0, 0 },
    { "write_at", "after close", transfer_after_close, 0, 0, 0, 0 },
    { "write_at", "wrong mode", transfer_wrong_mode, 0, 0, 0, 0 },
    { "write_at", "1,000 at once", transfer_many, 0, 0, 0, 0 },
    { "file_sync", "success", sync_success, 0, 0, 0, 0 },
    { "file_sync", "short", NULL, 0, 0, 0, 0 },
    { "file_sync", "deadline", sync_deadline, 0, 0, 0, 0 },
    { "file_sync", "cancel before", sync_cancel_before, 0, 0, 0, 0 },
    { "file_sync", "cancel while pending", sync_cancel_pending, 0, 0, 0, 0 },
    { "file_sync", "close while pending", sync_close_pending, 0, 0, 0, 0 },
    { "file_sync", "peer gone", NULL, 0, 0, 0, 0 },
    { "file_sync", "bad argument", sync_bad_argument, 0, 0, 0, 0 },
    { "file_sync", "after close", sync_after_close, 0, 0, 0, 0 },
    { "file_sync", "1,000 at once", sync_many, 0, 0, 0, 0 },
};
CONTRACT_ROWS(rows)
