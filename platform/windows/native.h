/* SPDX-License-Identifier: MIT */
/* The system's headers in the one order that works, and what the files of this folder share apart from the port. */
#ifndef PROACT_WINDOWS_NATIVE_H
#define PROACT_WINDOWS_NATIVE_H

#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>

#include <windows.h>

#include <mswsock.h>
#include <ws2tcpip.h>

#include "platform.h"

/* ---- error_map.c ---- */
/* The Winsock or Win32 number of an operation's final NTSTATUS; 0 when it succeeded. */
int proi_native_from_status(uint32_t status);
/* The code of such a status: proi_error_from_native() of its number. */
int proi_error_from_status(uint32_t status);

/* ---- startup.c ---- */
/* Starts Winsock, once in the process; 0, or the number it failed with. [any thread] */
int proi_winsock_start(void);
/* The two functions that only the transport itself gives out; PRO_E_NOT_SUPPORTED: it has not got this family. Good
   until the end of the process. [any thread, after proi_winsock_start()] */
struct proi_winsock {
    LPFN_ACCEPTEX accept_ex;
    LPFN_CONNECTEX connect_ex;
};
int proi_winsock_functions(unsigned family, const struct proi_winsock **ret_functions); /* enum pro_family */

/* ---- path.c ---- */
/* Turns @path (UTF-8) into what CreateFileW takes, long ones included; given to the caller, who frees it. PRO_E_NAME:
   not UTF-8, or no name. */
int proi_path_to_native(const char *path, wchar_t **ret_path, int *ret_error);

#endif
