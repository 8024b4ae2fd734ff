/* SPDX-License-Identifier: MIT */
/* The table of active tasks, by number, while async debugging is on. It holds a reference to each, from the moment its
   operation begins until its completer has set the status. */
#include "trace.h"

#include <stdlib.h>

struct entry {
    struct entry *next;
    struct pro_task *task; /* held */
    uint64_t id;
};

static struct {
    struct proi_mutex lock;
    struct entry **chains; /* NULL: nothing was ever added since it was switched on */
    size_t room, count;    /* room: a power of two */
} table;

static struct entry **chain_of(uint64_t id) { return &table.chains[id & (table.room - 1)]; }

/* With the lock held. Numbers come one after another, so the chains stay even. False: no memory, and what is there
 * stays. */
static bool make_room(void)
{
    const size_t room = table.room ? table.room * 2 : 64;
    struct entry **const old = table.chains, **chains;
    const size_t old_room = table.room;

    if (table.count < table.room)
        return true;
    chains = proi_alloc_zeroed(room * sizeof *chains);
    if (!chains)
        return table.room != 0; /* longer chains, then */
    table.chains = chains;
    table.room = room;
    for (size_t i = 0; i < old_room; i++)
        for (struct entry *entry = old[i], *next; entry; entry = next) {
            next = entry->next;
            entry->next = *chain_of(entry->id);
            *chain_of(entry->id) = entry;
        }
    proi_free(old);
    return true;
}

/* PRO_E_CLOSED: switched off meanwhile. */
static int link_entry(struct entry *entry)
{
    int code = PRO_OK;

    proi_lock(&table.lock);
    /* Asked again under the lock: who switches it off empties it under the same lock. */
    if (!(proi_load(&proi_trace_mode, PROI_RELAXED) & PROI_TRACE_TABLE)) {
        code = PRO_E_CLOSED;
    } else if (!make_room()) {
        code = PRO_E_NO_MEMORY;
    } else {
        entry->next = *chain_of(entry->id);
        *chain_of(entry->id) = entry;
        table.count++;
    }
    proi_unlock(&table.lock);
    return code;
}

/* The task is marked TRACED. Against its completer: either it sets the status after we have looked, then it has seen
   TRACED, and its removal, which takes the lock after we had linked, finds the entry. Or we find the task complete, and
   remove it ourselves; should the completer do so, too, one of us finds nothing. */
void proi_active_tasks_add(struct pro_task *task)
{
    const uint64_t id = pro_task_id(task);
    struct entry *const entry = proi_alloc(sizeof *entry);
    int code = PRO_E_NO_MEMORY;

    if (entry) {
        *entry = (struct entry){ .task = pro_task_ref(task), .id = id };
        code = link_entry(entry);
    }
    if (code == PRO_OK) {
        if (proi_state_is_final(proi_load(&task->state, PROI_ACQUIRE)))
            proi_active_tasks_remove(task);
        return;
    }
    if (entry)
        pro_task_unref(task);
    proi_free(entry);
    if (code == PRO_E_NO_MEMORY)
        proi_notice("there is no memory to list task %llu among the active ones", (unsigned long long)id);
}

/* With the lock held. Numbers come again after 2^32, so who knows the task names it; NULL: any that has the number. */
static struct entry **find(uint64_t id, const struct pro_task *task)
{
    struct entry **link = table.room ? chain_of(id) : NULL;

    while (link && *link && ((*link)->id != id || (task && (*link)->task != task)))
        link = &(*link)->next;
    return link && *link ? link : NULL;
}

void proi_active_tasks_remove(struct pro_task *task)
{
    const uint64_t id = proi_load(&task->id, PROI_ACQUIRE);
    struct entry *entry = NULL, **link;

    proi_lock(&table.lock);
    link = find(id, task);
    if (link) {
        entry = *link;
        *link = entry->next;
        table.count--;
    }
    proi_unlock(&table.lock);
    if (!entry)
        return;
    pro_task_unref(entry->task);
    proi_free(entry);
}

static void forget_all(void)
{
    struct entry **chains;
    size_t room;

    proi_lock(&table.lock);
    proi_fetch_and(&proi_trace_mode, ~(uint32_t)PROI_TRACE_TABLE, PROI_RELAXED);
    chains = table.chains;
    room = table.room;
    table.chains = NULL;
    table.room = table.count = 0;
    proi_unlock(&table.lock);
    for (size_t i = 0; i < room; i++)
        for (struct entry *entry = chains[i], *next; entry; entry = next) {
            next = entry->next;
            pro_task_unref(entry->task);
            proi_free(entry);
        }
    proi_free(chains);
}

void pro_async_debugging_enable(bool on)
{
    if (on)
        proi_fetch_or(&proi_trace_mode, (uint32_t)PROI_TRACE_TABLE, PROI_RELAXED);
    else
        forget_all();
}

static int by_id(const void *a, const void *b)
{
    const uint64_t first = ((const struct entry *)a)->id, second = ((const struct entry *)b)->id;

    return first < second ? -1 : first > second;
}

/* Between its status and its removal a task is in the table and is not active any more. */
static bool is_active(const struct entry *entry) { return !pro_task_is_completed(entry->task); }

/* A copy of the active ones, each task referenced. PRO_E_NO_MEMORY: none was made. */
static int copy_active(struct entry **ret_copies, size_t *ret_count)
{
    struct entry *copies;

    proi_lock(&table.lock);
    copies = table.count ? proi_alloc(table.count * sizeof *copies) : NULL;
    if (table.count && !copies) {
        proi_unlock(&table.lock);
        return PRO_E_NO_MEMORY;
    }
    *ret_count = 0;
    for (size_t i = 0; i < table.room; i++)
        for (const struct entry *entry = table.chains[i]; entry; entry = entry->next)
            if (is_active(entry)) {
                copies[*ret_count] = *entry;
                pro_task_ref(copies[(*ret_count)++].task);
            }
    proi_unlock(&table.lock);
    *ret_copies = copies;
    return PRO_OK;
}

int pro_active_tasks_for_each(pro_active_task_fn *fn, void *user)
{
    struct entry *copies = NULL;
    size_t count = 0;
    int code;

    if (!fn)
        return proi_misuse(PRO_E_INVALID, "pro_active_tasks_for_each: the function is NULL");
    code = copy_active(&copies, &count);
    if (code < 0)
        return code;
    if (count)
        qsort(copies, count, sizeof *copies, by_id);
    for (size_t i = 0; i < count; i++) {
        fn(copies[i].task, user);
        pro_task_unref(copies[i].task);
    }
    proi_free(copies);
    return count <= INT32_MAX ? (int)count : INT32_MAX;
}

struct pro_task *pro_active_task_from_id(uint64_t id)
{
    struct entry **link;
    struct pro_task *task;

    proi_lock(&table.lock);
    link = find(id, NULL);
    task = link && is_active(*link) ? pro_task_ref((*link)->task) : NULL;
    proi_unlock(&table.lock);
    return task;
}
