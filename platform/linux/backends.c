/* SPDX-License-Identifier: MIT */
/* Linux: the kernels a loop may run on, best first. */
#include "native.h"

const struct proi_backend_type *const proi_backends[] = {
    &proi_backend_uring,
    &proi_backend_epoll,
    &proi_backend_sim,
    NULL,
};
