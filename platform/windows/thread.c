/* SPDX-License-Identifier: MIT */
/* Threads, waiting on an address, and the clock. */
#include "native.h"

#include <process.h>

/* ---- waiting ---- */
bool proi_wait(const uint32_t *address, uint32_t expected, int64_t timeout_ns)
{
    uint64_t deadline_ns;
    int64_t ms;

    if (timeout_ns < 0) {
        WaitOnAddress((volatile void *)(uintptr_t)address, &expected, sizeof expected, INFINITE);
        return true;
    }
    deadline_ns = proi_now() + (uint64_t)timeout_ns;
    ms = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
    if (ms > INT32_MAX)
        ms = INT32_MAX;
    if (WaitOnAddress((volatile void *)(uintptr_t)address, &expected, sizeof expected, (DWORD)ms))
        return true;
    /* The system counts in ticks of its own, and a very long wait was cut: only our clock says that the time is up. */
    return proi_now() < deadline_ns;
}

void proi_wake_one(const uint32_t *address) { WakeByAddressSingle((void *)(uintptr_t)address); }
void proi_wake_all(const uint32_t *address) { WakeByAddressAll((void *)(uintptr_t)address); }

/* ---- what runs when a thread ends ---- */
enum { EXIT_HOOKS_MAX = 8 };
static struct {
    struct proi_once once;
    DWORD slot;
    struct proi_mutex lock;
    void (*hooks[EXIT_HOOKS_MAX])(void);
} thread_exit;
static PROI_THREAD_LOCAL unsigned exit_wanted; /* a bit per hook of this thread */

/* The system calls it for every thread whose slot is not NULL, while the thread-locals still live. Without the lock:
   this thread read or wrote its hooks under it before. A hook may ask for another one (freeing a block makes a new
   list), hence the loop. */
static void CALLBACK hooks_run(void *value)
{
    (void)value;
    while (exit_wanted) {
        const unsigned i = (unsigned)__builtin_ctz(exit_wanted);

        exit_wanted &= ~(1u << i);
        thread_exit.hooks[i]();
    }
}

static void exit_slot_make(void) { thread_exit.slot = FlsAlloc(hooks_run); }

void proi_at_thread_exit(void (*fn)(void))
{
    unsigned i = 0;

    proi_once(&thread_exit.once, exit_slot_make);
    proi_lock(&thread_exit.lock);
    while (i < EXIT_HOOKS_MAX && thread_exit.hooks[i] && thread_exit.hooks[i] != fn)
        i++;
    if (i < EXIT_HOOKS_MAX)
        thread_exit.hooks[i] = fn;
    proi_unlock(&thread_exit.lock);
    if (i == EXIT_HOOKS_MAX || thread_exit.slot == FLS_OUT_OF_INDEXES)
        return; /* what the hook would have given back stays until the process ends */
    exit_wanted |= 1u << i;
    FlsSetValue(thread_exit.slot, &thread_exit);
}

/* ---- threads ---- */
struct thread_start {
    void (*fn)(void *arg);
    void *arg;
    const char *name;
};

typedef HRESULT WINAPI thread_describe_fn(HANDLE thread, PCWSTR text);

/* Not in every Windows 10, nor in the headers. */
static void thread_name(const char *name)
{
    const HMODULE module = GetModuleHandleW(L"kernel32.dll");
    thread_describe_fn *describe =
        module ? (thread_describe_fn *)(void (*)(void))GetProcAddress(module, "SetThreadDescription") : NULL;
    wchar_t wide[64];

    if (describe && name && MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, sizeof wide / sizeof *wide) > 0)
        describe(GetCurrentThread(), wide);
}

static unsigned __stdcall thread_main(void *arg)
{
    const struct thread_start start = *(struct thread_start *)arg;

    proi_free(arg);
    thread_name(start.name);
    start.fn(start.arg);
    proi_thread_limit_give_back();
    return 0;
}

int proi_thread_start(struct proi_thread *ret_thread, const char *name, void (*fn)(void *arg), void *arg,
                      size_t stack_size)
{
    struct thread_start *start;
    uintptr_t thread;

    if (!proi_thread_limit_take())
        return PRO_E_NO_THREAD;
    start = proi_alloc(sizeof *start);
    if (!start) {
        proi_thread_limit_give_back();
        return PRO_E_NO_MEMORY;
    }
    *start = (struct thread_start){ fn, arg, name };
    /* The C library's way in, not CreateThread: it owns data per thread. */
    thread = _beginthreadex(NULL, (unsigned)stack_size, thread_main, start, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (!thread) {
        proi_free(start);
        proi_thread_limit_give_back();
        return PRO_E_NO_THREAD;
    }
    if (ret_thread)
        ret_thread->native = thread;
    else
        CloseHandle((HANDLE)thread);
    return PRO_OK;
}

void proi_thread_join(struct proi_thread *thread)
{
    WaitForSingleObject((HANDLE)thread->native, INFINITE);
    CloseHandle((HANDLE)thread->native);
    thread->native = 0;
}

/* The system gives its numbers to new threads as soon as the old ones are gone. */
uint64_t proi_thread_id(void)
{
    static uint64_t last;
    static PROI_THREAD_LOCAL uint64_t mine;

    if (PROI_UNLIKELY(mine == 0))
        mine = proi_fetch_add(&last, 1, PROI_RELAXED) + 1;
    return mine;
}

unsigned proi_processor_count(void)
{
    DWORD_PTR process = 0, machine = 0;
    unsigned count = 0;

    if (GetActiveProcessorGroupCount() > 1) /* a mask covers one group of 64 */
        count = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    else if (GetProcessAffinityMask(GetCurrentProcess(), &process, &machine))
        count = (unsigned)__builtin_popcountll(process);
    return count ? count : 1;
}

size_t proi_stack_left(void)
{
    const size_t guard = 4 * 4096; /* the pages at the end that the system keeps for reporting an overflow */
    ULONG_PTR low = 0, high = 0;
    const uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    GetCurrentThreadStackLimits(&low, &high); /* asked each time: they are others inside a fiber */
    return here > low + guard ? here - low - guard : 0;
}

/* ---- time ---- */
uint64_t proi_now(void)
{
    static uint64_t frequency; /* fixed at boot; every thread that finds 0 writes the same */
    uint64_t per_second = proi_load(&frequency, PROI_RELAXED);
    LARGE_INTEGER now;

    if (PROI_UNLIKELY(per_second == 0)) {
        QueryPerformanceFrequency(&now);
        per_second = (uint64_t)now.QuadPart;
        proi_store(&frequency, per_second, PROI_RELAXED);
    }
    QueryPerformanceCounter(&now);
    /* In two parts: the count times a thousand million does not fit. */
    return (uint64_t)now.QuadPart / per_second * UINT64_C(1000000000) +
           (uint64_t)now.QuadPart % per_second * UINT64_C(1000000000) / per_second;
}
