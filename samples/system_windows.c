/* SPDX-License-Identifier: MIT */
/* Windows: see system.h. */
#include "system.h"

#include <stdlib.h>
#include <windows.h>

#include <io.h>
#include <shellapi.h>

bool system_is_terminal(void) { return _isatty(2); }

static HANDLE file_open(const char *path)
{
    wchar_t wide[MAX_PATH];

    if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, MAX_PATH))
        return INVALID_HANDLE_VALUE;
    return CreateFileW(wide, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS, NULL);
}

bool system_is_same_file(const char *path, const char *other)
{
    const HANDLE a = file_open(path), b = file_open(other);
    BY_HANDLE_FILE_INFORMATION of_a, of_b;
    const bool same = a != INVALID_HANDLE_VALUE && b != INVALID_HANDLE_VALUE && GetFileInformationByHandle(a, &of_a) &&
                      GetFileInformationByHandle(b, &of_b) && of_a.dwVolumeSerialNumber == of_b.dwVolumeSerialNumber &&
                      of_a.nFileIndexHigh == of_b.nFileIndexHigh && of_a.nFileIndexLow == of_b.nFileIndexLow;

    if (a != INVALID_HANDLE_VALUE)
        CloseHandle(a);
    if (b != INVALID_HANDLE_VALUE)
        CloseHandle(b);
    return same;
}

/* There is no such limit. */
void system_raise_file_limit(void) {}

/* Lives as long as the program. */
char **system_arguments(char **arguments)
{
    int count = 0;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **narrow = wide ? calloc((size_t)count + 1, sizeof *narrow) : NULL;

    if (!narrow)
        return arguments;
    for (int i = 0; i < count; i++) {
        const int size = WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, NULL, 0, NULL, NULL);

        narrow[i] = malloc((size_t)size);
        if (!narrow[i])
            return arguments;
        WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, narrow[i], size, NULL, NULL);
    }
    LocalFree(wide);
    return narrow;
}
