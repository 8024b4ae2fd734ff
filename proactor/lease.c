/* SPDX-License-Identifier: MIT */
/* The buffers of leased receives: a loop's pool, lending, and what happens when all are lent or the loop goes first.
 *
 * Buffers come in chunks. A chunk's memory lives as long as the pool or a lease needs it; its records are type-stable
 * and count their lendings, so that a lease returned twice finds another number, whoever has the buffer by then. */
#include "internal.h"

#include <limits.h>

enum {
    CHUNK = PROI_LEASE_CHUNK,
    COUNT_MOST = 32768,
    COUNT_FIRST = 4, /* few: they go round, and stay in the cache while one connection is busy with large messages */
    COUNT_SOON = 64, /* so many are made as soon as there is a line; more */
    LASTING = 4096,  /* when there has been one for so many turns */
    BYTES_LEAST = 64,
    BYTES_MOST = 16 << 20,
    BYTES_DEFAULT = 65536,
    COUNT_DEFAULT = 1024
};

/* [loop] */
struct proi_lease_pool {
    /* Last in, first out: its bytes are in the cache. Unused where the backend provides. */
    struct proi_lease_buffer *free;
    unsigned chunk_count;
    unsigned count;   /* buffers in use: lent, free, or the kernel's to choose; the rest of the last chunk lies idle */
    unsigned out;     /* of these, lent or about to be */
    unsigned lasting; /* so many turns have looked after the line since it began */
    unsigned dry;     /* the last so many of them found no buffer, nor one about to come */
    struct proi_lease_chunk *chunks[];
};

int proi_lease_configure(struct pro_loop *loop, const struct pro_loop_options *options)
{
    const unsigned bytes = options->lease_bytes ? options->lease_bytes : BYTES_DEFAULT;
    const unsigned most = options->lease_most ? options->lease_most : COUNT_DEFAULT;

    if (bytes < BYTES_LEAST || bytes > BYTES_MOST || most > COUNT_MOST)
        return proi_misuse(PRO_E_INVALID,
                           "pro_loop_new: lease_bytes is %u, allowed are %d to %d; lease_most is %u, at most %d", bytes,
                           BYTES_LEAST, BYTES_MOST, most, COUNT_MOST);
    loop->lease_bytes = bytes;
    loop->lease_most = most;
    return PRO_OK;
}

/* ---- chunks ---- */

/* Without memory while they are there; their records keep their numbers. */
static struct proi_home spare = { .size = sizeof(struct proi_lease_chunk) };

/* While the pool is there, what is lent is counted on the loop's thread alone, and the word far from zero tells how
   many were returned that the loop could not take any more. When the pool goes it adds what is lent: from then on the
   word is what is still out. Whoever makes it zero, the pool or the last to return, has the memory; it sees what the
   others did. */
static void chunk_add(struct proi_lease_chunk *chunk, uint32_t count)
{
    if (proi_fetch_add(&chunk->references, count, PROI_ACQ_REL) + count != 0)
        return;
    proi_free(chunk->memory);
    chunk->memory = NULL;
    proi_home_give(&spare, chunk);
}

static void chunk_unref(struct proi_lease_chunk *chunk) { chunk_add(chunk, UINT32_MAX); }

/* From one buffer to the next. A cache line more than the buffer: were they a power of two apart, the first bytes of
   all, which is where short messages lie, would share a few places of the cache. */
static size_t stride(const struct pro_loop *loop)
{
    return (((size_t)loop->lease_bytes + PROI_LINE - 1) & ~(size_t)(PROI_LINE - 1)) + PROI_LINE;
}

static struct proi_lease_chunk *chunk_new(struct pro_loop *loop, unsigned first_number)
{
    const size_t step = stride(loop);
    struct proi_lease_chunk *const chunk = proi_home_take(&spare);
    char *data;

