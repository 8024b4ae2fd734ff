/* SPDX-License-Identifier: MIT */
/* The deadlock gallery: lists, plays, compares and explains the scenarios beside this file. */
#include <stdarg.h>
#include <stdlib.h>

#include "system.h"
#include "watch.h"

enum { EXIT_AS_EXPECTED = 0, EXIT_NOT_AS_EXPECTED = 1, EXIT_USAGE = 2 };

struct options {
    bool all, real, verdict, plain;
    int limit_ms;
    const char *names[2];
    int name_count;
};

static int usage_error(const char *format, ...) PRO_PRINTF(1, 2);
static int usage_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("gallery: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs(" See gallery --help.\n", stderr);
    va_end(arguments);
    return EXIT_USAGE;
}

static int help(void)
{
    puts("The deadlock gallery: small programs that hang, and what cures them. Each waits for real I/O.\n"
         "\n"
         "  gallery list [--plain]         the scenarios; --plain: number, name and title with tabs between\n"
         "  gallery run NAME [options]     plays one; a NAME may be its number\n"
         "  gallery run --all [options]    plays all, each in a process of its own\n"
         "  gallery diff NAME NAME         the lines in which two of them differ: a disease and its cure, say\n"
         "  gallery explain NAME           why it ends as it does\n"
         "\n"
         "  --real         no watchdog: see it hang yourself; Ctrl-C ends it\n"
         "  --limit MS     how long nothing may move before the watchdog looks, default 1000\n"
         "  --verdict      the last line is VERDICT, name, outcome, and \"ok\" or \"NOT AS EXPECTED\", with tabs "
         "between\n"
         "\n"
         "Exit status: 0 all ended as they should, 1 one did not, 2 wrong arguments.\n"
         "PROACT_BACKEND=epoll (or io_uring, iocp) chooses the backend.");
    return EXIT_AS_EXPECTED;
}

/* ---- the commands ---- */
static int list(const struct options *options)
{
    const struct page *page;
    if (options->name_count > 0)
        return usage_error("list takes no NAME.");
    for (size_t i = 0; (page = book_page(i)) != NULL; i++)
        printf(options->plain ? "%d\t%s\t%s\n" : "%4d  %-20s %s\n", page->number, page->name, page->title);
    if (!options->plain)
        puts("\nStart with: gallery run result_on_ui; gallery explain result_on_ui; gallery diff result_on_ui "
             "async_all_the_way");
    return EXIT_AS_EXPECTED;
}

static int run_one(const struct page *page, const struct options *options)
{
    const struct watch_options watch_options = { options->limit_ms, options->real };
    const char *outcome;
    bool hung, expected;
    printf("%02d %s: %s\n", page->number, page->name, page->title);
    if (options->real)
        printf("  no watchdog: if it hangs, Ctrl-C ends it\n");
    outcome = watch_play(page, watch_options, &hung);
    expected = strcmp(outcome, page->scenario->expects) == 0;
    if (expected)
        printf("  outcome: %s, as it should be\n", outcome);
    else
        printf("  outcome: %s; NOT AS EXPECTED, which is: %s\n", outcome, page->scenario->expects);
    printf("  why: gallery explain %s", page->name);
    if (page->scenario->compare)
        printf("; compare: gallery diff %s %s", page->name, page->scenario->compare);
    printf("\n");
    if (options->verdict)
        printf("VERDICT\t%s\t%s\t%s\n", page->name, outcome, expected ? "ok" : "NOT AS EXPECTED");
    if (hung) /* threads of it are stuck, and will be for ever: nothing can be tidied up behind them */
        system_end(expected ? EXIT_AS_EXPECTED : EXIT_NOT_AS_EXPECTED);
    return expected ? EXIT_AS_EXPECTED : EXIT_NOT_AS_EXPECTED;
}

