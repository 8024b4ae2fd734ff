/* SPDX-License-Identifier: MIT */
/* The only way in which the library speaks: misuse, notices, errors that nobody handled or looked at. */
#include "platform.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SENTENCE_SIZE = 1024 };

#ifdef NDEBUG
static const bool debug_build = false;
#else
static const bool debug_build = true;
#endif

static void print_notice(const char *sentence, void *user)
{
    (void)user;
    fprintf(stderr, "proact: %s\n", sentence);
}

/* Function and user pointer belong together: read and written under the lock, called outside it. */
static struct proi_mutex lock;
static struct {
    pro_notice_fn *notice;
    pro_misuse_fn *misuse;
    pro_unhandled_fn *unhandled;
    pro_unobserved_fn *unobserved;
    void *notice_user, *misuse_user, *unhandled_user, *unobserved_user;
} handlers = { .notice = print_notice };
static uint64_t misuse_count;

#define DEFINE_HANDLER_PAIR(kind, type)                                                                                \
    static void kind##_set(type *handler, void *user)                                                                  \
    {                                                                                                                  \
        proi_lock(&lock);                                                                                              \
        handlers.kind = handler;                                                                                       \
        handlers.kind##_user = user;                                                                                   \
        proi_unlock(&lock);                                                                                            \
    }                                                                                                                  \
    static type *kind##_get(void **ret_user)                                                                           \
    {                                                                                                                  \
        type *handler;                                                                                                 \
                                                                                                                       \
        proi_lock(&lock);                                                                                              \
        handler = handlers.kind;                                                                                       \
        *ret_user = handlers.kind##_user;                                                                              \
        proi_unlock(&lock);                                                                                            \
        return handler;                                                                                                \
    }
DEFINE_HANDLER_PAIR(notice, pro_notice_fn)
DEFINE_HANDLER_PAIR(misuse, pro_misuse_fn)
DEFINE_HANDLER_PAIR(unhandled, pro_unhandled_fn)
DEFINE_HANDLER_PAIR(unobserved, pro_unobserved_fn)

void pro_set_notice_handler(pro_notice_fn *handler, void *user) { notice_set(handler, user); }
void pro_set_misuse_handler(pro_misuse_fn *handler, void *user) { misuse_set(handler, user); }
void pro_set_unhandled_handler(pro_unhandled_fn *handler, void *user) { unhandled_set(handler, user); }
void pro_set_unobserved_handler(pro_unobserved_fn *handler, void *user) { unobserved_set(handler, user); }
uint64_t pro_misuse_count(void) { return proi_load(&misuse_count, PROI_RELAXED); }

void proi_notice(const char *format, ...)
{
    char sentence[SENTENCE_SIZE];
    pro_notice_fn *handler;
    va_list arguments;
    void *user;

    handler = notice_get(&user);
    if (!handler)
        return;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    handler(sentence, user);
}

int proi_misuse(int code, const char *format, ...)
{
    char sentence[SENTENCE_SIZE];
    pro_misuse_fn *handler;
    va_list arguments;
    void *user;

    proi_fetch_add(&misuse_count, 1, PROI_RELAXED);
    handler = misuse_get(&user);
    if (!handler && !debug_build)
        return code;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (handler) {
        handler(code, sentence, user);
        return code;
    }
    fprintf(stderr, "proact: misuse, %s: %s\n", pro_err_name(code), sentence);
    abort();
}

/* "PRO_E_IO: the disk said no, from copy.c:17 (copy_move_next)" */
static void describe(const struct pro_error *error, char *ret_text, size_t size)
{
    const struct pro_site origin = pro_error_origin(error);
    const char *name = pro_err_name(pro_error_code(error)), *message = pro_error_message(error);

    if (origin.file)
        snprintf(ret_text, size, "%s: %s, from %s:%d%s%s%s", name, message, origin.file, origin.line,
                 origin.function ? " (" : "", origin.function ? origin.function : "", origin.function ? ")" : "");
    else
        snprintf(ret_text, size, "%s: %s", name, message);
}

/* Errors inside an aggregate, one a line; deeper ones are indented. */
static void print_inner(const struct pro_error *error, int indent)
{
    char text[SENTENCE_SIZE];

    for (size_t i = 0; i < pro_error_inner_count(error); i++) {
        const struct pro_error *inner = pro_error_inner(error, i);

        describe(inner, text, sizeof text);
        fprintf(stderr, "%*s%s\n", indent, "", text);
        if (indent < 16)
            print_inner(inner, indent + 2);
    }
}

void proi_unhandled(struct pro_error *error)
{
    char text[SENTENCE_SIZE];
    pro_unhandled_fn *handler;
    void *user;

    handler = unhandled_get(&user);
    if (handler) {
        handler(error, user);
        return;
    }
    describe(error, text, sizeof text);
    fprintf(stderr, "proact: an error that nothing handles ends the process: %s\n", text);
    print_inner(error, 2);
    abort();
}

void proi_unobserved(struct pro_task *task, struct pro_error *error)
{
    char text[SENTENCE_SIZE];
    pro_unobserved_fn *handler;
    void *user;

    handler = unobserved_get(&user);
    if (handler) {
        handler(task, error, user);
    } else if (debug_build) {
        describe(error, text, sizeof text);
        proi_notice("a task failed and nobody looked at its error: %s", text);
    }
}
