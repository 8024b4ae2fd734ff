/* SPDX-License-Identifier: MIT */
/* The handlers through which the library speaks. */
#include "harness.h"
#include "platform.h"

static struct {
    int calls, code;
    char sentence[2048];
    void *user;
    struct pro_error *error;
} told;

static void note_misuse(int code, const char *sentence, void *user)
{
    told.calls++;
    told.code = code;
    told.user = user;
    snprintf(told.sentence, sizeof told.sentence, "%s", sentence);
}

static void note_notice(const char *sentence, void *user)
{
    told.calls++;
    told.user = user;
    snprintf(told.sentence, sizeof told.sentence, "%s", sentence);
}

static void note_error(struct pro_error *error, void *user)
{
    told.calls++;
    told.error = error;
    told.user = user;
}

static void note_unobserved(struct pro_task *task, struct pro_error *error, void *user)
{
    (void)task;
    note_error(error, user);
}

TEST(misuse_is_counted_told_and_gives_its_code_back)
{
    /* Kills: forgetting to count when a handler is set; a handler called with another's user pointer. */
    const uint64_t before = pro_misuse_count();
    int here;

    memset(&told, 0, sizeof told);
    pro_set_misuse_handler(note_misuse, &here);
    CHECK_EQ(proi_misuse(PRO_E_STATE, "op %d is in flight", 7), PRO_E_STATE);
    pro_set_misuse_handler(NULL, NULL);
    CHECK_EQ(told.calls, 1);
    CHECK_EQ(told.code, PRO_E_STATE);
    CHECK_STR(told.sentence, "op 7 is in flight");
    CHECK(told.user == &here);
    CHECK_EQ(pro_misuse_count(), before + 1);
}

TEST(notice_goes_to_its_handler_cut_to_length_and_null_is_silence)
{
    /* Kills: a buffer without a bound; NULL taken for the default. */
    static char text[4000];

    memset(&told, 0, sizeof told);
    memset(text, 'x', sizeof text - 1);
    pro_set_notice_handler(note_notice, &told);
    proi_notice("%s", text);
    CHECK_EQ(told.calls, 1);
    CHECK(strlen(told.sentence) > 500 && strlen(told.sentence) < sizeof text - 1);
    pro_set_notice_handler(NULL, NULL);
    proi_notice("nobody hears %d", 1);
    CHECK_EQ(told.calls, 1);
}

TEST(unhandled_and_unobserved_errors_reach_their_own_handlers)
{
    /* Kills: one handler called for the other. */
    struct pro_error *error = pro_error_of(PRO_E_IO);
    int first, second;

    memset(&told, 0, sizeof told);
    pro_set_unhandled_handler(note_error, &first);
    pro_set_unobserved_handler(note_unobserved, &second);
    proi_unhandled(error);
    CHECK(told.error == error && told.user == &first);
    proi_unobserved(NULL, error);
    CHECK(told.error == error && told.user == &second);
    CHECK_EQ(told.calls, 2);
    pro_set_unhandled_handler(NULL, NULL);
    pro_set_unobserved_handler(NULL, NULL);
}
