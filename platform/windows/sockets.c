/* SPDX-License-Identifier: MIT */
/* Sockets without waiting: addresses, listening, options. */
#include "iocp.h"

#include <string.h>

/* ---- addresses ---- */
int proi_sockaddr_from(const struct pro_addr *addr, SOCKADDR_STORAGE *ret_address)
{
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)ret_address;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)ret_address;

    memset(ret_address, 0, sizeof *ret_address);
    switch (addr->family) {
    case PRO_IPV4:
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(addr->port);
        memcpy(&ipv4->sin_addr, addr->ip, sizeof ipv4->sin_addr);
        return (int)sizeof *ipv4;
    case PRO_IPV6:
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons(addr->port);
        ipv6->sin6_scope_id = addr->scope;
        memcpy(&ipv6->sin6_addr, addr->ip, sizeof ipv6->sin6_addr);
        return (int)sizeof *ipv6;
    default:
        return 0;
    }
}

static void sockaddr_to(const SOCKADDR_STORAGE *address, struct pro_addr *ret_addr)
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)address;
    struct pro_addr addr = { .family = PRO_FAMILY_NONE };

    if (address->ss_family == AF_INET) {
        addr.family = PRO_IPV4;
        addr.port = ntohs(ipv4->sin_port);
        memcpy(addr.ip, &ipv4->sin_addr, sizeof ipv4->sin_addr);
    } else if (address->ss_family == AF_INET6) {
        addr.family = PRO_IPV6;
        addr.port = ntohs(ipv6->sin6_port);
        addr.scope = (uint32_t)ipv6->sin6_scope_id;
        memcpy(addr.ip, &ipv6->sin6_addr, sizeof ipv6->sin6_addr);
    }
    *ret_addr = addr;
}

typedef int WINAPI name_fn(SOCKET s, struct sockaddr *name, int *length);

static int addr_ask(const struct pro_handle *handle, name_fn *ask, struct pro_addr *ret_addr)
{
    SOCKADDR_STORAGE address = { .ss_family = AF_UNSPEC };
    int length = (int)sizeof address;

    if (ask((SOCKET)handle->native, (struct sockaddr *)&address, &length) != 0)
        return proi_error_from_native(WSAGetLastError());
    sockaddr_to(&address, ret_addr);
    return PRO_OK;
}

int proi_iocp_local_addr(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr)
{
    (void)backend;
    return addr_ask(handle, getsockname, ret_addr);
}

int proi_iocp_peer_addr(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr)
{
    (void)backend;
    return addr_ask(handle, getpeername, ret_addr);
}

/* ---- opening, listening, closing ---- */
SOCKET proi_socket_open(unsigned family)
{
    const int native_family = family == PRO_IPV6 ? AF_INET6 : AF_INET;

    return WSASocketW(native_family, SOCK_STREAM, IPPROTO_TCP, NULL, 0,
                      WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
}

static bool option_set(SOCKET s, int level, int name, int value)
{
    return setsockopt(s, level, name, (const char *)&value, (int)sizeof value) == 0;
}

int proi_iocp_listen(struct proi_backend *backend, const struct pro_addr *addr,
                     const struct pro_listen_options *options, intptr_t *ret_native, int *ret_error)
{
    const int backlog = options && options->backlog > 0 ? options->backlog : SOMAXCONN;
    const struct proi_winsock *functions;
    SOCKADDR_STORAGE address;
    const int length = proi_sockaddr_from(addr, &address);
    SOCKET s;

    (void)backend;
    if (length == 0)
        return PRO_E_INVALID;
    if (options && options->reuse_port) /* SO_REUSEADDR is no such thing here: it lets others steal the port */
        return PRO_E_NOT_SUPPORTED;
    if (proi_winsock_functions(addr->family, &functions) != PRO_OK) {
        *ret_error = WSAEAFNOSUPPORT;
        return PRO_E_NOT_SUPPORTED;
    }
    s = proi_socket_open(addr->family);
    if (s == INVALID_SOCKET) {
        *ret_error = WSAGetLastError();
        return proi_error_from_native(*ret_error);
    }
    /* Without it another program may bind the same port beside us. */
    if (!option_set(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1) || bind(s, (struct sockaddr *)&address, length) != 0 ||
        listen(s, backlog) != 0) {
        *ret_error = WSAGetLastError();
        closesocket(s);
        return proi_error_from_native(*ret_error);
    }
    *ret_native = (intptr_t)s;
    return PRO_OK;
}

void proi_iocp_release(struct proi_backend *backend, enum proi_handle_kind kind, intptr_t native)
{
    (void)backend;
    if (kind == PROI_HANDLE_FILE)
        CloseHandle((HANDLE)native);
    else
        closesocket((SOCKET)native);
}

/* ---- options ---- */
int proi_iocp_set_abortive(struct proi_backend *backend, struct pro_handle *handle, bool abortive)
{
    const struct linger linger = { .l_onoff = abortive, .l_linger = 0 };

    (void)backend;
    if (setsockopt((SOCKET)handle->native, SOL_SOCKET, SO_LINGER, (const char *)&linger, (int)sizeof linger) != 0)
        return proi_error_from_native(WSAGetLastError());
    return PRO_OK;
}

int proi_iocp_set_buffers(struct proi_backend *backend, struct pro_handle *handle, int send_bytes, int receive_bytes)
{
    const SOCKET s = (SOCKET)handle->native;

    (void)backend;
    if ((send_bytes > 0 && !option_set(s, SOL_SOCKET, SO_SNDBUF, send_bytes)) ||
        (receive_bytes > 0 && !option_set(s, SOL_SOCKET, SO_RCVBUF, receive_bytes)))
        return proi_error_from_native(WSAGetLastError());
    return PRO_OK;
}

int proi_iocp_file_size(struct proi_backend *backend, const struct pro_handle *handle, uint64_t *ret_size)
{
    LARGE_INTEGER size;

    (void)backend;
    if (!GetFileSizeEx((HANDLE)handle->native, &size))
        return proi_error_from_native((int)GetLastError());
    *ret_size = (uint64_t)size.QuadPart;
    return PRO_OK;
}
