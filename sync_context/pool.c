/* SPDX-License-Identifier: MIT */
/* The thread pool: posting, workers, and how they sleep without missing an item. README.md of this folder argues why no
   wake-up is lost; the places that need it say which side of the argument they are. */
#include "pool.h"

#include <string.h>

enum { RETRY_NS = 100 * 1000 * 1000, INLINE_STACK = 128 * 1024, INLINE_DEPTH = 1000 };

struct proi_pool proi_pool;
struct proi_pool_timing proi_pool_timing = {
    .idle_ns = PRO_S(20),
    .gate_ns = PRO_MS(500),
    .step_ns = PRO_MS(25),
    .step_limit_ns = PRO_MS(250),
};

static PROI_THREAD_LOCAL struct proi_pool_worker *current_worker;
static PROI_THREAD_LOCAL unsigned inline_depth; /* nested calls of run_inline() on this thread */

struct proi_pool_worker *proi_pool_current_worker(void) { return current_worker; }
bool pro_pool_is_worker(void) { return current_worker != NULL; }

/* ---- the first use ---- */
static struct proi_once ready_once;

static void ready(void)
{
    unsigned processors = proi_processor_count();

    proi_lock(&proi_pool.lock);
    proi_pool.processors = processors < PROI_POOL_MOST_THREADS ? processors : PROI_POOL_MOST_THREADS;
    if (!proi_pool.processors)
        proi_pool.processors = 1;
    proi_pool.minimum = proi_pool.processors;
    proi_store(&proi_pool.maximum, PROI_POOL_MOST_THREADS, PROI_SEQ_CST);
    proi_pool_retarget(PRO_POOL_LIMITS);
    proi_unlock(&proi_pool.lock);
}

void proi_pool_ready(void) { proi_once(&ready_once, ready); }

/* ---- the stack of sleepers, under pool.lock ---- */
static void idle_push(struct proi_pool_worker *worker)
{
    worker->idle_above = NULL;
    worker->idle_below = proi_pool.idle;
    if (proi_pool.idle)
        proi_pool.idle->idle_above = worker;
    proi_pool.idle = worker;
}

static void idle_remove(struct proi_pool_worker *worker)
{
    if (worker->idle_above)
        worker->idle_above->idle_below = worker->idle_below;
    else
        proi_pool.idle = worker->idle_below;
    if (worker->idle_below)
        worker->idle_below->idle_above = worker->idle_above;
}

/* Only the lock's holder writes the count: no read-modify-write is needed, but the store takes part in the one order of
   all sequentially consistent operations. */
static void active_add(int change) { proi_store(&proi_pool.active, proi_pool.active + (uint32_t)change, PROI_SEQ_CST); }

/* ---- workers ---- */
/* Asleep too long: the thread ends, unless it has been called meanwhile. */
static bool worker_leave(struct proi_pool_worker *self)
{
    bool leave;

    proi_lock(&proi_pool.lock);
    leave = !self->called;
    if (leave) {
        idle_remove(self);
        self->idle_below = proi_pool.unused;
        proi_pool.unused = self;
        proi_pool.existing--;
        /* What starvation added goes as the threads do that it brought. */
        if (proi_pool.starved > proi_pool.existing)
            proi_pool.starved = proi_pool.existing;
        proi_pool_retarget(PRO_POOL_TIMED_OUT);
    }
    proi_unlock(&proi_pool.lock);
    return leave;
}

/* Sleeps until called; false: the thread is to end. @searching: it is counted there. */
static __attribute__((noinline)) bool worker_park(struct proi_pool_worker *self, bool searching)
{
    uint64_t deadline = proi_now() + (uint64_t)proi_pool_timing.idle_ns, now;

    proi_lock(&proi_pool.lock);
    proi_store(&self->called, 0, PROI_RELAXED); /* under the lock, as is reading it there */
    idle_push(self);
    active_add(-1);
    if (searching)
        proi_fetch_sub(&proi_pool.searching, 1, PROI_SEQ_CST);
    proi_unlock(&proi_pool.lock);

    /* The sleeper's side: first not counted any more, then a last look. Whoever pushed before this look is seen here;
       whoever pushes after it finds the lower counts, and calls. What is called here may be this very worker: it then
       does not sleep at all. */
    if (proi_pool_any_queued())
        proi_pool_request();

    while (!proi_load(&self->called, PROI_ACQUIRE)) {
        now = proi_now();
        if (now < deadline)
            proi_wait(&self->called, 0, (int64_t)(deadline - now));
        else if (worker_leave(self))
            return false;
    }
    return true;
}

