/* SPDX-License-Identifier: MIT */
/* SemaphoreSlim: a count that methods await and threads wait for. Nobody owns it: a flow that has it and waits for it
   again waits for itself (SEM-314), and any thread may release. */
#ifndef PROACT_SEMAPHORE_H
#define PROACT_SEMAPHORE_H

#include <proact/task.h>

PRO_BEGIN_DECLS

struct pro_semaphore;

/* Gives a semaphore of @initial of at most @maximum. PRO_E_INVALID: not 0 <= @initial <= @maximum, 1 <= @maximum;
   PRO_E_NO_MEMORY. [any thread] */
PRO_API int pro_semaphore_new(int initial, int maximum, struct pro_semaphore **ret_semaphore);
/* Frees it; who waits for it still fails with PRO_E_BROKEN_PROMISE. No other call may be under way but waits that
   block. NULL is legal. Whoever uses it afterwards is told, as far as it can be seen, which is until the memory is another
   semaphore's: PRO_E_STATE (misuse). [any thread] */
PRO_API void pro_semaphore_free(struct pro_semaphore *semaphore);

/* Gives a task whose result is a bool: true when one was taken, false when @how's time passed first (SEM-310, as C#'s
   WaitAsync(timeout) does). A wait with a time must read the result; one without always gives true. A cancelled token
   is looked at first and cancels the task; a deadline in the past is C#'s timeout of 0: false at once. When one is
   there, no memory is allocated. Served first come, first served, after the threads that block (SEM-311); who was
   granted one keeps it, whatever its limits say then (SEM-313). Continuations never run inside the release, the cancel,
   or the timer that ends the wait (SEM-312). Dropping the task does not end the wait. Its own errors: PRO_E_INVALID
   (misuse), PRO_E_NO_MEMORY, PRO_E_BROKEN_PROMISE. [any thread] */
PRO_API PRO_NODISCARD struct pro_task *pro_semaphore_wait_async(struct pro_semaphore *semaphore, struct pro_how how);
/* Blocks for it. PRO_OK: taken; PRO_E_TIMEOUT (Wait(timeout) gives false there), PRO_E_CANCELED; PRO_E_INVALID
   (misuse), PRO_E_NO_MEMORY, PRO_E_BROKEN_PROMISE. @site: where, for reports. [any thread] */
PRO_API int pro_semaphore_wait(struct pro_semaphore *semaphore, struct pro_how how, struct pro_site site);
/* Takes one if it is there: Wait(0). [any thread] */
PRO_API bool pro_semaphore_try_wait(struct pro_semaphore *semaphore);
/* Gives @count back, and gives the count before. PRO_E_FULL: it would exceed the maximum, and nothing was released;
   PRO_E_INVALID (misuse): @count < 1. [any thread] */
PRO_API int pro_semaphore_release(struct pro_semaphore *semaphore, int count);
/* What is there now: CurrentCount. PRO_E_INVALID: NULL (misuse). [any thread] */
PRO_API int pro_semaphore_count(const struct pro_semaphore *semaphore);

#define PRO_SEMAPHORE_WAIT(semaphore) pro_semaphore_wait((semaphore), PRO_HOW_DEFAULT, PRO_HERE)

PRO_END_DECLS

#endif
