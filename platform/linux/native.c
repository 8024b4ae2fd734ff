/* SPDX-License-Identifier: MIT */
/* Linux: plain system calls on sockets and files that never wait, for the io_uring and the epoll backend. */
#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEFAULT_BACKLOG = 4096 }; /* the kernel cuts it to net.core.somaxconn */

socklen_t proi_sockaddr_from(const struct pro_addr *addr, struct sockaddr_storage *ret_address)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(addr->port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(addr->port), .sin6_scope_id = addr->scope };

    switch (addr->family) {
    case PRO_IPV4:
        memcpy(&v4.sin_addr, addr->ip, sizeof v4.sin_addr);
        memcpy(ret_address, &v4, sizeof v4);
        return sizeof v4;
    case PRO_IPV6:
        memcpy(&v6.sin6_addr, addr->ip, sizeof v6.sin6_addr);
        memcpy(ret_address, &v6, sizeof v6);
        return sizeof v6;
    default:
        return 0;
    }
}

void proi_sockaddr_to(const struct sockaddr_storage *address, struct pro_addr *ret_addr)
{
    struct pro_addr addr = { 0 };
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->ss_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        addr.family = PRO_IPV4;
        addr.port = ntohs(v4.sin_port);
        memcpy(addr.ip, &v4.sin_addr, sizeof v4.sin_addr);
    } else if (address->ss_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        addr.family = PRO_IPV6;
        addr.port = ntohs(v6.sin6_port);
        addr.scope = v6.sin6_scope_id;
        memcpy(addr.ip, &v6.sin6_addr, sizeof v6.sin6_addr);
    }
    *ret_addr = addr;
}

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) ? errno : 0;
}

int proi_linux_nodelay(int fd) { return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

/* Options first, then bind and listen; gives errno. An accepted socket inherits TCP_NODELAY from its listener. */
static int prepare_listener(int fd, const struct pro_addr *addr, const struct pro_listen_options *options)
{
    struct sockaddr_storage address;
    const socklen_t length = proi_sockaddr_from(addr, &address);
    int error = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);

    if (!error && options->reuse_port)
        error = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (!error && addr->family == PRO_IPV6)
        error = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1); /* whatever net.ipv6.bindv6only says */
    if (!error)
        error = proi_linux_nodelay(fd);
    if (error)
        return error;
    if (bind(fd, (const struct sockaddr *)&address, length))
        return errno;
    return listen(fd, options->backlog > 0 ? options->backlog : DEFAULT_BACKLOG) ? errno : 0;
}

int proi_linux_listen(struct proi_backend *backend, const struct pro_addr *addr,
                      const struct pro_listen_options *options, intptr_t *ret_native, int *ret_error)
{
    static const struct pro_listen_options defaults;
    const int family = addr->family == PRO_IPV4 ? AF_INET : addr->family == PRO_IPV6 ? AF_INET6 : AF_UNSPEC;
    int fd, error;

    (void)backend;
    if (family == AF_UNSPEC) {
        *ret_error = EAFNOSUPPORT;
        return PRO_E_INVALID;
    }
    fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        *ret_error = errno;
        return proi_error_from_native(*ret_error);
    }
    error = prepare_listener(fd, addr, options ? options : &defaults);
    if (error) {
        close(fd);
        *ret_error = error;
        return proi_error_from_native(error);
    }
    *ret_native = fd;
    return PRO_OK;
}

void proi_linux_release(struct proi_backend *backend, enum proi_handle_kind kind, intptr_t native)
{
    (void)backend, (void)kind;
    close((int)native);
}

static int name_of(int (*ask)(int fd, struct sockaddr *address, socklen_t *length), const struct pro_handle *handle,
                   struct pro_addr *ret_addr)
{
    struct sockaddr_storage address = { 0 };
    socklen_t length = sizeof address;

    if (ask((int)handle->native, (struct sockaddr *)&address, &length))
        return proi_error_from_native(errno);
    proi_sockaddr_to(&address, ret_addr);
    return PRO_OK;
}

/* The C library declares these with a transparent union for the address; a pointer to one needs plain functions. */
static int ask_local(int fd, struct sockaddr *address, socklen_t *length) { return getsockname(fd, address, length); }
static int ask_peer(int fd, struct sockaddr *address, socklen_t *length) { return getpeername(fd, address, length); }

int proi_linux_local_addr(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr)
{
    (void)backend;
    return name_of(ask_local, handle, ret_addr);
}

int proi_linux_peer_addr(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr)
{
    (void)backend;
    return name_of(ask_peer, handle, ret_addr);
}

int proi_linux_set_abortive(struct proi_backend *backend, struct pro_handle *handle, bool abortive)
{
    const struct linger linger = { .l_onoff = abortive, .l_linger = 0 };

    (void)backend;
    if (setsockopt((int)handle->native, SOL_SOCKET, SO_LINGER, &linger, sizeof linger))
        return proi_error_from_native(errno);
    return PRO_OK;
}

int proi_linux_set_buffers(struct proi_backend *backend, struct pro_handle *handle, int send_bytes, int receive_bytes)
{
    int error = 0;

    (void)backend;
    if (send_bytes > 0)
        error = set_option((int)handle->native, SOL_SOCKET, SO_SNDBUF, send_bytes);
    if (!error && receive_bytes > 0)
        error = set_option((int)handle->native, SOL_SOCKET, SO_RCVBUF, receive_bytes);
    return proi_error_from_native(error);
}

int proi_linux_file_size(struct proi_backend *backend, const struct pro_handle *handle, uint64_t *ret_size)
{
    struct stat status;
    off_t end;

    (void)backend;
    if (fstat((int)handle->native, &status))
        return proi_error_from_native(errno);
    end = status.st_size;
    if (S_ISBLK(status.st_mode)) { /* a disk has no size in its inode; nobody uses the file position */
        end = lseek((int)handle->native, 0, SEEK_END);
        if (end < 0)
            return proi_error_from_native(errno);
    }
    *ret_size = (uint64_t)end;
    return PRO_OK;
}

uint64_t proi_linux_now(struct proi_backend *backend)
{
    (void)backend;
    return proi_now();
}

int proi_linux_open_flags(unsigned flags)
{
    const bool reads = flags & PRO_OPEN_READ, writes = flags & PRO_OPEN_WRITE;
    int native = O_CLOEXEC | (reads && writes ? O_RDWR : writes ? O_WRONLY : O_RDONLY);

    if (flags & PRO_OPEN_CREATE)
        native |= O_CREAT;
    if (flags & PRO_OPEN_EXCLUSIVE)
        native |= O_EXCL;
    if (flags & PRO_OPEN_TRUNCATE)
        native |= O_TRUNC;
    if (flags & PRO_OPEN_DIRECT)
        native |= O_DIRECT;
    return native;
}

/* A directory opens like a file when it is only to be read. A pipe or a terminal has no offsets: io_uring would ignore
   them, and pieces read side by side would be put together anyhow. */
int proi_linux_open_check(int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0 || S_ISREG(status.st_mode))
        return 0;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    return lseek(fd, 0, SEEK_CUR) < 0 && errno == ESPIPE ? ESPIPE : 0;
}
