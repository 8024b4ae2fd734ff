/* SPDX-License-Identifier: MIT */
/* What the benchmark programs share: random numbers that repeat, CPU time, memory that begins a page, and a histogram
   of latencies. */
#ifndef PROACT_BENCH_MEASURE_H
#define PROACT_BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* xorshift64*; @state must not be 0. */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

/* Of the whole process, all its threads. */
static inline double cpu_ns(void) { return (double)clock() * (1e9 / (double)CLOCKS_PER_SEC); }

/* Where the first page in @memory begins: O_DIRECT wants that, and a copy from or to it touches no page more than it
   must. malloc does not promise it. */
enum { PAGE = 4096 };
static inline char *first_page(char *memory) { return memory + (PAGE - (uintptr_t)memory % PAGE) % PAGE; }

/* 32 linear steps in each power of two: a value is kept to within 3 %. */
enum { HISTOGRAM_STEPS = 32, HISTOGRAM_BITS = 6 /* of twice the steps */, HISTOGRAM_BUCKETS = 60 * HISTOGRAM_STEPS };
struct histogram {
    uint64_t count, buckets[HISTOGRAM_BUCKETS];
};

static inline void histogram_add(struct histogram *histogram, uint64_t ns)
{
    /* So far that one of the upper half of two times the steps is left; what is below is kept as it is. */
    const unsigned bits = 64u - (unsigned)__builtin_clzll(ns | (2 * HISTOGRAM_STEPS - 1));
    const unsigned power = bits - HISTOGRAM_BITS;

    histogram->buckets[power * HISTOGRAM_STEPS + (unsigned)(ns >> power)]++;
    histogram->count++;
}

/* The least value that @share of all do not exceed, in microseconds. */
static inline double histogram_us(const struct histogram *histogram, double share)
{
    const uint64_t wanted = (uint64_t)(share * (double)histogram->count);
    uint64_t seen = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        const unsigned power = i < 2 * HISTOGRAM_STEPS ? 0 : i / HISTOGRAM_STEPS - 1;

        seen += histogram->buckets[i];
        if (seen > wanted)
            return (double)((uint64_t)(i - power * HISTOGRAM_STEPS) << power) / 1e3;
    }
    return 0;
}

#endif
