/* SPDX-License-Identifier: MIT */
/* A second process, on Windows. */
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

static const char role_variable[] = "PROACT_TEST_ROLE";

struct test_process {
    HANDLE handle;
};

const char *test_process_role(void) { return getenv(role_variable); }

/* "C:\…\test.exe" test: names of tests need no quotes. */
static bool command_line(wchar_t *ret_command, size_t size, const char *test)
{
    wchar_t program[MAX_PATH];
    const DWORD length = GetModuleFileNameW(NULL, program, MAX_PATH);

    return length > 0 && length < MAX_PATH && swprintf(ret_command, size, L"\"%ls\" %hs", program, test) > 0;
}

struct test_process *test_process_start(const char *test, const char *role)
{
    enum { COMMAND_MOST = 2 * MAX_PATH };
    wchar_t command[COMMAND_MOST];
    STARTUPINFOW startup = { .cb = sizeof startup };
    PROCESS_INFORMATION child;
    struct test_process *process = calloc(1, sizeof *process);
    bool started;

    if (!process)
        return NULL;
    SetEnvironmentVariableA(role_variable, role);
    started = command_line(command, COMMAND_MOST, test) &&
              CreateProcessW(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &child);
    SetEnvironmentVariableA(role_variable, NULL);
    if (!started) {
        free(process);
        return NULL;
    }
    CloseHandle(child.hThread);
    process->handle = child.hProcess;
    return process;
}

bool test_process_is_over(struct test_process *process)
{
    return WaitForSingleObject(process->handle, 0) == WAIT_OBJECT_0;
}

int test_process_end(struct test_process *process)
{
    DWORD status = 128;

    WaitForSingleObject(process->handle, INFINITE);
    GetExitCodeProcess(process->handle, &status);
    CloseHandle(process->handle);
    free(process);
    return status > 128 ? 128 : (int)status;
}

/* Wine's server, which holds every handle of every process, has one limit of files for all. */
unsigned test_connections_most(void) { return 2000; }