/* A searcher has found an item. While there was one, posters relied on it: the last one looks for more on their
   behalf. */
static __attribute__((noinline)) void search_ended(void)
{
    if (proi_fetch_sub(&proi_pool.searching, 1, PROI_SEQ_CST) == 1 && proi_pool_any_queued())
        proi_pool_request();
}

/* More workers are active than may be: a blocked one came back, or the limits were lowered. */
static bool is_excess(void)
{
    return proi_load(&proi_pool.active, PROI_RELAXED) > proi_load(&proi_pool.target, PROI_RELAXED);
}

static void worker_run(struct proi_pool_worker *self, struct pro_work *work)
{
    proi_store(&self->taken, self->taken + 1, PROI_RELAXED); /* written here only; others read it for statistics */
    proi_store(&self->running, 1, PROI_RELAXED);
    pro_work_run(work);
    proi_store(&self->running, 0, PROI_RELAXED);
    proi_store(&self->completed, self->completed + 1, PROI_RELAXED);
    proi_flow_leave(NULL);
    proi_ambient_enter((struct proi_ambient){ .context = NULL }); /* SEM-117 */
}

static void worker_main(void *arg)
{
    struct proi_pool_worker *self = arg;
    struct pro_work *work;
    bool searching;

    current_worker = self;
    do {
        searching = true; /* whoever started or called it has counted it */
        while ((work = proi_pool_find(self)) != NULL) {
            if (searching)
                search_ended();
            searching = false;
            worker_run(self, work);
            if (PROI_UNLIKELY(is_excess())) {
                proi_pool_flush_local(self); /* nobody should have to steal from a sleeper (SEM-208) */
                break;
            }
        }
    } while (worker_park(self, searching));
    current_worker = NULL;
}

/* ---- no thread can be started and none exists: the poster runs what there is ---- */
static void run_inline(void)
{
    struct proi_ambient saved = proi_ambient;
    struct pro_work *work;

    /* An item that posts comes here again, inside itself, so that it may wait for what it posted; but not for ever:
       deep down the outer call does it. */
    if (inline_depth && (inline_depth >= INLINE_DEPTH || proi_stack_left() < INLINE_STACK))
        return;
    if (!proi_exchange(&proi_pool.told, 1, PROI_RELAXED))
        proi_notice(
            "the thread pool has no thread and can start none: work that is offloaded to it runs inside the call "
            "that offloads it, so nothing runs beside anything else");
    inline_depth++;
    /* This pop is a last look, too: another poster may have left its item to the thread that start_failed() had counted
       and counts no more. That poster pushed, then saw the count; here it fell, then the pop looks; all sequentially
       consistent. So the item is seen, in the inbox or on its way to the list, unless somebody else runs it. */
    while ((work = proi_pool_pop_shared()) != NULL) {
        proi_fetch_add(&proi_pool.inlined, 1, PROI_RELAXED);
        proi_ambient_enter((struct proi_ambient){ .context = NULL });
        pro_work_run(work);
    }
    inline_depth--;
    proi_ambient_leave(saved);
}

/* ---- getting a worker to come ---- */
static struct proi_pool_worker *worker_new(void)
{
    struct proi_pool_worker *worker;

    proi_lock(&proi_pool.lock);
    worker = proi_pool.unused;
    if (worker)
        proi_pool.unused = worker->idle_below;
    proi_unlock(&proi_pool.lock);
    if (worker)
        return worker;
    worker = proi_alloc_zeroed(sizeof *worker);
    if (!worker)
        return NULL;
    proi_lock(&proi_pool.lock);
    worker->next_worker = proi_pool.workers;
    proi_store(&proi_pool.workers, worker, PROI_SEQ_CST); /* release: its zeros are seen with it */
    proi_unlock(&proi_pool.lock);
    return worker;
}

