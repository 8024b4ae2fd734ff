/* SPDX-License-Identifier: MIT */
/* Memory that stays what it is: the blocks of a home are taken for one kind of object only. Whoever has a stale pointer
   finds an object of that kind there, and can see by what its kind keeps in it (a generation, a mark) that it is not
   his. proi_block_alloc() promises only that the memory stays readable: its classes are shared by all that has a size.
 */
#include "platform.h"

static struct {
    struct proi_mutex lock;
    struct proi_home *first; /* that were ever used */
} homes;

/* The link stands behind the object: a free one changes in no byte. */
static size_t link_offset(const struct proi_home *home)
{
    return (home->size + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
}

static void **link_of(const struct proi_home *home, void *object)
{
    return (void **)(void *)((char *)object + link_offset(home));
}

static void list(struct proi_home *home)
{
    proi_lock(&homes.lock);
    home->next = homes.first;
    homes.first = home;
    proi_unlock(&homes.lock);
}

void *proi_home_take(struct proi_home *home)
{
    void *object;
    bool is_new;

    proi_lock(&home->lock);
    is_new = !home->listed;
    home->listed = true;
    object = home->free;
    if (object)
        home->free = *link_of(home, object);
    proi_unlock(&home->lock);
    if (is_new)
        list(home);
    return object ? object : proi_alloc_zeroed(link_offset(home) + sizeof(void *));
}

void proi_home_give(struct proi_home *home, void *object)
{
    proi_lock(&home->lock);
    *link_of(home, object) = home->free;
    home->free = object;
    proi_unlock(&home->lock);
}

static void trim(struct proi_home *home)
{
    void *object, *next;

    proi_lock(&home->lock);
    object = home->free;
    home->free = NULL;
    proi_unlock(&home->lock);
    for (; object; object = next) {
        next = *link_of(home, object);
        proi_free(object);
    }
}

void proi_homes_trim(void)
{
    proi_lock(&homes.lock);
    for (struct proi_home *home = homes.first; home; home = home->next)
        trim(home);
    proi_unlock(&homes.lock);
}
