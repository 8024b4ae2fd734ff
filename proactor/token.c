/* SPDX-License-Identifier: MIT */
/* The tokens of pending ops. A loop keeps one node for each source that some pending op listens to; the limits of the
   ops hang in the node's private list, and a cancellation sends the loop one message, however many they are. */
#include "internal.h"

#include <string.h>

struct proi_token_node {
    struct pro_work message; /* what a canceller on another thread posts */
    struct pro_cancellation_registration registration;
    struct pro_cancellation_source *source; /* held */
    struct pro_loop *loop;
    struct proi_token_node *next; /* of the bucket */
    struct proi_limit *limits;
    /* Written by the canceller before it posts, read by the loop after unregister_wait, which orders the two. */
    bool posted;
    bool walking; /* [loop] the list is being ended: do not free the node under it */
};

struct proi_token_table {
    size_t buckets, count; /* a power of two */
    struct proi_token_node *bucket[];
};

enum { FIRST_BUCKETS = 16 };

static size_t bucket_of(const struct proi_token_table *table, const struct pro_cancellation_source *source)
{
    return (size_t)(((uintptr_t)source >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (table->buckets - 1);
}

static struct proi_token_table *new_table(size_t buckets)
{
    struct proi_token_table *table = proi_alloc_zeroed(sizeof *table + buckets * sizeof *table->bucket);

    if (table)
        table->buckets = buckets;
    return table;
}

/* Makes room; a table that cannot grow stays as it is, only slower. */
static struct proi_token_table *table_for_one_more(struct pro_loop *loop)
{
    struct proi_token_table *table = loop->own.tokens, *larger;

    if (table && table->count < table->buckets * 2)
        return table;
    larger = new_table(table ? table->buckets * 4 : FIRST_BUCKETS);
    if (!larger)
        return table;
    for (size_t i = 0; table && i < table->buckets; i++) {
        struct proi_token_node *node, *next;

        for (node = table->bucket[i]; node; node = next) {
            struct proi_token_node **head = &larger->bucket[bucket_of(larger, node->source)];

            next = node->next;
            node->next = *head;
            *head = node;
            larger->count++;
        }
    }
    proi_free(table);
    loop->own.tokens = larger;
    return larger;
}

static void free_node(struct proi_token_node *node)
{
    pro_cancellation_source_unref(node->source);
    proi_block_free(node, sizeof *node);
}

static void end_ops(struct proi_token_node *node)
{
    node->walking = true;
    while (node->limits) {
        struct proi_limit *const limit = node->limits;

        /* Off the list first: once is enough, and what comes must not find it again. */
        proi_token_detach(limit);
        proi_op_end_early(limit->op, PROI_WHY_CANCELED);
    }
    node->walking = false;
}

static void message_arrived(struct pro_work *work)
{
    struct proi_token_node *const node = PRO_CONTAINER(work, struct proi_token_node, message);

    end_ops(node);
    free_node(node); /* it left the table when its last op left it, just now or earlier */
}

/* On the canceller's thread, inside pro_cancellation_source_cancel(). */
static void on_cancel(void *arg)
{
    struct proi_token_node *const node = arg;

    node->posted = true;
    node->message = (struct pro_work){ .run = message_arrived };
    proi_loop_post_raw(node->loop, &node->message);
}

static void leave_table(struct proi_token_node *node)
{
    struct proi_token_table *const table = node->loop->own.tokens;
    struct proi_token_node **link = &table->bucket[bucket_of(table, node->source)];

    while (*link != node)
        link = &(*link)->next;
    *link = node->next;
    table->count--;
}

void proi_token_detach(struct proi_limit *limit)
{
    struct proi_token_node *const node = limit->node;

    limit->node = NULL;
    if (limit->previous)
        limit->previous->next = limit->next;
    else
        node->limits = limit->next;
    if (limit->next)
        limit->next->previous = limit->previous;
    if (node->limits)
        return;
    leave_table(node);
    /* Waits for a canceller that is inside on_cancel: it posts and is out. Then either it has posted, and the message
       frees the node; or it never will, and nobody else knows the node. */
    pro_cancellation_unregister_wait(&node->registration);
    if (!node->posted && !node->walking)
        free_node(node);
}

static struct proi_token_node *find_or_make(struct pro_loop *loop, struct pro_cancellation_source *source)
{
    struct proi_token_table *const table = table_for_one_more(loop);
    struct proi_token_node *node, **head;

    if (!table)
        return NULL;
    head = &table->bucket[bucket_of(table, source)];
    for (node = *head; node; node = node->next)
        if (node->source == source)
            return node;
    node = proi_block_alloc(sizeof *node);
    if (!node)
        return NULL;
    memset(node, 0, sizeof *node);
    node->source = pro_cancellation_source_ref(source);
    node->loop = loop;
    node->next = *head;
    *head = node;
    table->count++;
    return node;
}

int proi_token_attach(struct proi_limit *limit, struct pro_cancellation_source *source)
{
    const struct pro_cancellation_token token = { source };
    struct proi_token_node *node;
    bool first;

    if (pro_cancellation_token_is_canceled(token))
        return PRO_E_CANCELED;
    node = find_or_make(limit->op->loop, source);
    if (!node)
        return PRO_E_NO_MEMORY;
    first = node->limits == NULL;
    limit->node = node;
    limit->previous = NULL;
    limit->next = node->limits;
    if (node->limits)
        node->limits->previous = limit;
    node->limits = limit;
    /* Cancelled in between: the callback runs inside this call and posts; the op ends by the message. */
    if (first)
        pro_cancellation_register(token, &node->registration, on_cancel, node);
    return PRO_OK;
}

void proi_token_table_free(struct pro_loop *loop)
{
    proi_free(loop->own.tokens);
    loop->own.tokens = NULL;
}
