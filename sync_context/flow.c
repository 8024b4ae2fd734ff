/* SPDX-License-Identifier: MIT */
/* The execution context: an immutable map from async-locals to values. Setting a value makes a new map; a thread owns
   one reference to its present one. The empty map is NULL and costs nothing. */
#include "internal.h"

#include <proact/async_local.h>

#include <string.h>

struct pro_async_local {
    uint32_t references; /* shared */
    struct pro_async_local_options options;
};

struct entry {
    struct pro_async_local *local; /* held */
    void *value;                   /* held by the local's ref */
};

struct pro_execution_context {
    uint32_t references; /* shared */
    uint32_t count;
    bool suppressed; /* captures give nothing while this is a thread's present one */
    struct entry entries[];
};

/* Stands for the empty map where NULL means "none": captured by pro_execution_context_capture(). */
static struct pro_execution_context empty_map = { .references = 1 };

static size_t size_of(size_t count) { return sizeof(struct pro_execution_context) + count * sizeof(struct entry); }

/* ---- keys ---- */

int pro_async_local_new(const struct pro_async_local_options *options, struct pro_async_local **ret_local)
{
    struct pro_async_local *local;

    if (!ret_local || (options && !options->ref != !options->unref))
        return proi_misuse(PRO_E_INVALID, "pro_async_local_new: ret_local is NULL, or ref without unref");
    local = proi_block_alloc(sizeof *local);
    if (!local)
        return PRO_E_NO_MEMORY;
    *local = (struct pro_async_local){ .references = 1 };
    if (options)
        local->options = *options;
    *ret_local = local;
    return PRO_OK;
}

void pro_async_local_unref(struct pro_async_local *local)
{
    if (local && proi_fetch_sub(&local->references, 1u, PROI_ACQ_REL) == 1)
        proi_block_free(local, sizeof *local);
}

static struct pro_async_local activity = { .references = 1 };

struct pro_async_local *proi_activity_local(void) { return &activity; }

/* ---- maps ---- */

void *proi_flow_ref(void *flow)
{
    struct pro_execution_context *const context = flow;

    if (context && context != &empty_map)
        proi_fetch_add(&context->references, 1u, PROI_RELAXED);
    return context;
}

void proi_flow_unref(void *flow)
{
    struct pro_execution_context *const context = flow;

    if (!context || context == &empty_map || proi_fetch_sub(&context->references, 1u, PROI_ACQ_REL) != 1)
        return;
    for (uint32_t i = 0; i < context->count; i++) {
        if (context->entries[i].local->options.unref && context->entries[i].value)
            context->entries[i].local->options.unref(context->entries[i].value);
        pro_async_local_unref(context->entries[i].local);
    }
    proi_block_free(context, size_of(context->count));
}

static void *value_in(const struct pro_execution_context *context, const struct pro_async_local *local)
{
    for (uint32_t i = 0; context && i < context->count; i++)
        if (context->entries[i].local == local)
            return context->entries[i].value;
    return NULL;
}

static struct entry held(struct entry entry)
{
    proi_fetch_add(&entry.local->references, 1u, PROI_RELAXED);
    if (entry.local->options.ref && entry.value)
        entry.value = entry.local->options.ref(entry.value);
    return entry;
}

/* @from with @local set to @value (NULL: taken out), or unchanged when @local is NULL. NULL with *@ret_code: no memory.
 */
static struct pro_execution_context *copy_with(const struct pro_execution_context *from, struct pro_async_local *local,
                                               void *value, bool suppressed, int *ret_code)
{
    uint32_t count = local && value ? 1 : 0;
    struct pro_execution_context *context;

    for (uint32_t i = 0; from && i < from->count; i++)
        count += from->entries[i].local != local;
    *ret_code = PRO_OK;
    if (!count && !suppressed)
        return NULL;
    context = proi_block_alloc(size_of(count));
    if (!context) {
        *ret_code = PRO_E_NO_MEMORY;
        return NULL;
    }
    *context = (struct pro_execution_context){ .references = 1, .suppressed = suppressed };
    for (uint32_t i = 0; from && i < from->count; i++)
        if (from->entries[i].local != local)
            context->entries[context->count++] = held(from->entries[i]);
    if (local && value)
        context->entries[context->count++] = held((struct entry){ local, value });
    return context;
}

/* ---- a thread goes on in another flow ---- */

static void notify(struct pro_async_local *local, void *previous, void *current, bool context_switch)
{
    if (local->options.changed && previous != current)
        local->options.changed(local, previous, current, context_switch, local->options.user);
}

