/* SPDX-License-Identifier: MIT */
/* Async streams: the interface, `await foreach`, and iterators: async methods whose body goes on when the next item is
 * asked for. */
#include "internal.h"

#include <string.h>

/* ---- the interface ---- */

static bool is_whole(const struct pro_stream *stream)
{
    return stream && stream->vtable && stream->vtable->move_next && stream->vtable->current && stream->vtable->dispose;
}

static int invalid(const char *who)
{
    return proi_misuse(PRO_E_INVALID, "%s: the stream is NULL or lacks one of its three functions", who);
}

struct pro_value_task pro_stream_move_next(struct pro_stream *stream)
{
    if (!is_whole(stream))
        return pro_value_task_from_error(pro_error_of(invalid("pro_stream_move_next")));
    return stream->vtable->move_next(stream);
}

int pro_stream_current(struct pro_stream *stream, void *ret_item, struct pro_type type)
{
    if (!ret_item)
        return proi_misuse(PRO_E_INVALID, "pro_stream_current: ret_item is NULL");
    return is_whole(stream) ? stream->vtable->current(stream, ret_item, type) : invalid("pro_stream_current");
}

struct pro_value_task pro_stream_dispose(struct pro_stream *stream)
{
    if (!is_whole(stream))
        return pro_value_task_from_error(pro_error_of(invalid("pro_stream_dispose")));
    return stream->vtable->dispose(stream);
}

/* ---- the stream that fails ---- */

struct failing {
    struct pro_stream stream;
    struct pro_error *error; /* NULL: it was told */
};

static struct pro_value_task failing_move_next(struct pro_stream *stream)
{
    struct failing *const failing = PRO_CONTAINER(stream, struct failing, stream);
    struct pro_error *const error = failing->error;
    const bool no = false;

    failing->error = NULL;
    return error ? pro_value_task_from_error(error) : pro_value_task_from_result(&no, PRO_TYPE(bool));
}

static int failing_current(struct pro_stream *stream, void *ret_item, struct pro_type type)
{
    (void)stream, (void)ret_item, (void)type;
    return proi_misuse(PRO_E_STATE, "pro_stream_current: there is no present item");
}

static struct pro_value_task failing_dispose(struct pro_stream *stream)
{
    struct failing *const failing = PRO_CONTAINER(stream, struct failing, stream);

    pro_error_unref(failing->error);
    proi_block_free(failing, sizeof *failing);
    return PRO_VALUE_TASK_COMPLETED;
}

static struct pro_value_task no_memory_move_next(struct pro_stream *stream)
{
    (void)stream;
    return pro_value_task_from_task(pro_task_no_memory(), PRO_TYPE(bool));
}

static struct pro_value_task no_memory_dispose(struct pro_stream *stream)
{
    (void)stream;
    return PRO_VALUE_TASK_COMPLETED;
}

static const struct pro_stream_vtable failing_vtable = { failing_move_next, failing_current, failing_dispose };
static const struct pro_stream_vtable no_memory_vtable = { no_memory_move_next, failing_current, no_memory_dispose };
static struct pro_stream no_memory_stream = { &no_memory_vtable }; /* immortal */

struct pro_stream *pro_stream_from_error(struct pro_error *error)
{
    struct failing *const failing = proi_block_alloc(sizeof *failing);

    if (!error)
        error = pro_error_of(proi_misuse(PRO_E_INVALID, "pro_stream_from_error: the error is NULL"));
    if (!failing) {
        pro_error_unref(error);
        return &no_memory_stream;
    }
    *failing = (struct failing){ { &failing_vtable }, error };
    return &failing->stream;
}

/* ---- await foreach ---- */

void pro_foreach_begin_(struct pro_frame *frame, struct pro_foreach *each, struct pro_stream *stream, unsigned options,
                        uint32_t unwind_pc)
{
    if (!is_whole(stream))
        stream = pro_stream_from_error(pro_error_of(invalid("PRO_AWAIT_FOREACH")));
    *each = (struct pro_foreach){ .stream = stream, .outer_leave_pc = frame->leave_pc, .options = options };
    frame->leave_pc = unwind_pc; /* from here on who leaves the body comes by the disposal */
}

bool pro_foreach_next_(struct pro_frame *frame, struct pro_foreach *each)
{
    return pro_frame_await_value_(frame, each->stream->vtable->move_next(each->stream), each->options);
}

bool pro_foreach_take_(struct pro_frame *frame, struct pro_foreach *each, void *ret_item, struct pro_type type)
{
    int code;

    each->has_item = false;
    if (pro_frame_take_result_(frame, &each->has_item, PRO_TYPE(bool))) {
        each->failed = true;
        return false;
    }
    if (!each->has_item)
        return false;
    code = each->stream->vtable->current(each->stream, ret_item, type);
    if (code == PRO_OK)
        return true;
    pro_frame_throw_(frame, pro_error_of(code));
    each->failed = true;
    return false;
}

