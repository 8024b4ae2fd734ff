/* SPDX-License-Identifier: MIT */
/* A TCP echo server on libuv: uv_try_write first, a request for what that leaves. echo_uv PORT [sink] */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { BUFFER = 64 * 1024 };

struct rest {
    uv_write_t request;
    char data[];
};

static char buffer[BUFFER]; /* one for all: what is read is written before the next is read, or copied */
static bool sink;

static void on_closed(uv_handle_t *handle) { free(handle); }

static void end(uv_stream_t *stream)
{
    if (!uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, on_closed);
}

static void on_rest_written(uv_write_t *request, int status)
{
    if (status < 0)
        end(request->handle);
    free(request);
}

static void on_wanted(uv_handle_t *handle, size_t size, uv_buf_t *ret_buffer)
{
    (void)handle, (void)size;
    *ret_buffer = uv_buf_init(buffer, sizeof buffer);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *read)
{
    uv_buf_t left;
    struct rest *rest;
    int sent;

    if (count <= 0 || sink) {
        if (count < 0)
            end(stream);
        return;
    }
    left = uv_buf_init(read->base, (unsigned)count);
    sent = stream->write_queue_size ? UV_EAGAIN : uv_try_write(stream, &left, 1);
    if (sent == count)
        return;
    if (sent < 0 && sent != UV_EAGAIN) {
        end(stream);
        return;
    }
    sent = sent > 0 ? sent : 0;
    rest = malloc(sizeof *rest + (size_t)(count - sent));
    if (!rest) {
        end(stream);
        return;
    }
    memcpy(rest->data, read->base + sent, (size_t)(count - sent));
    left = uv_buf_init(rest->data, (unsigned)(count - sent));
    if (uv_write(&rest->request, stream, &left, 1, on_rest_written) < 0) {
        free(rest);
        end(stream);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *connection = status < 0 ? NULL : malloc(sizeof *connection);

    if (!connection)
        return;
    uv_tcp_init(listener->loop, connection);
    if (uv_accept(listener, (uv_stream_t *)connection) < 0) {
        end((uv_stream_t *)connection);
        return;
    }
    uv_tcp_nodelay(connection, 1);
    uv_read_start((uv_stream_t *)connection, on_wanted, on_read);
}

int main(int count, char **arguments)
{
    struct sockaddr_in addr;
    uv_tcp_t listener;

    sink = count > 2 && strcmp(arguments[2], "sink") == 0;
    uv_ip4_addr("127.0.0.1", count > 1 ? atoi(arguments[1]) : 0, &addr);
    uv_tcp_init(uv_default_loop(), &listener);
    if (uv_tcp_bind(&listener, (const struct sockaddr *)&addr, 0) < 0 ||
        uv_listen((uv_stream_t *)&listener, 4096, on_connection) < 0) {
        fprintf(stderr, "echo_uv: cannot listen\n");
        return 1;
    }
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
