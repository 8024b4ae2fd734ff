/* SPDX-License-Identifier: MIT */
/* file_copy: copies a file, several pieces at a time, and shows how far it is when somebody is looking. */
#include <proact/proact.h>
#include <stdio.h>
#include <stdlib.h>

#include "arguments.h"
#include "system.h"

static const char help[] =
    "usage: file_copy [options] SOURCE DESTINATION\n"
    "\n"
    "Makes DESTINATION a copy of the file SOURCE. What was in DESTINATION is lost; a copy that fails leaves\n"
    "what was written until then. A pipe or a terminal is no file.\n"
    "\n"
    "  --chunk BYTES     read and write so much at a time (default 262144)\n"
    "  --lanes NUMBER    pieces under way at the same time (default 4)\n"
    "  --no-sync         do not wait until the device has it all\n"
    "  --quiet           show no progress, not even on a terminal\n"
    "\n"
    "Exit status: 0 copied, 1 trouble, 2 wrong arguments.\n";

struct copy {
    const char *from_path, *to_path;
    long chunk, lanes;
    bool no_sync, quiet;
    struct pro_file from, to;
    uint64_t size; /* of the source when it was opened; 0: it does not say */
    uint64_t next; /* where the next lane that is free goes on */
    uint64_t copied;
    struct pro_cancellation_source *stop; /* the first lane in trouble ends the others */
    struct pro_how how;
    int status;
};

static struct pro_error *failure(const struct pro_op *op, const char *what, const char *path)
{
    const int code = (int)op->result;

    if (code == PRO_E_FAILED) /* the library has no word for it; the system's number is all there is */
        return pro_error_new(code, PRO_HERE, "%s '%s': the system's error %d", what, path, op->native);
    return pro_error_new(code, PRO_HERE, "%s '%s': %s", what, path, pro_err_message(code));
}

/* ---- one lane: takes a piece, reads it, writes it, takes the next; ends at the end of the source ---- */
struct lane {
    PRO_FRAME;
    struct copy *copy;
    struct pro_op op;
    uint64_t offset;       /* of the piece                                           */
    size_t come, gone;     /* bytes of the piece read, and written                   */
    bool ended, went_well; /* a read gave nothing: the source ends here; and no error */
    char *buffer;
};

PRO_ASYNC(lane_move_next, struct lane, self)
    self->buffer = malloc((size_t)self->copy->chunk);
    if (!self->buffer)
        PRO_THROW(pro_error_of(PRO_E_NO_MEMORY));
    while (!self->ended) {
        self->offset = self->copy->next;
        self->copy->next += (uint64_t)self->copy->chunk;
        for (self->come = 0; !self->ended && self->come < (size_t)self->copy->chunk;
             self->come += (size_t)self->op.result) {
            PRO_AWAIT_STATUS(pro_read_at(&self->op, &self->copy->from, self->buffer + self->come,
                                         (size_t)self->copy->chunk - self->come, self->offset + self->come,
                                         self->copy->how));
            if (self->op.result < 0)
                PRO_THROW(failure(&self->op, "cannot read", self->copy->from_path));
            self->ended = self->op.result == 0;
        }
        for (self->gone = 0; self->gone < self->come; self->gone += (size_t)self->op.result) {
            PRO_AWAIT_STATUS(pro_write_at(&self->op, &self->copy->to, self->buffer + self->gone,
                                          self->come - self->gone, self->offset + self->gone, self->copy->how));
            if (self->op.result < 0)
                PRO_THROW(failure(&self->op, "cannot write", self->copy->to_path));
            self->copy->copied += (uint64_t)self->op.result;
        }
    }
    self->went_well = true;
PRO_FINALLY
    free(self->buffer);
    if (!self->went_well)
        pro_cancellation_source_cancel(self->copy->stop);
PRO_ASYNC_END

static struct pro_task *lane_async(struct copy *copy)
{
    struct lane *self = PRO_NEW_FRAME_VOID(struct lane, lane_move_next);

    if (!self)
        return pro_task_no_memory();
    self->copy = copy;
    return PRO_START(self);
}

/* ---- progress ---- */
static void progress_show(const struct copy *copy)
{
    const double megabytes = (double)copy->copied / 1e6;

    if (copy->size)
        fprintf(stderr, "\r%.1f of %.1f MB (%.0f %%) ", megabytes, (double)copy->size / 1e6,
                100.0 * (double)copy->copied / (double)copy->size);
    else
        fprintf(stderr, "\r%.1f MB ", megabytes);
}

struct progress {
    PRO_FRAME;
    const struct copy *copy;
    struct pro_cancellation_token until;
    struct pro_op op;
};

PRO_ASYNC(progress_move_next, struct progress, self)
    do {
        progress_show(self->copy);
        PRO_AWAIT_STATUS(pro_sleep(&self->op, NULL, PRO_MS(100), (struct pro_how){ .token = self->until }));
    } while (self->op.result == PRO_OK);
    progress_show(self->copy);
    fputc('\n', stderr);
PRO_ASYNC_END

static struct pro_task *progress_async(const struct copy *copy, struct pro_cancellation_token until)
{
    struct progress *self = PRO_NEW_FRAME_VOID(struct progress, progress_move_next);

    if (!self)
        return pro_task_no_memory();
    self->copy = copy;
    self->until = until;
    return PRO_START(self);
}

/* ---- the copy ---- */
enum { LANES = 64 };

