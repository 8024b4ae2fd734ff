/* SPDX-License-Identifier: MIT */
/* Random reads of 4 KiB: so many at a time, each an async method that reads again and again.
 *
 *     file FILE DEPTH SECONDS cached|direct     prints ops, iops, cpu_ns_per_op, p50_us, p99_us as JSON */
#include "measure.h"

#include <proact/proact.h>
#include <string.h>

enum { BLOCK = PAGE, SAMPLED = 64 };

static struct {
    const char *path;
    size_t depth;
    double seconds;
    bool direct;
} wanted;

static struct {
    struct pro_file file;
    uint64_t blocks, random, ops;
    bool over;
    struct histogram latencies; /* of one read in SAMPLED: to ask for the time costs as much as a part of a read */
} run = { .random = 7 };

/* ---- one reader ---- */
struct reader {
    PRO_FRAME;
    struct pro_op op;
    char *buffer; /* the caller's, aligned to BLOCK */
    uint64_t start_ns;
    unsigned count;
};

PRO_ASYNC(reader_move_next, struct reader, self)
    while (!run.over) {
        if (self->count % SAMPLED == 0)
            self->start_ns = pro_now();
        PRO_AWAIT(pro_read_at(&self->op, &run.file, self->buffer, BLOCK, random_next(&run.random) % run.blocks * BLOCK,
                              PRO_HOW_DEFAULT));
        if (self->op.result != BLOCK)
            PRO_THROW_NEW(PRO_E_IO, "file: a read came back short");
        if (self->count++ % SAMPLED == 0)
            histogram_add(&run.latencies, pro_now() - self->start_ns);
        run.ops++;
    }
PRO_ASYNC_END

static struct pro_task *reader_async(char *buffer)
{
    struct reader *self = PRO_NEW_FRAME_VOID(struct reader, reader_move_next);

    if (!self)
        return pro_task_no_memory();
    self->buffer = buffer;
    return PRO_START(self);
}

/* ---- all of them ---- */
struct read_all {
    PRO_FRAME;
    struct pro_op op;
    char *memory;
    struct pro_task **tasks;
    size_t count;
    uint64_t start_ns;
    double start_cpu_ns;
};

static void print_report(double took_ns, double used_ns)
{
    const double ops = (double)run.ops;

    printf("{\"ops\":%.0f,\"iops\":%.0f,\"cpu_ns_per_op\":%.0f,\"p50_us\":%.2f,\"p99_us\":%.2f}\n", ops,
           ops / (took_ns / 1e9), used_ns / (ops > 0 ? ops : 1), histogram_us(&run.latencies, 0.50),
           histogram_us(&run.latencies, 0.99));
}

PRO_ASYNC(read_all_move_next, struct read_all, self)
    self->memory = malloc((wanted.depth + 1) * BLOCK);
    self->tasks = malloc(wanted.depth * sizeof *self->tasks);
    if (!self->memory || !self->tasks)
        PRO_THROW_NEW(PRO_E_NO_MEMORY, "file: no memory for the buffers");
    PRO_AWAIT(pro_file_open(&self->op, NULL, wanted.path, PRO_OPEN_READ | (wanted.direct ? PRO_OPEN_DIRECT : 0u),
                            &run.file, PRO_HOW_DEFAULT));
    if (pro_file_size(&run.file, &run.blocks) < 0 || run.blocks < BLOCK)
        PRO_THROW_NEW(PRO_E_INVALID, "file: the file has no block to read");
    run.blocks /= BLOCK;
    (void)pro_loop_register_memory(pro_loop_current(), self->memory, (wanted.depth + 1) * BLOCK); /* if it may */
    self->start_ns = pro_now();
    self->start_cpu_ns = cpu_ns();
    while (self->count < wanted.depth) {
        self->tasks[self->count] = reader_async(first_page(self->memory) + self->count * BLOCK);
        self->count++;
    }
    PRO_AWAIT(pro_sleep(&self->op, NULL, (int64_t)(wanted.seconds * 1e9), PRO_HOW_DEFAULT));
    run.over = true;
    PRO_AWAIT(pro_when_all(self->tasks, self->count));
    print_report((double)(pro_now() - self->start_ns), cpu_ns() - self->start_cpu_ns);
    PRO_AWAIT(pro_file_close(&self->op, &run.file));
    PRO_FINALLY
    while (self->count > 0)
        pro_task_unref(self->tasks[--self->count]);
    (void)pro_loop_register_memory(pro_loop_current(), NULL, 0);
    free(self->tasks);
    free(self->memory);
PRO_ASYNC_END

static struct pro_task *read_all_async(void *arg)
{
    struct read_all *self = PRO_NEW_FRAME_VOID(struct read_all, read_all_move_next);

    (void)arg;
    return self ? PRO_START(self) : pro_task_no_memory();
}

int main(int count, char **arguments)
{
    if (count < 5 || atoi(arguments[2]) < 1 || !(atof(arguments[3]) > 0)) {
        fprintf(stderr, "usage: file FILE DEPTH SECONDS cached|direct\n");
        return 2;
    }
    wanted.path = arguments[1];
    wanted.depth = (size_t)atoi(arguments[2]);
    wanted.seconds = atof(arguments[3]);
    wanted.direct = strcmp(arguments[4], "direct") == 0;
    return pro_run(read_all_async, NULL) < 0;
}