bool pro_foreach_dispose_(struct pro_frame *frame, struct pro_foreach *each)
{
    struct pro_stream *const stream = each->stream;

    each->stream = NULL;
    return pro_frame_await_value_(frame, stream->vtable->dispose(stream), each->options);
}

bool pro_foreach_disposed_(struct pro_frame *frame, struct pro_foreach *each)
{
    frame->leave_pc = each->outer_leave_pc;
    each->phase = PRO_FOREACH_OVER_;
    /* Its own error takes the place of what the loop was leaving with (SEM-090). */
    return pro_frame_take_result_(frame, NULL, PRO_NO_RESULT) || each->leaving || each->failed;
}

/* ---- iterators ---- */

/* One block: task, frame, iterator, and behind them the present item, where a method has its result. The consumer has
   its one reference until the disposal. Consumer and body take turns: what they share needs no lock, the core's slot
   orders it. */
enum state { ITERATOR_FRESH, ITERATOR_RUNNING, ITERATOR_YIELDED, ITERATOR_ENDED };

static struct pro_iterator *iterator_of(struct pro_frame *frame) { return (struct pro_iterator *)(void *)(frame + 1); }
static struct pro_frame *frame_of(struct pro_iterator *iterator) { return (struct pro_frame *)(void *)iterator - 1; }
static struct pro_task *task_of(struct pro_iterator *iterator) { return proi_task_of_body(frame_of(iterator)); }

static void drop_item(struct pro_iterator *iterator)
{
    struct pro_task *const task = task_of(iterator);

    if (iterator->has_item && task->drop)
        task->drop(proi_task_result_at(task));
    iterator->has_item = false;
}

/* Lets the body go on. The value task of what comes next: the answer itself if it is there already, else the core's
 * version. */
static struct pro_value_task run_body(struct pro_iterator *iterator, struct pro_type type)
{
    struct pro_value_task_source_core *const core = &iterator->core;
    uint16_t version;
    bool has_item = false;

    drop_item(iterator);
    pro_value_task_source_core_reset(core);
    version = pro_value_task_source_core_version(core);
    iterator->state = ITERATOR_RUNNING;
    proi_frame_run(frame_of(iterator));
    /* Nobody else knows this version yet: the iterator is still here, and still at it. */
    if (!type.size || pro_value_task_source_core_get_status(core, version) != PRO_VALUE_TASK_SUCCEEDED)
        return pro_value_task_from_source(&iterator->source, version, type);
    pro_value_task_source_core_get_result(core, version, &has_item, type, NULL);
    return pro_value_task_from_result(&has_item, type);
}

static struct pro_value_task iterator_move_next(struct pro_stream *stream)
{
    struct pro_iterator *const iterator = PRO_CONTAINER(stream, struct pro_iterator, stream);
    const bool no = false;

    switch (iterator->state) {
    case ITERATOR_ENDED:
        drop_item(iterator);
        return pro_value_task_from_result(&no, PRO_TYPE(bool));
    case ITERATOR_RUNNING:
        return pro_value_task_from_error(pro_error_of(proi_misuse(
            PRO_E_STATE,
            "pro_stream_move_next: the last move has not ended; a stream has one consumer, who awaits it")));
    default:
        return run_body(iterator, PRO_TYPE(bool));
    }
}

static int iterator_current(struct pro_stream *stream, void *ret_item, struct pro_type type)
{
    struct pro_iterator *const iterator = PRO_CONTAINER(stream, struct pro_iterator, stream);
    struct pro_task *const task = task_of(iterator);

    if (iterator->state != ITERATOR_YIELDED || !iterator->has_item)
        return proi_misuse(PRO_E_STATE, "pro_stream_current: there is no present item");
    if (!proi_type_fits(task->type, type))
        return PRO_E_TYPE;
    memcpy(ret_item, proi_task_result_at(task), type.size);
    iterator->has_item = !task->drop; /* an owned one moves */
    return PRO_OK;
}

static void free_iterator(struct pro_iterator *iterator)
{
    drop_item(iterator);
    pro_value_task_source_core_reset(&iterator->core);
    pro_task_unref(task_of(iterator));
}

static struct pro_value_task iterator_dispose(struct pro_stream *stream)
{
    struct pro_iterator *const iterator = PRO_CONTAINER(stream, struct pro_iterator, stream);
    struct pro_frame *const frame = frame_of(iterator);
    struct pro_value_task end;

