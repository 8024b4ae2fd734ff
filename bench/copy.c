/* SPDX-License-Identifier: MIT */
/* Copies a file: several async methods, each taking the next block to read and write until the end is reached.
 *
 *     copy SOURCE DESTINATION */
#include "measure.h"

#include <proact/proact.h>

enum { WORKERS = 8, BLOCK = 256 * 1024 };

static const char *source_path, *destination_path;

static struct {
    struct pro_file source, destination;
    uint64_t size, next; /* what has been handed out ends at next */
} copy;

struct worker {
    PRO_FRAME;
    struct pro_op op;
    uint64_t at, end; /* what is left of the block under way */
    size_t length;    /* read, and */
    size_t written;   /* of that, written */
    char *buffer;     /* the caller's */
};

PRO_ASYNC(worker_move_next, struct worker, self)
    while (copy.next < copy.size) {
        self->at = copy.next;
        self->end = copy.size - copy.next > BLOCK ? copy.next + BLOCK : copy.size;
        copy.next = self->end;
        while (self->at < self->end) { /* both may be short */
            PRO_AWAIT(pro_read_at(&self->op, &copy.source, self->buffer, (size_t)(self->end - self->at), self->at,
                                  PRO_HOW_DEFAULT));
            self->length = (size_t)self->op.result;
            if (self->length == 0)
                PRO_THROW_NEW(PRO_E_IO, "copy: the source has become shorter");
            for (self->written = 0; self->written < self->length; self->written += (size_t)self->op.result)
                PRO_AWAIT(pro_write_at(&self->op, &copy.destination, self->buffer + self->written,
                                       self->length - self->written, self->at + self->written, PRO_HOW_DEFAULT));
            self->at += self->length;
        }
    }
PRO_ASYNC_END

static struct pro_task *worker_async(char *buffer)
{
    struct worker *self = PRO_NEW_FRAME_VOID(struct worker, worker_move_next);

    if (!self)
        return pro_task_no_memory();
    self->buffer = buffer;
    return PRO_START(self);
}

struct copy_file {
    PRO_FRAME;
    struct pro_op op;
    struct pro_task *tasks[WORKERS];
    size_t count;
    char *buffers;
};

PRO_ASYNC(copy_file_move_next, struct copy_file, self)
    PRO_AWAIT(pro_file_open(&self->op, NULL, source_path, PRO_OPEN_READ, &copy.source, PRO_HOW_DEFAULT));
    PRO_AWAIT(pro_file_open(&self->op, NULL, destination_path, PRO_OPEN_WRITE | PRO_OPEN_CREATE | PRO_OPEN_TRUNCATE,
                            &copy.destination, PRO_HOW_DEFAULT));
    if (pro_file_size(&copy.source, &copy.size) < 0)
        PRO_THROW_NEW(PRO_E_IO, "copy: the size of the source cannot be read");
    self->buffers = malloc((size_t)WORKERS * BLOCK + PAGE);
    if (!self->buffers)
        PRO_THROW_NEW(PRO_E_NO_MEMORY, "copy: no memory for the buffers");
    while (self->count < WORKERS) {
        self->tasks[self->count] = worker_async(first_page(self->buffers) + self->count * BLOCK);
        self->count++;
    }
    PRO_AWAIT(pro_when_all(self->tasks, self->count));
    PRO_AWAIT(pro_file_close(&self->op, &copy.destination));
    PRO_AWAIT(pro_file_close(&self->op, &copy.source));
    PRO_FINALLY
    while (self->count > 0)
        pro_task_unref(self->tasks[--self->count]);
    free(self->buffers);
PRO_ASYNC_END

static struct pro_task *copy_file_async(void *arg)
{
    struct copy_file *self = PRO_NEW_FRAME_VOID(struct copy_file, copy_file_move_next);

    (void)arg;
    return self ? PRO_START(self) : pro_task_no_memory();
}

int main(int count, char **arguments)
{
    if (count != 3) {
        fprintf(stderr, "usage: copy SOURCE DESTINATION\n");
        return 2;
    }
    source_path = arguments[1];
    destination_path = arguments[2];
    return pro_run(copy_file_async, NULL) < 0;
}
