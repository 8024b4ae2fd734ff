/* SPDX-License-Identifier: MIT */
/* Inside the thread pool: its queues (pool_queue.c), its workers and how they sleep (pool.c), and how many there may be
   (pool_gate.c). Nothing outside these three files includes this. */
#ifndef PROACT_SYNC_CONTEXT_POOL_H
#define PROACT_SYNC_CONTEXT_POOL_H

#include "call.h"

enum { PROI_POOL_MOST_THREADS = 32767, PROI_POOL_FIRST_SLOTS = 64, PROI_CACHE_LINE = 64 };

/* A worker's own queue: a ring of pointers. The owner pushes and pops at the tail without the lock, thieves take at the
   head, one at a time; an item that was taken out of the middle leaves a NULL. README.md has the argument. */
struct proi_pool_local {
    /* The owner's: thieves read. */
    size_t tail;             /* shared: written by the owner; counts on past the ring's end, as head does */
    size_t capacity;         /* a power of two; written by the owner under lock                           */
    struct pro_work **slots; /* first, or a block of their own; the same. Each slot is shared             */
    struct pro_work *first[PROI_POOL_FIRST_SLOTS];
    char apart[PROI_CACHE_LINE];
    /* The thieves': the owner reads. */
    size_t head;            /* shared: only grows, by compare-exchange                             */
    uint32_t looked_at;     /* shared: a report looks, nothing may go; written under lock          */
    struct proi_mutex lock; /* of thieves, of reports, and of an owner who does more than push and pop */
};

/* A queue for all workers, first in first out: posters push onto a stack of their own, apart from those who take. */
struct proi_pool_shared {
    _Alignas(PROI_CACHE_LINE) struct pro_work *inbox; /* shared: newest first, behind all of the list */
    /* Guards list and posted; and whoever empties the inbox holds it. */
    _Alignas(PROI_CACHE_LINE) struct proi_mutex lock;
    struct proi_work_list list;
    uint64_t posted; /* items that have come through the inbox */
    size_t count;    /* shared: list.count, to be read without the lock; 1 more while the inbox is being emptied */
};

/* A worker's block outlives its thread: it waits in pool.unused for the next one, and is never freed, so that thieves
   and wakers may touch it at any time without asking. */
struct proi_pool_worker {
    struct proi_pool_local local;
    char apart[PROI_CACHE_LINE];          /* thieves write before it, wakers after it */
    uint32_t called;                      /* slept on: 0 asleep or about to be, 1 called; written under pool.lock */
    uint32_t running;                     /* shared, relaxed, written by its thread: inside an item */
    uint64_t posted, taken, completed;    /* the same: items it put into its own queue, began, ran */
    unsigned blocking_depth;              /* its thread's alone */
    struct proi_pool_worker *next_worker; /* constant from the moment it can be seen */
    struct proi_pool_worker *idle_above;  /* under pool.lock */
    struct proi_pool_worker *idle_below;  /* the same; also the list of unused blocks */
};

/* Counts that posters read without a lock are written with PROI_SEQ_CST; README.md has the argument. */
struct proi_pool {
    struct proi_pool_shared global;
    struct proi_pool_shared high; /* timers and completions: taken before the global one (SEM-199) */

    /* Read by every poster. */
    _Alignas(PROI_CACHE_LINE) uint32_t searching; /* workers, called ones included, that have found no item yet */
    uint32_t active;                              /* workers that do not sleep; written under lock */
    uint32_t target;                              /* how many may be active; 0: never used yet; written under lock */
    uint32_t maximum;                             /* written under lock */
    uint32_t gate;                                /* enum proi_pool_gate */
    struct proi_pool_worker *workers;             /* every block ever made: only grows, at the head */

    _Alignas(PROI_CACHE_LINE) struct proi_mutex lock; /* guards what follows, up to the next empty line */
    struct proi_pool_worker *idle;                    /* asleep; the last asleep is called first (SEM-203) */
    struct proi_pool_worker *unused;
    uint32_t existing; /* threads, also those being started */
    uint32_t minimum, processors;
    uint32_t blocked;  /* workers inside a blocking wait */
    uint32_t granted;  /* of these, how many raise the target by one: never more than blocked */
    uint32_t starved;  /* what starvation has raised the target to; 0: nothing */
    uint64_t changes[PRO_POOL_REASONS]; /* of the target */
    enum pro_pool_reason last_change;
    uint64_t retry_ns; /* no thread could be started: while others exist, not again before this moment */
    uint64_t gate_retry_ns;

    uint32_t gate_calls; /* shared: what the gate sleeps on */
    uint32_t told;       /* shared: the notice of inlined work was given */
    uint64_t inlined;    /* shared, relaxed */
};
extern struct proi_pool proi_pool;

enum proi_pool_gate { PROI_POOL_GATE_NONE, PROI_POOL_GATE_RUNS };

/* Constants, but for tests, which shorten them before the first item is posted. */
struct proi_pool_timing {
    int64_t idle_ns;       /* a worker leaves after this long asleep           */
    int64_t gate_ns;       /* between two looks for starvation                 */
    int64_t step_ns;       /* compensation that is not at once: a first delay, */
    int64_t step_limit_ns; /* and the longest                                  */
};
extern struct proi_pool_timing proi_pool_timing;

/* ---- pool_queue.c ---- */
void proi_pool_push_shared(struct proi_pool_shared *queue, struct pro_work *work);
/* Into @worker's own queue, on its thread. False: no memory to grow. */
bool proi_pool_push_local(struct proi_pool_worker *worker, struct pro_work *work);
struct pro_work *proi_pool_pop_shared(void); /* high priority first */
/* The next item for @worker, on its thread: own, high priority, global, stolen (SEM-199). NULL: nothing was seen. */
struct pro_work *proi_pool_find(struct proi_pool_worker *worker);
bool proi_pool_remove_local(struct proi_pool_worker *worker, const struct pro_work *work);
void proi_pool_flush_local(struct proi_pool_worker *worker); /* to the global queue, oldest first (SEM-208) */
/* Is an item in any queue? Sequentially consistent reads: see README.md. */
bool proi_pool_any_queued(void);
uint64_t proi_pool_count_posted(void); /* to the two shared queues, ever */
size_t proi_pool_count_queued(void);

/* ---- pool.c ---- */
struct proi_pool_worker *proi_pool_current_worker(void); /* NULL: not a pool thread */
void proi_pool_ready(void);                              /* before anything reads minimum or target */
/* There may be an item that nobody looks for: calls or starts a worker, or sees to it that the gate runs. After every
   push, and whenever searching or active fell, or target rose, while items wait. */
void proi_pool_request(void);

/* ---- pool_gate.c ---- */
void proi_pool_retarget(enum pro_pool_reason reason); /* under pool.lock: works the target out anew */
void proi_pool_gate_request(void); /* every permitted worker is active: watches for starvation from now on */
uint64_t proi_pool_count_taken(void);

#endif