    if (iterator->state == ITERATOR_RUNNING)
        return pro_value_task_from_error(
            pro_error_of(proi_misuse(PRO_E_STATE, "pro_stream_dispose: a move has not ended; await it first")));
    if (iterator->state != ITERATOR_ENDED) {
        iterator->disposing = true;
        if (iterator->state == ITERATOR_FRESH)
            frame->pc = frame->leave_pc; /* the finally section gives back what the frame was given */
        end = run_body(iterator, PRO_NO_RESULT);
        if (!pro_value_task_is_succeeded(end))
            return end; /* whoever takes its result frees the iterator */
    }
    free_iterator(iterator);
    return PRO_VALUE_TASK_COMPLETED;
}

static const struct pro_stream_vtable iterator_vtable = { iterator_move_next, iterator_current, iterator_dispose };

/* ---- the source of its value tasks: the core, which goes with the disposal's result ---- */

static struct pro_iterator *iterator_of_source(struct pro_value_task_source *source)
{
    return PRO_CONTAINER(source, struct pro_iterator, source);
}

static int source_status(struct pro_value_task_source *source, uint16_t version)
{
    return pro_value_task_source_core_get_status(&iterator_of_source(source)->core, version);
}

static int source_on_completed(struct pro_value_task_source *source, struct pro_continuation *continuation,
                               uint16_t version, unsigned flags)
{
    return pro_value_task_source_core_on_completed(&iterator_of_source(source)->core, continuation, version, flags);
}

static int source_result(struct pro_value_task_source *source, uint16_t version, void *ret_result, struct pro_type type,
                         struct pro_error **ret_error)
{
    struct pro_iterator *const iterator = iterator_of_source(source);
    const int code = pro_value_task_source_core_get_result(&iterator->core, version, ret_result, type, ret_error);

    if (iterator->disposing && version == pro_value_task_source_core_version(&iterator->core) &&
        pro_value_task_source_core_get_status(&iterator->core, version) != PRO_VALUE_TASK_PENDING)
        free_iterator(iterator);
    return code;
}

static struct pro_task *source_awaited_task(struct pro_value_task_source *source)
{
    return task_of(iterator_of_source(source));
}

static const struct pro_value_task_source_vtable source_vtable = { .get_status = source_status,
                                                                   .on_completed = source_on_completed,
                                                                   .get_result = source_result,
                                                                   .awaited_task = source_awaited_task };

/* ---- what the macros of a body call ---- */

struct pro_stream *pro_iterator_start_(struct pro_iterator *iterator)
{
    if (!iterator)
        return &no_memory_stream;
    if (!proi_frame_make_iterator(frame_of(iterator)))
        return pro_stream_from_error(
            pro_error_of(proi_misuse(PRO_E_STATE, "this frame was started before; make a new one")));
    iterator->stream.vtable = &iterator_vtable;
    iterator->source.vtable = &source_vtable;
    return &iterator->stream;
}

void *pro_iterator_item_(struct pro_frame *frame, struct pro_type type, int line)
{
    struct pro_task *const task = proi_task_of_body(frame);
    const struct pro_site *const where = proi_load(&task->where, PROI_RELAXED);
    const struct pro_site body = where ? *where : PRO_SITE_UNKNOWN, here = { body.file, body.function, line };
    struct pro_error *error = NULL;

    if (!proi_frame_is_iterator(frame))
        error =
            pro_error_new(PRO_E_STATE, here, "PRO_YIELD_RETURN in a method that was not started by PRO_START_STREAM");
    else if (frame->leave_pc == PRO_PC_LOW_(PRO_PC_END_) || iterator_of(frame)->disposing)
        error = pro_error_new(PRO_E_STATE, here, "PRO_YIELD_RETURN in the finally section: nobody takes items there");
    else if (!proi_type_fits(task->type, type))
        error = pro_error_new(PRO_E_TYPE, here, "PRO_YIELD_RETURN: the stream was made for items of another type");
    if (!error)
        return proi_task_result_at(task);
    pro_frame_throw_(frame, error);
    return NULL;
}

/* From the moment the core has its result the consumer may ask for the next item: nothing is touched after it. */
void pro_iterator_yield_(struct pro_frame *frame)
{
    struct pro_iterator *const iterator = iterator_of(frame);
    const bool yes = true;

    iterator->has_item = true;
    iterator->state = ITERATOR_YIELDED;
    pro_value_task_source_core_set_result(&iterator->core, &yes, PRO_TYPE(bool));
}

bool pro_iterator_is_disposed_(struct pro_frame *frame) { return iterator_of(frame)->disposing; }

void proi_iterator_finish(struct pro_frame *frame, struct pro_error *fault)
{
    struct pro_iterator *const iterator = iterator_of(frame);
    const bool no = false;

    iterator->state = ITERATOR_ENDED;
    if (fault)
        pro_value_task_source_core_set_error(&iterator->core, fault);
    else
        pro_value_task_source_core_set_result(&iterator->core, &no,
                                              iterator->disposing ? PRO_NO_RESULT : PRO_TYPE(bool));
}
