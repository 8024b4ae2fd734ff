/* SPDX-License-Identifier: MIT */
/* The ring's own table of files. A submission that names a place in it saves the kernel looking the descriptor up, and
   counting it, for each transfer: 2 % of a read from the page cache. Entering a file is a system call; so only files
   that are used often come into it, and leave it before they are closed. Sockets do not: older kernels let go of what
   leaves the table when everything begun before has ended, and a receive may wait for ever. */
#include "uring.h"

/* handle->backend[2] of a file: how many transfers went by its descriptor; above WORTH: its place, counted from 1. */
enum { WORTH = 64 };
_Static_assert(URING_PLACES == sizeof(uint64_t) * 8, "a bit for each");

static bool make_table(struct uring *uring)
{
    if (!uring->has_table && uring->places != UINT64_MAX) {
        uring->has_table = io_uring_register_files_sparse(&uring->ring, URING_PLACES) == 0;
        if (!uring->has_table)
            uring->places = UINT64_MAX; /* all taken: not asked again */
    }
    return uring->has_table;
}

/* 0: there is none. */
static unsigned enter_file(struct uring *uring, int fd)
{
    unsigned place;

    if (!make_table(uring) || uring->places == UINT64_MAX)
        return 0;
    place = (unsigned)__builtin_ctzll(~uring->places);
    uring->system_calls++;
    if (io_uring_register_files_update(&uring->ring, place, &fd, 1) != 1)
        return 0;
    uring->places |= UINT64_C(1) << place;
    return place + 1;
}

void proi_uring_name_file(struct uring *uring, struct io_uring_sqe *sqe, struct pro_handle *handle)
{
    uint64_t *const known = &handle->backend[2];

    if (*known < WORTH) {
        if (++*known == WORTH)
            *known += enter_file(uring, (int)handle->native);
    } else if (*known > WORTH) {
        sqe->fd = (int)(*known - WORTH - 1);
        sqe->flags |= IOSQE_FIXED_FILE;
    }
}

void proi_uring_forget_file(struct uring *uring, struct pro_handle *handle)
{
    const int none = -1;
    unsigned place;

    if (handle->kind != PROI_HANDLE_FILE || handle->backend[2] <= WORTH)
        return;
    place = (unsigned)(handle->backend[2] - WORTH - 1);
    handle->backend[2] = WORTH;
    uring->system_calls++;
    if (io_uring_register_files_update(&uring->ring, place, &none, 1) == 1)
        uring->places &= ~(UINT64_C(1) << place); /* else it is still there: never given away again */
}
