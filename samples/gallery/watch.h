/* SPDX-License-Identifier: MIT */
/* Plays a scenario on a thread of its own and notices when it hangs. */
#ifndef PROACT_GALLERY_WATCH_H
#define PROACT_GALLERY_WATCH_H

#include "book.h"

struct watch_options {
    int limit_ms; /* so long may nothing move */
    bool real;    /* no watchdog at all       */
};

/* Plays it. Gives the outcome; *@ret_hung tells whether its threads are still stuck in it: then the process can only be
   left with _Exit(). */
const char *watch_play(const struct page *page, struct watch_options options, bool *ret_hung);

#endif
