/* SPDX-License-Identifier: MIT */
/* The table of scenarios; CMake makes table.c from the names of the files. */
#ifndef CONFORMANCE_TABLE_H
#define CONFORMANCE_TABLE_H

#include <stddef.h>

struct scenario {
    const char *number; /* "001" */
    const char *name;   /* "001_ui_result_deadlock" */
    void (*body)(void);
};
extern const struct scenario scenarios[];
extern const size_t scenario_count;

#endif
