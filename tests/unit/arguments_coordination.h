/* SPDX-License-Identifier: MIT */
/* For arguments.c: semaphore.h, async_lock.h and channel.h with arguments that they must not be given. */
#ifndef PROACT_TEST_ARGUMENTS_COORDINATION_H
#define PROACT_TEST_ARGUMENTS_COORDINATION_H

#include "arguments_ops.h"

#define RETURN_MADE(type, expression)                                                                                  \
    do {                                                                                                               \
        struct type *made_ = NULL;                                                                                     \
        REQUIRE((expression) == PRO_OK);                                                                               \
        return made_;                                                                                                  \
    } while (0)

/* ---- semaphore.h ---- */

static struct pro_semaphore *any_semaphore(void) { RETURN_MADE(pro_semaphore, pro_semaphore_new(0, 1, &made_)); }

static void try_pro_semaphore_new(void)
{
    struct pro_semaphore *semaphore;

    CHECK_MISUSE(pro_semaphore_new(0, 1, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_semaphore_new(-1, 1, &semaphore), PRO_E_INVALID);
    CHECK_MISUSE(pro_semaphore_new(0, 0, &semaphore), PRO_E_INVALID);
    CHECK_MISUSE(pro_semaphore_new(2, 1, &semaphore), PRO_E_INVALID);
}
static void try_pro_semaphore_free(void) { pro_semaphore_free(NULL); }
static void try_pro_semaphore_wait_async(void)
{
    struct pro_semaphore *const semaphore = any_semaphore();

    CHECK_TASK(pro_semaphore_wait_async(NULL, PRO_HOW_DEFAULT));
    CHECK_TASK(pro_semaphore_wait_async(semaphore, negative));
    pro_semaphore_free(semaphore);
}
static void try_pro_semaphore_wait(void)
{
    struct pro_semaphore *const semaphore = any_semaphore();

    CHECK_MISUSE(pro_semaphore_wait(NULL, PRO_HOW_DEFAULT, PRO_HERE), PRO_E_INVALID);
    CHECK_MISUSE(pro_semaphore_wait(semaphore, negative, PRO_HERE), PRO_E_INVALID);
    pro_semaphore_free(semaphore);
}
static void try_pro_semaphore_try_wait(void) { CHECK_MISUSE(pro_semaphore_try_wait(NULL), false); }
static void try_pro_semaphore_release(void)
{
    struct pro_semaphore *const semaphore = any_semaphore();

    CHECK_MISUSE(pro_semaphore_release(NULL, 1), PRO_E_INVALID);
    CHECK_MISUSE(pro_semaphore_release(semaphore, 0), PRO_E_INVALID);
    CHECK_EQ(pro_semaphore_count(semaphore), 0);
    pro_semaphore_free(semaphore);
}
static void try_pro_semaphore_count(void) { CHECK_MISUSE(pro_semaphore_count(NULL), PRO_E_INVALID); }

/* ---- async_lock.h ---- */

static void try_pro_async_mutex_new(void) { CHECK_MISUSE(pro_async_mutex_new(NULL), PRO_E_INVALID); }
static void try_pro_async_mutex_free(void) { pro_async_mutex_free(NULL); }
static void try_pro_async_mutex_lock_async(void) { CHECK_TASK(pro_async_mutex_lock_async(NULL, PRO_HOW_DEFAULT)); }
static void try_pro_async_mutex_try_lock(void) { CHECK_MISUSE(pro_async_mutex_try_lock(NULL), false); }
static void try_pro_async_mutex_unlock(void) { CHECK_MISUSE(pro_async_mutex_unlock(NULL), PRO_E_INVALID); }
static void try_pro_async_rwlock_new(void) { CHECK_MISUSE(pro_async_rwlock_new(NULL), PRO_E_INVALID); }
static void try_pro_async_rwlock_free(void) { pro_async_rwlock_free(NULL); }
static void try_pro_async_rwlock_read_async(void) { CHECK_TASK(pro_async_rwlock_read_async(NULL, PRO_HOW_DEFAULT)); }
static void try_pro_async_rwlock_write_async(void) { CHECK_TASK(pro_async_rwlock_write_async(NULL, PRO_HOW_DEFAULT)); }
static void try_pro_async_rwlock_read_unlock(void) { CHECK_MISUSE(pro_async_rwlock_read_unlock(NULL), PRO_E_INVALID); }
static void try_pro_async_rwlock_write_unlock(void)
{
    CHECK_MISUSE(pro_async_rwlock_write_unlock(NULL), PRO_E_INVALID);
}
static void try_pro_async_event_new(void)
{
    struct pro_async_event *event;

    CHECK_MISUSE(pro_async_event_new(PRO_EVENT_AUTO, false, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_async_event_new((enum pro_event_reset)7, false, &event), PRO_E_INVALID);
}
static void try_pro_async_event_free(void) { pro_async_event_free(NULL); }
static void try_pro_async_event_set(void) { CHECK_MISUSE(pro_async_event_set(NULL), PRO_E_INVALID); }
static void try_pro_async_event_reset(void) { CHECK_MISUSE(pro_async_event_reset(NULL), PRO_E_INVALID); }
static void try_pro_async_event_is_set(void) { CHECK_MISUSE(pro_async_event_is_set(NULL), false); }
static void try_pro_async_event_wait_async(void) { CHECK_TASK(pro_async_event_wait_async(NULL, PRO_HOW_DEFAULT)); }
static void try_pro_async_barrier_new(void)
{
    struct pro_async_barrier *barrier;

    CHECK_MISUSE(pro_async_barrier_new(1, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_async_barrier_new(0, &barrier), PRO_E_INVALID);
}
static void try_pro_async_barrier_free(void) { pro_async_barrier_free(NULL); }
static void try_pro_async_barrier_signal_and_wait_async(void)
{
    CHECK_TASK(pro_async_barrier_signal_and_wait_async(NULL, PRO_HOW_DEFAULT));
}
static void try_pro_async_barrier_phase(void) { CHECK_MISUSE(pro_async_barrier_phase(NULL), 0); }
static void try_pro_async_barrier_remaining(void) { CHECK_MISUSE(pro_async_barrier_remaining(NULL), PRO_E_INVALID); }
static void try_pro_countdown_new(void)
{
    struct pro_countdown *countdown;

    CHECK_MISUSE(pro_countdown_new(1, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_countdown_new(-1, &countdown), PRO_E_INVALID);
}
static void try_pro_countdown_free(void) { pro_countdown_free(NULL); }
static void try_pro_countdown_signal(void) { CHECK_MISUSE(pro_countdown_signal(NULL, 1), PRO_E_INVALID); }
static void try_pro_countdown_add(void) { CHECK_MISUSE(pro_countdown_add(NULL, 1), PRO_E_INVALID); }
static void try_pro_countdown_count(void) { CHECK_MISUSE(pro_countdown_count(NULL), PRO_E_INVALID); }
static void try_pro_countdown_wait_async(void) { CHECK_TASK(pro_countdown_wait_async(NULL, PRO_HOW_DEFAULT)); }
static void try_pro_countdown_wait(void)
{
    CHECK_MISUSE(pro_countdown_wait(NULL, PRO_HOW_DEFAULT, PRO_HERE), PRO_E_INVALID);
}

/* ---- channel.h ---- */

static struct pro_channel *any_channel(void) { RETURN_MADE(pro_channel, pro_channel_new(PRO_TYPE(int), NULL, &made_)); }

static void try_pro_channel_new(void)
{
    const struct pro_channel_options unknown = { .full = (enum pro_channel_full)9 };
    struct pro_channel *channel;

    CHECK_MISUSE(pro_channel_new(PRO_TYPE(int), NULL, NULL), PRO_E_INVALID);
    CHECK_MISUSE(pro_channel_new(PRO_NO_RESULT, NULL, &channel), PRO_E_INVALID);
    CHECK_MISUSE(pro_channel_new(PRO_TYPE(int), &unknown, &channel), PRO_E_INVALID);
}
static void try_pro_channel_free(void) { pro_channel_free(NULL); }
static void try_pro_channel_try_write(void)
{
    struct pro_channel *const channel = any_channel();
    int item = 0;
    long other = 0;

    CHECK_MISUSE(PRO_CHANNEL_TRY_WRITE(NULL, &item), PRO_E_INVALID);
    CHECK_MISUSE(PRO_CHANNEL_TRY_WRITE(channel, &other), PRO_E_TYPE);
    CHECK_MISUSE(pro_channel_try_write(channel, NULL, PRO_TYPE(int)), PRO_E_INVALID);
    CHECK_EQ(pro_channel_count(channel), 0);
    pro_channel_free(channel);
}
static void try_pro_channel_write_async(void)
{
    struct pro_channel *const channel = any_channel();
    int item = 0;

    CHECK_TASK(PRO_CHANNEL_WRITE(NULL, &item));
    CHECK_TASK(pro_channel_write_async(channel, NULL, PRO_TYPE(int), PRO_HOW_DEFAULT));
    CHECK_TASK(pro_channel_write_async(channel, &item, PRO_TYPE(int), negative));
    CHECK_EQ(pro_channel_count(channel), 0);
    pro_channel_free(channel);
}
static void try_pro_channel_wait_to_write_async(void)
{
    CHECK_TASK(pro_channel_wait_to_write_async(NULL, PRO_HOW_DEFAULT));
}
static void try_pro_channel_complete(void)
{
    CHECK_MISUSE(pro_channel_complete(NULL, pro_error_new(PRO_E_USER, PRO_HERE, "taken")), PRO_E_INVALID);
}
static void try_pro_channel_try_read(void)
{
    struct pro_channel *const channel = any_channel();
    int item = 0;
    long other = 0;

    CHECK_MISUSE(PRO_CHANNEL_TRY_READ(NULL, &item), PRO_E_INVALID);
    CHECK_MISUSE(PRO_CHANNEL_TRY_READ(channel, &other), PRO_E_TYPE);
    pro_channel_free(channel);
}
static void try_pro_channel_try_peek(void)
{
    int item = 0;

    CHECK_MISUSE(pro_channel_try_peek(NULL, &item, PRO_TYPE(int)), PRO_E_INVALID);
}
static void try_pro_channel_read_async(void)
{
    struct pro_channel *const channel = any_channel();

    CHECK_TASK(PRO_CHANNEL_READ(NULL));
    CHECK_TASK(pro_channel_read_async(channel, negative));
    pro_channel_free(channel);
}
static void try_pro_channel_wait_to_read_async(void)
{
    CHECK_TASK(pro_channel_wait_to_read_async(NULL, PRO_HOW_DEFAULT));
}
static void try_pro_channel_count(void) { CHECK_MISUSE(pro_channel_count(NULL), 0); }
static void try_pro_channel_completion(void) { CHECK_TASK(pro_channel_completion(NULL)); }

#endif
