/* SPDX-License-Identifier: MIT */
/* What the gallery needs of the system and the library does not offer: plain threads, an event to wait for without the
   library seeing it, and itself as a child process. One pair of files per system; CMake chooses. */
#ifndef PROACT_GALLERY_SYSTEM_H
#define PROACT_GALLERY_SYSTEM_H

#include <stdbool.h>

/* Starts fn(@arg), detached. False: it cannot be started. */
bool system_thread_start(void (*fn)(void *arg), void *arg);
/* The same, to be joined. NULL: it cannot be started. */
struct system_thread *system_thread_new(void (*fn)(void *arg), void *arg);
void system_thread_join(struct system_thread *thread);
void system_sleep_ms(int ms);

/* Once set it stays set. NULL when memory is short. */
struct event;
struct event *event_new(void);
void event_free(struct event *event);
void event_set(struct event *event);
/* False: @timeout_ms is over; negative waits for ever. */
bool event_wait(struct event *event, int timeout_ms);

/* Runs this very program with @arguments (ends with NULL; without the program's name) and the same standard streams;
   gives its exit status, 128 when it did not end by itself, or -1 when it could not be started. */
int system_run_self(const char *const *arguments);
/* Ends this process at once, whatever its threads do; what was printed is flushed. */
_Noreturn void system_end(int status);
/* Lines end with one byte on every system, and each is seen at once. */
void system_prepare_output(void);

#endif