/* Takes back what was counted for a thread that could not be started. */
static void start_failed(struct proi_pool_worker *worker)
{
    bool alone;

    proi_lock(&proi_pool.lock);
    if (worker) {
        worker->idle_below = proi_pool.unused;
        proi_pool.unused = worker;
    }
    alone = --proi_pool.existing == 0;
    proi_pool.retry_ns = proi_now() + RETRY_NS;
    active_add(-1);
    proi_fetch_sub(&proi_pool.searching, 1, PROI_SEQ_CST);
    proi_unlock(&proi_pool.lock);
    /* Others have relied on the searcher that never came, and workers have gone to sleep: the same look as theirs. */
    if (alone)
        run_inline();
    else if (proi_pool_any_queued())
        proi_pool_request();
}

static void worker_start(void)
{
    struct proi_pool_worker *worker = worker_new();

    if (!worker || proi_thread_start(NULL, "proact pool", worker_main, worker, 0) != PRO_OK)
        start_failed(worker);
}

static __attribute__((noinline)) void worker_call(void)
{
    struct proi_pool_worker *worker = NULL;
    bool start = false, refused = false;

    proi_lock(&proi_pool.lock);
    /* Once more, now that nobody else can call: a second poster leaves it to the first one's searcher. */
    if (!proi_load(&proi_pool.searching, PROI_SEQ_CST) && proi_pool.active < proi_pool.target) {
        worker = proi_pool.idle;
        if (worker) {
            idle_remove(worker);
            proi_store(&worker->called, 1, PROI_RELEASE);
        } else if (proi_pool.existing == 0 || proi_now() >= proi_pool.retry_ns) {
            start = true;
            proi_pool.existing++;
        } else {
            refused = true; /* those that exist will come to the item; the gate tries again if they do not */
        }
        if (worker || start) {
            active_add(1);
            proi_fetch_add(&proi_pool.searching, 1, PROI_SEQ_CST);
        }
    }
    proi_unlock(&proi_pool.lock);
    if (worker && worker != current_worker)
        proi_wake_one(&worker->called);
    else if (start)
        worker_start();
    else if (refused)
        proi_pool_gate_request();
}

void proi_pool_request(void)
{
    uint32_t active, target;

    /* The poster's side: the item is in its queue, by a sequentially consistent store. A worker counted here has yet to
       look through the queues after that store, or to take its last look. */
    if (proi_load(&proi_pool.searching, PROI_SEQ_CST))
        return;
    active = proi_load(&proi_pool.active, PROI_SEQ_CST);
    target = proi_load(&proi_pool.target, PROI_SEQ_CST);
    if (active < target) {
        worker_call();
    } else if (PROI_UNLIKELY(!target)) { /* the first use of all */
        proi_pool_ready();
        worker_call();
    } else if (proi_load(&proi_pool.gate, PROI_SEQ_CST) == PROI_POOL_GATE_NONE &&
               target < proi_load(&proi_pool.maximum, PROI_SEQ_CST)) {
        proi_pool_gate_request();
    }
}

/* ---- posting ---- */
void proi_pool_post(struct pro_work *work, enum proi_pool_queue queue)
{
    struct proi_pool_worker *self = current_worker;

    if (queue == PROI_POOL_LOCAL && self && proi_pool_push_local(self, work))
        proi_store(&self->posted, self->posted + 1, PROI_RELAXED);
    else
        proi_pool_push_shared(queue == PROI_POOL_HIGH ? &proi_pool.high : &proi_pool.global, work);
    proi_pool_request();
}

int pro_pool_post_work(struct pro_work *work, bool prefer_local)
{
    if (!work || !work->run)
        return proi_misuse(PRO_E_INVALID,
                           "pro_pool_post_work: the item or its function is NULL; fill in work.run before it "
                           "is posted");
    proi_pool_post(work, prefer_local ? PROI_POOL_LOCAL : PROI_POOL_GLOBAL);
    return PRO_OK;
}

