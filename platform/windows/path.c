/* SPDX-License-Identifier: MIT */
/* Paths: UTF-8 outside, UTF-16 inside, and the prefix that lifts the 260-character limit for those that need it. */
#include "native.h"

#include <string.h>

static int path_widen(const char *path, wchar_t **ret_path, int *ret_error)
{
    const int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);
    wchar_t *wide;

    if (length <= 1) { /* 0: not UTF-8; 1: empty */
        *ret_error = length ? ERROR_INVALID_NAME : (int)GetLastError();
        return PRO_E_NAME;
    }
    wide = proi_alloc((size_t)length * sizeof *wide);
    if (!wide) {
        *ret_error = ERROR_NOT_ENOUGH_MEMORY;
        return PRO_E_NO_MEMORY;
    }
    MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, length);
    *ret_path = wide;
    return PRO_OK;
}

/* Behind the prefix the system takes a path as it stands: it has to be a full one, with backslashes and without dots.
 */
static int path_lengthen(const wchar_t *path, wchar_t **ret_path, int *ret_error)
{
    static const wchar_t local[] = L"\\\\?\\", network[] = L"\\\\?\\UNC";
    const DWORD size = GetFullPathNameW(path, 0, NULL, NULL); /* with the final zero */
    const size_t room = sizeof network / sizeof *network;
    wchar_t *block = size ? proi_alloc((room + size) * sizeof *block) : NULL;
    wchar_t *full = block ? block + room : NULL;
    size_t length;

    if (!block) {
        *ret_error = size ? ERROR_NOT_ENOUGH_MEMORY : (int)GetLastError();
        return size ? PRO_E_NO_MEMORY : PRO_E_NAME;
    }
    length = GetFullPathNameW(path, size, full, NULL);
    if (length == 0 || length >= size) { /* the working directory grew in between */
        proi_free(block);
        *ret_error = ERROR_INVALID_NAME;
        return PRO_E_NAME;
    }
    if (full[0] == L'\\' && full[1] == L'\\') { /* \\server\share → \\?\UNC\server\share */
        const size_t prefix = sizeof network / sizeof *network - 1;

        memmove(block + prefix, full + 1, length * sizeof *block);
        memcpy(block, network, prefix * sizeof *block);
    } else {
        const size_t prefix = sizeof local / sizeof *local - 1;

        memmove(block + prefix, full, (length + 1) * sizeof *block);
        memcpy(block, local, prefix * sizeof *block);
    }
    *ret_path = block;
    return PRO_OK;
}

int proi_path_to_native(const char *path, wchar_t **ret_path, int *ret_error)
{
    wchar_t *wide = NULL, *longer = NULL;
    int code = path_widen(path, &wide, ret_error);

    if (code != PRO_OK)
        return code;
    if (wcslen(wide) < MAX_PATH || wcsncmp(wide, L"\\\\?\\", 4) == 0 || wcsncmp(wide, L"\\\\.\\", 4) == 0) {
        *ret_path = wide;
        return PRO_OK;
    }
    code = path_lengthen(wide, &longer, ret_error);
    proi_free(wide);
    if (code == PRO_OK)
        *ret_path = longer;
    return code;
}
