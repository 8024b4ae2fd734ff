/* SPDX-License-Identifier: MIT */
/* The pool's queues: the global one, first in first out, and one for each worker, last in first out for its owner and
   first in first out for thieves (SEM-199). */
#include "pool.h"

/* ---- global ---- */
void proi_pool_push_global(struct pro_work *work)
{
    struct pro_work *newest = proi_load(&proi_pool.inbox, PROI_RELAXED);

    /* Two posters: one wins, the other sees the new head and tries again. A poster and the taker: the stack is taken
       with this item or without it, and then it is the first of the next. Sequentially consistent: this is P1 of
       README.md. */
    do
        work->next = newest;
    while (!proi_compare_exchange(&proi_pool.inbox, &newest, work, PROI_SEQ_CST));
}

/* Puts what the posters have pushed behind the list, oldest first. Under global.lock. */
static void empty_inbox(void)
{
    struct proi_work_list *const list = &proi_pool.global.list;
    struct pro_work *work, *next, *first = NULL, *last;

    if (!proi_load(&proi_pool.inbox, PROI_RELAXED))
        return;
    /* First the count, then the inbox; whoever looks through both does so in the other order, and all four are
       sequentially consistent. Either it sees the inbox full, or it comes after the exchange, and so sees this count or
       a later one. */
    proi_store(&proi_pool.global.count, list->count + 1, PROI_SEQ_CST);
    work = last = proi_exchange(&proi_pool.inbox, NULL, PROI_SEQ_CST);
    for (; work; work = next) {
        next = work->next;
        work->next = first;
        first = work;
        list->count++;
        proi_pool.global.posted++;
    }
    if (list->tail)
        list->tail->next = first;
    else
        list->head = first;
    list->tail = last;
    proi_store(&proi_pool.global.count, list->count, PROI_SEQ_CST);
}

struct pro_work *proi_pool_pop_global(void)
{
    struct pro_work *work;

    /* Without the lock while it is empty. An item that comes at this moment is seen by the look that follows every
       falling asleep. */
    if (!proi_load(&proi_pool.inbox, PROI_RELAXED) && !proi_load(&proi_pool.global.count, PROI_RELAXED))
        return NULL;
    proi_lock(&proi_pool.global.lock);
    if (!proi_pool.global.list.head)
        empty_inbox();
    work = proi_work_list_pop(&proi_pool.global.list);
    proi_store(&proi_pool.global.count, proi_pool.global.list.count, PROI_RELAXED); /* fewer: nobody waits for that */
    proi_unlock(&proi_pool.global.lock);
    return work;
}

uint64_t proi_pool_count_posted(void)
{
    uint64_t posted;

    proi_lock(&proi_pool.global.lock);
    empty_inbox();
    posted = proi_pool.global.posted;
    proi_unlock(&proi_pool.global.lock);
    return posted;
}

/* ---- local ---- */
static struct pro_work **local_slot(struct proi_pool_local *local, uint32_t index)
{
    return &local->slots[index & (local->capacity - 1)];
}

static bool local_grow(struct proi_pool_local *local)
{
    uint32_t capacity = local->capacity ? local->capacity * 2 : PROI_POOL_FIRST_SLOTS;
    struct pro_work **slots = local->capacity ? proi_alloc((size_t)capacity * sizeof *slots) : local->first;

    if (!slots)
        return false;
    for (uint32_t i = local->head; i != local->tail; i++)
        slots[i & (capacity - 1)] = *local_slot(local, i);
    if (local->slots != local->first)
        proi_free(local->slots);
    local->slots = slots;
    local->capacity = capacity;
    return true;
}

bool proi_pool_push_local(struct proi_pool_worker *worker, struct pro_work *work)
{
    struct proi_pool_local *local = &worker->local;
    bool fits;

    proi_lock(&local->lock);
    fits = local->tail - local->head < local->capacity || local_grow(local);
    if (fits) {
        *local_slot(local, local->tail) = work;
        proi_store(&local->tail, local->tail + 1, PROI_SEQ_CST);
    }
    proi_unlock(&local->lock);
    return fits;
}

/* Relaxed: only a hint before the lock is taken. */
static bool local_looks_empty(const struct proi_pool_local *local)
{
    return proi_load(&local->tail, PROI_RELAXED) == proi_load(&local->head, PROI_RELAXED);
}

