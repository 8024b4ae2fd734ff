/* SPDX-License-Identifier: MIT */
/* Reports made from live objects: who is blocked, on what, at which lines. */
#ifndef PROACT_DIAGNOSTICS_H
#define PROACT_DIAGNOSTICS_H

#include <proact/base.h>

PRO_BEGIN_DECLS

/* Receives a report line by line, without its newline. */
typedef void pro_report_fn(const char *line, void *user);

/* Tells every thread that is blocked in a wait of this library: the thread and the line where it waits; the task it waits
   for and the line where that one waits, and so on down; the context or pool in whose queue the last step sits; and whether
   that leads back to a blocked thread. Gives how many threads are blocked. It takes no lock that running code needs for long,
   and reads live tasks from outside: on a program that is moving it may describe a moment that never was. [any thread] */
PRO_API int pro_report_blocked(pro_report_fn *line, void *user);

PRO_END_DECLS

#endif
