/* SPDX-License-Identifier: MIT */
/* Error codes, error objects, misuse. How an error travels through tasks is in task.h. */
#ifndef PROACT_ERROR_H
#define PROACT_ERROR_H

#include <proact/base.h>

PRO_BEGIN_DECLS

/* Every code the library returns. One table per system maps native codes to these. */
enum pro_err {
    PRO_OK = 0,
    PRO_E_INVALID = -1,          /* an argument is NULL, out of range or of the wrong kind                */
    PRO_E_STATE = -2,            /* right call, wrong moment: op in flight, completed twice, frame reused */
    PRO_E_NO_MEMORY = -3,        /* an allocation failed                                                  */
    PRO_E_CANCELED = -4,         /* its token was cancelled, or pro_op_cancel() was called                */
    PRO_E_TIMEOUT = -5,          /* its deadline passed                                                   */
    PRO_E_CLOSED = -6,           /* its handle was closed, before or while it was pending                 */
    PRO_E_LOOP_CLOSED = -7,      /* its loop no longer exists                                             */
    PRO_E_WRONG_LOOP = -8,       /* used from another loop, and one of the two is strict                  */
    PRO_E_DEADLOCK = -9,         /* the wait could never end: it would block the thread that must end it  */
    PRO_E_BROKEN_PROMISE = -10,  /* everyone who could have completed the task is gone                    */
    PRO_E_AGGREGATE = -11,       /* one or more errors; see pro_error_inner()                             */
    PRO_E_NOT_SUPPORTED = -12,   /* this system or backend cannot do it                                   */
    PRO_E_TYPE = -13,            /* the result has another type or size than was asked for                */
    PRO_E_BUSY = -14,            /* still in use                                                          */
    PRO_E_NO_THREAD = -15,       /* no thread could be started                                            */
    PRO_E_REFUSED = -16,         /* connection refused                                                    */
    PRO_E_RESET = -17,           /* connection reset by the peer                                          */
    PRO_E_ABORTED = -18,         /* connection aborted on this side                                       */
    PRO_E_PIPE = -19,            /* sent on a connection that was shut down for sending                   */
    PRO_E_NOT_CONNECTED = -20,   /* the socket is not connected                                           */
    PRO_E_IN_USE = -21,          /* the address is in use                                                 */
    PRO_E_ADDRESS = -22,         /* the address is not available on this machine                          */
    PRO_E_UNREACHABLE = -23,     /* no route to the host or network                                       */
    PRO_E_NOT_FOUND = -24,       /* no such file or directory                                             */
    PRO_E_EXISTS = -25,          /* the file exists                                                       */
    PRO_E_ACCESS = -26,          /* permission denied                                                     */
    PRO_E_IS_DIRECTORY = -27,    /* a file was needed, this is a directory                                */
    PRO_E_NO_SPACE = -28,        /* the disk is full                                                      */
    PRO_E_TOO_MANY_FILES = -29,  /* the limit of open files or handles is reached                         */
    PRO_E_TOO_LARGE = -30,       /* file or message too large                                             */
    PRO_E_READ_ONLY = -31,       /* the file system is read-only                                          */
    PRO_E_IO = -32,              /* the device reports an error                                           */
    PRO_E_NAME = -33,            /* the name is too long or malformed                                     */
    PRO_E_BAD_HANDLE = -34,      /* the native handle is not usable for this                              */
    PRO_E_FAILED = -35,          /* anything else; the native code says what                              */
    PRO_E_CHANNEL_CLOSED = -36,  /* the channel was completed, and nothing is left in it                  */
    PRO_E_FULL = -37,            /* nothing more goes in: a semaphore's maximum, a channel's capacity     */
    PRO_E_SCHEDULER = -38,       /* a task scheduler refused a task; the inner error says why             */
    PRO_E_USER = -1000           /* -1000 and below: yours                                                */
};

/* "PRO_E_TIMEOUT", and "the deadline passed". Never NULL; unknown codes have a text too. [any thread] */
PRO_API const char *pro_err_name(int code);
PRO_API const char *pro_err_message(int code);

/* An error value: immutable, reference counted, shared freely between threads. */
struct pro_error;

/* Gives a new error with one reference. @format is printf's and becomes the sentence; NULL takes the code's own.
   When memory is short it gives an immortal error of the same code: never NULL. [any thread] */
PRO_API struct pro_error *pro_error_new(int code, struct pro_site origin, const char *format, ...)
    PRO_PRINTF(3, 4) PRO_NODISCARD;
