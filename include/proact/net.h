/* SPDX-License-Identifier: MIT */
/* TCP sockets and addresses. */
#ifndef PROACT_NET_H
#define PROACT_NET_H

#include <proact/op.h>

PRO_BEGIN_DECLS

enum pro_family { PRO_FAMILY_NONE, PRO_IPV4, PRO_IPV6 };

struct pro_addr {
    uint16_t family; /* enum pro_family */
    uint16_t port;   /* host byte order */
    uint32_t scope;  /* IPv6 zone, 0: none */
    uint8_t ip[16];  /* network byte order; IPv4 uses the first four */
};

/* Addresses of this machine: for itself, for all. [any thread] */
PRO_API struct pro_addr pro_addr_loopback(uint16_t port); /* 127.0.0.1 */
PRO_API struct pro_addr pro_addr_any(uint16_t port);      /* 0.0.0.0   */
/* "127.0.0.1:7000", "[::1]:7000". Names are not looked up. PRO_E_INVALID: malformed. [any thread] */
PRO_API int pro_addr_parse(const char *text, struct pro_addr *ret_addr);
enum { PRO_ADDR_TEXT = 64 };
/* Writes the same form; gives its length. PRO_E_INVALID (misuse): no such family; PRO_E_TOO_LARGE: @size is too small. [any thread] */
PRO_API int pro_addr_format(const struct pro_addr *addr, char *ret_text, size_t size);

/* A socket is a value: copy it as you like. After close every copy answers PRO_E_CLOSED, also when the system has given
   its number to another socket. Zero is "never opened": PRO_E_INVALID. It belongs to the loop where it was opened. */
struct pro_socket {
    struct pro_handle *handle;
    uint32_t generation;
    uint32_t loop_id;
};

struct pro_listen_options {
    int backlog;     /* 0: 4096 or what the system allows */
    bool reuse_port; /* several listeners share the port, Linux only: else PRO_E_NOT_SUPPORTED */
};

/* Binds and listens at once; port 0 lets the system choose, see pro_socket_local_addr(). @options may be NULL.
   PRO_E_IN_USE, PRO_E_ACCESS, PRO_E_ADDRESS … [any thread] */
PRO_API int pro_listen(struct pro_loop *loop, const struct pro_addr *addr, const struct pro_listen_options *options,
                       struct pro_socket *ret_listener);

/* Completes with the next connection in *@ret_socket, TCP_NODELAY set, owned by the listener's loop.
   Lends @ret_socket, which is written at delivery. [any thread] */
PRO_API struct pro_op *pro_accept(struct pro_op *op, const struct pro_socket *listener, struct pro_socket *ret_socket,
                                  struct pro_how how);
/* The same, owned by @owner: a loop on another thread, say. */
PRO_API struct pro_op *pro_accept_for(struct pro_op *op, const struct pro_socket *listener, struct pro_loop *owner,
                                      struct pro_socket *ret_socket, struct pro_how how);

/* Connects a new socket of @loop (NULL: as pro_sleep) to @addr, TCP_NODELAY set; *@ret_socket is written at delivery. Borrows @addr.
   PRO_E_REFUSED, PRO_E_UNREACHABLE, … [any thread] */
PRO_API struct pro_op *pro_connect(struct pro_op *op, struct pro_loop *loop, const struct pro_addr *addr,
                                   struct pro_socket *ret_socket, struct pro_how how);

/* Completes with 1…@length bytes, or 0 at the end of the stream. @length 0 is PRO_E_INVALID. Lends @buffer. One under way
   per socket: of two at once either may get what comes first. PRO_E_RESET, PRO_E_CLOSED. [any thread] */
PRO_API struct pro_op *pro_recv(struct pro_op *op, const struct pro_socket *socket, void *buffer, size_t length,
                                struct pro_how how);
/* Completes with 1…@length bytes sent; may be short. @length 0 is PRO_E_INVALID. Lends @data.
   PRO_E_PIPE, PRO_E_RESET, PRO_E_CLOSED. [any thread] */
PRO_API struct pro_op *pro_send(struct pro_op *op, const struct pro_socket *socket, const void *data, size_t length,
                                struct pro_how how);
/* Completes with @length when all is sent, else fails; op->transferred tells how much went. One under way per socket:
   two at once may interleave. Lends @data. [any thread] */
PRO_API struct pro_op *pro_send_all(struct pro_op *op, const struct pro_socket *socket, const void *data,
                                    size_t length, struct pro_how how);

enum pro_shutdown_how { PRO_SHUTDOWN_RECV, PRO_SHUTDOWN_SEND, PRO_SHUTDOWN_BOTH };
/* Ends one direction: the peer sees the end of the stream after what was sent. Own receives pending on a direction
   that is ended complete with 0. [any thread] */
PRO_API struct pro_op *pro_shutdown(struct pro_op *op, const struct pro_socket *socket, enum pro_shutdown_how which,
                                    struct pro_how how);

/* Closes: every pending operation of the socket completes (PRO_E_CLOSED unless its own result came first), then the
   close itself with PRO_OK. Takes no deadline. From this call on the socket answers PRO_E_CLOSED; a second close
   does, too. [any thread] */
PRO_API struct pro_op *pro_close(struct pro_op *op, const struct pro_socket *socket);

/* True until close was called. [any thread] */
PRO_API bool pro_socket_is_open(const struct pro_socket *socket);
/* Its own address; the other side's, once connected. PRO_E_CLOSED, PRO_E_NOT_CONNECTED; PRO_E_INVALID (misuse): never opened. [any thread,
   while nobody closes it or frees its loop] */
PRO_API int pro_socket_local_addr(const struct pro_socket *socket, struct pro_addr *ret_addr);
PRO_API int pro_socket_peer_addr(const struct pro_socket *socket, struct pro_addr *ret_addr);
/* The loop it belongs to, borrowed; NULL when closed. [any thread] */
PRO_API struct pro_loop *pro_socket_loop(const struct pro_socket *socket);
/* Sets what close does with unsent data: true sends a reset instead (SO_LINGER 0). PRO_E_CLOSED. [any thread,
   while nobody closes it or frees its loop] */
PRO_API int pro_socket_set_abortive(const struct pro_socket *socket, bool abortive);
/* Asks for kernel buffers of about this many bytes; 0 leaves one as it is. PRO_E_CLOSED. [any thread, while nobody closes it
   or frees its loop] */
PRO_API int pro_socket_set_buffers(const struct pro_socket *socket, int send_bytes, int receive_bytes);

PRO_END_DECLS

#endif