    if (!chunk)
        return NULL;
    chunk->memory = proi_alloc(CHUNK * step + PROI_LINE);
    if (!chunk->memory) {
        proi_home_give(&spare, chunk);
        return NULL;
    }
    chunk->loop = loop;
    chunk->loop_id = loop->id;
    chunk->lent = 0;
    proi_store(&chunk->references, PROI_LEASE_POOLED, PROI_RELAXED);
    data = chunk->memory + (PROI_LINE - (uintptr_t)chunk->memory % PROI_LINE) % PROI_LINE;
    for (unsigned i = 0; i < CHUNK; i++) {
        chunk->buffers[i].chunk = chunk;
        chunk->buffers[i].data = data + i * step;
        chunk->buffers[i].number = first_number + i;
    }
    PROI_POISON(data, CHUNK * step);
    return chunk;
}

/* ---- the pool ---- */

static int make_free(struct pro_loop *loop, struct proi_lease_buffer *buffer)
{
    struct proi_lease_pool *const pool = loop->own.leases;

    if (loop->type->provide)
        return loop->type->provide(loop->backend, buffer->number, buffer->data, loop->lease_bytes, loop->lease_most);
    buffer->work.next = pool->free ? &pool->free->work : NULL;
    pool->free = buffer;
    return PRO_OK;
}

/* The next buffer in number; its chunk is made with the first one. */
static struct proi_lease_buffer *next_buffer(struct pro_loop *loop)
{
    struct proi_lease_pool *const pool = loop->own.leases;

    if (pool->count == pool->chunk_count * CHUNK) {
        struct proi_lease_chunk *const chunk = chunk_new(loop, pool->count);

        if (!chunk)
            return NULL;
        pool->chunks[pool->chunk_count++] = chunk;
    }
    return &pool->chunks[pool->count / CHUNK]->buffers[pool->count % CHUNK];
}

/* A quarter more than before, as far as that goes: what is provided goes round, so that a buffer more is memory more,
   for ever. An error: there is not one more. */
static int grow(struct pro_loop *loop)
{
    struct proi_lease_pool *const pool = loop->own.leases;
    const unsigned before = pool->count, more = before / 4 > COUNT_FIRST ? before / 4 : COUNT_FIRST;
    const unsigned wanted = more < loop->lease_most - before ? before + more : loop->lease_most;

    while (pool->count < wanted) {
        struct proi_lease_buffer *const buffer = next_buffer(loop);

        if (!buffer || make_free(loop, buffer) < 0) /* the latter with the first of all only */
            break;
        pool->count++;
    }
    return pool->count > before ? PRO_OK : PRO_E_NO_MEMORY;
}

static int open_pool(struct pro_loop *loop)
{
    if (!loop->own.leases) {
        const size_t chunks = (loop->lease_most + CHUNK - 1) / CHUNK;

        loop->own.leases = proi_alloc_zeroed(sizeof *loop->own.leases + chunks * sizeof(struct proi_lease_chunk *));
        if (!loop->own.leases)
            return PRO_E_NO_MEMORY;
    }
    return loop->own.leases->count ? PRO_OK : grow(loop);
}

void proi_lease_pool_free(struct pro_loop *loop)
{
    struct proi_lease_pool *const pool = loop->own.leases;

    for (unsigned i = 0; pool && i < pool->chunk_count; i++)
        chunk_add(pool->chunks[i], pool->chunks[i]->lent - PROI_LEASE_POOLED);
    proi_free(pool);
    loop->own.leases = NULL;
}

void proi_lease_count(const struct pro_loop *loop, struct pro_loop_stats *stats)
{
    stats->leases = loop->own.leases ? loop->own.leases->out : 0;
    stats->lease_buffers = loop->own.leases ? loop->own.leases->count : 0;
}

/* ---- the line of those that wait for a buffer ---- */

/* Whoever is before @op in the line. A leased receive has no other use for its offset. */
static struct pro_op *before(const struct pro_op *op) { return (struct pro_op *)(uintptr_t)op->offset; }
static void set_before(struct pro_op *op, struct pro_op *other) { op->offset = (uintptr_t)other; }

/* Who was let go on and is refused all the same has lost the buffer to one that was there before: it goes first. */
PROI_APART void proi_lease_wait(struct pro_op *op)
{
    struct proi_op_queue *const line = &op->loop->own.line;
    struct pro_op *const first = op->flags & PROI_OP_SERVED ? line->head : NULL;

    op->flags = (uint16_t)((op->flags & ~PROI_OP_SERVED) | PROI_OP_STARVED);
    if (first) {
        op->next = first;
        set_before(op, NULL);
        set_before(first, op);
        line->head = op;
    } else {
        set_before(op, line->tail);
        proi_op_queue_push(line, op);
    }
    op->loop->own.starving = true;
}

