/* SPDX-License-Identifier: MIT */
/* The little the scenarios need of a system that the library's public API does not give: a lock to wait on, plain
   threads, sleeping. Two implementations, threads_linux.c and threads_windows.c; CMake takes one. */
#ifndef CONFORMANCE_THREADS_H
#define CONFORMANCE_THREADS_H

#include <stdbool.h>

/* A lock with a condition, C#'s Monitor. Never freed: a thread may be blocked in it when the process ends. */
struct monitor;
struct monitor *monitor_new(void);
void monitor_enter(struct monitor *monitor);
void monitor_exit(struct monitor *monitor);
/* Releases, sleeps until pulsed, takes again. False: the time is up (negative: no limit). May return early. */
bool monitor_wait(struct monitor *monitor, int ms);
void monitor_pulse_all(struct monitor *monitor);

/* Starts a detached thread; ends the process when there is none to be had. */
void thread_start(void (*fn)(void *arg), void *arg);
void thread_sleep_ms(int ms);

/* Once, before any thread is started: standard output has lines that end in one byte, threads have stacks of 1 MiB (a
   system's own default may be so large that a deep chain of continuations exhausts a sanitizer's book-keeping). */
void process_prepare(void);
/* Ends the process at once; nothing is flushed, no other thread is waited for or asked. */
_Noreturn void process_end(int code);

#endif
