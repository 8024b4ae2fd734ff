/* SPDX-License-Identifier: MIT */
/* Winsock's start, once in the process, and the functions that have to be asked for. It is never ended again:
   WSACleanup() would break the sockets of anybody else in the process, and the system cleans up behind us. */
#include "native.h"

#include <proact/net.h>

static struct {
    struct proi_once once;
    int error;
    struct proi_winsock ipv4, ipv6;
    bool has_ipv4, has_ipv6;
} winsock;

static bool function_ask(SOCKET s, GUID guid, void *ret_function, DWORD size)
{
    DWORD bytes = 0;

    return WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof guid, ret_function, size, &bytes, NULL,
                    NULL) == 0;
}

static bool functions_ask(int native_family, struct proi_winsock *ret_functions)
{
    const GUID accept_ex = WSAID_ACCEPTEX, connect_ex = WSAID_CONNECTEX;
    SOCKET s =
        WSASocketW(native_family, SOCK_STREAM, IPPROTO_TCP, NULL, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    bool found;

    if (s == INVALID_SOCKET)
        return false;
    found = function_ask(s, accept_ex, &ret_functions->accept_ex, sizeof ret_functions->accept_ex) &&
            function_ask(s, connect_ex, &ret_functions->connect_ex, sizeof ret_functions->connect_ex);
    closesocket(s);
    return found;
}

static void winsock_start(void)
{
    WSADATA data;

    winsock.error = WSAStartup(MAKEWORD(2, 2), &data);
    if (winsock.error)
        return;
    winsock.has_ipv4 = functions_ask(AF_INET, &winsock.ipv4);
    winsock.has_ipv6 = functions_ask(AF_INET6, &winsock.ipv6);
}

int proi_winsock_start(void)
{
    proi_once(&winsock.once, winsock_start);
    return winsock.error;
}

int proi_winsock_functions(unsigned family, const struct proi_winsock **ret_functions)
{
    if (family == PRO_IPV4 && winsock.has_ipv4)
        *ret_functions = &winsock.ipv4;
    else if (family == PRO_IPV6 && winsock.has_ipv6)
        *ret_functions = &winsock.ipv6;
    else
        return PRO_E_NOT_SUPPORTED;
    return PRO_OK;
}
