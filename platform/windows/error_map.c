/* SPDX-License-Identifier: MIT */
/* What the system's numbers mean. Win32's and Winsock's lie in different ranges and share one table; an operation that
   ended in the kernel has an NTSTATUS, which is first turned into such a number, so that people can look it up. */
#include "native.h"

#include <stdio.h>

/* Missing from the headers of mingw-w64 10. */
#ifndef ERROR_HANDLES_CLOSED
#define ERROR_HANDLES_CLOSED 676
#endif
#ifndef ERROR_DISK_QUOTA_EXCEEDED
#define ERROR_DISK_QUOTA_EXCEEDED 1295
#endif

NTSYSAPI ULONG NTAPI RtlNtStatusToDosError(LONG status); /* ntdll; winternl.h hides it behind more than we want */

static const struct {
    int native, code;
} errors[] = {
    { ERROR_SUCCESS, PRO_OK },
    /* canceled, whatever the name: 676 is what a receive gets whose socket goes, 109 a pipe */
    { ERROR_OPERATION_ABORTED, PRO_E_CANCELED },
    { ERROR_HANDLES_CLOSED, PRO_E_CANCELED },
    { WSAECANCELLED, PRO_E_CANCELED },
    { WSA_E_CANCELLED, PRO_E_CANCELED },
    /* arguments, and what is not there */
    { ERROR_INVALID_PARAMETER, PRO_E_INVALID },
    { ERROR_INVALID_USER_BUFFER, PRO_E_INVALID },
    { ERROR_NOACCESS, PRO_E_INVALID },
    { ERROR_NEGATIVE_SEEK, PRO_E_INVALID },
    { WSAEFAULT, PRO_E_INVALID },
    { WSAEINVAL, PRO_E_INVALID },
    { WSAEDESTADDRREQ, PRO_E_INVALID },
    { ERROR_INVALID_FUNCTION, PRO_E_NOT_SUPPORTED },
    { ERROR_NOT_SUPPORTED, PRO_E_NOT_SUPPORTED },
    { ERROR_CALL_NOT_IMPLEMENTED, PRO_E_NOT_SUPPORTED },
    { WSAEPROTONOSUPPORT, PRO_E_NOT_SUPPORTED },
    { WSAESOCKTNOSUPPORT, PRO_E_NOT_SUPPORTED },
    { WSAEOPNOTSUPP, PRO_E_NOT_SUPPORTED },
    { WSAEPFNOSUPPORT, PRO_E_NOT_SUPPORTED },
    { WSAEAFNOSUPPORT, PRO_E_NOT_SUPPORTED },
    { WSAENOPROTOOPT, PRO_E_NOT_SUPPORTED },
    { WSAEPROTOTYPE, PRO_E_NOT_SUPPORTED },
    { WSAVERNOTSUPPORTED, PRO_E_NOT_SUPPORTED },
    /* resources */
    { ERROR_NOT_ENOUGH_MEMORY, PRO_E_NO_MEMORY },
    { ERROR_OUTOFMEMORY, PRO_E_NO_MEMORY },
    { ERROR_NO_SYSTEM_RESOURCES, PRO_E_NO_MEMORY },
    { ERROR_NONPAGED_SYSTEM_RESOURCES, PRO_E_NO_MEMORY },
    { ERROR_PAGED_SYSTEM_RESOURCES, PRO_E_NO_MEMORY },
    { ERROR_WORKING_SET_QUOTA, PRO_E_NO_MEMORY },
    { ERROR_COMMITMENT_LIMIT, PRO_E_NO_MEMORY },
    { ERROR_NOT_ENOUGH_QUOTA, PRO_E_NO_MEMORY },
    { WSAENOBUFS, PRO_E_NO_MEMORY },
    { ERROR_TOO_MANY_OPEN_FILES, PRO_E_TOO_MANY_FILES },
    { WSAEMFILE, PRO_E_TOO_MANY_FILES },
    { WSAEPROCLIM, PRO_E_TOO_MANY_FILES },
    { ERROR_INVALID_HANDLE, PRO_E_BAD_HANDLE },
    { WSAENOTSOCK, PRO_E_BAD_HANDLE },
    { WSAEBADF, PRO_E_BAD_HANDLE },
    { ERROR_BUSY, PRO_E_BUSY },
    { ERROR_SHARING_VIOLATION, PRO_E_BUSY },
    { ERROR_LOCK_VIOLATION, PRO_E_BUSY },
    /* connections */
    { ERROR_CONNECTION_REFUSED, PRO_E_REFUSED },
    { WSAECONNREFUSED, PRO_E_REFUSED },
    { ERROR_NETNAME_DELETED, PRO_E_RESET },
    { ERROR_UNEXP_NET_ERR, PRO_E_RESET },
    { WSAECONNRESET, PRO_E_RESET },
    { WSAENETRESET, PRO_E_RESET },
    { ERROR_CONNECTION_ABORTED, PRO_E_ABORTED },
    { WSAECONNABORTED, PRO_E_ABORTED },
    { ERROR_BROKEN_PIPE, PRO_E_PIPE },
    { ERROR_NO_DATA, PRO_E_PIPE },
    { WSAESHUTDOWN, PRO_E_PIPE },
    { WSAEDISCON, PRO_E_PIPE },
    { ERROR_PIPE_NOT_CONNECTED, PRO_E_NOT_CONNECTED },
    { ERROR_CONNECTION_INVALID, PRO_E_NOT_CONNECTED },
    { WSAENOTCONN, PRO_E_NOT_CONNECTED },
    { WSAEISCONN, PRO_E_STATE },
    { WSAEALREADY, PRO_E_STATE },
    { WSAEINPROGRESS, PRO_E_STATE },
    { ERROR_SEM_TIMEOUT, PRO_E_TIMEOUT },
    { WSAETIMEDOUT, PRO_E_TIMEOUT },
    { WSAEADDRINUSE, PRO_E_IN_USE },
    { ERROR_ADDRESS_ALREADY_ASSOCIATED, PRO_E_IN_USE },
    { WSAEADDRNOTAVAIL, PRO_E_ADDRESS },
    { ERROR_NETWORK_UNREACHABLE, PRO_E_UNREACHABLE },
    { ERROR_HOST_UNREACHABLE, PRO_E_UNREACHABLE },
    { ERROR_PORT_UNREACHABLE, PRO_E_UNREACHABLE },
    { ERROR_PROTOCOL_UNREACHABLE, PRO_E_UNREACHABLE },
    { WSAENETDOWN, PRO_E_UNREACHABLE },
    { WSAENETUNREACH, PRO_E_UNREACHABLE },
    { WSAEHOSTDOWN, PRO_E_UNREACHABLE },
    { WSAEHOSTUNREACH, PRO_E_UNREACHABLE },
    { WSAEMSGSIZE, PRO_E_TOO_LARGE },
    /* files */
    { ERROR_FILE_NOT_FOUND, PRO_E_NOT_FOUND },
    { ERROR_PATH_NOT_FOUND, PRO_E_NOT_FOUND },
    { ERROR_INVALID_DRIVE, PRO_E_NOT_FOUND },
    { ERROR_BAD_NETPATH, PRO_E_NOT_FOUND },
    { ERROR_BAD_NET_NAME, PRO_E_NOT_FOUND },
    { ERROR_FILE_EXISTS, PRO_E_EXISTS },
    { ERROR_ALREADY_EXISTS, PRO_E_EXISTS },
    { ERROR_ACCESS_DENIED, PRO_E_ACCESS },
    { ERROR_PRIVILEGE_NOT_HELD, PRO_E_ACCESS },
    { ERROR_NETWORK_ACCESS_DENIED, PRO_E_ACCESS },
    { WSAEACCES, PRO_E_ACCESS },
    { ERROR_DIRECTORY, PRO_E_NOT_FOUND }, /* a part of the path is a file */
    { ERROR_DISK_FULL, PRO_E_NO_SPACE },
    { ERROR_HANDLE_DISK_FULL, PRO_E_NO_SPACE },
    { ERROR_DISK_QUOTA_EXCEEDED, PRO_E_NO_SPACE },
    { ERROR_FILE_TOO_LARGE, PRO_E_TOO_LARGE },
    { ERROR_WRITE_PROTECT, PRO_E_READ_ONLY },
    { ERROR_INVALID_NAME, PRO_E_NAME },
    { ERROR_BAD_PATHNAME, PRO_E_NAME },
    { ERROR_FILENAME_EXCED_RANGE, PRO_E_NAME },
    { ERROR_BUFFER_OVERFLOW, PRO_E_NAME },
    { ERROR_NO_UNICODE_TRANSLATION, PRO_E_NAME },
    { ERROR_NOT_READY, PRO_E_IO },
    { ERROR_CRC, PRO_E_IO },
    { ERROR_SEEK, PRO_E_IO },
    { ERROR_SECTOR_NOT_FOUND, PRO_E_IO },
    { ERROR_WRITE_FAULT, PRO_E_IO },
    { ERROR_READ_FAULT, PRO_E_IO },
    { ERROR_GEN_FAILURE, PRO_E_IO },
    { ERROR_IO_DEVICE, PRO_E_IO },
    { ERROR_FILE_CORRUPT, PRO_E_IO },
    { ERROR_DISK_CORRUPT, PRO_E_IO },
};

