/* SPDX-License-Identifier: MIT */
/* What the scenarios share: a stage (a user interface, a request, the pool), a server to talk to, and how one of them
   is written down. A scenario's file is read by people who learn: what it is about stands there, everything else is
   here. */
#ifndef PROACT_GALLERY_H
#define PROACT_GALLERY_H

#include <stdio.h>
#include <string.h>

#include <proact/proact.h>

/* ---- a scenario: one file; its number and name are the file's, its first comment says what it shows and why ---- */
struct scenario {
    const char *(*play)(void); /* gives the outcome in words; one that hangs never returns        */
    const char *file;          /* "…/01_result_on_ui.c"                                            */
    const char *expects;       /* the outcome it should have; "deadlock" and "starved" mean a hang */
    const char *compare;       /* the name of its cure, or of the disease it cures                 */
    struct scenario *next;
};
void scenario_register(struct scenario *scenario);

/* The last line of a scenario's file. */
#define SCENARIO(play_function, ...)                                                                                   \
    __attribute__((constructor)) static void scenario_add(void)                                                        \
    {                                                                                                                  \
        static struct scenario scenario = { .play = (play_function), .file = __FILE__, __VA_ARGS__ };                  \
        scenario_register(&scenario);                                                                                  \
    }                                                                                                                  \
    struct scenario /* takes the semicolon */

/* ---- telling ---- */
/* Prints one line, with the name of the thread that says it. */
void say(const char *format, ...) PRO_PRINTF(1, 2);

/* ---- the stages: each runs @handler there, and gives the outcome after somebody has called scene_end() ---- */
/* A user interface: one thread (the caller's), one queue. The handler is its first event, a click. */
const char *ui_run(pro_work_fn *handler);
struct pro_pump *ui_pump(void);
/* A request as in classic ASP.NET: a pool thread with a request context, one at a time. */
const char *request_run(pro_work_fn *handler);
/* A request as in ASP.NET Core: a pool thread with no context at all. */
const char *pool_run(pro_work_fn *handler);
/* Ends the scene. The outcome is "completes" when @code is PRO_OK and the server's answer is right, else it tells the
 * error. */
void scene_end(int code, const char *answer);
/* A word or two for @code: "completes", "refused" (PRO_E_DEADLOCK), "timed out" …; else the code's name. */
const char *outcome_of(int code);
/* Ends the scene with an outcome of its own. Formats. */
void scene_end_with(const char *format, ...) PRO_PRINTF(1, 2);
/* Waits for scene_end(); gives the outcome. Blocks outside the library, so no report mentions it. */
const char *scene_wait(void);

/* ---- the server: real TCP on loopback, on a loop and a thread of its own ----
   "name"      it answers "Ada".
   "N name"    it keeps the request, and answers "N Ada" when it is told to flush.
   "N silence" as above, but it is answered only by the second flush: late.
   "flush"     it answers what it keeps, the newest first. */
void server_start(void);
const struct pro_addr *server_address(void);

/* What the server answers, or a file says. */
struct answer {
    char text[64];
};
/* Asks the server one question: connect, send, receive, close. Each await with these options; the task's result is a
   struct answer. For scenarios that are about something else. */
struct pro_task *ask_async(const char *question, unsigned await_options) PRO_NODISCARD;

/* Cuts a stream into lines. Receive into lines_free(), then take: calls @take for each whole line, without its newline;
   the beginning of the next one stays. */
struct lines {
    char text[1024];
    size_t used;
};
void *lines_free(struct lines *lines, size_t *ret_size);
void lines_take(struct lines *lines, size_t received, void (*take)(void *arg, const char *line), void *arg);

/* Sorts the @count durations, tells their median and the longest, and gives the median in ms. */
double latencies_tell(const char *how, uint64_t *durations_ns, size_t count);

/* ---- threads, which the library does not offer to its users ---- */
/* Starts fn(@arg) on a thread called @name. */
void thread_run(const char *name, void (*fn)(void *arg), void *arg);
/* Stands for a call that blocks: an old library, a name lookup. */
void block_for_ms(int ms);

/* A loop on a thread of its own. */
struct loop_thread {
    struct pro_loop *loop;
    struct pro_completion_source *stop;
    struct system_thread *thread;
};
void loop_thread_start(struct loop_thread *thread, const char *name);
/* Frees the loop, on its thread, and waits for the thread's end. */
void loop_thread_stop(struct loop_thread *thread);

/* Ends the program with a sentence: something a scenario needs is not there. */
_Noreturn void give_up(const char *what, int code);

#endif