static struct pro_work *local_pop_newest(struct proi_pool_local *local)
{
    struct pro_work *work = NULL;

    if (local_looks_empty(local))
        return NULL;
    proi_lock(&local->lock);
    while (!work && local->tail != local->head) {
        work = *local_slot(local, local->tail - 1);
        proi_store(&local->tail, local->tail - 1, PROI_RELAXED);
    }
    proi_unlock(&local->lock);
    return work;
}

static struct pro_work *local_pop_oldest(struct proi_pool_local *local)
{
    struct pro_work *work = NULL;

    if (local_looks_empty(local))
        return NULL;
    proi_lock(&local->lock);
    while (!work && local->tail != local->head) {
        work = *local_slot(local, local->head);
        proi_store(&local->head, local->head + 1, PROI_RELAXED);
    }
    proi_unlock(&local->lock);
    return work;
}

bool proi_pool_remove_local(struct proi_pool_worker *worker, const struct pro_work *work)
{
    struct proi_pool_local *local = &worker->local;
    bool found = false;

    proi_lock(&local->lock);
    /* From the newest: what a thread waits for is usually what it has just queued. */
    for (uint32_t i = local->tail; !found && i != local->head; i--) {
        if (*local_slot(local, i - 1) == work) {
            *local_slot(local, i - 1) = NULL;
            found = true;
        }
    }
    while (local->tail != local->head && !*local_slot(local, local->tail - 1))
        proi_store(&local->tail, local->tail - 1, PROI_RELAXED);
    proi_unlock(&local->lock);
    return found;
}

void proi_pool_flush_local(struct proi_pool_worker *worker)
{
    struct pro_work *work;

    while ((work = local_pop_oldest(&worker->local)) != NULL)
        proi_pool_push_global(work);
}

/* Each thief begins behind itself, so that they do not all go to the same victim. */
static struct pro_work *steal(struct proi_pool_worker *thief)
{
    struct pro_work *work = NULL;
    struct proi_pool_worker *victim;

    for (victim = thief->next_worker; victim && !work; victim = victim->next_worker)
        work = local_pop_oldest(&victim->local);
    for (victim = proi_load(&proi_pool.workers, PROI_ACQUIRE); victim != thief && !work; victim = victim->next_worker)
        work = local_pop_oldest(&victim->local);
    return work;
}

struct pro_work *proi_pool_find(struct proi_pool_worker *worker)
{
    struct pro_work *work = local_pop_newest(&worker->local);

    if (!work)
        work = proi_pool_pop_global();
    if (!work)
        work = steal(worker);
    return work;
}

/* ---- looking at all of them ---- */
bool proi_pool_any_queued(void)
{
    if (proi_load(&proi_pool.inbox, PROI_SEQ_CST) || proi_load(&proi_pool.global.count, PROI_SEQ_CST))
        return true; /* in this order: empty_inbox() */
    for (struct proi_pool_worker *worker = proi_load(&proi_pool.workers, PROI_SEQ_CST); worker;
         worker = worker->next_worker) {
        /* The tail first: an item pushed after it is read is its poster's to see to, and an item below it is either
           still there, and the head is lower, or was taken. */
        uint32_t tail = proi_load(&worker->local.tail, PROI_SEQ_CST);

        if (tail != proi_load(&worker->local.head, PROI_SEQ_CST))
            return true;
    }
    return false;
}

static void count_one(struct pro_work *work, void *arg)
{
    (void)work;
    ++*(size_t *)arg;
}

size_t proi_pool_count_queued(void)
{
    size_t count = 0;

    proi_pool_for_each_queued(count_one, &count);
    return count;
}

void proi_pool_for_each_queued(void (*visit)(struct pro_work *work, void *arg), void *arg)
{
    proi_lock(&proi_pool.global.lock);
    empty_inbox();
    proi_work_list_visit(&proi_pool.global.list, visit, arg);
    proi_unlock(&proi_pool.global.lock);
    for (struct proi_pool_worker *worker = proi_load(&proi_pool.workers, PROI_ACQUIRE); worker;
         worker = worker->next_worker) {
        struct proi_pool_local *local = &worker->local;

        proi_lock(&local->lock);
        for (uint32_t i = local->head; i != local->tail; i++)
            if (*local_slot(local, i))
                visit(*local_slot(local, i), arg);
        proi_unlock(&local->lock);
    }
}