int pro_pool_post(pro_work_fn *fn, void *arg)
{
    struct pro_work *work;

    if (!fn)
        return proi_misuse(PRO_E_INVALID, "pro_pool_post: the function is NULL; pass what is to run");
    work = proi_call_new(fn, arg, true);
    if (!work)
        return PRO_E_NO_MEMORY;
    proi_pool_post(work, PROI_POOL_GLOBAL);
    return PRO_OK;
}

bool proi_pool_take_local(struct pro_work *work)
{
    return current_worker && proi_pool_remove_local(current_worker, work);
}

/* ---- a thread of its own (SEM-205) ---- */
static void long_main(void *arg) { pro_work_run(arg); }

void proi_pool_run_long(struct pro_work *work)
{
    if (proi_thread_start(NULL, "proact long", long_main, work, 0) != PRO_OK)
        proi_pool_post(work, PROI_POOL_GLOBAL);
}

/* ---- limits and figures ---- */
static int limits_set(const char *caller, unsigned minimum, unsigned maximum)
{
    bool legal;

    proi_pool_ready();
    proi_lock(&proi_pool.lock);
    minimum = minimum ? minimum : proi_pool.minimum;
    maximum = maximum ? maximum : proi_pool.maximum;
    legal = minimum <= maximum && maximum <= PROI_POOL_MOST_THREADS;
    if (legal) {
        proi_pool.minimum = minimum;
        proi_store(&proi_pool.maximum, maximum, PROI_SEQ_CST);
        proi_pool_retarget(PRO_POOL_LIMITS);
    }
    proi_unlock(&proi_pool.lock);
    if (!legal)
        return proi_misuse(PRO_E_INVALID,
                           "%s: %u to %u threads is not possible; the minimum must not be above the maximum, nor that "
                           "above %d",
                           caller, minimum, maximum, PROI_POOL_MOST_THREADS);
    /* The target may have risen: items wait that nobody was called for. */
    if (proi_pool_any_queued())
        proi_pool_request();
    return PRO_OK;
}

int pro_pool_set_min_threads(unsigned count)
{
    if (!count)
        return proi_misuse(PRO_E_INVALID, "pro_pool_set_min_threads: 0 threads is not possible; 1 is the least");
    return limits_set("pro_pool_set_min_threads", count, 0);
}

int pro_pool_set_max_threads(unsigned count)
{
    if (!count)
        return proi_misuse(PRO_E_INVALID, "pro_pool_set_max_threads: 0 threads is not possible; 1 is the least");
    return limits_set("pro_pool_set_max_threads", 0, count);
}

int pro_pool_get_stats(struct pro_pool_stats *ret_stats)
{
    struct pro_pool_stats stats = { .min_threads = 0 };

    if (!ret_stats)
        return proi_misuse(PRO_E_INVALID, "pro_pool_get_stats: ret_stats is NULL; pass the structure to fill");
    proi_pool_ready();
    proi_lock(&proi_pool.lock);
    stats.min_threads = proi_pool.minimum;
    stats.max_threads = proi_pool.maximum;
    stats.threads = proi_pool.existing;
    stats.blocked = proi_pool.blocked;
    stats.target = proi_pool.target;
    memcpy(stats.changes, proi_pool.changes, sizeof stats.changes);
    stats.last_change = proi_pool.last_change;
    proi_unlock(&proi_pool.lock);
    stats.inlined = proi_load(&proi_pool.inlined, PROI_RELAXED);
    stats.completed = stats.inlined;
    stats.posted = proi_pool_count_posted();
    for (struct proi_pool_worker *worker = proi_load(&proi_pool.workers, PROI_ACQUIRE); worker;
         worker = worker->next_worker) {
        stats.busy += proi_load(&worker->running, PROI_RELAXED);
        stats.posted += proi_load(&worker->posted, PROI_RELAXED);
        stats.completed += proi_load(&worker->completed, PROI_RELAXED);
    }
    stats.queued = proi_pool_count_queued();
    *ret_stats = stats;
    return PRO_OK;
}
