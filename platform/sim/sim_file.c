/* SPDX-License-Identifier: MIT */
/* Simulated files: names of this instance, contents in pages with holes between, a disk that may be small. */
#include "sim.h"

#include <string.h>

static const uint64_t LARGEST_FILE = UINT64_C(1) << 62;

/* ---- contents ---- */

/* Where the page of @index is, or would be. */
static size_t page_place(const struct sim_inode *inode, uint64_t index)
{
    size_t low = 0, high = inode->page_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (inode->pages[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static unsigned char *page_find(const struct sim_inode *inode, uint64_t index)
{
    size_t place = page_place(inode, index);

    return place < inode->page_count && inode->pages[place].index == index ? inode->pages[place].bytes : NULL;
}

static bool pages_reserve(struct sim_inode *inode)
{
    size_t capacity = inode->page_capacity ? inode->page_capacity * 2 : 8;
    struct sim_page *pages;

    if (inode->page_count < inode->page_capacity)
        return true;
    pages = proi_realloc(inode->pages, capacity * sizeof *pages);
    if (!pages)
        return false;
    inode->pages = pages;
    inode->page_capacity = capacity;
    return true;
}

static int page_make(struct sim *sim, struct sim_inode *inode, uint64_t index, unsigned char **ret_bytes)
{
    size_t place = page_place(inode, index);
    unsigned char *bytes = page_find(inode, index);

    if (!bytes) {
        if (sim->space_left < SIM_PAGE_SIZE)
            return PRO_E_NO_SPACE;
        bytes = pages_reserve(inode) ? proi_alloc_zeroed(SIM_PAGE_SIZE) : NULL;
        if (!bytes)
            return PRO_E_NO_MEMORY;
        if (sim->space_left != UINT64_MAX) /* else the disk has no end */
            sim->space_left -= SIM_PAGE_SIZE;
        memmove(&inode->pages[place + 1], &inode->pages[place], (inode->page_count - place) * sizeof inode->pages[0]);
        inode->pages[place] = (struct sim_page){ .index = index, .bytes = bytes };
        inode->page_count++;
    }
    *ret_bytes = bytes;
    return PRO_OK;
}

static void inode_empty(struct sim *sim, struct sim_inode *inode)
{
    for (size_t i = 0; i < inode->page_count; i++)
        proi_free(inode->pages[i].bytes);
    if (sim->space_left != UINT64_MAX)
        sim->space_left += (uint64_t)inode->page_count * SIM_PAGE_SIZE;
    inode->page_count = 0;
    inode->size = 0;
}

void sim_inodes_free(struct sim *sim)
{
    while (sim->inodes) {
        struct sim_inode *inode = sim->inodes;

        sim->inodes = inode->next;
        inode_empty(sim, inode);
        proi_free(inode->pages);
        proi_free(inode->name);
        proi_free(inode);
    }
}

/* ---- names ---- */

/* Ends like one, or a file was made below it. */
static bool is_directory(const struct sim *sim, const char *path)
{
    size_t length = strlen(path);
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;

    if (slash && !last[0])
        return true;
    if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return true;
    for (const struct sim_inode *inode = sim->inodes; inode; inode = inode->next)
        if (strncmp(inode->name, path, length) == 0 && inode->name[length] == '/')
            return true;
    return false;
}

static struct sim_inode *inode_find(const struct sim *sim, const char *path)
{
    struct sim_inode *inode = sim->inodes;

    while (inode && strcmp(inode->name, path) != 0)
        inode = inode->next;
    return inode;
}

static struct sim_inode *inode_new(struct sim *sim, const char *path)
{
    size_t size = strlen(path) + 1;
    struct sim_inode *inode = proi_alloc_zeroed(sizeof *inode);

    if (!inode)
        return NULL;
    inode->name = proi_alloc(size);
    if (!inode->name) {
        proi_free(inode);
        return NULL;
    }
    memcpy(inode->name, path, size);
    inode->next = sim->inodes;
    sim->inodes = inode;
    return inode;
}

static int inode_open(struct sim *sim, const struct proi_open_args *args, struct sim_inode **ret_inode)
{
    struct sim_inode *inode = inode_find(sim, args->path);

    if (!args->path[0])
        return PRO_E_NOT_FOUND;
    if (is_directory(sim, args->path))
        return PRO_E_IS_DIRECTORY;
    if (inode && (args->flags & PRO_OPEN_CREATE) && (args->flags & PRO_OPEN_EXCLUSIVE))
        return PRO_E_EXISTS;
    if (!inode && !(args->flags & PRO_OPEN_CREATE))
        return PRO_E_NOT_FOUND;
    if (!inode)
        inode = inode_new(sim, args->path);
    if (!inode)
        return PRO_E_NO_MEMORY;
    if (args->flags & PRO_OPEN_TRUNCATE)
        inode_empty(sim, inode);
    *ret_inode = inode;
    return PRO_OK;
}

void sim_file_open(struct sim *sim, struct sim_request *request)
{
    struct sim_inode *inode = NULL;
    struct sim_file *file = proi_alloc_zeroed(sizeof *file); /* first: what is made on the disk stays there */
    int code = file ? inode_open(sim, &request->args.open, &inode) : PRO_E_NO_MEMORY;

    if (code != PRO_OK) {
        proi_free(file);
        sim_finish(sim, request, code, 0);
        return;
    }
    file->object = (struct sim_object){ .sim = sim, .kind = PROI_HANDLE_FILE };
    file->inode = inode;
    file->flags = request->args.open.flags;
    *proi_op_native(request->op) = (size_t)(uintptr_t)file;
    sim_finish(sim, request, PRO_OK, 0);
}

/* ---- reading and writing ---- */

/* PRO_OK, or why this file cannot do what @op asks. */
static int transfer_check(const struct sim_file *file, struct pro_op *op, unsigned needs)
{
    uint64_t unaligned = (uint64_t)(uintptr_t)proi_op_data(op) | proi_op_left(op) | op->offset;

    if (!(file->flags & needs))
        return PRO_E_BAD_HANDLE;
    if ((file->flags & PRO_OPEN_DIRECT) && unaligned % SIM_PAGE_SIZE)
        return PRO_E_INVALID;
    return PRO_OK;
}

/* How much of @left bytes at @offset lies in one page. */
static size_t page_part(uint64_t offset, size_t left)
{
    size_t room = SIM_PAGE_SIZE - (size_t)(offset % SIM_PAGE_SIZE);

    return left < room ? left : room;
}

void sim_file_read(struct sim *sim, struct sim_request *request)
{
    struct pro_op *op = request->op;
    const struct sim_file *file = (const struct sim_file *)op->handle->native;
    const struct sim_inode *inode = file->inode;
    unsigned char *to = proi_op_data(op);
    size_t count = proi_op_left(op);
    int code = transfer_check(file, op, PRO_OPEN_READ);

    if (code != PRO_OK || op->offset >= inode->size) {
        sim_finish(sim, request, code, 0);
        return;
    }
    if (count > inode->size - op->offset)
        count = (size_t)(inode->size - op->offset);
    count = sim_cut(sim, count);
    for (size_t moved = 0, part; moved < count; moved += part) {
        uint64_t at = op->offset + moved;
        const unsigned char *page = page_find(inode, at / SIM_PAGE_SIZE);

        part = page_part(at, count - moved);
        if (page)
            memcpy(to + moved, page + at % SIM_PAGE_SIZE, part);
        else
            memset(to + moved, 0, part);
    }
    sim_finish(sim, request, (int64_t)count, count);
}

void sim_file_write(struct sim *sim, struct sim_request *request)
{
    struct pro_op *op = request->op;
    const struct sim_file *file = (const struct sim_file *)op->handle->native;
    const unsigned char *from = proi_op_data(op);
    size_t count = sim_cut(sim, proi_op_left(op)), moved = 0;
    int code = transfer_check(file, op, PRO_OPEN_WRITE);

    if (code == PRO_OK && (op->offset > LARGEST_FILE || count > LARGEST_FILE - op->offset))
        code = PRO_E_TOO_LARGE;
    while (code == PRO_OK && moved < count) {
        uint64_t at = op->offset + moved;
        size_t part = page_part(at, count - moved);
        unsigned char *page;

        code = page_make(sim, file->inode, at / SIM_PAGE_SIZE, &page);
        if (code == PRO_OK) {
            memcpy(page + at % SIM_PAGE_SIZE, from + moved, part);
            moved += part;
        }
    }
    if (moved && op->offset + moved > file->inode->size)
        file->inode->size = op->offset + moved;
    /* What fitted is told first; the next write learns why no more did. */
    sim_finish(sim, request, moved ? (int64_t)moved : code, moved);
}
