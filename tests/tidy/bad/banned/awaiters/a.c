/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
void f(struct a *a)
{
    a->free(p);
    proi_free(p);
    free(p);
    x = malloc(3);
    pthread_create(0);
    fprintf(stderr, "x");
    snprintf(x);
}
