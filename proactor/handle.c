/* SPDX-License-Identifier: MIT */
/* Open handles: type-stable blocks that user values point at with a generation. They lie in slabs, which stay for ever:
   who looks for the handles of a loop looks through all of them. */
#include "internal.h"

#include <string.h>

/* Free blocks keep their generation, so that a value of a former life never fits the present one. */
static struct {
    struct proi_mutex lock;
    struct pro_handle *free;
    struct proi_handle_slab *slabs; /* newest first */
} spare;

/* Gives one block of a new slab, and leaves the others to whoever comes next. NULL: no memory. */
static PROI_COLD struct pro_handle *take_of_new_slab(void)
{
    struct proi_handle_slab *const slab = proi_alloc_zeroed(sizeof *slab);
    struct pro_handle *first, *last;

    if (!slab)
        return NULL;
    first = (struct pro_handle *)(void *)(slab->room + (-(uintptr_t)slab->room & (PROI_SLAB_ALIGN - 1)));
    last = &first[PROI_SLAB_HANDLES - 1];
    slab->handles = first;
    for (struct pro_handle *handle = first; handle <= last; handle++) {
        handle->generation = 1;
        handle->next_spare = handle + 1;
    }
    proi_lock(&spare.lock);
    last->next_spare = spare.free; /* another thread may have made a slab meanwhile */
    spare.free = first->next_spare;
    slab->next = spare.slabs;
    spare.slabs = slab;
    proi_unlock(&spare.lock);
    return first;
}

static struct pro_handle *take_block(void)
{
    struct pro_handle *handle;

    proi_lock(&spare.lock);
    handle = spare.free;
    if (handle)
        spare.free = handle->next_spare;
    proi_unlock(&spare.lock);
    if (PROI_UNLIKELY(!handle))
        handle = take_of_new_slab();
    if (handle) /* everything but generation, state, kind and loop, which other threads may be reading */
        memset((char *)handle + offsetof(struct pro_handle, pending), 0,
               sizeof *handle - offsetof(struct pro_handle, pending));
    return handle;
}

/* It is no loop's any more, or never was. */
static void give_back(struct pro_handle *handle)
{
    proi_fetch_add(&handle->generation, 1u, PROI_RELEASE);
    proi_lock(&spare.lock);
    handle->next_spare = spare.free;
    spare.free = handle;
    proi_unlock(&spare.lock);
}

int proi_handle_open(struct pro_loop *loop, enum proi_handle_kind kind, intptr_t native, enum pro_family family,
                     enum pro_op_kind via, struct pro_handle **ret_handle)
{
    struct pro_handle *handle = take_block();
    int code = PRO_E_NO_MEMORY;

    if (!handle)
        goto release;
    /* Releases: see proi_handle_look(). */
    proi_store(&handle->loop, loop, PROI_RELEASE);
    proi_store(&handle->kind, (unsigned char)kind, PROI_RELEASE);
    handle->family = (unsigned char)family;
    handle->native = native;
    code = loop->type->attach(loop->backend, handle, via);
    if (code < 0)
        goto free_block;
    proi_lock(&loop->lock);
    if (proi_load(&loop->closing,
                  PROI_RELAXED)) { /* set under this lock: either seen here, or the handle is seen there */
        proi_unlock(&loop->lock);
        code = PRO_E_LOOP_CLOSED;
        goto free_block;
    }
    proi_store(&handle->state, (unsigned char)PROI_HANDLE_OPEN, PROI_RELEASE); /* the last: see is_of() */
    loop->handle_count++;
    proi_unlock(&loop->lock);
    *ret_handle = handle;
    return PRO_OK;
free_block:
    /* First the native: a late event of it must not find the block in another's hands. */
    loop->type->release(loop->backend, kind, native);
    give_back(handle);
    return code;
release:
    loop->type->release(loop->backend, kind, native);
    return code;
}

