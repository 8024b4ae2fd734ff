/* SPDX-License-Identifier: MIT */
/* The backends' threads for blocking calls, and what the library says when there is none. */
#include "offload.h"
#include "harness.h"

enum { ITEMS = 200 };

struct item {
    struct proi_offload offload;
    uint64_t thread;
};
static struct item items[ITEMS];
static uint32_t runs, notices;
static char last_notice[256];

static void note_run(struct proi_offload *offload)
{
    struct item *item = PRO_CONTAINER(offload, struct item, offload);

    item->thread = proi_thread_id();
    proi_fetch_add(&runs, 1, PROI_RELEASE);
    proi_wake_all(&runs);
}

static void note_notice(const char *sentence, void *user)
{
    (void)user;
    notices++;
    snprintf(last_notice, sizeof last_notice, "%s", sentence);
}

static void await_runs(uint32_t count)
{
    uint32_t seen;

    while ((seen = proi_load(&runs, PROI_ACQUIRE)) < count)
        proi_wait(&runs, seen, PRO_INFINITE);
}

/* First, while no thread has been started yet: idle ones stay for a while. */
TEST(offload_without_a_thread_runs_inside_the_call_and_says_so_once)
{
    /* Kills: leaving the item in the queue when no thread can be started; a notice for each item. */
    pro_set_notice_handler(note_notice, NULL);
    pro_set_thread_limit(0);
    runs = notices = 0;
    for (int i = 0; i < ITEMS; i++) {
        items[i].offload.run = note_run;
        proi_offload(&items[i].offload);
        CHECK_EQ(runs, i + 1);
        CHECK_EQ(items[i].thread, proi_thread_id());
    }
    CHECK_EQ(notices, 1);
    CHECK(strstr(last_notice, "thread"));
    pro_set_thread_limit(-1);
    pro_set_notice_handler(NULL, NULL);
}

static uint32_t gate, blocked;

static void block_until_gate(struct proi_offload *offload)
{
    proi_store(&blocked, 1, PROI_RELEASE);
    proi_wake_all(&blocked);
    while (!proi_load(&gate, PROI_ACQUIRE))
        proi_wait(&gate, 0, PRO_INFINITE);
    note_run(offload);
}

TEST(offload_leaves_items_to_the_thread_there_is_when_no_other_can_be_started)
{
    /* Kills: running the queue inside the call although a thread will come to it. */
    runs = gate = blocked = 0;
    items[0].offload.run = block_until_gate;
    proi_offload(&items[0].offload);
    while (!proi_load(&blocked, PROI_ACQUIRE))
        proi_wait(&blocked, 0, PRO_INFINITE);
    pro_set_thread_limit(0);
    for (int i = 1; i < ITEMS; i++) {
        items[i].offload.run = note_run;
        proi_offload(&items[i].offload);
    }
    CHECK_EQ(runs, 0);
    proi_store(&gate, 1, PROI_RELEASE);
    proi_wake_all(&gate);
    await_runs(ITEMS);
    for (int i = 1; i < ITEMS; i++)
        CHECK(items[i].thread == items[0].thread);
    pro_set_thread_limit(-1);
}

TEST(offload_runs_each_item_once_on_at_most_four_other_threads)
{
    /* Kills: an item run twice or lost between put and take; a thread for each item. */
    uint64_t threads[PROI_OFFLOAD_THREADS + 1];
    unsigned count = 0, j;

    runs = 0;
    for (int i = 0; i < ITEMS; i++) {
        items[i].offload.run = note_run;
        items[i].thread = 0;
        proi_offload(&items[i].offload);
    }
    await_runs(ITEMS);
    CHECK_EQ(runs, ITEMS);
    for (int i = 0; i < ITEMS; i++) {
        CHECK(items[i].thread && items[i].thread != proi_thread_id());
        for (j = 0; j < count && threads[j] != items[i].thread; j++)
            ;
        if (j == count && count <= PROI_OFFLOAD_THREADS)
            threads[count++] = items[i].thread;
    }
    CHECK(count >= 1 && count <= PROI_OFFLOAD_THREADS);
}