int proi_error_from_native(int native)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].native == native)
            return errors[i].code;
    return PRO_E_FAILED;
}

/* Where Winsock's own number says more than the one the system's table gives. */
static const struct {
    uint32_t status;
    int native;
} statuses[] = {
    { 0xC000013Bu, WSAECONNABORTED },  /* LOCAL_DISCONNECT */
    { 0xC000013Cu, WSAECONNRESET },    /* REMOTE_DISCONNECT */
    { 0xC00000B5u, WSAETIMEDOUT },     /* IO_TIMEOUT */
    { 0xC000020Au, WSAEADDRINUSE },    /* ADDRESS_ALREADY_EXISTS */
    { 0xC000020Cu, WSAECONNRESET },    /* CONNECTION_DISCONNECTED */
    { 0xC000020Du, WSAECONNRESET },    /* CONNECTION_RESET */
    { 0xC0000140u, WSAECONNRESET },    /* INVALID_CONNECTION: the connection that an accept was to take is gone */
    { 0xC0000207u, WSAEADDRNOTAVAIL }, /* INVALID_ADDRESS_COMPONENT */
    { 0xC0000236u, WSAECONNREFUSED },  /* CONNECTION_REFUSED */
    { 0xC000023Cu, WSAENETUNREACH },   /* NETWORK_UNREACHABLE */
    { 0xC000023Du, WSAEHOSTUNREACH },  /* HOST_UNREACHABLE */
    { 0xC000023Fu, WSAECONNREFUSED },  /* PORT_UNREACHABLE */
    { 0xC0000241u, WSAECONNABORTED },  /* CONNECTION_ABORTED */
    { 0x8000000Au, ERROR_HANDLES_CLOSED }, { 0xC0000120u, ERROR_OPERATION_ABORTED },
};

int proi_native_from_status(uint32_t status)
{
    if ((int32_t)status >= 0) /* successes and remarks */
        return 0;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == status)
            return statuses[i].native;
    return (int)RtlNtStatusToDosError((LONG)status);
}

int proi_error_from_status(uint32_t status) { return proi_error_from_native(proi_native_from_status(status)); }

void proi_native_message(int native, char *ret_text, size_t size)
{
    const DWORD how = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK;
    wchar_t wide[256];
    char text[3 * sizeof wide / sizeof *wide];
    DWORD length = FormatMessageW(how, NULL, (DWORD)native, 0, wide, sizeof wide / sizeof *wide, NULL);
    int bytes;

    while (length > 0 && (wide[length - 1] == L' ' || wide[length - 1] == L'.'))
        length--;
    bytes = WideCharToMultiByte(CP_UTF8, 0, wide, (int)length, text, sizeof text - 1, NULL, NULL);
    if (length == 0 || bytes <= 0) {
        snprintf(ret_text, size, "system error %d", native);
        return;
    }
    text[bytes] = '\0';
    snprintf(ret_text, size, "%s", text);
}
