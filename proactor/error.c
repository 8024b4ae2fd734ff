/* SPDX-License-Identifier: MIT */
/* Names and sentences of the codes, and error objects: immutable and shared. */
#include "internal.h"

#include <proact/cancellation.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct pro_error {
    uint32_t references; /* shared; 0: immortal */
    int code, native;
    struct pro_site origin;
    struct pro_cancellation_source *source; /* of the token it bears; held; NULL: none */
    uint32_t inner_count;
    uint32_t size;            /* of the whole block */
    struct pro_error **inner; /* behind the structure */
    char *message;            /* behind that */
};

static const struct text {
    int code;
    const char *name, *message;
} texts[] = {
    { PRO_OK, "PRO_OK", "it succeeded" },
    { PRO_E_INVALID, "PRO_E_INVALID", "an argument is not valid" },
    { PRO_E_STATE, "PRO_E_STATE", "it is not the moment for this call" },
    { PRO_E_NO_MEMORY, "PRO_E_NO_MEMORY", "there is no memory left" },
    { PRO_E_CANCELED, "PRO_E_CANCELED", "it was cancelled" },
    { PRO_E_TIMEOUT, "PRO_E_TIMEOUT", "the deadline passed" },
    { PRO_E_CLOSED, "PRO_E_CLOSED", "the handle is closed" },
    { PRO_E_LOOP_CLOSED, "PRO_E_LOOP_CLOSED", "the loop is closed" },
    { PRO_E_WRONG_LOOP, "PRO_E_WRONG_LOOP", "the handle belongs to another loop" },
    { PRO_E_DEADLOCK, "PRO_E_DEADLOCK", "the wait could never end: it would block the thread that must end it" },
    { PRO_E_BROKEN_PROMISE, "PRO_E_BROKEN_PROMISE", "everyone who could have completed the task is gone" },
    { PRO_E_AGGREGATE, "PRO_E_AGGREGATE", "one or more errors occurred" },
    { PRO_E_NOT_SUPPORTED, "PRO_E_NOT_SUPPORTED", "this system or backend cannot do it" },
    { PRO_E_TYPE, "PRO_E_TYPE", "the result has another type" },
    { PRO_E_BUSY, "PRO_E_BUSY", "it is still in use" },
    { PRO_E_NO_THREAD, "PRO_E_NO_THREAD", "no thread could be started" },
    { PRO_E_REFUSED, "PRO_E_REFUSED", "the connection was refused" },
    { PRO_E_RESET, "PRO_E_RESET", "the peer reset the connection" },
    { PRO_E_ABORTED, "PRO_E_ABORTED", "the connection was aborted" },
    { PRO_E_PIPE, "PRO_E_PIPE", "the connection is shut down for sending" },
    { PRO_E_NOT_CONNECTED, "PRO_E_NOT_CONNECTED", "the socket is not connected" },
    { PRO_E_IN_USE, "PRO_E_IN_USE", "the address is in use" },
    { PRO_E_ADDRESS, "PRO_E_ADDRESS", "the address is not available on this machine" },
    { PRO_E_UNREACHABLE, "PRO_E_UNREACHABLE", "there is no route to the host" },
    { PRO_E_NOT_FOUND, "PRO_E_NOT_FOUND", "there is no such file or directory" },
    { PRO_E_EXISTS, "PRO_E_EXISTS", "the file exists" },
    { PRO_E_ACCESS, "PRO_E_ACCESS", "permission is denied" },
    { PRO_E_IS_DIRECTORY, "PRO_E_IS_DIRECTORY", "it is a directory" },
    { PRO_E_NO_SPACE, "PRO_E_NO_SPACE", "the disk is full" },
    { PRO_E_TOO_MANY_FILES, "PRO_E_TOO_MANY_FILES", "too many files are open" },
    { PRO_E_TOO_LARGE, "PRO_E_TOO_LARGE", "it is too large" },
    { PRO_E_READ_ONLY, "PRO_E_READ_ONLY", "the file system is read-only" },
    { PRO_E_IO, "PRO_E_IO", "the device reports an error" },
    { PRO_E_NAME, "PRO_E_NAME", "the name is too long or malformed" },
    { PRO_E_BAD_HANDLE, "PRO_E_BAD_HANDLE", "the handle cannot be used for this" },
    { PRO_E_FAILED, "PRO_E_FAILED", "it failed" },
    { PRO_E_CHANNEL_CLOSED, "PRO_E_CHANNEL_CLOSED", "the channel is completed" },
    { PRO_E_FULL, "PRO_E_FULL", "there is no room for more" },
    { PRO_E_SCHEDULER, "PRO_E_SCHEDULER", "the task scheduler refused the task" },
};
enum { TEXT_COUNT = sizeof texts / sizeof *texts };

/* One immortal error for each code, for when memory is short; the last one stands for all codes of users. */
static struct pro_error immortal[TEXT_COUNT + 1];
static struct proi_once immortal_once;

static const struct text *find_text(int code)
{
    const size_t index = (size_t) - (int64_t)code;

    return code <= 0 && index < TEXT_COUNT ? &texts[index] : NULL; /* the table is in the order of the codes */
}

const char *pro_err_name(int code)
{
    const struct text *text = find_text(code);

    return text ? text->name : code <= PRO_E_USER ? "PRO_E_USER" : "unknown";
}

const char *pro_err_message(int code)
{
    const struct text *text = find_text(code);

    return text ? text->message : code <= PRO_E_USER ? "an error of the program" : "an unknown error";
}