void proi_handle_forget(struct pro_handle *handle)
{
    struct pro_loop *loop = handle->loop;

    proi_lock(&loop->lock);
    proi_store(&handle->state, (unsigned char)PROI_HANDLE_CLOSED, PROI_RELAXED); /* give_back() publishes it */
    loop->handle_count--;
    proi_unlock(&loop->lock);
    give_back(handle);
}

/* Is it an open handle of @loop, which is closing? Of such a handle nothing but its state changes, and that on our
   thread. Any other may be closed at any moment, and its block be opened for another loop, or for this one, which then
   refuses it. The state is read before the loop: who finds it open has acquired the loop of that life, or finds that of
   a later one; and then the number, read again, is another (see proi_handle_look()). */
static bool is_of(const struct pro_handle *handle, const struct pro_loop *loop)
{
    const uint32_t generation = proi_load(&handle->generation, PROI_ACQUIRE);

    return proi_load(&handle->state, PROI_ACQUIRE) != PROI_HANDLE_CLOSED &&
           proi_load(&handle->loop, PROI_ACQUIRE) == loop && proi_load(&handle->generation, PROI_RELAXED) == generation;
}

void proi_handle_for_each(struct pro_loop *loop, void (*visit)(struct pro_handle *handle))
{
    const struct proi_handle_slab *slab;
    size_t left;

    proi_lock(&loop->lock);
    left = loop->handle_count;
    proi_unlock(&loop->lock);
    if (!left)
        return;
    /* Slabs are only ever added in front; our handles are in those that are there. */
    proi_lock(&spare.lock);
    slab = spare.slabs;
    proi_unlock(&spare.lock);
    for (; slab && left; slab = slab->next)
        for (size_t i = 0; i < PROI_SLAB_HANDLES && left; i++)
            if (is_of(&slab->handles[i], loop)) {
                left--;
                visit(&slab->handles[i]);
            }
}

static void release(struct pro_handle *handle)
{
    handle->loop->type->release(handle->loop->backend, (enum proi_handle_kind)handle->kind, handle->native);
    proi_handle_forget(handle);
}

void proi_handle_release_all(struct pro_loop *loop) { proi_handle_for_each(loop, release); }

/* At any moment the handle may be closed on its loop's thread, and its block become another's. The former counts the
   generation up before the latter stores a member of its own by a release. So there are two orders: we read members of
   this life, and may find its number or a later one; or we acquire a member of a later life, and with it the number
   that came before, which is not ours. With the same number before and after, what lies between is of this life. */
int proi_handle_look(const struct pro_handle *handle, uint32_t generation, uint32_t loop_id,
                     struct proi_handle_view *ret_view)
{
    unsigned char state;

    if (PROI_UNLIKELY(!handle || !generation))
        return PRO_E_INVALID;
    if (PROI_LIKELY(proi_load(&handle->generation, PROI_ACQUIRE) == generation)) {
        ret_view->loop = proi_load(&handle->loop, PROI_ACQUIRE);
        ret_view->kind = (enum proi_handle_kind)proi_load(&handle->kind, PROI_ACQUIRE);
        state = proi_load(&handle->state, PROI_ACQUIRE);
        if (PROI_LIKELY(proi_load(&handle->generation, PROI_RELAXED) == generation)) {
            if (PROI_UNLIKELY(!ret_view->loop || proi_load(&ret_view->loop->closing, PROI_RELAXED)))
                return PRO_E_LOOP_CLOSED;
            return state == PROI_HANDLE_OPEN ? PRO_OK : PRO_E_CLOSED;
        }
    }
    return proi_loop_id_is_open(loop_id) ? PRO_E_CLOSED : PRO_E_LOOP_CLOSED;
}

int proi_handle_check(const struct pro_handle *handle, uint32_t generation, uint32_t loop_id)
{
    struct proi_handle_view view;

    return proi_handle_look(handle, generation, loop_id, &view);
}
