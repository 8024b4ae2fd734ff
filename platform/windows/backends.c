/* SPDX-License-Identifier: MIT */
/* Which backends Windows has, best first. */
#include "iocp.h"

const struct proi_backend_type *const proi_backends[] = { &proi_backend_iocp, &proi_backend_sim, NULL };
