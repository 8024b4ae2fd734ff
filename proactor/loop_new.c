/* SPDX-License-Identifier: MIT */
/* Making a loop: which backend it gets, and what is said when it gets none, or another than was wished for. */
#include "internal.h"

#include <proact/loop.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int try_backend(struct pro_loop *loop, const struct proi_backend_type *type,
                       const struct pro_loop_options *options)
{
    char reason[200] = ""; /* leaves room for the name in front of it */
    const int code = type->open(options, &loop->backend, reason, sizeof reason);

    if (code == PRO_OK) {
        loop->type = type;
        return PRO_OK;
    }
    if (!loop->reason[0]) /* the first refusal is the one that counts: it was the better backend */
        snprintf(loop->reason, sizeof loop->reason, "%s: %s", type->name, reason[0] ? reason : pro_err_message(code));
    return code;
}

/* An empty name is no wish. */
static const char *wished_backend(const struct pro_loop_options *options)
{
    const char *name = options->backend ? options->backend : getenv("PROACT_BACKEND");

    return name && *name ? name : NULL;
}

static void explain_unknown(struct pro_loop *loop, const char *wish, const char *who)
{
    size_t length = (size_t)snprintf(loop->reason, sizeof loop->reason,
                                     "%s names the backend \"%.40s\", but this system has", who, wish);

    for (const struct proi_backend_type *const *type = proi_backends; *type && length < sizeof loop->reason; type++)
        length += (size_t)snprintf(loop->reason + length, sizeof loop->reason - length, "%s %s",
                                   type == proi_backends ? "" : ",", (*type)->name);
}

/* Of some system's build: such a name in the environment is a wish that may go unfulfilled, any other is a mistake. */
static bool is_known(const char *name)
{
    static const char *const known[] = { "io_uring", "epoll", "iocp", "sim" };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return false;
}

/* The wish cannot be fulfilled, the program still runs: on the best there is. The reason says why not there. */
static int open_another(struct pro_loop *loop, const struct pro_loop_options *options)
{
    char reason[sizeof loop->reason];
    int code = PRO_E_NOT_SUPPORTED;

    memcpy(reason, loop->reason, sizeof reason);
    for (const struct proi_backend_type *const *type = proi_backends; *type; type++)
        if (strcmp("sim", (*type)->name) != 0) {
            code = try_backend(loop, *type, options);
            if (code == PRO_OK || code == PRO_E_NO_MEMORY)
                break;
        }
    memcpy(loop->reason, reason, sizeof reason);
    return code;
}

static int open_backend(struct pro_loop *loop, const struct pro_loop_options *options)
{
    const char *const wish = wished_backend(options);
    int code = PRO_E_NOT_SUPPORTED;

    for (const struct proi_backend_type *const *type = proi_backends; *type; type++) {
        if (wish ? strcmp(wish, (*type)->name) != 0 : strcmp("sim", (*type)->name) == 0)
            continue; /* the simulated kernel is taken by name only */
        code = try_backend(loop, *type, options);
        if (code == PRO_OK || code == PRO_E_NO_MEMORY)
            return code;
    }
    if (wish && !loop->reason[0])
        explain_unknown(loop, wish, options->backend ? "pro_loop_options" : "$PROACT_BACKEND");
    if (wish && !options->backend && is_known(wish))
        code = open_another(loop, options);
    return code;
}

static int open_loop(struct pro_loop *loop, const struct pro_loop_options *options)
{
    int code;

    loop->strict = options->strict;
    code = proi_lease_configure(loop, options);
    if (code < 0)
        return code;
    if (options->name)
        snprintf(loop->name, sizeof loop->name, "%s", options->name);
    else
        snprintf(loop->name, sizeof loop->name, "loop-%u", (unsigned)loop->id);
    loop->own.wheel = proi_alloc(sizeof *loop->own.wheel);
    if (!loop->own.wheel)
        return PRO_E_NO_MEMORY;
    code = open_backend(loop, options);
    if (code < 0)
        goto free_wheel;
    proi_wheel_init(loop->own.wheel, loop->type->now(loop->backend));
    code = proi_loop_context_open(loop);
    if (code < 0)
        goto close_backend;
    return PRO_OK;
close_backend:
    loop->type->close(loop->backend);
free_wheel:
    proi_free(loop->own.wheel);
    return code;
}

int pro_loop_new(const struct pro_loop_options *options, struct pro_loop **ret_loop)
{
    const struct pro_loop_options defaults = { 0 };
    struct pro_loop *loop;
    int code;

    if (!ret_loop)
        return proi_misuse(PRO_E_INVALID, "pro_loop_new: ret_loop is NULL");
    if (options && options->entries & (options->entries - 1))
        return proi_misuse(PRO_E_INVALID, "pro_loop_new: entries must be a power of two");
    loop = proi_loop_register();
    if (!loop)
        return PRO_E_NO_MEMORY;
    code = open_loop(loop, options ? options : &defaults);
    if (code < 0) {
        if (loop->reason[0]) /* nobody will have a loop to ask for it */
            proi_notice("no loop was made: %s", loop->reason);
        proi_loop_unregister(loop);
        return code;
    }
    proi_loop_publish(loop);
    *ret_loop = loop;
    return PRO_OK;
}
