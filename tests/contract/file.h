/* SPDX-License-Identifier: MIT */
/* What the contract rows of files share: one file named by CONTRACT_FILE, empty or filled with a pattern. A file never
 * keeps anyone waiting for good, so a deadline or a cancel may always come too late; what is held is that each of them
 * has one clear outcome. */
#ifndef PROACT_TEST_CONTRACT_FILE_H
#define PROACT_TEST_CONTRACT_FILE_H

#include "contract.h"

/* Two programs may run side by side in one folder. */
static const char path[] = "contract_" CONTRACT_FILE ".tmp";

enum { LENGTH = 10000 };
static unsigned char bytes[LENGTH];

static inline unsigned char pattern(size_t position) { return (unsigned char)(position * 37 + position / 253); }

static inline void close_file(struct contract *contract)
{
    struct contract_op it = { 0 };

    if (pro_file_is_open(&contract->file))
        contract_must(contract, &it, pro_file_close(&it.op, &contract->file));
    CHECK(!pro_file_is_open(&contract->file));
}

/* Opens the file empty; the other one puts the pattern in. */
static inline void make_file(struct contract *contract)
{
    struct contract_op it = { 0 };
    unsigned flags = PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_CREATE | PRO_OPEN_TRUNCATE;

    contract_must(contract, &it, pro_file_open(&it.op, contract->loop, path, flags, &contract->file, PRO_HOW_DEFAULT));
}

static inline void make_filled_file(struct contract *contract)
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

static inline void remove_file(struct contract *contract)
{
    close_file(contract);
    remove(path); /* not there on the simulated kernel */
}

static inline struct pro_op *closing_file(struct contract *contract, struct pro_op *op)
{
    return pro_file_close(op, &contract->file);
}

#endif
