/* SPDX-License-Identifier: MIT */
/* The task's word and its continuation slot (awaiters/task.c, awaiters/continuation.c).
 *
 * The property, in words. Two threads complete a task, two add a continuation each, one marks the task observed. Then, in
 * every order of their atomic steps:
 *   1. exactly one completer wins;
 *   2. whoever sees the status final sees the outcome, and it is the winner's;
 *   3. each continuation runs exactly once, and not before the status is final;
 *   4. no flag that was set is lost, and the status ends final;
 *   5. nobody waits for ever.
 *
 * An atomic instruction of the library is one step here. The lock of the list is one as well: it is only ever held for a
 * few instructions. Memory is sequentially consistent; the comments in the sources argue why weaker orders are enough.
 *
 * -DMISTAKE=1: reserving is a load and a store. -DMISTAKE=2: MANY is set without looking. -DMISTAKE=3: the status is
 * stored together with the flags that were read before. Each must be found. */
#ifndef MISTAKE
#define MISTAKE 0
#endif

#define COMPLETERS 2
#define ADDERS 2

/* The state word. */
byte status = 1; /* 1 waiting for activation, 5 ran to completion */
bool reserved, observed;
/* Set before publication. */
byte outcome; /* 0 none, else the completer's number + 1 */
/* The slot: 0 empty, 1 COMPLETED, 2 + n: continuation n. And its MANY bit. */
byte slot;
bool many;
/* The list behind it. */
bool locked;
bool listed[ADDERS];
/* What the property speaks of. */
byte winners, winner, runs[ADDERS], finished;

#define IS_FINAL (status >= 5)

inline lock() { d_step { !locked -> locked = true } }
inline unlock() { locked = false }

inline invoke(n)
{
    d_step {
        assert(IS_FINAL);
        runs[n]++;
        assert(runs[n] == 1)
    }
}

proctype completer(byte me)
{
    bool won, was_many, saw;
    byte taken, i;

#if MISTAKE == 1
    saw = reserved;
    reserved = true;
    won = !saw;
#else
    d_step { won = !reserved; reserved = true }
#endif
    if
    :: !won -> goto done
    :: else
    fi;
    d_step { winners++; winner = me + 1; assert(winners == 1) }
    outcome = me + 1;
#if MISTAKE == 3
    saw = observed;
    d_step { status = 5; observed = saw }
#else
    d_step { status = status + (5 - 1) } /* an addition: the flags beside it stay */
#endif
    d_step { taken = slot; was_many = many; slot = 1; many = false }
    if
    :: !was_many && taken >= 2 -> invoke(taken - 2)
    :: !was_many && taken < 2 -> skip
    :: was_many ->
        if
        :: taken >= 2 -> invoke(taken - 2)
        :: else
        fi;
        lock();
        bool mine[ADDERS];
        d_step {
            i = 0;
            do
            :: i < ADDERS -> mine[i] = listed[i]; listed[i] = false; i++
            :: else -> break
            od
        }
        unlock();
        i = 0;
        do
        :: i < ADDERS && mine[i] -> invoke(i); i++
        :: i < ADDERS && !mine[i] -> i++
        :: i == ADDERS -> break
        od
    fi;
done:
    finished++
}

proctype adder(byte me)
{
    bool added, swapped, seen_many;
    byte seen;

    d_step { /* the first one: a compare-exchange with the empty slot */
        seen = slot;
        seen_many = many;
        if
        :: seen == 0 && !seen_many -> slot = 2 + me; added = true
        :: else
        fi
    }
    if
    :: added -> goto done
    :: !added && seen == 1 -> goto complete
    :: else
    fi;
    lock();
    d_step { seen = slot; seen_many = many }
    do
    :: seen == 1 -> unlock(); goto complete
#if MISTAKE == 2
    :: seen != 1 -> many = true; break
#else
    :: seen != 1 && seen_many -> break
    :: seen != 1 && !seen_many ->
        d_step {
            swapped = false;
            if
            :: slot == seen && !many -> many = true; swapped = true
            :: else -> seen = slot; seen_many = many
            fi
        }
        if
        :: swapped -> break
        :: else
        fi
#endif
    od;
    listed[me] = true;
    unlock();
    goto done;
complete:
    invoke(me);
done:
    finished++
}

proctype observer()
{
    observed = true; /* a fetch_or */
    finished++
}

proctype reader()
{
    if
    :: IS_FINAL -> assert(outcome == winner && outcome != 0)
    :: true
    fi;
    finished++
}

init {
    byte i;

    atomic {
        i = 0;
        do
        :: i < COMPLETERS -> run completer(i); i++
        :: else -> break
        od;
        i = 0;
        do
        :: i < ADDERS -> run adder(i); i++
        :: else -> break
        od;
        run observer();
        run reader()
    }
    finished == COMPLETERS + ADDERS + 2;
    assert(winners == 1 && IS_FINAL && outcome == winner);
    assert(observed);
    assert(runs[0] == 1 && runs[1] == 1)
}
