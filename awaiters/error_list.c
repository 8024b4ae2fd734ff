/* SPDX-License-Identifier: MIT */
/* See error_list.h. */
#include "error_list.h"

void proi_error_list_add(struct proi_error_list *list, struct pro_error *error, size_t order)
{
    struct proi_error_entry **link = &list->first, *entry;

    proi_lock(&list->lock);
    entry = list->own_is_taken ? proi_block_alloc(sizeof *entry) : &list->own;
    if (entry) {
        while (*link && (*link)->order <= order)
            link = &(*link)->next;
        *entry = (struct proi_error_entry){ .next = *link, .error = error, .order = order };
        *link = entry;
        list->own_is_taken = true;
        list->count++;
    }
    proi_unlock(&list->lock);
    if (!entry)
        pro_error_unref(error);
}

/* The own entry is part of the list's memory. */
static void free_entry(struct proi_error_list *list, struct proi_error_entry *entry)
{
    pro_error_unref(entry->error);
    if (entry != &list->own)
        proi_block_free(entry, sizeof *entry);
}

struct pro_error *proi_error_list_take(struct proi_error_list *list)
{
    struct proi_error_entry *entry;
    struct pro_error **errors, *aggregate;
    size_t at = 0;

    if (!list->first)
        return NULL;
    errors = proi_alloc(list->count * sizeof *errors);
    for (entry = list->first; errors && entry; entry = entry->next)
        errors[at++] = entry->error;
    /* Short of memory: one error is better than none. */
    aggregate = errors ? pro_error_aggregate(errors, at) : pro_error_aggregate(&list->first->error, 1);
    proi_free(errors);
    while ((entry = list->first) != NULL) {
        list->first = entry->next;
        free_entry(list, entry);
    }
    list->count = 0;
    list->own_is_taken = false;
    return aggregate;
}