PROI_APART void proi_lease_leave(struct pro_op *op)
{
    struct proi_op_queue *const line = &op->loop->own.line;
    struct pro_op *const previous = before(op), *const next = op->next;

    if (previous)
        previous->next = next;
    else
        line->head = next;
    if (next)
        set_before(next, previous);
    else
        line->tail = previous;
    op->flags = (uint16_t)((op->flags & ~PROI_OP_STARVED) | PROI_OP_SERVED);
    proi_op_queue_push(&op->loop->own.ready, op);
}

/* How many may; gives how many did. */
static unsigned let_go_on(struct pro_loop *loop, unsigned most)
{
    unsigned count = 0;

    for (; count < most && loop->own.line.head; count++)
        proi_lease_leave(loop->own.line.head);
    return count;
}

static unsigned chosen(const struct pro_loop *loop)
{
    return loop->type->chosen ? loop->type->chosen(loop->backend) : 0;
}

/* As many as anyone wants, where there are none at all: making the first, or failing for want of memory, is theirs. */
static unsigned free_buffers(const struct pro_loop *loop)
{
    const struct proi_lease_pool *const pool = loop->own.leases;
    unsigned gone;

    if (!pool || !pool->count)
        return UINT_MAX;
    gone = pool->out + chosen(loop);
    return gone < pool->count ? pool->count - gone : 0;
}

/* A buffer more is memory more, for ever, and a burst needs none: it goes round in the line. So many are made only when
   the line lasts, or when two turns find nothing that could come home soon: who holds the leases may need what the line
   receives. */
static bool is_short(const struct proi_lease_pool *pool)
{
    return pool->count < COUNT_SOON || pool->lasting > LASTING || pool->dry > 1;
}

/* More at once would only be refused again, each at the price of a receive. What is let go on may find no data, though,
   and take no buffer: the kernel refuses for want of one without looking for data. So as long as any goes on the others
   are looked after in the next turn, and once more; else on the next buffer that comes home. */
PROI_APART void proi_lease_serve(struct pro_loop *loop)
{
    struct proi_lease_pool *const pool = loop->own.leases;
    unsigned served = let_go_on(loop, free_buffers(loop));

    if (loop->own.line.head) {
        const unsigned count = pool->count;

        pool->lasting++;
        pool->dry = served || chosen(loop) ? 0 : pool->dry + 1;
        if (is_short(pool) && grow(loop) == PRO_OK)
            served += let_go_on(loop, pool->count - count);
        loop->own.starving = loop->own.line.head && (served || pool->dry < 2);
    } else {
        loop->own.starving = false;
    }
    if (pool && !loop->own.line.head)
        pool->lasting = pool->dry = 0;
}

/* ---- lending ---- */

static void put_back(struct pro_loop *loop, struct proi_lease_buffer *buffer)
{
    struct proi_lease_pool *const pool = loop->own.leases;

    PROI_POISON(buffer->data, loop->lease_bytes);
    pool->out--;
    (void)make_free(loop, buffer); /* only the first of all can fail */
    if (PROI_UNLIKELY(loop->own.line.head != NULL))
        loop->own.starving = true;
}

static void hold(struct pro_op *op, struct proi_lease_buffer *buffer)
{
    const uint32_t size = op->loop->lease_bytes;

    PROI_UNPOISON(buffer->data, size);
    op->loop->own.leases->out++;
    *proi_op_lease(op) = (struct pro_lease){ .data = buffer->data, .buffer = buffer, .size = size };
}

int proi_lease_prepare(struct pro_op *op)
{
    const struct proi_lease_pool *const pool = op->loop->own.leases;

    return PROI_LIKELY(pool && pool->count) ? PRO_OK : open_pool(op->loop);
}

