/* SPDX-License-Identifier: MIT */
/* Files of the completion-port backend, driven through its table without a loop. */

#include "windows_iocp.h"

/* ---- files ---- */
static char *path_of(const char *name, char *ret_path, size_t size)
{
    wchar_t folder[MAX_PATH];
    char text[3 * MAX_PATH];

    GetTempPathW(MAX_PATH, folder);
    WideCharToMultiByte(CP_UTF8, 0, folder, -1, text, sizeof text, NULL, NULL);
    snprintf(ret_path, size, "%sproact-%lu-%s", text, (unsigned long)GetCurrentProcessId(), name);
    return ret_path;
}

static int64_t file_open(struct proi_backend *backend, struct pro_handle *file, const char *path, unsigned flags)
{
    const struct proi_open_args args = { path, flags };
    struct pro_op op = { 0 };

    memcpy(proi_op_args(&op), &args, sizeof args);
    op_submit(backend, &op, PRO_OP_FILE_OPEN, NULL);
    if (op_wait(backend, &op) == PRO_OK)
        handle_attach(backend, file, PROI_HANDLE_FILE, *proi_op_native(&op), PRO_OP_FILE_OPEN);
    return op.result;
}

static int64_t file_transfer(struct proi_backend *backend, enum pro_op_kind kind, struct pro_handle *file, void *buffer,
                             size_t length, uint64_t offset)
{
    struct pro_op op = { .offset = offset };

    transfer_submit(backend, &op, kind, file, buffer, length);
    return op_wait(backend, &op);
}

static int64_t file_sync(struct proi_backend *backend, struct pro_handle *file)
{
    struct pro_op op = { 0 };

    op_submit(backend, &op, PRO_OP_FILE_SYNC, file);
    return op_wait(backend, &op);
}

static void file_remove(const char *path)
{
    wchar_t wide[600];

    MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, 600);
    CHECK(DeleteFileW(wide));
}

static void file_forget(const char *path)
{
    wchar_t wide[600];

    MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, 600);
    DeleteFileW(wide);
}

TEST(iocp_file_is_written_read_and_ends_with_0)
{
    // Kills: ERROR_HANDLE_EOF as a failure; the upper half of the offset dropped.
    const unsigned all = PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_CREATE;
    struct proi_backend *backend = backend_open();
    struct pro_handle file, again;
    char path[900], buffer[16] = "";
    uint64_t size = 0;

    path_of("\xC3\xBCml\xC3\xA4ut \xE2\x82\xAC", path, sizeof path);
    file_forget(path); /* of a run that was ended */
    REQUIRE(file_open(backend, &file, path, all | PRO_OPEN_EXCLUSIVE) == PRO_OK);
    CHECK_EQ(file_open(backend, &again, path, all | PRO_OPEN_EXCLUSIVE), PRO_E_EXISTS);
    CHECK_EQ(file_transfer(backend, PRO_OP_WRITE_AT, &file, (char[]){ "0123456789" }, 10, 0), 10);
    CHECK_EQ(file_transfer(backend, PRO_OP_WRITE_AT, &file, (char[]){ "far" }, 3, UINT64_C(0x123456789A)), 3);
    CHECK_EQ(file_sync(backend, &file), PRO_OK);
    CHECK_EQ(type->file_size(backend, &file, &size), PRO_OK);
    CHECK_EQ(size, UINT64_C(0x123456789A) + 3);
    CHECK_EQ(file_transfer(backend, PRO_OP_READ_AT, &file, buffer, 4, 6), 4);
    CHECK(memcmp(buffer, "6789", 4) == 0);
    CHECK_EQ(file_transfer(backend, PRO_OP_READ_AT, &file, buffer, sizeof buffer, UINT64_C(0x123456789A)), 3);
    CHECK(memcmp(buffer, "far", 3) == 0);
    CHECK_EQ(file_transfer(backend, PRO_OP_READ_AT, &file, buffer, sizeof buffer, size), 0);
    REQUIRE(file_open(backend, &again, path, PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_TRUNCATE) == PRO_OK);
    CHECK_EQ(type->file_size(backend, &again, &size), PRO_OK);
    CHECK_EQ(size, 0);
    handle_close(backend, &again);
    REQUIRE(file_open(backend, &again, path, PRO_OPEN_READ) == PRO_OK);
    CHECK_EQ(file_sync(backend, &again), PRO_OK); /* FlushFileBuffers refuses a handle that cannot write */
    CHECK_EQ(file_transfer(backend, PRO_OP_WRITE_AT, &again, buffer, 1, 0), PRO_E_ACCESS);
    handle_close(backend, &again);
    handle_close(backend, &file);
    file_remove(path);
    type->close(backend);
}

