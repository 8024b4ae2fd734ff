/* SPDX-License-Identifier: MIT */
/* Reading the arguments of a sample program. */
#include "arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool number_read(const char *text, long minimum, long maximum, long *ret_number)
{
    char *end;
    long number;

    if (*text < '0' || *text > '9') /* strtol takes blanks and signs, too */
        return false;
    number = strtol(text, &end, 10);
    if (*end || number < minimum || number > maximum) /* an overflow is LONG_MAX, and past every maximum here */
        return false;
    *ret_number = number;
    return true;
}

static const struct option *option_find(const struct option *options, const char *name)
{
    for (; options->name; options++)
        if (strcmp(options->name, name) == 0)
            return options;
    return NULL;
}

/* Takes one option and, if it has one, its value: gives the last argument used, NULL after a complaint. */
static char **option_take(const char *program, const struct option *options, char **arguments)
{
    const struct option *option = option_find(options, *arguments);

    if (!option) {
        fprintf(stderr, "%s: there is no option '%s'; --help lists them\n", program, *arguments);
        return NULL;
    }
    if (option->flag) {
        *option->flag = true;
        return arguments;
    }
    if (!arguments[1] || !number_read(arguments[1], option->minimum, option->maximum, option->number)) {
        fprintf(stderr, "%s: %s needs a number from %ld to %ld, not '%s'\n", program, option->name, option->minimum,
                option->maximum, arguments[1] ? arguments[1] : "");
        return NULL;
    }
    return arguments + 1;
}

int arguments_read(const char *program, const char *help, const struct option *options, char **arguments, char **words,
                   int count)
{
    int found = 0;
    bool only_words = false;

    for (arguments++; *arguments; arguments++) {
        if (only_words || **arguments != '-' || strcmp(*arguments, "-") == 0) {
            if (found < count)
                words[found] = *arguments;
            found++;
        } else if (strcmp(*arguments, "--") == 0) {
            only_words = true;
        } else if (strcmp(*arguments, "--help") == 0 || strcmp(*arguments, "-h") == 0) {
            fputs(help, stdout);
            return EXIT_OK;
        } else {
            arguments = option_take(program, options, arguments);
            if (!arguments)
                return EXIT_USAGE;
        }
    }
    if (found == count)
        return -1;
    fprintf(stderr, "%s: %s arguments: it takes %d; --help tells which\n", program,
            found < count ? "too few" : "too many", count);
    return EXIT_USAGE;
}

bool path_check(const char *program, const char *path)
{
    if (*path)
        return true;
    fprintf(stderr, "%s: '' is no name of a file\n", program);
    return false;
}

bool address_read(const char *program, const char *text, struct pro_addr *ret_addr)
{
    const char *colon = strrchr(text, ':');
    long port = 0;

    if (!number_read(colon ? colon + 1 : text, 0, 65535, &port)) {
        fprintf(stderr, "%s: '%s' is no port: it takes a number from 0 to 65535\n", program, colon ? colon + 1 : text);
        return false;
    }
    if (!colon) {
        *ret_addr = pro_addr_loopback((uint16_t)port);
        return true;
    }
    if (pro_addr_parse(text, ret_addr) == PRO_OK)
        return true;
    fprintf(stderr, "%s: '%s' is no address: it takes numbers, as in 127.0.0.1:7000 or [::1]:7000\n", program, text);
    return false;
}
