/* SPDX-License-Identifier: MIT */
/* The io_uring backend: one ring a loop, one io_uring_enter a turn.
 *
 * Design. The ring is made on any thread, disabled; bind() enables it on the loop's, which is its only issuer from then
 * on. Completions are made by the kernel only while we are inside io_uring_enter (DEFER_TASKRUN). liburing makes and
 * frees the ring; queueing and reaping are done here on its two arrays, because this is the path of every operation.
 *
 * A submission carries the op's address, its generation in the 16 bits above, and a tag in the low bits. A cancel
 * request names that whole word, so one that comes late cannot find the op's next life.
 *
 * Other threads wake the loop by a message to its ring, sent without a ring of their own, or by an eventfd under a
 * multishot poll. That is written and never read: a poll of this sort reports each write, and there is no buffer that a
 * closing ring could still write to. */
#include "uring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    ENTRIES = 256,
    ENTRIES_LEAST = 32,   /* less is no use; asked for by the user it is granted */
    ENTRIES_MOST = 32768, /* the kernel's own limit */
    CQ_FACTOR = 4,
    ENTER_AGAIN_MOST = 16, /* in a turn */
    OPS_AHEAD = 8,         /* completions before it is its turn an op is fetched, */
    AROUND_AHEAD = 4       /* and what is around it: by then it has come */
};

/* An op is aligned to 8: its address has three low bits to give away. */
enum tag { TAG_OP, TAG_CANCEL, TAG_WAKE, TAG_MESSAGE, TAG_MASK = 7 };
_Static_assert(_Alignof(struct pro_op) == 8, "the tag fits below the address");

static struct uring *uring_of(struct proi_backend *backend) { return (struct uring *)(void *)backend; }

static uint64_t user_data(const struct pro_op *op)
{
    return (uint64_t)(uintptr_t)op | (uint64_t)op->generation << URING_GENERATION_SHIFT;
}

/* ---- into the kernel ---- */

/* Hands over what is queued, and waits as @flags say. Gives -errno when nothing was handed over. The release makes the
   entries visible before the tail that announces them. */
static int enter(struct uring *uring, unsigned least, unsigned flags, struct io_uring_getevents_arg *arg)
{
    int count;

    proi_store(uring->kernel_sq_tail, uring->sq_tail, PROI_RELEASE);
    if (uring->buffers)
        proi_store(&uring->buffers->tail, uring->buffers_tail, PROI_RELEASE);
    uring->system_calls++;
    count = io_uring_enter2((unsigned)uring->enter_fd, uring->sq_tail - uring->sq_submitted, least,
                            flags | uring->enter_flags, (sigset_t *)(void *)arg, arg ? sizeof *arg : _NSIG / 8);
    if (count > 0)
        uring->sq_submitted += (unsigned)count;
    return count;
}

/* An answer that leaves the loop running in circles is told, once, and slows it down. */
static void entered_badly(struct uring *uring, int error)
{
    static const uint32_t nobody_writes;
    char message[128];

    if (error == EINTR || error == ETIME || error == EAGAIN || error == EBUSY)
        return; /* a signal, the deadline, or no memory at the moment: the next turn tries again */
    if (!uring->told) {
        uring->told = true;
        proi_native_message(error, message, sizeof message);
        if (error == EBADR)
            proi_notice(
                "io_uring: the kernel had no memory for completions and dropped some; their operations never end");
        else if (error == EEXIST)
            proi_notice(
                "io_uring: this loop runs on another thread, or in another process, than the one that first ran it; "
                "make a loop for each");
        else
            proi_notice("io_uring: io_uring_enter fails with %d (%s); this loop can do no I/O any more", error,
                        message);
    }
    if (error != EBADR)
        proi_wait(&nobody_writes, 0, PRO_MS(10));
}

static void reap(struct uring *uring, struct proi_op_queue *done, unsigned most);

static bool is_full(const struct uring *uring) { return uring->sq_tail - uring->sq_submitted >= uring->sq_entries; }

static struct io_uring_sqe *next_entry(struct uring *uring) { return &uring->sqes[uring->sq_tail & uring->sq_mask]; }

/* The queue is full: submits in the middle of a turn. When the kernel does not even take that for want of room or
   memory, what is complete is put aside first. NULL: it does not take it now. */
