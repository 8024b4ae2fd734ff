/* SPDX-License-Identifier: MIT */
/* The ring's own table of files. A submission that names a place in it saves the kernel looking the descriptor up, and
   counting it, for each transfer: 2 % of a read from the page cache. Entering a file is a system call; so only files
   that are used often come into it, and leave it before they are closed. What leaves must be let go of at once, else a
   closed file would still be locked and busy: kernels before 6.14 may first wait for other transfers, or a second. */
#include "uring.h"

/* handle->backend[2] of a file: how many transfers went by its descriptor; above WORTH: its place, counted from 1. */
enum { WORTH = 64 };
_Static_assert(URING_PLACES == sizeof(uint64_t) * 8, "a bit for each");

/* IORING_FEAT_RW_ATTR: of Linux 6.14, the first mark that is newer than what lets go at once. */
enum { FEATURE_OF_6_14 = 1 << 16 };

/* By number: liburing's function raises the process's limit of open files when it is too low. */
static bool register_table(struct uring *uring)
{
    const struct io_uring_rsrc_register table = { .nr = URING_PLACES, .flags = IORING_RSRC_REGISTER_SPARSE };

    uring->system_calls++;
    return io_uring_register((unsigned)uring->ring.ring_fd, IORING_REGISTER_FILES2, &table, sizeof table) == 0;
}

static bool make_table(struct uring *uring)
{
    if (!uring->has_table && uring->places != UINT64_MAX) {
        uring->has_table = uring->ring.features & FEATURE_OF_6_14 && register_table(uring);
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

/* The kernel takes a ring apart when it has time, and would keep until then what the loop has closed by descriptor. */
void proi_uring_forget_all_files(struct uring *uring)
{
    if (uring->has_table)
        io_uring_unregister_files(&uring->ring);
}
