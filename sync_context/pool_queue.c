/* SPDX-License-Identifier: MIT */
/* The pool's queues: the global one and the one of high priority, first in first out, and one for each worker, last in
   first out for its owner and first in first out for thieves (SEM-199). */
#include "pool.h"

/* ---- shared by all workers ---- */
void proi_pool_push_shared(struct proi_pool_shared *queue, struct pro_work *work)
{
    struct pro_work *newest = proi_load(&queue->inbox, PROI_RELAXED);

    /* Two posters: one wins, the other sees the new head and tries again. A poster and the taker: the stack is taken
       with this item or without it, and then it is the first of the next. Sequentially consistent: this is P1 of
       README.md. */
    do
        work->next = newest;
    while (!proi_compare_exchange(&queue->inbox, &newest, work, PROI_SEQ_CST));
}

/* Puts what the posters have pushed behind the list, oldest first. Under queue->lock. */
static void empty_inbox(struct proi_pool_shared *queue)
{
    struct proi_work_list *const list = &queue->list;
    struct pro_work *work, *next, *first = NULL, *last;

    if (!proi_load(&queue->inbox, PROI_RELAXED))
        return;
    /* First the count, then the inbox; whoever looks through both does so in the other order, and all four are
       sequentially consistent. Either it sees the inbox full, or it comes after the exchange, and so sees this count or
       a later one. */
    proi_store(&queue->count, list->count + 1, PROI_SEQ_CST);
    work = last = proi_exchange(&queue->inbox, NULL, PROI_SEQ_CST);
    for (; work; work = next) {
        next = work->next;
        work->next = first;
        first = work;
        list->count++;
        queue->posted++;
    }
    if (list->tail)
        list->tail->next = first;
    else
        list->head = first;
    list->tail = last;
    proi_store(&queue->count, list->count, PROI_SEQ_CST);
}

/* The inbox before the count: empty_inbox(). */
static bool shared_is_empty(const struct proi_pool_shared *queue)
{
    return !proi_load(&queue->inbox, PROI_SEQ_CST) && !proi_load(&queue->count, PROI_SEQ_CST);
}

static struct pro_work *pop_shared(struct proi_pool_shared *queue)
{
    struct pro_work *work;

    /* Without the lock while it is empty. An item that comes at this moment is seen by the look that follows every
       falling asleep. */
    if (shared_is_empty(queue))
        return NULL;
    proi_lock(&queue->lock);
    if (!queue->list.head)
        empty_inbox(queue);
    work = proi_work_list_pop(&queue->list);
    proi_store(&queue->count, queue->list.count, PROI_RELAXED); /* fewer: nobody waits for that */
    proi_unlock(&queue->lock);
    return work;
}

struct pro_work *proi_pool_pop_shared(void)
{
    struct pro_work *work = pop_shared(&proi_pool.high);

    return work ? work : pop_shared(&proi_pool.global);
}

static uint64_t count_posted(struct proi_pool_shared *queue)
{
    uint64_t posted;

    proi_lock(&queue->lock);
    empty_inbox(queue);
    posted = queue->posted;
    proi_unlock(&queue->lock);
    return posted;
}

uint64_t proi_pool_count_posted(void) { return count_posted(&proi_pool.high) + count_posted(&proi_pool.global); }

/* ---- local: the owner ---- */
static struct pro_work **local_slot(const struct proi_pool_local *local, size_t index)
{
    return &local->slots[index & (local->capacity - 1)];
}

/* Entries from @head up to @tail; the owner's tail is below the head for a moment while it finds nothing. */
static ptrdiff_t entries(size_t head, size_t tail) { return (ptrdiff_t)(tail - head); }

/* Under the lock no thief reads a slot, so the old block can go. */
static __attribute__((noinline)) bool local_grow(struct proi_pool_local *local)
{
    const size_t capacity = local->capacity ? local->capacity * 2 : PROI_POOL_FIRST_SLOTS;
    struct pro_work **slots = local->capacity ? proi_alloc(capacity * sizeof *slots) : local->first;

    if (!slots)
        return false;
    proi_lock(&local->lock);
    for (size_t i = local->head; i != local->tail; i++)
        slots[i & (capacity - 1)] = *local_slot(local, i);
    if (local->slots != local->first)
        proi_free(local->slots);
    local->slots = slots;
    local->capacity = capacity;
    proi_unlock(&local->lock);
    return true;
}