static __attribute__((noinline)) struct io_uring_sqe *entry_after_flush(struct uring *uring)
{
    if (enter(uring, 0, 0, NULL) <= 0) {
        reap(uring, &uring->over, UINT_MAX);
        enter(uring, 0, IORING_ENTER_GETEVENTS, NULL);
    }
    return is_full(uring) ? NULL : next_entry(uring);
}

/* The next free entry; it is queued when sq_tail moves on. */
static struct io_uring_sqe *entry(struct uring *uring)
{
    return PROI_UNLIKELY(is_full(uring)) ? entry_after_flush(uring) : next_entry(uring);
}

/* Close has to close in any case. */
static PROI_APART void refuse(struct uring *uring, struct pro_op *op, int error)
{
    if (op->kind == PRO_OP_CLOSE) {
        proi_uring_forget_file(uring, op->handle);
        uring->system_calls++;
        error = close((int)op->handle->native) && errno != EINTR ? errno : 0;
    }
    proi_op_complete(&uring->over, op, proi_error_from_native(error), 0, error);
}

void proi_uring_take_back(struct uring *uring, struct pro_op *op, int error)
{
    uring->sq_tail--;
    refuse(uring, op, error);
}

/* The entry is queued before it is filled: so filling is the last thing that is done. */
static void queue(struct uring *uring, struct io_uring_sqe *sqe, struct pro_op *op)
{
    sqe->user_data = user_data(op);
    uring->sq_tail++;
    PROI_KERNEL_RELEASE(op);
    proi_uring_kinds[op->kind].fill(uring, sqe, op);
}

static PROI_APART void queue_after_flush(struct uring *uring, struct pro_op *op)
{
    struct io_uring_sqe *const sqe = entry_after_flush(uring);

    if (sqe)
        queue(uring, sqe, op);
    else
        refuse(uring, op, ENOMEM);
}

static void uring_submit(struct proi_backend *backend, struct pro_op *op)
{
    struct uring *uring = uring_of(backend);

    op->native = URING_IN_KERNEL;
    if (PROI_UNLIKELY((uint64_t)(uintptr_t)op >> URING_GENERATION_SHIFT))
        refuse(uring, op, EOPNOTSUPP); /* memory that was mapped above 2^48 on the program's own wish */
    else if (PROI_UNLIKELY(is_full(uring)))
        queue_after_flush(uring, op);
    else
        queue(uring, next_entry(uring), op);
}

/* A second request for the same op would find no more than the first. An op in uring->over has its own number in
   native, and is left alone; one in uring->again is seen there. */
static void uring_cancel(struct proi_backend *backend, struct pro_op *op)
{
    struct uring *uring = uring_of(backend);
    struct io_uring_sqe *sqe;

    if (op->native != URING_IN_KERNEL)
        return;
    sqe = entry(uring); /* may move the op to uring->over */
    if (op->native != URING_IN_KERNEL)
        return;
    op->native = URING_CANCEL_ASKED;
    if (PROI_UNLIKELY(!sqe)) { /* no room in the queue, but it must not be lost: asks by a call of its own */
        struct io_uring_sync_cancel_reg request = { .addr = user_data(op) };

        uring->system_calls++;
        io_uring_register_sync_cancel(&uring->ring, &request);
        return;
    }
    proi_uring_prepare(sqe, IORING_OP_ASYNC_CANCEL, -1, NULL, 0, 0, 0);
    sqe->addr = user_data(op);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe->user_data = TAG_CANCEL;
    uring->sq_tail++;
}

/* ---- out of the kernel ---- */

void proi_uring_returned(struct uring *uring, struct pro_op *op, int result, struct proi_op_queue *done)
{
    PROI_KERNEL_ACQUIRE(op);
    if (PROI_UNLIKELY(result == -EINTR) && !(uring->answer_flags & IORING_CQE_F_BUFFER) &&
        op->native == URING_IN_KERNEL && op->kind != PRO_OP_CLOSE && op->kind != PRO_OP_CONNECT)
        proi_op_queue_push(&uring->again, op);
    else
        proi_uring_kinds[op->kind].finish(uring, op, result, done);
}

