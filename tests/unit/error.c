/* SPDX-License-Identifier: MIT */
/* Error objects: their text, what is inside an aggregate, and how long they live. */
#include <proact/error.h>

#include "harness.h"
#include "told.h"

#include <stdlib.h>

enum { LAST_CODE = PRO_E_SCHEDULER };

TEST(every_code_has_a_name_and_a_sentence_of_its_own)
{
    // Kills: a code added to the enum and not to the table; a table out of order.
    for (int code = PRO_OK; code >= LAST_CODE; code--) {
        CHECK(strncmp(pro_err_name(code), "PRO_", 4) == 0);
        for (int other = code - 1; other >= LAST_CODE; other--) {
            CHECK(strcmp(pro_err_name(code), pro_err_name(other)) != 0);
            CHECK(strcmp(pro_err_message(code), pro_err_message(other)) != 0);
        }
        CHECK_EQ(pro_error_code(pro_error_of(code)), code);
    }
    CHECK_STR(pro_err_name(PRO_E_TIMEOUT), "PRO_E_TIMEOUT");
    CHECK_STR(pro_err_message(PRO_E_TIMEOUT), "the deadline passed");
    CHECK_STR(pro_err_name(PRO_E_FAILED), "PRO_E_FAILED");
    CHECK_STR(pro_err_name(LAST_CODE - 1), "unknown");
    CHECK_STR(pro_err_name(PRO_E_USER - 7), "PRO_E_USER");
}

TEST(an_error_knows_its_code_sentence_and_origin)
{
    // Kills: any of them lost or taken from another.
    const struct pro_site here = PRO_HERE;
    struct pro_error *const error = pro_error_new(PRO_E_USER - 3, here, "%s is %d", "it", 42);

    CHECK_EQ(pro_error_code(error), PRO_E_USER - 3);
    CHECK_STR(pro_error_message(error), "it is 42");
    CHECK_EQ(pro_error_origin(error).line, here.line);
    CHECK_STR(pro_error_origin(error).file, __FILE__);
    CHECK_EQ(pro_error_native_code(error), 0);
    CHECK_EQ(pro_error_inner_count(error), 0);
    pro_error_unref(error);
}

TEST(a_sentence_of_any_length_is_kept_whole)
{
    // Kills: a fixed buffer for the text.
    enum { LENGTH = 100000 };
    char *const text = malloc(LENGTH + 1);
    struct pro_error *error;

    REQUIRE(text != NULL);
    for (int i = 0; i < LENGTH; i++)
        text[i] = (char)('a' + i % 26);
    text[LENGTH] = '\0';
    error = pro_error_new(PRO_E_IO, PRO_SITE_UNKNOWN, "<%s>", text);
    CHECK_EQ(strlen(pro_error_message(error)), LENGTH + 2);
    CHECK(memcmp(pro_error_message(error) + 1, text, LENGTH) == 0);
    pro_error_unref(error);
    error = pro_error_new(PRO_E_IO, PRO_SITE_UNKNOWN, "%s", ""); /* nothing to say: the code's own words */
    CHECK_STR(pro_error_message(error), pro_err_message(PRO_E_IO));
    pro_error_unref(error);
    free(text);
}

TEST(a_native_error_tells_the_systems_number_and_words)
{
    // Kills: a native code that is dropped.
    struct pro_error *const error = pro_error_native(PRO_E_ACCESS, 5, PRO_HERE, "file_open");

    CHECK_EQ(pro_error_code(error), PRO_E_ACCESS);
    CHECK_EQ(pro_error_native_code(error), 5);
    CHECK(strncmp(pro_error_message(error), "file_open: ", 11) == 0);
    CHECK(strstr(pro_error_message(error), "(5: ") != NULL);
    pro_error_unref(error);
}

TEST(an_aggregate_keeps_its_errors_alive_and_in_order)
{
    // Kills: an aggregate that borrows, counts a reference too many, or sorts.
    struct pro_error *inner[3], *others[3], *aggregate, *kept;

    for (int i = 0; i < 3; i++)
        inner[i] = pro_error_new(PRO_E_USER - i, PRO_SITE_UNKNOWN, "number %d", i);
    aggregate = pro_error_aggregate(inner, 3);
    for (int i = 0; i < 3; i++)
        pro_error_unref(inner[i]); /* the aggregate's references are the only ones */
    for (int i = 0; i < 3; i++)    /* would get their memory, if it were free */
        others[i] = pro_error_new(PRO_E_IO, PRO_SITE_UNKNOWN, "others %d", i);
    CHECK_EQ(pro_error_code(aggregate), PRO_E_AGGREGATE);
    CHECK_EQ(pro_error_inner_count(aggregate), 3);
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(pro_error_code(pro_error_inner(aggregate, i)), PRO_E_USER - (int)i);
    CHECK(pro_error_inner(aggregate, 3) == NULL);
    kept = pro_error_ref(pro_error_inner(aggregate, 1));
    pro_error_unref(aggregate);
    CHECK_STR(pro_error_message(kept), "number 1");
    for (int i = 0; i < 3; i++)
        pro_error_unref(others[i]);
    pro_error_unref(kept);
    aggregate = pro_error_aggregate(NULL, 0);
    CHECK_EQ(pro_error_inner_count(aggregate), 0);
    pro_error_unref(aggregate);
}

TEST(immortal_errors_take_any_number_of_unrefs)
{
    // Kills: a shared error that is freed, or counted.
    for (int i = 0; i < 10; i++)
        pro_error_unref(pro_error_of(PRO_E_NO_MEMORY));
    CHECK(pro_error_of(PRO_E_NO_MEMORY) == pro_error_ref(pro_error_of(PRO_E_NO_MEMORY)));
    CHECK_STR(pro_error_message(pro_error_of(PRO_E_NO_MEMORY)), pro_err_message(PRO_E_NO_MEMORY));
}

enum { THREADS = 4, ROUNDS = 20000 };

static void ref_and_unref(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct pro_error *const error = pro_error_ref(arg);

        CHECK_EQ(pro_error_code(error), PRO_E_IO);
        pro_error_unref(error);
    }
    pro_error_unref(arg);
}

TEST(threads_share_an_error_freely)
{
    // Kills: a reference count that is not atomic.
    struct pro_error *const error = pro_error_new(PRO_E_IO, PRO_HERE, "shared");
    struct proi_thread threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        pro_error_ref(error);
        REQUIRE(proi_thread_start(&threads[i], "sharer", ref_and_unref, error, 0) == PRO_OK);
    }
    for (int i = 0; i < THREADS; i++)
        proi_thread_join(&threads[i]);
    CHECK_STR(pro_error_message(error), "shared");
    pro_error_unref(error);
}
