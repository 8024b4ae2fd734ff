/* SPDX-License-Identifier: MIT */
/* Small tools shared by the contexts of this folder: a function call as a work item, a first-in-first-out list of
   items, and sending made of posting and waiting. */
#ifndef PROACT_SYNC_CONTEXT_CALL_H
#define PROACT_SYNC_CONTEXT_CALL_H

#include "internal.h"

/* Gives an item that calls fn(@arg) and frees itself just before; NULL: no memory. */
struct pro_work *proi_call_new(pro_work_fn *fn, void *arg);

/* Posts to @context, refused posts going to the pool, and returns when @work has run. Takes @work. The caller has made
   sure that it is not the thread that would have to run it. */
void proi_context_post_and_wait(struct pro_sync_context *context, struct pro_work *work);

/* Not thread-safe: whoever owns the list locks it. */
struct proi_work_list {
    struct pro_work *head, *tail;
    size_t count;
};
static inline void proi_work_list_push(struct proi_work_list *list, struct pro_work *work)
{
    work->next = NULL;
    if (list->tail)
        list->tail->next = work;
    else
        list->head = work;
    list->tail = work;
    list->count++;
}
static inline struct pro_work *proi_work_list_pop(struct proi_work_list *list)
{
    struct pro_work *work = list->head;

    if (work) {
        list->head = work->next;
        if (!list->head)
            list->tail = NULL;
        list->count--;
    }
    return work;
}
static inline void proi_work_list_visit(const struct proi_work_list *list,
                                        void (*visit)(struct pro_work *work, void *arg), void *arg)
{
    for (struct pro_work *work = list->head; work; work = work->next)
        visit(work, arg);
}

#endif
