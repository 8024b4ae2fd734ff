/* SPDX-License-Identifier: MIT */
/* Reports made from live objects: who is blocked, on what, at which lines; which async methods have not ended. And what the library tells
   a listener while it works: events, activity ids (SEM-340…345). All of it is off until it is asked for, and costs next to nothing then. */
#ifndef PROACT_DIAGNOSTICS_H
#define PROACT_DIAGNOSTICS_H

#include <proact/task.h>

PRO_BEGIN_DECLS

/* Receives a report line by line, without its newline. */
typedef void pro_report_fn(const char *line, void *user);

/* Tells every thread that is blocked in a wait of this library: the thread and the line where it waits; the task it waits
   for and the line where that one waits, and so on down; the context or pool in whose queue the last step sits; and whether
   that leads back to a blocked thread. Gives how many threads are blocked. It takes no lock that running code needs for long,
   and reads live tasks from outside: on a program that is moving it may describe a moment that never was. [any thread] */
PRO_API int pro_report_blocked(pro_report_fn *line, void *user);

/* ---- events ---- */

/* The events of .NET's TplEventSource, fired when it fires them (SEM-340). "Current task" is the one whose body runs on this thread. */
enum pro_trace_kind {
    PRO_TRACE_TASK_SCHEDULED = 1,     /* @task was given to the scheduler @place                                              */
    PRO_TRACE_TASK_STARTED,           /* its body begins                                                                      */
    PRO_TRACE_TASK_COMPLETED,         /* its body and what it ran inline are over. @detail: it faulted                        */
    PRO_TRACE_WAIT_BEGIN,             /* for @task (0: for an operation of the loop @place). @detail: enum pro_trace_wait.
                                         @other: the method that awaits                                                       */
    PRO_TRACE_WAIT_END,               /* and goes on                                                                          */
    PRO_TRACE_CONTINUATION_SCHEDULED, /* the rest of the method @task goes to a queue: that of @place. (.NET leaves the pool's out) */
    PRO_TRACE_CONTINUATION_STARTED,   /* the rest of @task begins, and it had awaited neither task nor operation              */
    PRO_TRACE_CONTINUATION_COMPLETE,  /* it has suspended again, or ended. @task: what was awaited, else the method           */
    PRO_TRACE_NEW_ID,                 /* @task is a number given just now                                                     */
    PRO_TRACE_OPERATION_BEGIN,        /* causality: @task stands for an operation called @name                                */
    PRO_TRACE_OPERATION_RELATION,     /* it moved forward. @detail: enum pro_trace_relation                                   */
    PRO_TRACE_OPERATION_END,          /* @detail: enum pro_trace_status                                                       */
    PRO_TRACE_SYNCHRONOUS_WORK_BEGIN, /* this thread works for @task. @detail: enum pro_trace_work                            */
    PRO_TRACE_SYNCHRONOUS_WORK_END    /* no more                                                                              */
};
enum pro_trace_wait { PRO_TRACE_SYNCHRONOUS = 1, PRO_TRACE_ASYNCHRONOUS = 2 };
enum pro_trace_relation { PRO_TRACE_ASSIGN_DELEGATE, PRO_TRACE_JOIN, PRO_TRACE_CHOICE };
enum pro_trace_status { PRO_TRACE_COMPLETED = 1, PRO_TRACE_CANCELED, PRO_TRACE_ERROR };
enum pro_trace_work { PRO_TRACE_COMPLETION_NOTIFICATION, PRO_TRACE_EXECUTION = 2 };

struct pro_trace_event {
    enum pro_trace_kind kind;
    int detail;
    uint64_t time_ns;     /* pro_now()                                                                 */
    uint64_t thread;      /* pro_thread_id()                                                           */
    uint64_t task, other; /* numbers of pro_task_id(); 0: none                                         */
    uint64_t current;     /* the current task; 0: none                                                 */
    uint64_t activity;    /* pro_activity_id()                                                         */
    const char *name;     /* of an operation: "Async", "Task", "Task.ContinueWith", …; NULL: no operation  */
    const char *place;    /* name of the scheduler, context or loop that the event concerns; NULL: unnamed, or none */
    uintptr_t place_id;   /* the same, told apart by a number (its address); 0: none, or the pool      */
    struct pro_site site; /* of an async method that begins, or waits: file, function, line            */
};

/* Told of every event, on the thread where it happens, one at a time: calls never overlap. What @event points to lasts as long as the
   call; texts in it are static or their owner's. It may ask anything; it must start, complete, await and wait for nothing. What it does
   itself causes no event. */
typedef void pro_trace_fn(const struct pro_trace_event *event, void *user);

/* Makes @fn the listener (NULL: none) in place of the one before, which is not running any more when this returns, unless this is called
   from inside it. Without a listener an event costs one read of a flag, and awaiting what is complete not even that. [any thread] */
PRO_API void pro_trace_set_listener(pro_trace_fn *fn, void *user);
/* "TaskScheduled", as .NET calls it; "unknown" for a number that is none. [any thread] */
PRO_API const char *pro_trace_kind_name(enum pro_trace_kind kind);

/* ---- the table of active tasks (SEM-341) ---- */

/* From here on (or, with false, no more) each task that is scheduled, each async method that suspends, and each delay and combination that
   is made is kept in a table until it is complete: with a reference, so that one which nobody will ever complete is there to be found.
   Off, it forgets all. [any thread] */
PRO_API void pro_async_debugging_enable(bool on);
/* Calls fn(task, @user) for each active task of this moment, in the order of their numbers; lends it for the call, in which anything is
   allowed. Gives their count; 0 when debugging is off; PRO_E_NO_MEMORY. [any thread] */
typedef void pro_active_task_fn(struct pro_task *task, void *user);
PRO_API int pro_active_tasks_for_each(pro_active_task_fn *fn, void *user);
/* Gives a reference to the active task with this number; NULL: there is none. [any thread] */
PRO_API struct pro_task *pro_active_task_from_id(uint64_t id);

/* Tells every async method in that table that is suspended: the method, where it was called into being, the line where it waits, and for
   what. At the end of a program this is the list of methods that will never end (SEM-343). Gives how many they are; PRO_E_NO_MEMORY. As in
   pro_report_blocked(), a program that moves may be described as it never was. [any thread] */
PRO_API int pro_report_incomplete(pro_report_fn *line, void *user);

/* ---- activities: a number that flows with tasks and awaits, to group what belongs together (SEM-345) ---- */

/* The number of the activity that this thread works for; 0: none. It is part of the execution context: what is started or awaited from
   here works for the same one. [any thread] */
PRO_API uint64_t pro_activity_id(void);
/* Makes @id (0: none) the present activity, here and in what is called from here; callers of an async method keep theirs. PRO_E_NO_MEMORY
   changes nothing. [any thread] */
PRO_API int pro_activity_set_id(uint64_t id);
/* Gives a number that it has not given before, for pro_activity_set_id(); never 0. [any thread] */
PRO_API uint64_t pro_activity_new_id(void);

PRO_END_DECLS

#endif