/* Of the previous map first, then what only the next one has (SEM-255). */
static void notify_switch(const struct pro_execution_context *previous, const struct pro_execution_context *next)
{
    for (uint32_t i = 0; previous && i < previous->count; i++) {
        struct pro_async_local *const local = previous->entries[i].local;

        notify(local, previous->entries[i].value, value_in(next, local), true);
    }
    for (uint32_t i = 0; next && i < next->count; i++) {
        struct pro_async_local *const local = next->entries[i].local;

        if (!value_in(previous, local))
            notify(local, NULL, next->entries[i].value, true);
    }
}

void *proi_flow_enter_slowly(void *flow)
{
    struct pro_execution_context *const previous = proi_ambient.flow;

    if (flow == &empty_map)
        flow = NULL;
    proi_ambient.flow = flow;
    if (previous != flow)
        notify_switch(previous, flow);
    return previous;
}

void proi_flow_leave_slowly(void *previous)
{
    struct pro_execution_context *const inner = proi_ambient.flow;

    proi_ambient.flow = previous;
    if (previous != inner)
        notify_switch(inner, previous);
    proi_flow_unref(inner);
}

void *proi_flow_capture_slowly(void)
{
    const struct pro_execution_context *const present = proi_ambient.flow;

    return present->suppressed ? PROI_FLOW_NOT_CAPTURED : proi_flow_ref(proi_ambient.flow);
}

/* ---- the public side ---- */

void *pro_async_local_get(const struct pro_async_local *local) { return value_in(proi_ambient.flow, local); }

int pro_async_local_set(struct pro_async_local *local, void *value)
{
    struct pro_execution_context *const present = proi_ambient.flow;
    struct pro_execution_context *next;
    void *previous;
    int code;

    if (!local)
        return proi_misuse(PRO_E_INVALID, "pro_async_local_set: the local is NULL");
    previous = value_in(present, local);
    if (previous == value)
        return PRO_OK;
    next = copy_with(present, local, value, present && present->suppressed, &code);
    if (code < 0)
        return code;
    proi_ambient.flow = next;
    notify(local, previous, value, false);
    proi_flow_unref(present);
    return PRO_OK;
}

struct pro_execution_context *pro_execution_context_capture(void)
{
    if (!proi_ambient.flow)
        return &empty_map;
    return pro_execution_context_is_flow_suppressed() ? NULL : proi_flow_ref(proi_ambient.flow);
}

struct pro_execution_context *pro_execution_context_ref(struct pro_execution_context *context)
{
    return proi_flow_ref(context);
}
void pro_execution_context_unref(struct pro_execution_context *context) { proi_flow_unref(context); }

int pro_execution_context_run(struct pro_execution_context *context, void (*fn)(void *arg), void *arg)
{
    struct pro_sync_context *const outer = proi_ambient.context;
    void *previous;

    if (!context || !fn)
        return proi_misuse(PRO_E_INVALID,
                           "pro_execution_context_run: an argument is NULL (was flow suppressed at the capture?)");
    previous = proi_flow_enter(proi_flow_ref(context));
    fn(arg);
    proi_flow_leave(previous);
    proi_ambient.context = outer;
    return PRO_OK;
}

int pro_execution_context_restore(struct pro_execution_context *context)
{
    if (!context)
        return proi_misuse(PRO_E_INVALID, "pro_execution_context_restore: the context is NULL");
    proi_flow_unref(proi_flow_enter(proi_flow_ref(context)));
    return PRO_OK;
}

bool pro_execution_context_is_flow_suppressed(void)
{
    const struct pro_execution_context *const present = proi_ambient.flow;

    return present && present->suppressed;
}

/* The same map, marked. When there is no memory for it the flow goes on: values are seen that need not be. */
static void mark(bool suppressed)
{
    struct pro_execution_context *const present = proi_ambient.flow;
    struct pro_execution_context *next;
    int code;

    if (!suppressed && proi_load(&present->references, PROI_RELAXED) == 1) {
        /* Nothing captured it, so it is ours alone: going back needs no memory, and cannot fail. */
        present->suppressed = false;
        if (!present->count) {
            proi_ambient.flow = NULL;
            proi_flow_unref(present);
        }
        return;
    }
    next = copy_with(present, NULL, NULL, suppressed, &code);
    if (code < 0) {
        proi_notice("the flow of the execution context could not be %s: there is no memory",
                    suppressed ? "suppressed" : "restored");
        return;
    }
    proi_ambient.flow = next;
    proi_flow_unref(present);
}

bool pro_execution_context_suppress_flow(void)
{
    const bool before = pro_execution_context_is_flow_suppressed();

    if (!before)
        mark(true);
    return before;
}

void pro_execution_context_undo_suppress(bool was_suppressed)
{
    if (!was_suppressed && pro_execution_context_is_flow_suppressed())
        mark(false);
}
