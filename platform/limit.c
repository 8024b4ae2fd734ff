/* SPDX-License-Identifier: MIT */
/* How many threads the library may have. Only the number is kept here; who runs what without a thread is the business
   of those who start them. */
#include "platform.h"

static int most = -1; /* negative: no limit */
static int running;

void pro_set_thread_limit(int count) { proi_store(&most, count, PROI_RELAXED); }

/* The exchange counts up only from a number that is below the limit, so two threads that want the last place cannot
   both have it, nor spoil it for each other as adding first and looking afterwards would. The numbers guard no data, so
   no order is needed; acquire is the weakest that the macro takes. */
bool proi_thread_limit_take(void)
{
    int now = proi_load(&running, PROI_RELAXED);

    do {
        const int limit = proi_load(&most, PROI_RELAXED);

        if (limit >= 0 && now >= limit)
            return false;
    } while (!proi_compare_exchange(&running, &now, now + 1, PROI_ACQUIRE));
    return true;
}

void proi_thread_limit_give_back(void) { proi_fetch_sub(&running, 1, PROI_RELAXED); }
