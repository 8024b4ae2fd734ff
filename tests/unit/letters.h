/* SPDX-License-Identifier: MIT */
/* Cancellation callbacks that note a letter, so that their order can be compared, and fail with it. */
#ifndef PROACT_TEST_LETTERS_H
#define PROACT_TEST_LETTERS_H

#include "semantics.h"

static char order[64];
static void note_letter(void *letter) { strcat(order, letter); }

static struct pro_error *fail_with_letter(void *letter)
{
    note_letter(letter);
    return test_error(letter);
}

static void register_failing(struct pro_cancellation_source *source, struct pro_cancellation_registration *registration,
                             char *letter)
{
    const struct pro_cancellation_callback how = { .fallible = fail_with_letter, .arg = letter };

    CHECK_EQ(pro_cancellation_register_callback(pro_cancellation_source_token(source), registration, &how), PRO_OK);
}

#endif
