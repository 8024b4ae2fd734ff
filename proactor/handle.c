/* SPDX-License-Identifier: MIT */
/* Open handles: type-stable blocks that user values point at with a generation. */
#include "internal.h"

#include <string.h>

/* Free blocks keep their generation, so that a value of a former life never fits the present one. */
static struct {
    struct proi_mutex lock;
    struct pro_handle *free;
} spare;

static struct pro_handle *take_block(void)
{
    struct pro_handle *handle;

    proi_lock(&spare.lock);
    handle = spare.free;
    if (handle)
        spare.free = handle->next;
    proi_unlock(&spare.lock);
    if (!handle) {
        handle = proi_alloc_zeroed(sizeof *handle);
        if (!handle)
            return NULL;
        proi_store(&handle->generation, 1u, PROI_RELAXED);
        return handle;
    }
    /* Everything but generation, state, loop and kind, which other threads may be reading. */
    memset((char *)handle + offsetof(struct pro_handle, family), 0,
           sizeof *handle - offsetof(struct pro_handle, family));
    return handle;
}

static void give_back(struct pro_handle *handle)
{
    proi_store(&handle->state, (uint32_t)PROI_HANDLE_CLOSED, PROI_RELAXED);
    proi_fetch_add(&handle->generation, 1u, PROI_RELEASE);
    proi_lock(&spare.lock);
    handle->next = spare.free;
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
    proi_store(&handle->state, (uint32_t)PROI_HANDLE_OPEN, PROI_RELEASE);
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
    handle->next = loop->handles;
    if (handle->next)
        handle->next->previous = handle;
    loop->handles = handle;
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
    if (handle->previous)
        handle->previous->next = handle->next;
    else
        loop->handles = handle->next;
    if (handle->next)
        handle->next->previous = handle->previous;
    loop->handle_count--;
    proi_unlock(&loop->lock);
    give_back(handle);
}

void proi_handle_release_all(struct pro_loop *loop)
{
    for (;;) {
        struct pro_handle *handle;

        proi_lock(&loop->lock);
        handle = loop->handles;
        proi_unlock(&loop->lock);
        if (!handle)
            return;
        loop->type->release(loop->backend, (enum proi_handle_kind)handle->kind, handle->native);
        proi_handle_forget(handle);
    }
}

/* At any moment the handle may be closed on its loop's thread, and its block become another's. The former counts the
   generation up before the latter stores a member of its own by a release. So there are two orders: we read members of
   this life, and may find its number or a later one; or we acquire a member of a later life, and with it the number
   that came before, which is not ours. With the same number before and after, what lies between is of this life. */
int proi_handle_look(const struct pro_handle *handle, uint32_t generation, uint32_t loop_id,
                     struct proi_handle_view *ret_view)
{
    uint32_t state;

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
