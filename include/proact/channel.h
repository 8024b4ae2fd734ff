/* SPDX-License-Identifier: MIT */
/* Channels: values of one type from writers to readers, first in first out, with or without a bound
 * (System.Threading.Channels). */
#ifndef PROACT_CHANNEL_H
#define PROACT_CHANNEL_H

#include <proact/task.h>

PRO_BEGIN_DECLS

struct pro_channel;

/* What a write does when a bounded channel is full (SEM-322). The last three report success and lose an item. */
enum pro_channel_full {
    PRO_CHANNEL_WAIT,        /* pro_channel_try_write() gives 0, pro_channel_write_async() pends */
    PRO_CHANNEL_DROP_NEWEST, /* the item that was written last goes, the new one comes in its place */
    PRO_CHANNEL_DROP_OLDEST, /* the item that would be read next goes                              */
    PRO_CHANNEL_DROP_WRITE   /* the new item goes                                                  */
};

/* Zero is an unbounded channel with C#'s defaults. */
struct pro_channel_options {
    size_t capacity; /* 0: unbounded (SEM-320) */
    enum pro_channel_full full;
    /* Sees an item that @full has lost, on the writer's thread, with no lock held, before the write returns. NULL:
     * nobody does. */
    void (*dropped)(void *item, void *arg);
    void *arg;
    /* For items that own something: called with each that nobody will take, after @dropped, when the channel is freed,
       and when a read's task goes unread. A read's result then moves: a second reading of its task is PRO_E_STATE. */
    void (*release)(void *item);
    /* Promises, checked: a second read (or wait to read; the same for writes) that would pend beside another fails with
       PRO_E_STATE (misuse). */
    bool single_reader, single_writer;
    /* Continuations of readers may run inside the calls of writers (SEM-321); else they never do, and writers' never. */
    bool allow_synchronous_continuations;
};

/* Gives a channel for values of @type. @options NULL: zero; copied. PRO_E_INVALID, PRO_E_NO_MEMORY. [any thread] */
PRO_API int pro_channel_new(struct pro_type type, const struct pro_channel_options *options,
                            struct pro_channel **ret_channel);
/* Frees it and what is left in it. What still pends, its completion too, fails with PRO_E_BROKEN_PROMISE. No other call
   may be under way. NULL is legal. [any thread] */
PRO_API void pro_channel_free(struct pro_channel *channel);

/* ---- the writers' side [any thread] ---- */
/* Writes copy *@item, of @type; an item whose write does not succeed stays the caller's. 1: written; 0: not, the
 * channel is full (PRO_CHANNEL_WAIT) or completed. PRO_E_TYPE, PRO_E_INVALID (misuse); PRO_E_NO_MEMORY. */
PRO_API int pro_channel_try_write(struct pro_channel *channel, const void *item, struct pro_type type);
/* Gives a task that completes when the item is in. On a completed channel it fails with PRO_E_CHANNEL_CLOSED, whose
   inner error is that of the completion; a cancellation error there is its own error, and cancels one that pends. @how ends a write that pends with
   PRO_E_TIMEOUT or cancels it, and only it (SEM-324). First come, first served. Allocates nothing when there is room.
   Dropping the task does not take the write back. */
PRO_API PRO_NODISCARD struct pro_task *pro_channel_write_async(struct pro_channel *channel, const void *item,
                                                               struct pro_type type, struct pro_how how);
/* Gives a task with a bool: true when there may be room, false when the channel is completed without an error; with one
   it faults with that error. All that wait are told together; who writes first has the room. */
PRO_API PRO_NODISCARD struct pro_task *pro_channel_wait_to_write_async(struct pro_channel *channel, struct pro_how how);
/* No more writes (SEM-323): pending ones fail, items already in stay readable. @error (taken; NULL: none) says why.
   PRO_E_CHANNEL_CLOSED: it was completed before (TryComplete gives false there, Complete throws). */
PRO_API int pro_channel_complete(struct pro_channel *channel, struct pro_error *error);

/* ---- the readers' side [any thread] ---- */
/* 1: an item was moved to *@ret_item; 0: there is none now. PRO_E_TYPE, PRO_E_INVALID (misuse). */
PRO_API int pro_channel_try_read(struct pro_channel *channel, void *ret_item, struct pro_type type);
/* Copies the next item and leaves it there. Answers as pro_channel_try_read(). The copy is borrowed from whoever reads
 * the item. */
PRO_API int pro_channel_try_peek(struct pro_channel *channel, void *ret_item, struct pro_type type);
/* Gives a task whose result is the next item. Fails as a write does once the channel is completed and empty; a
   cancellation error cancels it. @how as there; who was given an item keeps it. First come, first served. */
PRO_API PRO_NODISCARD struct pro_task *pro_channel_read_async(struct pro_channel *channel, struct pro_how how);
/* Gives a task with a bool: true when there may be an item, false when there will never be one; faults with the
 * completion's error. */
PRO_API PRO_NODISCARD struct pro_task *pro_channel_wait_to_read_async(struct pro_channel *channel, struct pro_how how);
/* Items in the channel now. 0 for NULL (misuse). */
PRO_API size_t pro_channel_count(struct pro_channel *channel);
/* Gives the task that completes, faults or is cancelled as pro_channel_complete() said, when the last item has been
   read. Its error counts as observed. */
PRO_API PRO_NODISCARD struct pro_task *pro_channel_completion(struct pro_channel *channel);

#ifndef __cplusplus
/* The short forms for a variable: PRO_CHANNEL_TRY_WRITE(c, &value), PRO_CHANNEL_TRY_READ(c, &value). */
#define PRO_CHANNEL_TRY_WRITE(channel, item)    pro_channel_try_write((channel), (item), PRO_TYPE_OF(item))
#define PRO_CHANNEL_WRITE(channel, item)        pro_channel_write_async((channel), (item), PRO_TYPE_OF(item), PRO_HOW_DEFAULT)
#define PRO_CHANNEL_TRY_READ(channel, ret_item) pro_channel_try_read((channel), (ret_item), PRO_TYPE_OF(ret_item))
#define PRO_CHANNEL_READ(channel)               pro_channel_read_async((channel), PRO_HOW_DEFAULT)
#endif

PRO_END_DECLS

#endif
