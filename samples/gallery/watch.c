/* SPDX-License-Identifier: MIT */
/* The watchdog. A scenario that is over in time is simply over. When nothing was heard for a while, the library is
   asked what it sees, twice; if both reports agree that somebody is blocked and nothing has moved in between, the
   scenario hangs, and the report tells why. No line of it is prepared: it is made of the live threads, tasks and queues
   of this process. */
#include <ctype.h>
#include <stdlib.h>

#include "system.h"
#include "watch.h"

enum { PATIENCE = 40 /* times the limit, for a machine that is slow but moves */, LAST_RESORT_MS = 30000 };

struct play {
    const struct page *page;
    const char *outcome;
    struct event *over;
};

static void play_main(void *arg)
{
    struct play *play = arg;
    play->outcome = play->page->scenario->play();
    event_set(play->over);
}

/* ---- what the library sees ---- */
struct report {
    char *text; /* lines, each with its newline */
    size_t used, size;
    int blocked;
};

static void report_line(const char *line, void *user)
{
    struct report *report = user;
    const size_t length = strlen(line) + 1;
    if (report->used + length >= report->size) {
        const size_t size = 2 * (report->size + length);
        char *text = realloc(report->text, size);
        if (!text)
            return;
        report->text = text;
        report->size = size;
    }
    memcpy(report->text + report->used, line, length - 1);
    report->text[report->used + length - 1] = '\n';
    report->used += length;
    report->text[report->used] = '\0';
}

/* The same threads, tasks and lines? Figures may differ: some are ages. */
static bool report_equal(const struct report *a, const struct report *b)
{
    const char *x = a->text ? a->text : "", *y = b->text ? b->text : "";
    if (a->blocked != b->blocked)
        return false;
    for (;; x++, y++) {
        while (isdigit((unsigned char)*x) || *x == '.')
            x++;
        while (isdigit((unsigned char)*y) || *y == '.')
            y++;
        if (*x != *y)
            return false;
        if (!*x)
            return true;
    }
}

static void report_print(const struct report *report)
{
    const char *line = report->text ? report->text : "", *end;
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1)
        printf("  > %.*s\n", (int)(end - line), line);
}

/* All threads the pool may have are blocked, and items wait for one: starved. Else the ring is in the report. */
static const char *name_hang(void)
{
    struct pro_pool_stats stats;
    if (pro_pool_get_stats(&stats) == PRO_OK && stats.blocked >= stats.max_threads && stats.queued > 0)
        return "starved";
    return "deadlock";
}

/* Were the report itself to hang, the gallery would prove the opposite of what it is for. */
static void last_resort(void *arg)
{
    if (event_wait(arg, LAST_RESORT_MS))
        return;
    fprintf(stderr, "gallery: the report did not come back within %d s.\n", LAST_RESORT_MS / 1000);
    system_end(3);
}

/* Gives NULL when it was over in time. */
static const char *watch(struct play *play, int limit_ms)
{
    static struct report looks[2];
    for (int look = 0; look < 2 * PATIENCE; look++) {
        struct report *now = &looks[look % 2], *before = &looks[1 - look % 2];
        struct event *reported;
        if (event_wait(play->over, limit_ms / 2))
            return NULL;
        now->used = 0;
        reported = event_new();
        if (reported && !system_thread_start(last_resort, reported))
            reported = NULL;
        now->blocked = pro_report_blocked(report_line, now);
        if (reported)
            event_set(reported); /* not freed: the last resort may be about to look at it */
        if (look > 0 && now->blocked > 0 && report_equal(now, before) && !event_wait(play->over, 0)) {
            printf("  --- nothing has moved for a while. What the library sees: ---\n");
            report_print(now);
            return name_hang();
        }
    }
    return "no verdict: it neither ends nor stands still";
}

const char *watch_play(const struct page *page, struct watch_options options, bool *ret_hung)
{
    static struct play play; /* a hung thread may outlive this call */
    const char *hang = NULL;
    play = (struct play){ .page = page, .outcome = "it did not start", .over = event_new() };
    if (!play.over)
        give_up("the scene cannot be set", PRO_E_NO_MEMORY);
    thread_run("main", play_main, &play);
    if (options.real)
        event_wait(play.over, -1);
    else
        hang = watch(&play, options.limit_ms);
    *ret_hung = hang != NULL;
    return hang ? hang : play.outcome;
}
