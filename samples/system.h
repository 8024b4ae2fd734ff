/* SPDX-License-Identifier: MIT */
/* What the sample programs need of the system and the library does not offer. One file per system; CMake chooses. */
#ifndef PROACT_SAMPLES_SYSTEM_H
#define PROACT_SAMPLES_SYSTEM_H

#include <stdbool.h>

/* Does standard error go to a terminal? */
bool system_is_terminal(void);
/* Are both there, and one and the same file? */
bool system_is_same_file(const char *path, const char *other);
/* Allows this process as many open files as it may have. */
void system_raise_file_limit(void);
/* The arguments in UTF-8, which is what the library's paths are in. Gives @arguments where they are so already. */
char **system_arguments(char **arguments);

#endif
