/* SPDX-License-Identifier: MIT */
/* Random reads of 4 KiB with libuv, on its thread pool. file_uv FILE DEPTH SECONDS cached|direct */
#include "../measure.h"

#include <fcntl.h>
#include <string.h>
#include <uv.h>

enum { BLOCK = 4096 };

struct reader {
    uv_fs_t request;
    uv_buf_t buffer;
    uint64_t start_ns;
};

static uv_file file;
static uint64_t blocks, end_ns, random_state = 7;
static struct histogram latencies;

static void read_next(struct reader *self);

static void on_read(uv_fs_t *request)
{
    struct reader *const self = (struct reader *)request;

    if (request->result != BLOCK) {
        fprintf(stderr, "file_uv: a read failed\n");
        exit(1);
    }
    histogram_add(&latencies, uv_hrtime() - self->start_ns);
    uv_fs_req_cleanup(request);
    read_next(self);
}

static void read_next(struct reader *self)
{
    self->start_ns = uv_hrtime();
    if (self->start_ns < end_ns)
        uv_fs_read(uv_default_loop(), &self->request, file, &self->buffer, 1,
                   (int64_t)(random_next(&random_state) % blocks * BLOCK), on_read);
}

int main(int count, char **arguments)
{
    const size_t depth = count > 2 ? (size_t)atoi(arguments[2]) : 0;
    struct reader *readers = calloc(depth + 1, sizeof *readers);
    char *memory = aligned_alloc(BLOCK, (depth + 1) * BLOCK);
    uint64_t start_ns;
    double used_ns;
    uv_fs_t request;

    if (count < 5 || !depth || !readers || !memory)
        return 2;
    file = uv_fs_open(NULL, &request, arguments[1], O_RDONLY | (strcmp(arguments[4], "direct") == 0 ? O_DIRECT : 0), 0,
                      NULL);
    if (file < 0 || uv_fs_fstat(NULL, &request, file, NULL) < 0) {
        fprintf(stderr, "file_uv: %s cannot be opened\n", arguments[1]);
        return 1;
    }
    blocks = request.statbuf.st_size / BLOCK;
    start_ns = uv_hrtime();
    used_ns = cpu_ns();
    end_ns = start_ns + (uint64_t)(atof(arguments[3]) * 1e9);
    for (size_t i = 0; i < depth; i++) {
        readers[i].buffer = uv_buf_init(memory + i * BLOCK, BLOCK);
        read_next(&readers[i]);
    }
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    printf("{\"ops\":%.0f,\"iops\":%.0f,\"cpu_ns_per_op\":%.0f,\"p50_us\":%.2f,\"p99_us\":%.2f}\n",
           (double)latencies.count, (double)latencies.count / ((double)(uv_hrtime() - start_ns) / 1e9),
           (cpu_ns() - used_ns) / (double)(latencies.count ? latencies.count : 1), histogram_us(&latencies, 0.50),
           histogram_us(&latencies, 0.99));
    return 0;
}
