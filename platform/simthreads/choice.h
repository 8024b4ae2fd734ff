/* SPDX-License-Identifier: MIT */
/* Between schedule.c, which knows the threads, and choice.c, which knows the schedule. Threads are numbers here. */
#ifndef PROACT_SIMTHREADS_CHOICE_H
#define PROACT_SIMTHREADS_CHOICE_H

#include "schedule.h"

/* The first thread has come: what the environment says, unless proi_schedule_begin() was called. */
void proi_choice_begin_by_environment(void);
/* A thread that could go on has come to a point: false when it goes on and nobody needs to be asked. */
bool proi_choice_is_open(unsigned running);
/* All give an index of @ids; @usual is one. */
unsigned proi_choice(enum proi_schedule_why why, const unsigned *ids, unsigned count, unsigned usual);
unsigned proi_choice_at_point(const unsigned *ids, unsigned count, unsigned usual, uintptr_t address, bool writes);
/* @thread has the token again, and makes the access that it was stopped before. */
void proi_choice_goes_on(unsigned thread);
void proi_choice_access(unsigned thread, uintptr_t address, bool writes);
void proi_choice_print_threads(void); /* schedule.c */

#endif