bool proi_pool_push_local(struct proi_pool_worker *worker, struct pro_work *work)
{
    struct proi_pool_local *const local = &worker->local;
    const size_t tail = local->tail;

    /* A head that was read too early is too low, so a place that looks free is. Acquire: the thief that has raised it
       has read the slot before that, and this write comes after. */
    if (tail - proi_load(&local->head, PROI_ACQUIRE) >= local->capacity && !local_grow(local))
        return false;
    proi_store(local_slot(local, tail), work, PROI_RELAXED); /* a thief that looks at it looks at the tail before */
    proi_store(&local->tail, tail + 1, PROI_SEQ_CST);        /* P1 of README.md */
    return true;
}

/* A report looks: the owner takes its claim back, waits, and claims again; gives the head. Out of line, as all that
   seldom happens: the way of a push and a pop stays short. */
static __attribute__((noinline)) size_t claim_after_report(struct proi_pool_local *local, size_t newest)
{
    proi_store(&local->tail, newest + 1, PROI_SEQ_CST);
    proi_lock(&local->lock);
    proi_unlock(&local->lock);
    proi_store(&local->tail, newest, PROI_SEQ_CST);
    return proi_load(&local->head, PROI_SEQ_CST);
}

/* The newest entry, if the owner gets it: may be NULL, where one was taken out of the middle; then the next one is
   asked for. First the tail falls, then one looks; a thief raises the head, and has looked at the tail before that.
   Every case is argued in README.md: "A worker's own queue". */
static struct pro_work *claim_newest(struct proi_pool_local *local)
{
    const size_t newest = local->tail - 1;
    struct pro_work *work;
    size_t head;

    proi_store(&local->tail, newest, PROI_SEQ_CST);
    head = proi_load(&local->head, PROI_SEQ_CST);
    while (PROI_UNLIKELY(proi_load(&local->looked_at, PROI_SEQ_CST)))
        head = claim_after_report(local, newest);
    work = proi_load(local_slot(local, newest), PROI_RELAXED);
    if (PROI_LIKELY(entries(head, newest) > 0))
        return work;
    /* The last one, or it is gone. Owner and thief would both raise the head from the same value: one of them does. */
    if (head != newest || !proi_compare_exchange(&local->head, &head, newest + 1, PROI_SEQ_CST))
        work = NULL;
    proi_store(&local->tail, newest + 1, PROI_RELAXED); /* as high as the head: empty, which nobody waits for */
    return work;
}

static struct pro_work *local_pop_newest(struct proi_pool_local *local)
{
    struct pro_work *work;

    /* Relaxed: only a thief changes the head meanwhile, and then it is not empty yet. */
    while (local->tail != proi_load(&local->head, PROI_RELAXED))
        if ((work = claim_newest(local)) != NULL)
            return work;
    return NULL;
}

/* ---- local: thieves, and others that hold the lock ---- */
static struct pro_work *local_pop_oldest(struct proi_pool_local *local)
{
    struct pro_work *work = NULL;
    size_t head;

    /* Relaxed: only a hint before the lock is taken. */
    if (entries(proi_load(&local->head, PROI_RELAXED), proi_load(&local->tail, PROI_RELAXED)) <= 0)
        return NULL;
    proi_lock(&local->lock);
    head = proi_load(&local->head, PROI_SEQ_CST);
    while (!work && entries(head, proi_load(&local->tail, PROI_SEQ_CST)) > 0) {
        work = proi_load(local_slot(local, head), PROI_RELAXED);
        if (proi_compare_exchange(&local->head, &head, head + 1, PROI_SEQ_CST))
            head++;
        else
            work = NULL; /* the owner has taken it: it was the last */
    }
    proi_unlock(&local->lock);
    return work;
}

/* Holes at the tail would look like items. Under the lock: the head stands still. */
static void drop_holes(struct proi_pool_local *local)
{
    while (local->tail != local->head && !*local_slot(local, local->tail - 1))
        proi_store(&local->tail, local->tail - 1, PROI_RELAXED);
}