int64_t proi_lease_take(struct pro_op *op)
{
    struct proi_lease_pool *pool;
    struct proi_lease_buffer *buffer;

    if (proi_lease_prepare(op) < 0)
        return PRO_E_NO_MEMORY;
    pool = op->loop->own.leases;
    buffer = pool->free;
    if (!buffer)
        return PROI_STARVED;
    pool->free = buffer->work.next ? PRO_CONTAINER(buffer->work.next, struct proi_lease_buffer, work) : NULL;
    hold(op, buffer);
    return PRO_OK;
}

void proi_lease_taken(struct pro_op *op, unsigned number)
{
    hold(op, &op->loop->own.leases->chunks[number / CHUNK]->buffers[number % CHUNK]);
}

void proi_lease_drop(struct pro_op *op)
{
    struct proi_lease_buffer *const buffer = proi_op_lease(op)->buffer;

    *proi_op_lease(op) = (struct pro_lease){ 0 };
    put_back(op->loop, buffer);
}

void proi_lease_complete(struct proi_op_queue *done, struct pro_op *op, int64_t result, int native)
{
    struct pro_lease *const lease = proi_op_lease(op);
    struct proi_lease_buffer *const buffer = lease->buffer;

    if (result > 0) {
        /* Relaxed: whoever returns the lease has it from the loop's thread, and with it what was written before. */
        lease->size = (uint32_t)result;
        lease->lending = proi_load(&buffer->lending, PROI_RELAXED) + 1;
        proi_store(&buffer->lending, lease->lending, PROI_RELAXED);
        buffer->chunk->lent++;
    } else if (buffer) {
        proi_lease_drop(op);
    }
    proi_op_complete(done, op, result, result > 0 ? (size_t)result : 0, native);
}

/* ---- coming back ---- */

/* On the loop's thread, the pool alive. */
static void come_home(struct pro_loop *loop, struct proi_lease_buffer *buffer)
{
    buffer->chunk->lent--;
    put_back(loop, buffer);
}

/* Is it the buffer's loop that runs here now? Its block may be another loop's by now. */
static bool is_at_home(const struct proi_lease_buffer *buffer)
{
    return buffer->chunk->loop == proi_running_loop && proi_running_loop->id == buffer->chunk->loop_id;
}

/* The loop that ends runs what is still in its inbox elsewhere: then there is no pool any more. */
static void arrive(struct pro_work *work)
{
    struct proi_lease_buffer *const buffer = PRO_CONTAINER(work, struct proi_lease_buffer, work);

    if (is_at_home(buffer))
        come_home(proi_running_loop, buffer);
    else
        chunk_unref(buffer->chunk);
}

/* Not inside a run of its loop: on that thread between two runs, on another, or the loop is gone. */
static void return_from_outside(struct proi_lease_buffer *buffer)
{
    struct proi_lease_chunk *const chunk = buffer->chunk;
    struct pro_loop *const loop = chunk->loop;
    bool taken = false;

    if (proi_loop_visit(loop)) {
        if (loop->id == chunk->loop_id && proi_loop_on_thread(loop)) {
            come_home(loop, buffer);
            taken = true;
        } else if (loop->id == chunk->loop_id) {
            buffer->work = (struct pro_work){ .run = arrive };
            taken = proi_loop_post_raw(loop, &buffer->work) == PRO_OK;
        }
        proi_loop_depart(loop);
    }
    if (!taken)
        chunk_unref(chunk);
}

int pro_lease_return(struct pro_lease *lease)
{
    struct proi_lease_buffer *buffer;
    uint32_t lending;

    if (!lease)
        return proi_misuse(PRO_E_INVALID, "pro_lease_return: the lease is NULL");
    buffer = lease->buffer;
    lending = lease->lending;
    *lease = (struct pro_lease){ 0 };
    if (!buffer)
        return PRO_OK;
    /* Two copies at once: the exchange lets one through, the other finds an even number or a later lending. What the
       holder did with the bytes comes before, for whoever gets the buffer next. */
    if (!(lending & 1) || !proi_compare_exchange(&buffer->lending, &lending, lending + 1, PROI_ACQ_REL))
        return proi_misuse(PRO_E_STATE, "pro_lease_return: a copy of this lease was returned before");
    if (PROI_LIKELY(is_at_home(buffer)))
        come_home(proi_running_loop, buffer);
    else
        return_from_outside(buffer);
    return PRO_OK;
}
