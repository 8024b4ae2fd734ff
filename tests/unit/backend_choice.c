/* SPDX-License-Identifier: MIT */
/* Which backend a loop gets: by the caller's word, by the environment's, by none. */
#include <proact/proact.h>

#include <stdlib.h>

#include "harness.h"

enum { IN_QUARANTINE = 300 };

static char notice[400];
static struct pro_loop *stale;
static int stale_answer;

static void note_notice(const char *sentence, void *user)
{
    (void)user;
    snprintf(notice, sizeof notice, "%s", sentence);
    if (stale)
        stale_answer = pro_loop_stop(stale);
}

/* Makes a loop on what the caller and the environment say, and gives its backend; NULL: none was made. */
static const char *backend_of(const char *said, const char *environment, const char **ret_reason)
{
    static char was[80], now[80], reason[240];
    const struct pro_loop_options options = { .backend = said };
    const char *const before = getenv("PROACT_BACKEND");
    const char *backend = NULL;
    struct pro_loop *loop = NULL;
    int code;

    snprintf(was, sizeof was, "PROACT_BACKEND=%s", before ? before : ""); /* an empty name is none */
    snprintf(now, sizeof now, "PROACT_BACKEND=%s", environment);
    notice[0] = '\0';
    pro_set_notice_handler(note_notice, NULL);
    putenv(now);
    code = pro_loop_new(&options, &loop);
    putenv(was);
    pro_set_notice_handler(NULL, NULL);
    if (code == PRO_OK) {
        backend = pro_loop_backend(loop);
        snprintf(reason, sizeof reason, "%s", pro_loop_backend_reason(loop));
        *ret_reason = reason;
    } else {
        CHECK_EQ(code, PRO_E_NOT_SUPPORTED);
        CHECK(loop == NULL);
    }
    CHECK_EQ(pro_loop_free(loop), PRO_OK);
    return backend;
}

TEST(a_misspelt_backend_in_the_environment_makes_no_loop_and_a_notice_names_it)
{
    /* Kills: running on another backend than the one that somebody believes to have chosen. */
    const char *reason;

    CHECK(backend_of(NULL, "io-uring", &reason) == NULL);
    CHECK(strstr(notice, "$PROACT_BACKEND") != NULL);
    CHECK(strstr(notice, "\"io-uring\"") != NULL);
    CHECK(strstr(notice, "sim") != NULL);
    test_note("%s", notice);
    CHECK(backend_of(NULL, "EPOLL", &reason) == NULL);
}

TEST(a_backend_of_another_system_in_the_environment_gives_way_to_the_best_and_the_reason_says_so)
{
    /* Kills: refusing to run with a wish that holds for a whole fleet of machines; a silent replacement. */
    static const char *const all[] = { "io_uring", "epoll", "iocp" };
    const char *reason = NULL, *best = backend_of(NULL, "", &reason);
    unsigned replaced = 0;

    REQUIRE(best != NULL);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *const got = backend_of(NULL, all[i], &reason);

        REQUIRE(got != NULL);
        CHECK_STR(notice, "");
        if (strcmp(got, all[i]) != 0) {
            CHECK_STR(got, best);
            CHECK(strstr(reason, all[i]) != NULL);
            replaced++;
        }
    }
    CHECK(replaced > 0); /* no system has them all */
}

TEST(a_backend_that_the_caller_names_is_not_replaced)
{
    /* Kills: the environment's word before the caller's; a replacement of what was asked for in code. */
    static const char *const all[] = { "io_uring", "epoll", "iocp", "sim", "iouring" };
    const char *reason = NULL;
    unsigned refused = 0;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *const got = backend_of(all[i], "nonsense", &reason);

        if (got) {
            CHECK_STR(got, all[i]);
        } else {
            CHECK(strstr(notice, all[i]) != NULL);
            refused++;
        }
    }
    CHECK(refused > 1);
}

TEST(who_has_kept_a_loop_that_is_gone_does_not_find_the_next_one_half_made)
{
    /* Kills: a block that is open before its backend is there. */
    const struct pro_loop_options options = { .backend = "sim" };
    const char *reason;
    struct pro_loop *kept = NULL;
    bool seen = false;

    for (int i = 0; i < IN_QUARANTINE && !seen; i++) { /* until the next block is the kept one */
        struct pro_loop *loop = NULL;

        REQUIRE(pro_loop_new(&options, &loop) == PRO_OK);
        seen = kept == loop;
        if (!kept)
            kept = loop;
        CHECK_EQ(pro_loop_free(loop), PRO_OK);
    }
    REQUIRE(seen);
    stale = kept;
    for (int i = 0; i < IN_QUARANTINE;
         i++) { /* in one of these the handler runs while the kept block is being filled */
        CHECK(backend_of("nonsense", "", &reason) == NULL);
        CHECK_EQ(stale_answer, PRO_E_LOOP_CLOSED);
    }
    stale = NULL;
}
