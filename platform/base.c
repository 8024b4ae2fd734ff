/* SPDX-License-Identifier: MIT */
/* The few public answers that need no state: version and clock. */
#include "platform.h"

const char *pro_version(void) { return PRO_VERSION_STRING; }

uint64_t pro_now(void) { return proi_now(); }
