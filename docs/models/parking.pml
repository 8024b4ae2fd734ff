/* SPDX-License-Identifier: MIT */
/* How the pool's workers fall asleep and are called (sync_context/pool.c; the argument in words: sync_context/README.md).
 *
 * The property, in words. Posters put items into queues while workers look for them, fall asleep, and leave after having
 * slept for long. Then, in every order of their atomic steps:
 *   1. no item stays in a queue when nothing moves any more: it is never the case that everybody sleeps, has left or is
 *      done, and an item waits;
 *   2. a call goes to a worker that sleeps, and every called worker comes: none is called while it leaves;
 *   3. never are more workers active than the target.
 *
 * One global queue stands for all: what is read of the others has the same order. A push, a pop and a load are one step
 * each; so is every sequentially consistent access to `searching` and `n_active`. What stands under the pool's lock is
 * several steps, because posters read the counts without it.
 *
 * -DMISTAKE=1: no last look before the sleep. -DMISTAKE=2: the last look comes before one is counted as gone.
 * -DMISTAKE=3: a search that ends looks on nobody's behalf. -DMISTAKE=4: leaving does not ask whether one was called. Each
 * must be found. -DMEET: the items wait for each other, so two workers must come. */
#ifndef MISTAKE
#define MISTAKE 0
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef POSTERS
#define POSTERS 2
#endif
#ifndef TARGET
#define TARGET 2
#endif
#define NOBODY 255

byte queued;            /* items in queues */
byte searching, n_active; /* as in struct proi_pool */
bool locked;
bool called[WORKERS], asleep[WORKERS], lives[WORKERS], gone[WORKERS];
byte posted, begun, finished;

inline lock() { d_step { !locked -> locked = true } }
inline unlock() { locked = false }

/* worker_call(): a sleeper, or a thread that does not exist yet. With the caller's own variables. */
inline call(i, chosen)
{
    lock();
    chosen = NOBODY;
    if
    :: searching == 0 && n_active < TARGET ->
        d_step { /* the stack of sleepers is the lock's; which of them is on top does not matter here */
            i = 0;
            do
            :: i < WORKERS && chosen == NOBODY && asleep[i] -> chosen = i; i++
            :: i < WORKERS && !(chosen == NOBODY && asleep[i]) -> i++
            :: i == WORKERS -> break
            od;
            if
            :: chosen != NOBODY -> asleep[chosen] = false
            :: else
            fi
        }
        if
        :: chosen != NOBODY ->
            assert(!gone[chosen]);
            called[chosen] = true
        :: else ->
            d_step {
                i = 0;
                do
                :: i < WORKERS && chosen == NOBODY && !lives[i] -> chosen = i; i++
                :: i < WORKERS && !(chosen == NOBODY && !lives[i]) -> i++
                :: i == WORKERS -> break
                od
            }
            /* Whoever is neither asleep nor gone is active: with n_active < TARGET <= WORKERS there is one. */
            assert(chosen != NOBODY)
        fi;
        n_active++;
        assert(n_active <= TARGET);
        searching++;
        if
        :: !lives[chosen] -> d_step { lives[chosen] = true; gone[chosen] = false }
        :: else
        fi
    :: else
    fi;
    unlock()
}

/* proi_pool_request() */
inline request(i, chosen)
{
    if
    :: searching != 0
    :: else ->
        if
        :: n_active < TARGET -> call(i, chosen)
        :: else
        fi
    fi
}

proctype poster()
{
    byte i, chosen;

    d_step { queued++; posted++ }
    request(i, chosen)
}

proctype worker(byte me)
{
    byte i, chosen;
    bool counted, found, last;

end_new:
    lives[me];
    counted = true;
look:
    atomic {
        found = queued > 0;
        if
        :: found -> queued--; begun++
        :: else
        fi
    }
    if
    :: !found -> goto park
    :: else
    fi;
    if
    :: counted ->
        d_step { searching--; last = searching == 0 }
        counted = false;
#if MISTAKE != 3
        if
        :: last && queued > 0 -> request(i, chosen)
        :: else
        fi
#endif
    :: else
    fi;
#ifdef MEET
    begun >= 2; /* each item waits until another one was begun, too */
#endif
    finished++;
    goto look;
park:
#if MISTAKE == 2
    if
    :: queued > 0 -> request(i, chosen)
    :: else
    fi;
#endif
    lock();
    d_step { called[me] = false; asleep[me] = true }
    n_active--;
    if
    :: counted -> searching--
    :: else
    fi;
    counted = false;
    unlock();
#if MISTAKE != 1 && MISTAKE != 2
    if
    :: queued > 0 -> request(i, chosen)
    :: else
    fi;
#endif
end_asleep:
    if
    :: called[me] -> counted = true; goto look
    :: true -> /* asleep for too long */
        lock();
#if MISTAKE == 4
        found = false;
#else
        found = called[me];
#endif
        if
        :: found -> unlock(); goto end_asleep
        :: else ->
            d_step { asleep[me] = false; gone[me] = true; lives[me] = false }
            unlock();
            goto end_new
        fi
    fi
}

/* timeout: no other process can do a step. Workers that may still leave are made to, so this is the end. */
active proctype judge()
{
end_judge:
    timeout;
    assert(queued == 0 && finished == posted && posted == POSTERS);
    assert(n_active == 0 && searching == 0)
}

init {
    byte i;

    atomic {
        i = 0;
        do
        :: i < WORKERS -> run worker(i); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < POSTERS -> run poster(); i++
        :: else -> break
        od
    }
}