/* Two orders of this exchange and the one in wake(): ours later, then the acquire shows us what the waker pushed before
   its own, and the loop, which looks at its inbox after wait(), takes it; ours earlier, then the waker finds 0 and
   writes, and another completion comes. */
static void wake_seen(struct uring *uring, const struct io_uring_cqe *cqe)
{
    if ((cqe->user_data & TAG_MASK) == TAG_WAKE && !(cqe->flags & IORING_CQE_F_MORE))
        uring->wake_armed = false;
    uring->woke = true;
    proi_exchange(&uring->woken, 0, PROI_ACQ_REL);
}

static unsigned completions_ready(const struct uring *uring)
{
    return proi_load(uring->kernel_cq_tail, PROI_RELAXED) - *uring->kernel_cq_head;
}

static const struct io_uring_cqe *completion(const struct uring *uring, unsigned number)
{
    return &uring->cqes[number & uring->cq_mask];
}

/* Called for each completion from @head on, with what follows it up to @tail. */
static inline __attribute__((always_inline)) void fetch_next(const struct uring *uring, unsigned head, unsigned tail)
{
    const struct io_uring_cqe *cqe;

    if (tail - head > OPS_AHEAD)
        proi_op_fetch(proi_uring_op(completion(uring, head + OPS_AHEAD)->user_data));
    if (tail - head <= AROUND_AHEAD)
        return;
    cqe = completion(uring, head + AROUND_AHEAD);
    if ((cqe->user_data & TAG_MASK) == TAG_OP)
        proi_op_fetch_around(proi_uring_op(cqe->user_data));
}

static inline __attribute__((always_inline)) void fetch_first(const struct uring *uring, unsigned head, unsigned tail)
{
    for (unsigned i = 1; i < OPS_AHEAD && i < tail - head; i++)
        proi_op_fetch(proi_uring_op(completion(uring, head + i)->user_data));
}

/* The acquire shows the entries that the kernel announced by the tail; the release gives it their places back after we
   have read them. */
static void reap(struct uring *uring, struct proi_op_queue *done, unsigned most)
{
    unsigned head = *uring->kernel_cq_head; /* ours alone to write */
    unsigned tail = proi_load(uring->kernel_cq_tail, PROI_ACQUIRE);

    if (tail - head > most)
        tail = head + most;
    fetch_first(uring, head, tail);
    for (; head != tail; head++) {
        const struct io_uring_cqe *cqe = completion(uring, head);
        const unsigned tag = cqe->user_data & TAG_MASK;

        fetch_next(uring, head, tail);
        uring->answer_flags = cqe->flags;
        if (PROI_LIKELY(tag == TAG_OP))
            proi_uring_returned(uring, proi_uring_op(cqe->user_data), cqe->res, done);
        else if (tag == TAG_WAKE || tag == TAG_MESSAGE)
            wake_seen(uring, cqe);
    }
    proi_store(uring->kernel_cq_head, head, PROI_RELEASE);
    if (completions_ready(uring) == 0)
        uring->drained = uring->turn;
}

/* A multishot poll ends when the completion queue overflows. Armed again it reports earlier writes at once. */
static void arm_wake(struct uring *uring)
{
    struct io_uring_sqe *sqe = entry(uring);

    if (!sqe)
        return;
    proi_uring_prepare(sqe, IORING_OP_POLL_ADD, uring->wake_fd, NULL, 0, 0, 0);
    io_uring_prep_poll_multishot(sqe, uring->wake_fd, POLLIN); /* knows the byte order of the mask */
    sqe->user_data = TAG_WAKE;
    uring->sq_tail++;
    uring->wake_armed = true;
}

static void submit_again(struct uring *uring)
{
    struct proi_op_queue again = uring->again;
    struct pro_op *op;

    uring->again = (struct proi_op_queue){ NULL, NULL };
    while ((op = proi_op_queue_pop(&again)) != NULL) {
        if (op->native == URING_CANCEL_ASKED)
            proi_uring_fail(op, ECANCELED, &uring->over);
        else
            uring_submit(&uring->base, op);
    }
}