static int run_all(const struct options *options)
{
    const struct page *page;
    size_t total = 0, good = 0;
    char limit[16];
    snprintf(limit, sizeof limit, "%d", options->limit_ms);
    for (size_t i = 0; (page = book_page(i)) != NULL; i++, total++) {
        const char *arguments[] = { "run", page->name, "--limit", limit, options->verdict ? "--verdict" : NULL, NULL };
        const int status = system_run_self(arguments);
        if (status == EXIT_AS_EXPECTED)
            good++;
        else if (status != EXIT_NOT_AS_EXPECTED)
            printf("%s did not come to its end (status %d).\n", page->name, status);
        printf("\n");
    }
    printf("%zu of %zu ended as they should.\n", good, total);
    return good == total ? EXIT_AS_EXPECTED : EXIT_NOT_AS_EXPECTED;
}

static const struct page *find(const char *name)
{
    const struct page *page = book_find(name);
    if (!page)
        usage_error("there is no scenario \"%s\"; gallery list shows which there are.", name);
    return page;
}

static int run(const struct options *options)
{
    const struct page *page;
    if (options->all) {
        if (options->name_count > 0)
            return usage_error("run takes a NAME or --all, not both.");
        if (options->real)
            return usage_error("--real goes with one NAME: the first that hangs would end the tour.");
        return run_all(options);
    }
    if (options->name_count != 1)
        return usage_error("run takes one NAME, or --all.");
    page = find(options->names[0]);
    return page ? run_one(page, options) : EXIT_USAGE;
}

static int diff(const struct options *options)
{
    const struct page *from, *to;
    if (options->name_count != 2)
        return usage_error("diff takes two NAMEs.");
    from = find(options->names[0]);
    to = from ? find(options->names[1]) : NULL;
    if (!to)
        return EXIT_USAGE;
    page_diff(from, to);
    return EXIT_AS_EXPECTED;
}

static int explain(const struct options *options)
{
    const struct page *page;
    if (options->name_count != 1)
        return usage_error("explain takes one NAME.");
    page = find(options->names[0]);
    if (!page)
        return EXIT_USAGE;
    page_explain(page);
    return EXIT_AS_EXPECTED;
}

/* ---- the command line ---- */
static int parse_limit(const char *text, int *ret_ms)
{
    char *end = NULL;
    const long ms = text ? strtol(text, &end, 10) : 0;
    if (!text || *end || ms < 10 || ms > 600000)
        return usage_error("--limit takes milliseconds, 10 to 600000.");
    *ret_ms = (int)ms;
    return 0;
}

/* @takes: the options of this command. */
static int parse(struct options *options, const char *command, const char *takes, char *const *argument)
{
    for (; *argument; argument++) {
        if (**argument == '-' && !strstr(takes, *argument)) {
            return usage_error("%s has no option \"%s\".", command, *argument);
        } else if (strcmp(*argument, "--all") == 0) {
            options->all = true;
        } else if (strcmp(*argument, "--real") == 0) {
            options->real = true;
        } else if (strcmp(*argument, "--verdict") == 0) {
            options->verdict = true;
        } else if (strcmp(*argument, "--plain") == 0) {
            options->plain = true;
        } else if (strcmp(*argument, "--limit") == 0) {
            const int code = parse_limit(argument[1], &options->limit_ms);
            if (code != 0)
                return code;
            argument++;
        } else if (**argument == '-') {
            return usage_error("there is no option \"%s\".", *argument);
        } else if (options->name_count == 2) {
            return usage_error("\"%s\" is one NAME too many.", *argument);
        } else {
            options->names[options->name_count++] = *argument;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name, *takes;
        int (*run)(const struct options *options);
    } commands[] = { { "list", "--plain", list },
                     { "run", "--all --real --verdict --limit", run },
                     { "diff", "", diff },
                     { "explain", "", explain } };
    struct options options = { .limit_ms = 1000 };
    system_prepare_output();
    book_open();
    if (argc < 2)
        return usage_error("a command is missing: list, run, diff or explain.");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return help();
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            const int code = parse(&options, commands[i].name, commands[i].takes, argv + 2);

            return code != 0 ? code : commands[i].run(&options);
        }
    return usage_error("there is no command \"%s\".", argv[1]);
}
