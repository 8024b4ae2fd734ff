/* SPDX-License-Identifier: MIT */
/* What the sample programs share: reading their arguments. */
#ifndef PROACT_SAMPLES_ARGUMENTS_H
#define PROACT_SAMPLES_ARGUMENTS_H

#include <proact/proact.h>

enum { EXIT_OK = 0, EXIT_TROUBLE = 1, EXIT_USAGE = 2 };

/* "--name", or "--name NUMBER" when @number is not NULL. A table of them ends with a zero entry. */
struct option {
    const char *name;
    bool *flag;
    long *number;
    long minimum, maximum;
};

/* Reads @arguments (argv). Gives -1 when the program is to go on, with the @count words that are no options in @words;
   else its exit status: after --help, or after a sentence about what is wrong. */
int arguments_read(const char *program, const char *help, const struct option *options, char **arguments, char **words,
                   int count);

/* Says what is wrong with an empty name of a file. */
bool path_check(const char *program, const char *path);

/* "7000" (on this machine) or "127.0.0.1:7000"; says what is wrong with anything else. */
bool address_read(const char *program, const char *text, struct pro_addr *ret_addr);

#endif