static int sleep_until(struct uring *uring, uint64_t deadline_ns)
{
    struct __kernel_timespec timeout;
    struct io_uring_getevents_arg arg = { .ts = (uint64_t)(uintptr_t)&timeout };

    proi_store(&uring->cpu, (uint32_t)sched_getcpu(), PROI_RELAXED);
    if (deadline_ns == UINT64_MAX)
        return enter(uring, 1, IORING_ENTER_GETEVENTS, NULL);
    if (!uring->absolute_timeout) {
        const uint64_t now = proi_now();

        if (deadline_ns <= now)
            return enter(uring, 0, IORING_ENTER_GETEVENTS, NULL);
        deadline_ns -= now;
    }
    timeout.tv_sec = (long long)(deadline_ns / 1000000000);
    timeout.tv_nsec = (long long)(deadline_ns % 1000000000);
    return enter(uring, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | uring->absolute_timeout, &arg);
}

/* Deferred work to run, or completions that did not fit into the queue: the kernel says so in a word that both can see,
   from whatever thread that work came. It sets it before it wakes anybody; what comes after we have looked is for the
   next turn. */
static bool kernel_has_more(const struct uring *uring)
{
    return proi_load(uring->kernel_flags, PROI_RELAXED) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

/* On each enter a newer kernel runs twenty items of its deferred work. The rest comes in the same turn, as far as a
   turn goes: with few connections in a turn the peers have had no time to answer when the next receives are submitted,
   and these have to wait for data one by one; with many the data is there. */
static void take_more(struct uring *uring)
{
    for (int times = 0; times < ENTER_AGAIN_MOST && kernel_has_more(uring) && completions_ready(uring) < PROI_TURN &&
                        completions_ready(uring) <= uring->cq_mask;
         times++)
        if (enter(uring, 0, IORING_ENTER_GETEVENTS, NULL) < 0)
            return;
}

/* GETEVENTS runs the kernel's deferred work and brings back what did not fit into the completion queue. With nothing to
   submit, and nothing to wait for, we enter only when there is such work. */
static void uring_wait(struct proi_backend *backend, uint64_t deadline_ns, struct proi_op_queue *done)
{
    struct uring *uring = uring_of(backend);
    unsigned ready;
    int result = 0;
    bool over = false;
    struct pro_op *op;

    uring->turn++;
    if (PROI_UNLIKELY(!uring->wake_armed))
        arm_wake(uring);
    if (PROI_UNLIKELY(uring->again.head != NULL))
        submit_again(uring);
    ready = completions_ready(uring);
    if (!ready && uring->sq_tail - uring->sq_submitted == 1)
        over = proi_uring_alone_now(uring);
    if (!ready && !uring->over.head && !uring->woke && deadline_ns)
        result = sleep_until(uring, deadline_ns);
    else if (uring->sq_tail != uring->sq_submitted)
        result = enter(uring, 0, IORING_ENTER_GETEVENTS, NULL);
    if (PROI_UNLIKELY(result < 0))
        entered_badly(uring, -result);
    else if (!over)
        take_more(uring);
    if (uring->sends_alone && result >= 0)
        proi_uring_sent_alone(uring, completions_ready(uring));
    uring->sends_alone = false;
    while ((op = proi_op_queue_pop(&uring->over)) != NULL)
        proi_op_queue_push(done, op);
    reap(uring, done, PROI_TURN);
    uring->woke = false;
}

/* ---- buffers of leased receives ---- */

static size_t buffer_ring_size(unsigned entries) { return entries * sizeof(struct io_uring_buf); }

/* As many entries as there will ever be buffers: it cannot overflow. The kernel wants whole pages, and their contents
   are touched as the entries are used. */
static int buffers_register(struct uring *uring, unsigned most)
{
    struct io_uring_buf_reg registration = { .bgid = URING_BUFFER_GROUP };
    unsigned entries = 1;
    void *memory;

    while (entries < most)
        entries *= 2;
    memory = mmap(NULL, buffer_ring_size(entries), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return PRO_E_NO_MEMORY;
    registration.ring_addr = (uint64_t)(uintptr_t)memory;
    registration.ring_entries = entries;
    if (io_uring_register_buf_ring(&uring->ring, &registration, 0) < 0) {
        munmap(memory, buffer_ring_size(entries));
        return PRO_E_NO_MEMORY;
    }
    uring->buffers = memory;
    uring->buffers_mask = entries - 1;
    return PRO_OK;
}

/* The kernel sees the entry when enter() moves its tail over it. Until then it is ours: take_buffer() takes it back. */
static int uring_provide(struct proi_backend *backend, unsigned number, void *data, uint32_t size, unsigned most)
{
    struct uring *uring = uring_of(backend);
    struct io_uring_buf *buffer;

    if (PROI_UNLIKELY(!uring->buffers) && buffers_register(uring, most) < 0)
        return PRO_E_NO_MEMORY;
    /* Not its last field: in the first entry that is the kernel's tail. */
    buffer = &uring->buffers->bufs[uring->buffers_tail & uring->buffers_mask];
    buffer->addr = (uint64_t)(uintptr_t)data;
    buffer->len = size;
    buffer->bid = (uint16_t)number;
    uring->buffers_tail++;
    return PRO_OK;
}

/* Counted when receives starve, and then from where counting ended, as long as no turn has taken any. What did not fit
   into the queue is missing: then a receive is refused once more. */
static unsigned uring_chosen(struct proi_backend *backend)
{
    struct uring *uring = uring_of(backend);
    const unsigned head = *uring->kernel_cq_head, tail = proi_load(uring->kernel_cq_tail, PROI_ACQUIRE);

    if (uring->chosen_from != head || uring->chosen_to - head > tail - head) {
        uring->chosen = 0;
        uring->chosen_from = uring->chosen_to = head;
    }
    for (; uring->chosen_to != tail; uring->chosen_to++)
        uring->chosen += (completion(uring, uring->chosen_to)->flags & IORING_CQE_F_BUFFER) != 0;
    return uring->chosen;
}

/* Operations that are under way keep what they use of the former region. */
static int uring_register_memory(struct proi_backend *backend, void *memory, size_t size)
{
    struct uring *uring = uring_of(backend);
    const struct iovec region = { memory, size };
    int error;

    if (uring->region_size)
        io_uring_unregister_buffers(&uring->ring);
    uring->region_size = 0;
    if (!size)
        return PRO_OK;
    error = -io_uring_register_buffers(&uring->ring, &region, 1);
    if (error)
        return proi_error_from_native(error);
    uring->region = memory;
    uring->region_size = size;
    return PRO_OK;
}

/* ---- waking ---- */

/* By number: newer than liburing 2.3 and its headers. */
enum { REGISTER_SEND_MSG_RING = 31 };

static int send_message(const struct io_uring_sqe *message)
{
    return (int)syscall(SYS_io_uring_register, -1, REGISTER_SEND_MSG_RING, message, 1);
}

/* Linux 6.13 says that this is no message; before, the call wants a ring. */
static bool kernel_takes_messages(void)
{
    const struct io_uring_sqe none = { .opcode = IORING_OP_NOP };

    return send_message(&none) < 0 && errno == EINVAL;
}

/* Between two processors a message is the quicker way (a round trip of 45 µs becomes one of 37), on the same one the
   eventfd is (by 5 %). A loop that has moved since is only woken the slower way. A ring that is not enabled yet refuses
   messages, and so does one without memory for them. */
static void uring_wake(struct proi_backend *backend)
{
    struct uring *uring = uring_of(backend);
    const struct io_uring_sqe message = {
        .opcode = IORING_OP_MSG_RING, .fd = uring->ring.ring_fd, .addr = IORING_MSG_DATA, .off = TAG_MESSAGE
    };
    const uint64_t one = 1;

    if (proi_exchange(&uring->woken, 1, PROI_ACQ_REL) != 0) /* see wake_seen() */
        return;
    if (uring->takes_messages && proi_load(&uring->cpu, PROI_RELAXED) != (uint32_t)sched_getcpu() &&
        send_message(&message) == 0)
        return;
    while (write(uring->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* ---- opening and closing ---- */

static int sysctl_disabled(void)
{
    char digit = '0';
    const int fd = open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        if (read(fd, &digit, 1) != 1)
            digit = '0';
        close(fd);
    }
    return digit - '0';
}

/* Why the kernel refuses, and what to change. */
static int explain(int error, char *reason, size_t size)
{
    char message[128];
    const int disabled = error == EPERM ? sysctl_disabled() : 0;

    proi_native_message(error, message, sizeof message);
    if (error == ENOSYS)
        snprintf(reason, size,
                 "the kernel has no io_uring, or a container's seccomp profile hides it (ENOSYS): use Linux 6.1 or "
                 "later and allow io_uring_setup, io_uring_enter and io_uring_register in the profile");
    else if (disabled > 0)
        snprintf(reason, size,
                 "the administrator switched io_uring off (EPERM; kernel.io_uring_disabled is %d): sysctl "
                 "kernel.io_uring_disabled=0 allows it",
                 disabled);
    else if (error == EPERM || error == EACCES)
        snprintf(reason, size,
                 "the kernel refuses io_uring_setup (%s): allow io_uring_setup, io_uring_enter and io_uring_register "
                 "in the container's seccomp profile or the security module's policy",
                 error == EPERM ? "EPERM" : "EACCES");
    else if (error == EINVAL)
        snprintf(reason, size,
                 "the kernel's io_uring is too old (no DEFER_TASKRUN): Linux 6.1 or later has what is needed");
    else if (error == ENOMEM)
        snprintf(reason, size,
                 "there is no memory for a ring of %d entries (ENOMEM): raise the limit of locked memory, ulimit -l",
                 ENTRIES_LEAST);
    else if (error == EMFILE || error == ENFILE)
        snprintf(reason, size, "no file descriptor is left for a ring (%s): raise the limit of open files, ulimit -n",
                 error == EMFILE ? "EMFILE" : "ENFILE");
    else
        snprintf(reason, size, "io_uring_setup fails with error %d (%s)", error, message);
    /* The kernel's ENOMEM, too: PRO_E_NO_MEMORY would say that the program's own memory is used up, and nothing else be
     * tried. */
    if (error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL || error == ENOMEM)
        return PRO_E_NOT_SUPPORTED;
    return proi_error_from_native(error);
}

/* Gives an errno. Rings are charged to the user's locked memory: less of it, a smaller ring. */
static int ring_open(struct io_uring *ring, unsigned entries)
{
    struct io_uring_params params;
    int result;

    if (entries > ENTRIES_MOST)
        entries = ENTRIES_MOST;
    for (;;) {
        params = (struct io_uring_params){
            .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                     IORING_SETUP_SUBMIT_ALL | IORING_SETUP_R_DISABLED | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE,
            .cq_entries = entries * CQ_FACTOR,
        };
        result = io_uring_queue_init_params(entries, ring, &params);
        if (result != -ENOMEM || entries / 2 < ENTRIES_LEAST)
            return -result;
        entries /= 2;
    }
}

static void take_arrays(struct uring *uring)
{
    const struct io_uring *ring = &uring->ring;

    uring->sqes = ring->sq.sqes;
    uring->cqes = ring->cq.cqes;
    uring->sq_entries = ring->sq.ring_entries;
    uring->sq_mask = ring->sq.ring_mask;
    uring->cq_mask = ring->cq.ring_mask;
    uring->kernel_sq_tail = ring->sq.ktail;
    uring->kernel_cq_head = ring->cq.khead;
    uring->kernel_cq_tail = ring->cq.ktail;
    uring->kernel_flags = ring->sq.kflags;
    uring->enter_fd = ring->ring_fd;
    /* Place i of the queue is entry i, for ever: then only the tail has to be written. */
    for (unsigned i = 0; ring->sq.array && i < uring->sq_entries; i++)
        ring->sq.array[i] = i;
}

static int uring_open(const struct pro_loop_options *options, struct proi_backend **ret_backend, char *reason,
                      size_t reason_size)
{
    struct uring *uring = proi_alloc_zeroed(sizeof *uring);
    const char *missing;
    int error, code;

    if (!uring) {
        snprintf(reason, reason_size, "there is no memory for the io_uring backend");
        return PRO_E_NO_MEMORY;
    }
    error = ring_open(&uring->ring, options->entries ? options->entries : ENTRIES);
    if (error) {
        code = explain(error, reason, reason_size);
        goto free_uring;
    }
    missing = proi_uring_missing(&uring->ring);
    if (missing) {
        snprintf(reason, reason_size, "the kernel's io_uring does not offer %s: Linux 6.1 or later does", missing);
        code = PRO_E_NOT_SUPPORTED;
        goto exit_ring;
    }
    uring->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (uring->wake_fd < 0) {
        code = proi_error_from_native(errno);
        snprintf(reason, reason_size,
                 "no eventfd to wake the loop by (error %d): the limit of open files may be reached", errno);
        goto exit_ring;
    }
    take_arrays(uring);
    uring->takes_messages = kernel_takes_messages();
    uring->base.type = &proi_backend_uring;
    *ret_backend = &uring->base;
    return PRO_OK;

exit_ring:
    io_uring_queue_exit(&uring->ring);
free_uring:
    proi_free(uring);
    return code;
}

/* By number: newer than liburing 2.3. Both came with Linux 6.12; to name the clock, the one that is used anyway, shows
   that timeouts may be moments of it. */
enum { REGISTER_CLOCK = 29, ENTER_ABS_TIMER = 1 << 5 };

/* In a time namespace with a clock of its own the kernel takes such a moment for one of the host's clock. */
static bool clock_is_shifted(void)
{
    char text[128], *line;
    const int fd = open("/proc/self/timens_offsets", O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    long long seconds = 0, nanoseconds = 0;

    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    line = strstr(text, "monotonic");
    return line && sscanf(line, "monotonic %lld %lld", &seconds, &nanoseconds) == 2 && (seconds || nanoseconds);
}

static unsigned absolute_timeout(const struct uring *uring)
{
    const struct {
        uint32_t clock, zero[3];
    } clock = { .clock = CLOCK_MONOTONIC };

    return clock_is_shifted() ||
                   io_uring_register((unsigned)uring->ring.ring_fd, REGISTER_CLOCK, (void *)(uintptr_t)&clock, 0) < 0
               ? 0
               : ENTER_ABS_TIMER;
}

/* Enabling makes the calling thread the ring's only issuer. Registering the descriptor saves looking it up on each
   enter; without that it works the same. */
static int uring_bind(struct proi_backend *backend)
{
    struct uring *uring = uring_of(backend);
    /* By number: Debian 12's liburing does not export io_uring_enable_rings(). */
    const int result = io_uring_register((unsigned)uring->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);

    if (result < 0)
        return proi_error_from_native(-result);
    uring->absolute_timeout = absolute_timeout(uring);
    if (io_uring_register_ring_fd(&uring->ring) == 1) {
        uring->enter_fd = uring->ring.enter_ring_fd;
        uring->enter_flags = IORING_ENTER_REGISTERED_RING;
    }
    return PRO_OK;
}

static void uring_close(struct proi_backend *backend)
{
    struct uring *uring = uring_of(backend);

    proi_uring_forget_all_files(uring);
    io_uring_queue_exit(&uring->ring);
    if (uring->buffers)
        munmap(uring->buffers, buffer_ring_size(uring->buffers_mask + 1));
    close(uring->wake_fd);
    proi_free(uring);
}

/* The listener is made non-blocking for all backends. On this one an accept that the kernel gives to a worker thread
   should wait there, not come back with EAGAIN. */
static int uring_attach(struct proi_backend *backend, struct pro_handle *handle, enum pro_op_kind via)
{
    const int fd = (int)handle->native;
    int flags;

    (void)backend, (void)via;
    if (handle->kind != PROI_HANDLE_LISTENER)
        return PRO_OK;
    flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
        return proi_error_from_native(errno);
    return PRO_OK;
}

static uint64_t uring_system_calls(struct proi_backend *backend) { return uring_of(backend)->system_calls; }

const struct proi_backend_type proi_backend_uring = {
    .name = "io_uring",
    .open = uring_open,
    .bind = uring_bind,
    .close = uring_close,
    .listen = proi_linux_listen,
    .attach = uring_attach,
    .release = proi_linux_release,
    .local_addr = proi_linux_local_addr,
    .peer_addr = proi_linux_peer_addr,
    .set_abortive = proi_linux_set_abortive,
    .set_buffers = proi_linux_set_buffers,
    .file_size = proi_linux_file_size,
    .move_now = proi_uring_move_now,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .wait = uring_wait,
    .wake = uring_wake,
    .provide = uring_provide,
    .chosen = uring_chosen,
    .register_memory = uring_register_memory,
    .now = proi_linux_now,
    .system_calls = uring_system_calls,
};
