/* SPDX-License-Identifier: MIT */
/* This program as a child process, on Windows. */
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

#include "system.h"

enum { COMMAND_MAX = 2 * MAX_PATH };

/* "C:\…\gallery.exe" argument argument … The arguments are names of scenarios, options and numbers: nothing to quote.
 */
static bool command_line(wchar_t *command, const char *const *arguments)
{
    wchar_t program[MAX_PATH];
    const DWORD length = GetModuleFileNameW(NULL, program, MAX_PATH);
    int used;
    if (length == 0 || length >= MAX_PATH)
        return false;
    used = swprintf(command, COMMAND_MAX, L"\"%ls\"", program);
    for (; used > 0 && *arguments; arguments++) {
        const int more = swprintf(command + used, (size_t)(COMMAND_MAX - used), L" %hs", *arguments);
        used = more < 0 ? more : used + more;
    }
    return used > 0;
}

int system_run_self(const char *const *arguments)
{
    wchar_t command[COMMAND_MAX];
    STARTUPINFOW startup = { .cb = sizeof startup };
    PROCESS_INFORMATION child;
    DWORD status = 128;
    if (!command_line(command, arguments) ||
        !CreateProcessW(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &child))
        return -1;
    CloseHandle(child.hThread);
    WaitForSingleObject(child.hProcess, INFINITE);
    GetExitCodeProcess(child.hProcess, &status);
    CloseHandle(child.hProcess);
    return status > 128 ? 128 : (int)status;
}

/* _Exit() would kill the other threads first, wherever they are, and then let each library of the process say good-bye:
   one that needs a lock which a killed thread held waits for ever. */
void system_end(int status)
{
    fflush(NULL);
    TerminateProcess(GetCurrentProcess(), (UINT)status);
    abort(); /* not reached */
}

void system_prepare_output(void)
{
    _setmode(_fileno(stdout), _O_BINARY);
    setvbuf(stdout, NULL, _IONBF, 0); /* this C library takes line buffering for full buffering */
}
