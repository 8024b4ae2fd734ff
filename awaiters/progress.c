/* SPDX-License-Identifier: MIT */
/* Progress: each report is an item posted to the context that was current at construction (SEM-122). */
#include "internal.h"

#include <proact/progress.h>

#include <string.h>

struct pro_progress {
    uint32_t references; /* shared; each report under way has one */
    struct pro_type type;
    void (*fn)(void *arg, const void *value);
    void *arg;
    void (*closed)(void *arg);
    struct pro_sync_context *context; /* held; NULL: the pool */
};

struct report {
    struct pro_work work;
    struct pro_progress *progress;
    void *flow; /* of the reporter, if it flows */
    _Alignas(16) unsigned char value[];
};

int pro_progress_new(struct pro_type type, void (*fn)(void *arg, const void *value), void *arg,
                     void (*closed)(void *arg), struct pro_progress **ret_progress)
{
    struct pro_progress *progress;

    if (!fn || !ret_progress)
        return proi_misuse(PRO_E_INVALID, "pro_progress_new: the function or ret_progress is NULL");
    progress = proi_block_alloc(sizeof *progress);
    if (!progress)
        return PRO_E_NO_MEMORY;
    *progress = (struct pro_progress){ .references = 1, .type = type, .fn = fn, .arg = arg, .closed = closed };
    progress->context = pro_sync_context_ref(proi_ambient.context);
    *ret_progress = progress;
    return PRO_OK;
}

struct pro_progress *pro_progress_ref(struct pro_progress *progress)
{
    if (progress)
        proi_fetch_add(&progress->references, 1u, PROI_RELAXED); /* who adds one has one */
    return progress;
}

void pro_progress_unref(struct pro_progress *progress)
{
    /* Acquire: the last one comes after all reports. */
    if (!progress || proi_fetch_sub(&progress->references, 1u, PROI_ACQ_REL) != 1)
        return;
    if (progress->closed)
        progress->closed(progress->arg);
    pro_sync_context_unref(progress->context);
    proi_block_free(progress, sizeof *progress);
}

static void run_report(struct pro_work *work)
{
    struct report *const report = PRO_CONTAINER(work, struct report, work);
    struct pro_progress *const progress = report->progress;
    void *const flow = proi_flow_enter(report->flow);

    progress->fn(progress->arg, report->value);
    proi_flow_leave(flow);
    proi_block_free(report, sizeof *report + progress->type.size);
    pro_progress_unref(progress);
}

/* One of the base class queues to the pool, and flows; one that posts by itself flows if it says so (SEM-112). */
static bool posts_bare(const struct pro_sync_context *context)
{
    return context && context->vtable && context->vtable->post && !context->vtable->post_flows;
}

int pro_progress_report(struct pro_progress *progress, const void *value, struct pro_type type)
{
    struct report *report;

    if (!progress || (!value && type.size))
        return proi_misuse(PRO_E_INVALID, "pro_progress_report: an argument is NULL");
    if (!proi_type_fits(progress->type, type))
        return proi_misuse(PRO_E_TYPE,
                           "pro_progress_report: the value is of another type than the progress was made for");
    report = proi_block_alloc(sizeof *report + type.size);
    if (!report)
        return PRO_E_NO_MEMORY;
    report->work = (struct pro_work){ .run = run_report };
    report->progress = pro_progress_ref(progress);
    report->flow = posts_bare(progress->context) ? PROI_FLOW_NOT_CAPTURED : proi_flow_capture();
    if (type.size)
        memcpy(report->value, value, type.size);
    proi_context_post(progress->context, &report->work);
    return PRO_OK;
}
