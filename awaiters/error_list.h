/* SPDX-License-Identifier: MIT */
/* The errors of several bodies that ran beside each other, until they become one aggregate. */
#ifndef PROACT_AWAITERS_ERROR_LIST_H
#define PROACT_AWAITERS_ERROR_LIST_H

#include "internal.h"

struct proi_error_entry {
    struct proi_error_entry *next;
    struct pro_error *error;
    size_t order;
};

/* Zero is an empty list. The first entry needs no memory; of others that find none only the count is kept. */
struct proi_error_list {
    struct proi_mutex lock; /* guards the rest */
    struct proi_error_entry *first, own;
    bool own_is_taken;
    size_t count;
};

/* Takes @error. Entries are kept by rising @order; among equals the earlier comes first. */
void proi_error_list_add(struct proi_error_list *list, struct pro_error *error, size_t order);
/* Empties the list, which nobody else uses any more; gives the aggregate of its errors, or NULL. */
struct pro_error *proi_error_list_take(struct proi_error_list *list);

#endif