struct copy_main {
    PRO_FRAME;
    struct copy *copy;
    struct pro_op op;
    struct pro_task *lanes[LANES];
    size_t count;
};

static void lanes_start(struct copy_main *self)
{
    for (; self->count < (size_t)self->copy->lanes; self->count++)
        self->lanes[self->count] = lane_async(self->copy);
}

static void lanes_drop(struct copy_main *self)
{
    for (size_t i = 0; i < self->count; i++)
        pro_task_unref(self->lanes[i]);
}

PRO_ASYNC(copy_move_next, struct copy_main, self)
    PRO_AWAIT_STATUS(
        pro_file_open(&self->op, NULL, self->copy->from_path, PRO_OPEN_READ, &self->copy->from, PRO_HOW_DEFAULT));
    if (self->op.result < 0)
        PRO_THROW(failure(&self->op, "cannot open", self->copy->from_path));
    PRO_AWAIT_STATUS(pro_file_open(&self->op, NULL, self->copy->to_path,
                                   PRO_OPEN_WRITE | PRO_OPEN_CREATE | PRO_OPEN_TRUNCATE, &self->copy->to,
                                   PRO_HOW_DEFAULT));
    if (self->op.result < 0)
        PRO_THROW(failure(&self->op, "cannot create", self->copy->to_path));
    (void)pro_file_size(&self->copy->from, &self->copy->size);
    lanes_start(self);
    PRO_AWAIT(pro_when_all(self->lanes, self->count));
    if (!self->copy->no_sync) {
        PRO_AWAIT_STATUS(pro_file_sync(&self->op, &self->copy->to, PRO_HOW_DEFAULT));
        if (self->op.result < 0 && self->op.result != PRO_E_INVALID) /* a device has nothing to sync */
            PRO_THROW(failure(&self->op, "cannot write", self->copy->to_path));
    }
PRO_FINALLY
    lanes_drop(self);
    if (pro_file_is_open(&self->copy->to))
        PRO_AWAIT_STATUS(pro_file_close(&self->op, &self->copy->to));
    if (pro_file_is_open(&self->copy->from))
        PRO_AWAIT_STATUS(pro_file_close(&self->op, &self->copy->from));
PRO_ASYNC_END

static struct pro_task *copy_async(struct copy *copy)
{
    struct copy_main *self = PRO_NEW_FRAME_VOID(struct copy_main, copy_move_next);

    if (!self)
        return pro_task_no_memory();
    self->copy = copy;
    return PRO_START(self);
}

/* ---- the program: C#'s Main with its try and catch ---- */
struct program {
    PRO_FRAME;
    struct copy *copy;
    struct pro_task *progress;
    struct pro_cancellation_source *over;
    struct pro_error *error;
};

PRO_ASYNC(program_move_next, struct program, self)
    if (!self->copy->quiet && system_is_terminal() && pro_cancellation_source_new(&self->over) == PRO_OK)
        self->progress = progress_async(self->copy, pro_cancellation_source_token(self->over));
    PRO_AWAIT_STATUS(copy_async(self->copy));
    if (PRO_STATUS < 0)
        self->error = pro_error_ref(PRO_ERROR); /* the next await has an error of its own */
    if (self->progress) {
        pro_cancellation_source_cancel(self->over);
        PRO_AWAIT_STATUS(self->progress);
        pro_cancellation_source_unref(self->over);
    }
    if (self->error) {
        fprintf(stderr, "file_copy: %s\n", pro_error_message(self->error));
        pro_error_unref(self->error);
        self->copy->status = EXIT_TROUBLE;
    }
PRO_ASYNC_END

static struct pro_task *program_async(void *copy)
{
    struct program *self = PRO_NEW_FRAME_VOID(struct program, program_move_next);

    if (!self)
        return pro_task_no_memory();
    self->copy = copy;
    return PRO_START(self);
}

static int copy_run(struct copy *copy)
{
    if (system_is_same_file(copy->from_path, copy->to_path)) {
        fprintf(stderr, "file_copy: '%s' and '%s' are the same file\n", copy->from_path, copy->to_path);
        return EXIT_TROUBLE;
    }
    if (pro_cancellation_source_new(&copy->stop) < 0) {
        fprintf(stderr, "file_copy: %s\n", pro_err_message(PRO_E_NO_MEMORY));
        return EXIT_TROUBLE;
    }
    copy->how.token = pro_cancellation_source_token(copy->stop);
    return pro_run(program_async, copy) < 0 ? EXIT_TROUBLE : copy->status;
}

int main(int count, char **arguments)
{
    struct copy copy = { .chunk = 262144, .lanes = 4 };
    char *paths[2] = { NULL, NULL };
    const struct option options[] = {
        { .name = "--chunk", .number = &copy.chunk, .minimum = 1, .maximum = 1073741824 },
        { .name = "--lanes", .number = &copy.lanes, .minimum = 1, .maximum = LANES },
        { .name = "--no-sync", .flag = &copy.no_sync },
        { .name = "--quiet", .flag = &copy.quiet },
        { .name = NULL },
    };
    int status = arguments_read("file_copy", help, options, system_arguments(arguments), paths, 2);

    (void)count;
    if (status >= 0)
        return status;
    if (!path_check("file_copy", paths[0]) || !path_check("file_copy", paths[1]))
        return EXIT_USAGE;
    copy.from_path = paths[0];
    copy.to_path = paths[1];
    status = copy_run(&copy);
    pro_cancellation_source_unref(copy.stop);
    return status;
}
