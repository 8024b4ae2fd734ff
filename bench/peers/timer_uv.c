/* SPDX-License-Identifier: MIT */
/* The plan of ../timer.c with libuv's timers. timer_uv N */
#include "../measure.h"

#include <uv.h>

static size_t fired;
static void on_fired(uv_timer_t *timer)
{
    (void)timer;
    fired++;
}

static uint64_t arm(uv_timer_t *timers, size_t count, uint64_t least_ms, uint64_t spread_ms)
{
    const uint64_t start_ns = uv_hrtime();
    uint64_t random = 7;

    uv_update_time(uv_default_loop());
    for (size_t i = 0; i < count; i++)
        uv_timer_start(&timers[i], on_fired, least_ms + random_next(&random) % spread_ms, 0);
    return uv_hrtime() - start_ns;
}

int main(int argument_count, char **arguments)
{
    const size_t count = argument_count > 1 ? (size_t)atol(arguments[1]) : 1000000;
    uv_timer_t *timers = malloc(count * sizeof *timers);
    uint64_t armed_ns, canceled_ns, fired_ns;

    if (!timers)
        return 1;
    for (size_t i = 0; i < count; i++)
        uv_timer_init(uv_default_loop(), &timers[i]);
    armed_ns = arm(timers, count, 10000, 60000);
    canceled_ns = uv_hrtime();
    for (size_t i = 0; i < count; i++)
        uv_timer_stop(&timers[i]);
    canceled_ns = uv_hrtime() - canceled_ns;
    arm(timers, count, 0, 6);
    uv_sleep(20);
    fired_ns = uv_hrtime();
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    fired_ns = uv_hrtime() - fired_ns;
    printf("{\"timers\":%zu,\"arm_ns\":%.1f,\"cancel_ns\":%.1f,\"fire_ns\":%.1f}\n", count,
           (double)armed_ns / (double)count, (double)canceled_ns / (double)count, (double)fired_ns / (double)count);
    return fired != count;
}
