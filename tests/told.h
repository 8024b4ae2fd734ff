/* SPDX-License-Identifier: MIT */
/* For tests of misuse: listens to the misuse handler, and remembers how often it was called and what it was told last.
 */
#ifndef PROACT_TEST_TOLD_H
#define PROACT_TEST_TOLD_H

#include <proact/error.h>

#include "harness.h"
#include "platform.h"

static struct told {
    struct proi_mutex lock; /* guards the rest: misuse may happen on any thread */
    unsigned count;
    int code;
    char sentence[400];
} told;

static inline void told_hear(int code, const char *sentence, void *user)
{
    (void)user;
    proi_lock(&told.lock);
    told.count++;
    told.code = code;
    snprintf(told.sentence, sizeof told.sentence, "%s", sentence);
    proi_unlock(&told.lock);
}

/* From now on misuse is counted, from 0, instead of ending the process. */
static inline void told_listen(void)
{
    proi_lock(&told.lock);
    told.count = 0;
    told.code = PRO_OK;
    told.sentence[0] = '\0';
    proi_unlock(&told.lock);
    pro_set_misuse_handler(told_hear, NULL);
}

static inline unsigned told_count(void)
{
    unsigned count;

    proi_lock(&told.lock);
    count = told.count;
    proi_unlock(&told.lock);
    return count;
}

/* Misuse ends the process again. */
static inline void told_stop(void) { pro_set_misuse_handler(NULL, NULL); }

/* @expression answers @answer, and the handler is told of exactly one misuse. */
#define CHECK_MISUSE(expression, answer)                                                                               \
    do {                                                                                                               \
        const unsigned told_before_ = told_count();                                                                    \
        CHECK_EQ(expression, answer);                                                                                  \
        CHECK_EQ(told_count() - told_before_, 1);                                                                      \
    } while (0)
/* The same for what has no answer. */
#define CHECK_TELLS(statement)                                                                                         \
    do {                                                                                                               \
        const unsigned told_before_ = told_count();                                                                    \
        statement;                                                                                                     \
        CHECK_EQ(told_count() - told_before_, 1);                                                                      \
    } while (0)

#endif