/* By the owner, and under the lock, so that no thief is at work. */
static bool remove_from_the_middle(struct proi_pool_local *local, const struct pro_work *work)
{
    bool found = false;

    proi_lock(&local->lock);
    for (size_t i = local->tail; !found && i != local->head; i--) {
        if (*local_slot(local, i - 1) == work) {
            proi_store(local_slot(local, i - 1), NULL, PROI_RELAXED);
            found = true;
        }
    }
    drop_holes(local);
    proi_unlock(&local->lock);
    return found;
}

/* What a thread waits for is usually what it has just queued. */
static bool remove_newest(struct proi_pool_local *local)
{
    const bool found = claim_newest(local) != NULL; /* if a thief has it, the thieves have all */

    if (local->tail != proi_load(&local->head, PROI_RELAXED) &&
        !proi_load(local_slot(local, local->tail - 1), PROI_RELAXED)) {
        proi_lock(&local->lock);
        drop_holes(local);
        proi_unlock(&local->lock);
    }
    return found;
}

bool proi_pool_remove_local(struct proi_pool_worker *worker, const struct pro_work *work)
{
    struct proi_pool_local *const local = &worker->local;

    if (local->tail == proi_load(&local->head, PROI_RELAXED))
        return false;
    if (proi_load(local_slot(local, local->tail - 1), PROI_RELAXED) == work)
        return remove_newest(local);
    return remove_from_the_middle(local, work);
}

__attribute__((noinline)) void proi_pool_flush_local(struct proi_pool_worker *worker)
{
    struct pro_work *work;

    while ((work = local_pop_oldest(&worker->local)) != NULL)
        proi_pool_push_shared(&proi_pool.global, work);
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
        work = proi_pool_pop_shared();
    if (!work)
        work = steal(worker);
    return work;
}

/* ---- looking at all of them ---- */
bool proi_pool_any_queued(void)
{
    if (!shared_is_empty(&proi_pool.global) || !shared_is_empty(&proi_pool.high))
        return true;
    for (struct proi_pool_worker *worker = proi_load(&proi_pool.workers, PROI_SEQ_CST); worker;
         worker = worker->next_worker) {
        /* The tail first: an item pushed after it is read is its poster's to see to, and an item below it is either
           still there, and the head is lower, or was taken. */
        const size_t tail = proi_load(&worker->local.tail, PROI_SEQ_CST);

        if (entries(proi_load(&worker->local.head, PROI_SEQ_CST), tail) > 0)
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

static void visit_shared(struct proi_pool_shared *queue, void (*visit)(struct pro_work *work, void *arg), void *arg)
{
    proi_lock(&queue->lock);
    empty_inbox(queue);
    proi_work_list_visit(&queue->list, visit, arg);
    proi_unlock(&queue->lock);
}

/* The lock keeps thieves away, and the mark the owner: it lowers the tail, then reads the mark; here the mark is set,
   then the tail read. Either the tail read here is below what the owner takes, or the owner sees the mark and waits. */
static void visit_local(struct proi_pool_local *local, void (*visit)(struct pro_work *work, void *arg), void *arg)
{
    size_t tail;

    proi_lock(&local->lock);
    proi_store(&local->looked_at, 1, PROI_SEQ_CST);
    tail = proi_load(&local->tail, PROI_SEQ_CST);
    for (size_t i = proi_load(&local->head, PROI_SEQ_CST); entries(i, tail) > 0; i++) {
        struct pro_work *const work = proi_load(local_slot(local, i), PROI_RELAXED);

        if (work)
            visit(work, arg);
    }
    proi_store(&local->looked_at, 0, PROI_RELEASE);
    proi_unlock(&local->lock);
}

void proi_pool_for_each_queued(void (*visit)(struct pro_work *work, void *arg), void *arg)
{
    visit_shared(&proi_pool.high, visit, arg);
    visit_shared(&proi_pool.global, visit, arg);
    for (struct proi_pool_worker *worker = proi_load(&proi_pool.workers, PROI_ACQUIRE); worker;
         worker = worker->next_worker)
        visit_local(&worker->local, visit, arg);
}
