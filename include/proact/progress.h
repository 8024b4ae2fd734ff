/* SPDX-License-Identifier: MIT */
/* Progress<T>: work that runs anywhere reports to where somebody listens (SEM-122). */
#ifndef PROACT_PROGRESS_H
#define PROACT_PROGRESS_H

#include <proact/task.h>

PRO_BEGIN_DECLS

struct pro_progress;
/* Gives an object whose reports call fn(@arg, value) on the context that is current now, by Post; with none, on the
   pool (SEM-122), there under the reporter's execution context; on a context as with
   pro_sync_context_post(). Reports of one thread arrive in order on a context that keeps order; on the pool in any. @arg must
   last until the last reference is gone and the last report has run: @closed, unless NULL, tells that moment, wherever
   it comes. PRO_E_INVALID (misuse): no function; PRO_E_NO_MEMORY. A second reference; one dropped. [any thread] */
PRO_API int pro_progress_new(struct pro_type type, void (*fn)(void *arg, const void *value), void *arg,
                             void (*closed)(void *arg), struct pro_progress **ret_progress);
PRO_API struct pro_progress *pro_progress_ref(struct pro_progress *progress);
PRO_API void pro_progress_unref(struct pro_progress *progress); /* NULL is legal */
/* Copies *@value and posts it; never waits. PRO_E_TYPE (misuse), PRO_E_NO_MEMORY. [any thread] */
PRO_API int pro_progress_report(struct pro_progress *progress, const void *value, struct pro_type type);
#define PRO_REPORT(progress, value) pro_progress_report((progress), (value), PRO_TYPE_OF(value))

PRO_END_DECLS

#endif