TEST(iocp_start_that_fails_but_queues_a_packet_is_delivered_once)
{
    // Kills: ending a failed start without a packet of our own behind it. Wine queues one for a read from NUL although
    // it fails at once; that one would end the op's next life, a receive that nothing has come for. More than one
    // turn's packets of them.
    enum { COUNT = 600 };
    static struct pro_op ops[COUNT];
    struct proi_backend *backend = backend_open();
    struct pro_handle nul;
    struct pair pair;
    char byte = 0;

    pair_open(backend, &pair);
    REQUIRE(file_open(backend, &nul, "NUL", PRO_OPEN_READ) == PRO_OK);
    memset(ops, 0, sizeof ops);
    for (size_t i = 0; i < COUNT; i++)
        transfer_submit(backend, &ops[i], PRO_OP_READ_AT, &nul, &byte, 1);
    for (size_t i = 0; i < COUNT; i++)
        CHECK_EQ(op_wait(backend, &ops[i]), 0);
    for (size_t i = 0; i < COUNT; i++)
        transfer_submit(backend, &ops[i], PRO_OP_RECV, &pair.server, &byte, 1);
    CHECK_EQ(drain(backend), 0);
    for (size_t i = 0; i < COUNT; i++)
        type->cancel(backend, &ops[i]);
    for (size_t i = 0; i < COUNT; i++)
        CHECK_EQ(op_wait(backend, &ops[i]), PRO_E_CANCELED);
    handle_close(backend, &nul);
    pair_close(backend, &pair);
}

TEST(iocp_bad_buffers_and_offsets_are_refused_once)
{
    // Kills: passing on the two offsets that mean "at the end" and "where the handle is".
    const unsigned all = PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_CREATE;
    struct proi_backend *backend = backend_open();
    struct pro_handle file;
    char path[900], byte = 0;

    REQUIRE(file_open(backend, &file, path_of("bad", path, sizeof path), all) == PRO_OK);
    CHECK_EQ(file_transfer(backend, PRO_OP_WRITE_AT, &file, (void *)(uintptr_t)16, 10, 0), PRO_E_INVALID);
    CHECK_EQ(file_transfer(backend, PRO_OP_WRITE_AT, &file, &byte, 1, UINT64_MAX), PRO_E_INVALID);
    CHECK_EQ(file_transfer(backend, PRO_OP_READ_AT, &file, &byte, 1, UINT64_MAX - 1), PRO_E_INVALID);
    CHECK_EQ(drain(backend), 0);
    handle_close(backend, &file);
    file_remove(path);
    type->close(backend);
}

TEST(iocp_paths_that_cannot_be_opened_are_told_apart)
{
    // Kills: a directory reported as "permission denied"; a name that is not UTF-8 opened as something else.
    struct proi_backend *backend = backend_open();
    struct pro_handle file;
    char path[900];

    CHECK_EQ(file_open(backend, &file, path_of("missing", path, sizeof path), PRO_OPEN_READ), PRO_E_NOT_FOUND);
    CHECK_EQ(file_open(backend, &file, path_of("no/such/folder", path, sizeof path), PRO_OPEN_READ), PRO_E_NOT_FOUND);
    CHECK_EQ(file_open(backend, &file, ".", PRO_OPEN_READ), PRO_E_IS_DIRECTORY);
    CHECK_EQ(file_open(backend, &file, "./", PRO_OPEN_READ | PRO_OPEN_WRITE), PRO_E_IS_DIRECTORY);
    CHECK_EQ(file_open(backend, &file, "a\xFFz", PRO_OPEN_READ), PRO_E_NAME);
    CHECK_EQ(file_open(backend, &file, "", PRO_OPEN_READ), PRO_E_NAME);
    type->close(backend);
}

TEST(iocp_path_beyond_260_characters_opens)
{
    // Kills: leaving out the \\?\ prefix (Windows; Wine opens long paths without it).
    const unsigned all = PRO_OPEN_READ | PRO_OPEN_WRITE | PRO_OPEN_CREATE;
    struct proi_backend *backend = backend_open();
    char path[1200], *end = NULL;
    wchar_t wide[1200], *folders[8];
    struct pro_handle file;
    int count = 0;

    path_of("long", path, sizeof path);
    for (; count < 8; count++) {
        end = path + strlen(path);
        snprintf(end, sizeof path - (size_t)(end - path), "%s%050d", count ? "/" : "", count);
        wcscpy(wide, L"\\\\?\\");
        MultiByteToWideChar(CP_UTF8, 0, path, -1, wide + 4, 1196);
        for (wchar_t *c = wide; *c; c++)
            *c = *c == L'/' ? L'\\' : *c;
        folders[count] = _wcsdup(wide);
        REQUIRE(CreateDirectoryW(wide, NULL));
    }
    strcat(path, "/file");
    CHECK(strlen(path) > 400);
    REQUIRE(file_open(backend, &file, path, all) == PRO_OK);
    handle_close(backend, &file);
    wcscat(wide, L"\\file");
    CHECK(DeleteFileW(wide));
    while (count-- > 0) {
        CHECK(RemoveDirectoryW(folders[count]));
        free(folders[count]);
    }
    type->close(backend);
}
