/* SPDX-License-Identifier: MIT */
/* conformance NNN: runs one scenario and prints its trace. conformance list: names them all. */
#include "harness.h"
#include "table.h"

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (size_t i = 0; i < scenario_count; i++)
            printf("%s\n", scenarios[i].name);
        return 0;
    }
    for (size_t i = 0; argc == 2 && i < scenario_count; i++)
        if (strcmp(argv[1], scenarios[i].number) == 0)
            harness_run(scenarios[i].body);
    fprintf(stderr, "usage: conformance NNN, or conformance list\n");
    return 64;
}