static void make_immortals(void)
{
    for (size_t i = 0; i <= TEXT_COUNT; i++)
        immortal[i] = (struct pro_error){ .code = i < TEXT_COUNT ? texts[i].code : PRO_E_USER };
}

struct pro_error *pro_error_of(int code)
{
    const struct text *text = find_text(code);

    proi_once(&immortal_once, make_immortals);
    return &immortal[text ? text - texts : TEXT_COUNT];
}

static struct pro_error *new_error(int code, struct pro_site origin, size_t inner_count, size_t text_size)
{
    const size_t size = sizeof(struct pro_error) + inner_count * sizeof(struct pro_error *) + text_size;
    struct pro_error *error = size <= UINT32_MAX ? proi_block_alloc(size) : NULL;

    if (!error)
        return NULL;
    *error = (struct pro_error){ .references = 1, .code = code, .origin = origin, .size = (uint32_t)size };
    error->inner = (struct pro_error **)(void *)(error + 1);
    error->inner_count = (uint32_t)inner_count;
    error->message = text_size ? (char *)(error->inner + inner_count) : NULL;
    return error;
}

struct pro_error *pro_error_new(int code, struct pro_site origin, const char *format, ...)
{
    struct pro_error *error;
    va_list arguments;
    int length = 0;

    if (format) {
        va_start(arguments, format);
        length = vsnprintf(NULL, 0, format, arguments);
        va_end(arguments);
    }
    error = new_error(code, origin, 0, length > 0 ? (size_t)length + 1 : 0);
    if (!error)
        return pro_error_of(code);
    if (error->message) {
        va_start(arguments, format);
        vsnprintf(error->message, (size_t)length + 1, format, arguments);
        va_end(arguments);
    }
    return error;
}

struct pro_error *pro_error_native(int code, int native, struct pro_site origin, const char *what)
{
    char sentence[160];
    struct pro_error *error;

    proi_native_message(native, sentence, sizeof sentence);
    error = pro_error_new(code, origin, "%s%s%s (%d: %s)", what ? what : "", what ? ": " : "", pro_err_message(code),
                          native, sentence);
    if (error->references)
        error->native = native;
    return error;
}

struct pro_error *pro_error_canceled(const struct pro_cancellation_token *token)
{
    struct pro_error *error = token && token->source ? new_error(PRO_E_CANCELED, PRO_SITE_UNKNOWN, 0, 0) : NULL;

    if (!error)
        return pro_error_of(PRO_E_CANCELED);
    error->source = pro_cancellation_source_ref(token->source);
    return error;
}

bool pro_error_is_of_token(const struct pro_error *error, const struct pro_cancellation_token *token)
{
    return error && token && error->source && error->source == token->source;
}

struct pro_cancellation_token pro_error_token(const struct pro_error *error)
{
    return (struct pro_cancellation_token){ error ? error->source : NULL };
}

/* What a list with a hole in it becomes: immortal, and no other error, so that a completion source can tell it. */
static struct pro_error no_list = { .code = PRO_E_INVALID };

bool proi_error_is_no_list(const struct pro_error *error) { return error == &no_list; }

struct pro_error *pro_error_aggregate(struct pro_error *const *inner, size_t count)
{
    struct pro_error *error;
    bool whole = inner || !count;

    for (size_t i = 0; whole && i < count; i++)
        whole = inner[i] != NULL;
    if (!whole) {
        proi_misuse(PRO_E_INVALID, "pro_error_aggregate: an error is NULL");
        return &no_list;
    }
    error = new_error(PRO_E_AGGREGATE, PRO_SITE_UNKNOWN, count, 0);
    if (!error)
        return pro_error_of(PRO_E_AGGREGATE);
    for (size_t i = 0; i < count; i++)
        error->inner[i] = pro_error_ref(inner[i]);
    return error;
}

struct pro_error *pro_error_caused_by(int code, struct pro_site origin, struct pro_error *inner)
{
    struct pro_error *const error = new_error(code, origin, inner ? 1 : 0, 0);

    if (!error)
        return pro_error_of(code);
    if (inner)
        error->inner[0] = pro_error_ref(inner);
    return error;
}

struct pro_error *pro_error_ref(struct pro_error *error)
{
    /* Relaxed: who has a reference may make another; nothing is published by it. */
    if (error && proi_load(&error->references, PROI_RELAXED))
        proi_fetch_add(&error->references, 1, PROI_RELAXED);
    return error;
}

void pro_error_unref(struct pro_error *error)
{
    if (!error || !proi_load(&error->references, PROI_RELAXED))
        return;
    /* Acquire and release: the last one to drop it sees all uses by the others before the block is reused. */
    if (proi_fetch_sub(&error->references, 1, PROI_ACQ_REL) != 1)
        return;
    for (size_t i = 0; i < error->inner_count; i++)
        pro_error_unref(error->inner[i]);
    pro_cancellation_source_unref(error->source);
    proi_block_free(error, error->size);
}

int pro_error_code(const struct pro_error *error) { return error ? error->code : PRO_OK; }
int pro_error_native_code(const struct pro_error *error) { return error ? error->native : 0; }

const char *pro_error_message(const struct pro_error *error)
{
    if (!error)
        return pro_err_message(PRO_OK);
    return error->message ? error->message : pro_err_message(error->code);
}

struct pro_site pro_error_origin(const struct pro_error *error) { return error ? error->origin : PRO_SITE_UNKNOWN; }
size_t pro_error_inner_count(const struct pro_error *error) { return error ? error->inner_count : 0; }

struct pro_error *pro_error_inner(const struct pro_error *error, size_t index)
{
    return error && index < error->inner_count ? error->inner[index] : NULL;
}
