#!/bin/sh
# SPDX-License-Identifier: MIT
# Starts every benchmark program of DIR for a moment and looks whether it prints the figures it promises, and whether the
# servers echo.
#
#     programs.sh DIR SUFFIX [EMULATOR]
dir=$1 suffix=$2 emulator=${3:-}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0 skipped=0

verdict() { # verdict NAME GOOD: and what it printed, when it is not
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
        printf 'PASS %s\n' "$1"
    else
        failed=$((failed + 1))
        cat "$scratch/out"
        printf 'FAIL %s\n' "$1"
    fi
}

prints() { # prints "KEYS" PROGRAM ARGUMENTS…: a JSON object with a positive number under each of KEYS
    keys=$1 name=$2
    shift 2
    $emulator "$dir/$name$suffix" "$@" >"$scratch/out" 2>&1
    good=$?
    for key in $keys; do
        grep -Eq "\"$key\":(0*[1-9]|0*\.0*[1-9])" "$scratch/out" || good=1
    done
    verdict "$name $(basename "$*") prints $keys" $good
}

served() { [ "$(grep -Ec '"requests_per_s":[1-9].*"errors":0' "$scratch/out")" = 3 ]; } # in each of the three modes

# A server on a port that the system just gave out and has back. One that says it gets no ring is skipped.
echoes() { # echoes NAME PROGRAM
    for port in 27411 27523 28641 29753; do
        $emulator "$dir/$2$suffix" $port >"$scratch/server" 2>&1 &
        server=$!
        for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            $emulator "$dir/load$suffix" $port pingpong 4 100 3 0.1 >"$scratch/out" 2>&1 && break
            kill -0 $server 2>/dev/null || break
            sleep 0.2
        done
        for mode in awake churn; do
            kill -0 $server 2>/dev/null && $emulator "$dir/load$suffix" $port $mode 4 100 3 0.1 >>"$scratch/out" 2>&1
        done
        kill $server 2>/dev/null
        wait $server 2>/dev/null
        served && break
    done
    reason=$(sed -n 's/^echo_uring: io_uring: //p' "$scratch/server")
    if [ -n "$reason" ]; then
        skipped=$((skipped + 1))
        printf 'SKIP %s gives back every byte: the kernel or the container gives it no ring: %s\n' "$1" "$reason"
        return
    fi
    served
    verdict "$1 gives back every byte" $?
}

refuses() { # refuses PROGRAM ARGUMENTS…: with status 1 or 2 and a sentence
    name=$1
    shift
    timeout 10 $emulator "$dir/$name$suffix" "$@" >"$scratch/out" 2>&1
    status=$?
    [ $status -eq 1 ] || [ $status -eq 2 ] && [ -s "$scratch/out" ]
    verdict "$name $* is refused with a sentence" $?
}

head -c 1048576 /dev/zero >"$scratch/data"
prints 'ready_ns call_ns suspend_resume_ns op_await_ns' await 0.01
prints 'arm_ns cancel_ns fire_ns' timer 10000
prints 'ns_per_task cpu_ns_per_task' pool flat 10000 2
prints 'ns_per_task cpu_ns_per_task' pool tree 10 2
prints 'requests_per_s ticks turn_p50_us deliveries_per_turn' latency 50 0.2
prints 'iops cpu_ns_per_op' file "$scratch/data" 8 0.1 cached
$emulator "$dir/copy$suffix" "$scratch/data" "$scratch/copy" >"$scratch/out" 2>&1 && cmp "$scratch/data" "$scratch/copy" >>"$scratch/out" 2>&1
verdict 'copy makes a copy' $?
if [ -z "$emulator" ]; then
    prints 'rtt_ns cpu_ns_per_rtt' post pingpong 0.1
    prints 'posts_per_s cpu_ns_per_post' post flood 2 0.1
    echoes 'the echo server by await' echo
    echoes 'the echo server by callback' echo_callback
    echoes 'the echo server on two cores' echo_cores
    echoes 'the echo server on bare epoll' peers/echo_epoll
    echoes 'the echo server on io_uring by hand' peers/echo_uring
    [ ! -x "$dir/peers/echo_uv" ] || echoes 'the echo server on libuv' peers/echo_uv # where its headers are installed
    refuses echo eighty
    refuses await none
    refuses echo_cores 80000
    refuses peers/echo_uring 80000
    refuses load 1
    refuses load 80 walk 1 1 1 1
fi
printf '%d passed, %d failed, %d skipped\n' $passed $failed $skipped
[ $failed = 0 ]
