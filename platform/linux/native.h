/* SPDX-License-Identifier: MIT */
/* Plain system calls on sockets and files that the io_uring and the epoll backend share. */
#ifndef PROACT_LINUX_NATIVE_H
#define PROACT_LINUX_NATIVE_H

#include <proactor/backend.h>
#include <sys/socket.h>

socklen_t proi_sockaddr_from(const struct pro_addr *addr, struct sockaddr_storage *ret_address); /* 0: bad family */
void proi_sockaddr_to(const struct sockaddr_storage *address, struct pro_addr *ret_addr);

/* Bodies of the backend entries of the same names. */
int proi_linux_listen(struct proi_backend *backend, const struct pro_addr *addr, const struct pro_listen_options *options,
                      intptr_t *ret_native, int *ret_error);
void proi_linux_release(struct proi_backend *backend, enum proi_handle_kind kind, intptr_t native);
int proi_linux_local_addr(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr);
int proi_linux_peer_addr(struct proi_backend *backend, const struct pro_handle *handle, struct pro_addr *ret_addr);
int proi_linux_set_abortive(struct proi_backend *backend, struct pro_handle *handle, bool abortive);
int proi_linux_set_buffers(struct proi_backend *backend, struct pro_handle *handle, int send_bytes, int receive_bytes);
int proi_linux_file_size(struct proi_backend *backend, const struct pro_handle *handle, uint64_t *ret_size);
uint64_t proi_linux_now(struct proi_backend *backend);

int proi_linux_nodelay(int fd);
int proi_linux_open_flags(unsigned pro_open_flags); /* O_… | O_CLOEXEC */
int proi_linux_open_check(int fd);                  /* 0, or the errno for which what was opened is no file */

extern const struct proi_backend_type proi_backend_uring, proi_backend_epoll, proi_backend_sim;

#endif
