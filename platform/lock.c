/* SPDX-License-Identifier: MIT */
/* Mutex, condition and once, made of proi_wait() and proi_wake. Zeroed memory is a free lock. */
#include "platform.h"

/* ---- mutex: 0 free, 1 held, 2 held and somebody may sleep ---- */

enum { MUTEX_FREE, MUTEX_HELD, MUTEX_AWAITED };

/* Whoever has slept takes the lock as AWAITED, because it cannot know whether others sleep still: at worst one wake too
   many. Two orders of our exchange and the holder's in unlock: ours first, then the holder finds AWAITED and wakes us,
   and proi_wait() either sleeps and is woken or finds the word changed; the holder's first, then we find FREE and own
   it. Taking is an acquire, giving a release: what one holder wrote the next one sees. */
void proi_lock(struct proi_mutex *mutex)
{
    uint32_t found = MUTEX_FREE;

    if (PROI_LIKELY(proi_compare_exchange(&mutex->word, &found, MUTEX_HELD, PROI_ACQUIRE)))
        return;
    while (proi_exchange(&mutex->word, MUTEX_AWAITED, PROI_ACQUIRE) != MUTEX_FREE)
        proi_wait(&mutex->word, MUTEX_AWAITED, PRO_INFINITE);
}

/* After the exchange another thread may take the lock, free it, and free the memory it is in: from then on only the
   address is used. */
void proi_unlock(struct proi_mutex *mutex)
{
    if (PROI_UNLIKELY(proi_exchange(&mutex->word, MUTEX_FREE, PROI_RELEASE) == MUTEX_AWAITED))
        proi_wake_one(&mutex->word);
}

/* ---- condition ---- */

/* The sequence is read while the mutex is held. A signaller changes what is waited for under the same mutex and adds
   one during or after that, so with respect to our critical section there are two orders: it was earlier, then we saw
   the change and do not wait; it is later, then its addition comes after our reading, and either finds us asleep and
   wakes, or comes first and proi_wait() refuses. Missing it would take 2^32 signals between two instructions. The mutex
   orders all; the additions themselves need no order. */
bool proi_condition_wait(struct proi_condition *condition, struct proi_mutex *mutex, int64_t timeout_ns)
{
    const uint32_t sequence = proi_load(&condition->sequence, PROI_RELAXED);
    bool in_time;

    proi_unlock(mutex);
    in_time = proi_wait(&condition->sequence, sequence, timeout_ns);
    proi_lock(mutex);
    return in_time;
}

void proi_condition_signal(struct proi_condition *condition)
{
    proi_fetch_add(&condition->sequence, 1, PROI_RELAXED);
    proi_wake_one(&condition->sequence);
}

void proi_condition_broadcast(struct proi_condition *condition)
{
    proi_fetch_add(&condition->sequence, 1, PROI_RELAXED);
    proi_wake_all(&condition->sequence);
}

/* ---- once ---- */

enum { ONCE_NEW, ONCE_RUNS, ONCE_DONE };

/* One thread wins the exchange and runs @fn; the others sleep until its store of DONE, a release that pairs with their
   acquire loads. A waiter that read RUNS just before that store finds the word changed in proi_wait(), or is asleep and
   woken. */
void proi_once(struct proi_once *once, void (*fn)(void))
{
    uint32_t found = proi_load(&once->word, PROI_ACQUIRE);

    if (PROI_LIKELY(found == ONCE_DONE))
        return;
    found = ONCE_NEW;
    if (proi_compare_exchange(&once->word, &found, ONCE_RUNS, PROI_ACQUIRE)) {
        fn();
        proi_store(&once->word, ONCE_DONE, PROI_RELEASE);
        proi_wake_all(&once->word);
        return;
    }
    while (proi_load(&once->word, PROI_ACQUIRE) != ONCE_DONE)
        proi_wait(&once->word, ONCE_RUNS, PRO_INFINITE);
}