/* As above, with the system's own error number kept for people, and @what it was that failed; borrows @what. [any thread] */
PRO_API struct pro_error *pro_error_native(int code, int native, struct pro_site origin, const char *what) PRO_NODISCARD;
/* Gives the immortal error of @code. [any thread] */
PRO_API struct pro_error *pro_error_of(int code);
/* Gives one error with the @count errors of @inner in it, in that order (AggregateException). Borrows @inner's
   references. A NULL in it is misuse: what it gives then has the code PRO_E_INVALID, and completes no source (SEM-183). [any thread] */
PRO_API struct pro_error *pro_error_aggregate(struct pro_error *const *inner, size_t count) PRO_NODISCARD;
/* Gives an error of @code that was caused by @inner (InnerException): its only inner error; NULL: none. Borrows @inner.
   [any thread] */
PRO_API struct pro_error *pro_error_caused_by(int code, struct pro_site origin, struct pro_error *inner) PRO_NODISCARD;

/* Gives a PRO_E_CANCELED error that bears @token (OperationCanceledException): a delegate task given that very token is cancelled by
   it, any other faults (SEM-172). Holds the token's source. [any thread] */
struct pro_cancellation_token;
PRO_API struct pro_error *pro_error_canceled(const struct pro_cancellation_token *token) PRO_NODISCARD;
/* Does @error bear @token? (SEM-245) NULL: no; nor is any error of a token that cannot be cancelled. Borrows both. [any thread] */
PRO_API bool pro_error_is_of_token(const struct pro_error *error, const struct pro_cancellation_token *token);
/* The token that @error bears (OperationCanceledException.CancellationToken), borrowed from it: as long as you have the error. None, which
   cannot be cancelled: @error is NULL, or bears none. [any thread] */
PRO_API struct pro_cancellation_token pro_error_token(const struct pro_error *error);

/* Gives a second reference; NULL gives NULL. Drops one. Asks: what comes back is borrowed from @error. NULL has the code PRO_OK, no inner
   errors, and PRO_SITE_UNKNOWN. [any thread] */
PRO_API struct pro_error *pro_error_ref(struct pro_error *error);
PRO_API void pro_error_unref(struct pro_error *error); /* NULL is legal */
PRO_API int pro_error_code(const struct pro_error *error);
PRO_API int pro_error_native_code(const struct pro_error *error);          /* 0: none */
PRO_API const char *pro_error_message(const struct pro_error *error);      /* borrowed from @error */
PRO_API struct pro_site pro_error_origin(const struct pro_error *error);
PRO_API size_t pro_error_inner_count(const struct pro_error *error);
PRO_API struct pro_error *pro_error_inner(const struct pro_error *error, size_t index); /* borrowed; NULL past the end */

/* Misuse is a mistake of the program, not of its surroundings: an op submitted twice, a result set twice. The
   call answers PRO_E_INVALID or PRO_E_STATE (PRO_E_TYPE: a result, item or message of another type; PRO_E_WRONG_LOOP: not that loop's
   thread; PRO_E_CLOSED: a source that was disposed of), changes nothing, and calls this handler, on the thread of the call. The count is of
   all mistakes since the start, told or not.
   Default in a debug build of the library: prints the sentence and aborts; in a release build: counts. [any thread] */
typedef void pro_misuse_fn(int code, const char *sentence, void *user);
PRO_API void pro_set_misuse_handler(pro_misuse_fn *handler, void *user); /* NULL: the default */
PRO_API uint64_t pro_misuse_count(void);

/* An error that nothing handles: of an async void method (without a context the handler is told on a thread of the pool, with one that has
   no unhandled_error on the context), of a work item. Default: prints it and aborts (SEM-134, SEM-201). Borrows @error.
   [any thread, may run anywhere] */
typedef void pro_unhandled_fn(struct pro_error *error, void *user);
PRO_API void pro_set_unhandled_handler(pro_unhandled_fn *handler, void *user);

/* A faulted task whose error nobody looked at, told when its last reference goes (SEM-280…283): the task, of which only questions
   may be asked, and the aggregate of its errors; both are borrowed. Default: nothing in a release build, a notice in a debug build.
   [any thread, may run anywhere] */
struct pro_task;
typedef void pro_unobserved_fn(struct pro_task *task, struct pro_error *aggregate, void *user);
PRO_API void pro_set_unobserved_handler(pro_unobserved_fn *handler, void *user);

PRO_END_DECLS

#endif
