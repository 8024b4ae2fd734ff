#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the release, runs the benchmark programs in turn with the same work on io_uring by hand, on bare epoll and on
# libuv, and prints one table; then how the cost for each grows with their number. What was measured is in build/bench:
# runs.tsv, results.json, results.svg, curves.tsv, curves.svg. Linux only; installs and asks nothing.
# Exit status: 0 when everything was measured, 1 when a program failed, 2 when it could not be tried.
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

rounds=5 seconds=1 timers=1000000 megabytes=256 curve_rounds=3
for option; do
    case $option in
    --quick) rounds=2 seconds=0.3 timers=200000 megabytes=32 curve_rounds=1 ;;
    --help | -h)
        printf '%s\n' 'Measures proact beside io_uring by hand, bare epoll and libuv: echo, files, timers, awaiting, the pool, latency, posting.' '' \
            "usage: $0 [--quick]" '' '  --quick  two short rounds: a minute and a half instead of ten' '  --help   this text' '' \
            'The order turns by one each round, and a ratio is the median of the pairs within a round, so that a machine' \
            'whose speed drifts does not decide. Nothing else should run meanwhile.'
        exit 0
        ;;
    *) refuse "$0 does not know \"$option\"; --help lists the options." ;;
    esac
done
for tool in cmake ninja cc awk; do
    has "$tool" || refuse "$tool is not here; scripts/setup.sh installs what is needed."
done

bench=$repo/build/linux-release/bench
out=$repo/build/bench
mkdir -p "$logs" "$out" || refuse "$out cannot be written."
failures=0
printf 'proact, measured on %s processors, %s\n\n' "$jobs" "$(uname -sr)"
step 'Build: release, -O2 with link-time optimisation' bench-build build linux-release linux-release bench || exit 2
libuv=no
[ -x "$bench/peers/echo_uv" ] && libuv=yes
[ $libuv = yes ] || printf '  libuv is not installed (Debian: libuv1-dev): its rows are left out.\n'
tell_backend
uring=no
scripts/uring-probe.sh >"$logs/bench-uring.log" 2>&1 && uring=yes

# With two processors the server has one, and who loads it the other.
on_server='' on_load=''
if [ "$jobs" -ge 2 ] && has taskset; then
    on_server='taskset -c 0' on_load='taskset -c 1'
fi

number() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; } # number KEY: of the JSON object on standard input

# note TITLE PROGRAM ROUND VALUE CPU-NS UNIT BETTER: one line of runs.tsv; an empty value is a failure
note() {
    if [ -z "$4" ]; then
        failures=$((failures + 1))
        printf '  %s: %s failed (%s)\n' "$1" "$2" "${log#"$repo"/}"
        return
    fi
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@" >>"$out/runs.tsv"
}

run_ns() { # of all threads of process $1, by the scheduler's own count
    cat /proc/"$1"/task/*/schedstat 2>/dev/null | awk '{ sum += $1 } END { printf "%.0f", sum }'
}

# load_server COMMAND LOAD-ARGUMENTS: sets $requests, a second, and $cpu, the server's processor time for one in ns
load_server() {
    local command=$1 arguments=$2 port server before after json mode=
    case $arguments in stream*) mode=sink ;; esac
    port=$((20000 + (RANDOM % 12000)))
    $on_server $command $port $mode >/dev/null 2>>"$log" &
    server=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        sleep 0.1
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    done
    before=$(run_ns $server)
    json=$(timeout 60 $on_load "$bench/load" $port $arguments $seconds 2>>"$log")
    after=$(run_ns $server)
    kill $server 2>/dev/null
    wait $server 2>/dev/null
    requests=
    [ "$(number errors <<<"$json")" != 0 ] || requests=$(number requests_per_s <<<"$json")
    cpu=$(awk -v ns=$((after - before)) -v n="$(number all_requests <<<"$json")" 'BEGIN { if (n > 0) printf "%.0f", ns / n }')
}

echo_once() { # echo_once TITLE PROGRAM ROUND COMMAND LOAD-ARGUMENTS
    load_server "$4" "$5"
    note "$1" "$2" "$3" "$requests" "$cpu" 'requests/s' more
}

# once TITLE PROGRAM ROUND COMMAND FIGURES: a line of FIGURES is "SUFFIX KEY CPU-KEY UNIT BETTER", and a row of its own; the suffix
# goes to the title, _ being a space and - nothing
once() {
    local title=$1 program=$2 round=$3 command=$4 json key cpu unit better suffix
    json=$(timeout 120 $command 2>>"$log")
    while read -r suffix key cpu unit better; do
        suffix=${suffix#-}
        note "$title${suffix//_/ }" "$program" "$round" "$(number "$key" <<<"$json")" \
            "$([ "$cpu" = - ] || number "$cpu" <<<"$json")" "$unit" "$better"
    done <<<"$5"
}

# The whole process, as somebody who starts it sees it.
copy_once() { # copy_once TITLE PROGRAM ROUND COMMAND
    local start end speed=
    rm -f "$out/copy"
    start=$(date +%s%N)
    timeout 120 $4 "$out/data" "$out/copy" >>"$log" 2>&1
    end=$(date +%s%N)
    cmp "$out/data" "$out/copy" >>"$log" 2>&1 && speed=$(awk -v mb="$megabytes" -v ns=$((end - start)) 'BEGIN { printf "%.0f", mb * 1.048576 / ns * 1e9 }')
    note "$1" "$2" "$3" "$speed" '' 'MB/s' more
}

# in_turn ROUND "PROGRAM|COMMAND"…: measures each, beginning one further each round
in_turn() {
    local round=$1 count i
    shift
    count=$#
    for ((i = 0; i < count; i++)); do
        local line=${*:$(((i + round - 1) % count + 1)):1}
        current_program=${line%%|*} current_command=${line#*|}
        "$measure"
    done
}

measure_echo() { echo_once "$title" "$current_program" "$round" "$current_command" "$arguments"; }
measure_copy() { copy_once "$title" "$current_program" "$round" "$current_command"; }
measure_once() { once "$title" "$current_program" "$round" "$current_command $arguments" "$figures"; }

with_libuv() { [ $libuv = no ] || printf '%s\n' "$1"; }
with_uring() { [ $uring = no ] || printf '%s\n' "$1"; }
programs_of() { # programs_of KIND: into the array programs
    case $1 in
    echo) mapfile -t programs < <(printf '%s\n' "proact|$bench/echo" "proact, callbacks|$bench/echo_callback" &&
        with_uring "io_uring|$bench/peers/echo_uring" && printf '%s\n' "epoll|$bench/peers/echo_epoll" &&
        with_libuv "libuv|$bench/peers/echo_uv") ;;
    file) mapfile -t programs < <(printf '%s\n' "proact|$bench/file" && with_uring "io_uring|$bench/peers/file_uring" &&
        printf '%s\n' "pread|$bench/peers/file_pread" && with_libuv "libuv|$bench/peers/file_uv") ;;
    copy) mapfile -t programs < <(printf '%s\n' "proact|$bench/copy" && with_uring "io_uring|$bench/peers/copy_uring" &&
        with_uring "io_uring, opening|$bench/peers/copy_uring --ring" && printf '%s\n' 'cp|cp --reflink=never') ;;
    await) programs=("proact|$bench/await") ;;
    nop) mapfile -t programs < <(with_uring "io_uring|$bench/peers/nop_uring") ;;
    pool) mapfile -t programs < <(printf '%s\n' "proact|$bench/pool" && with_libuv "libuv|$bench/peers/pool_uv") ;;
    tree) programs=("proact|$bench/pool") ;;
    latency) programs=("proact|$on_server $bench/latency") ;;
    timer) mapfile -t programs < <(printf '%s\n' "proact|$bench/timer" && with_libuv "libuv|$bench/peers/timer_uv") ;;
    post) mapfile -t programs < <(printf '%s\n' "proact|$bench/post" "epoll|$bench/peers/post_epoll" && with_libuv "libuv|$bench/peers/post_uv") ;;
    esac
}

# row KIND TITLE ARGUMENTS [FIGURES]
row() {
    title=$2 arguments=$3 figures=${4:-} log=$logs/bench-$1.log
    programs_of "$1"
    measure=measure_once
    [ "$1" != echo ] || measure=measure_echo
    [ "$1" != copy ] || measure=measure_copy
    in_turn "$round" "${programs[@]}"
}

round_of_all() {
    row echo 'echo, 1 connection, 64 B' 'pingpong 1 64 1'
    row echo 'echo, 1 connection, client awake' 'awake 1 64 1'
    row echo 'echo, 64 connections, 64 B' 'pingpong 64 64 1'
    row echo 'echo, 1000 connections, 64 B' 'pingpong 1000 64 1'
    row echo 'echo, 64 connections, 64 B, 16 deep' 'pingpong 64 64 16'
    row echo 'echo, 64 connections, 4 KiB' 'pingpong 64 4096 1'
    row echo 'echo, 8 connections, 256 KiB, 2 deep' 'pingpong 8 262144 2'
    row echo 'echo, new connections, 16 at a time' 'churn 16 64 1'
    row echo 'stream to the server, 4 connections' 'stream 4 262144 2'
    local reads='- iops cpu_ns_per_op reads/s more' how depth
    for how in cached direct; do
        for depth in 1 32 128; do
            row file "random reads of 4 KiB, $how, $depth at a time" "$out/data $depth $seconds $how" "$reads"
        done
    done
    row copy "copy of $megabytes MiB" ''
    row timer "$timers timers:" "$timers" $'_arm arm_ns - ns less\n_cancel cancel_ns - ns less\n_fire fire_ns - ns less'
    row await 'await:' '' $'_of_what_is_complete ready_ns - ns less\n_call_that_completes_at_once call_ns - ns less\n_suspend_and_resume suspend_resume_ns - ns less\n_kernel_no-op op_await_ns - ns less'
    row nop 'await: kernel no-op' '' '- context_ns - ns less'
    row pool 'pool, tasks from one thread' "flat $timers $jobs" '- ns_per_task cpu_ns_per_task ns less'
    row tree 'pool, a tree of tasks' "tree 17 $jobs" '- ns_per_task cpu_ns_per_task ns less'
    row latency '1000 busy connections, a timer is late:' "1000 3" $'_median late_p50_us - us less\n_99.9_% late_p999_us - us less'
    row post 'post, bounced between two loops' "pingpong $seconds" '- rtt_ns cpu_ns_per_rtt ns less'
    row post 'post, flood from 1 producer' "flood 1 $seconds" '- posts_per_s cpu_ns_per_post posts/s more'
    row post 'post, flood from 4 producers' "flood 4 $seconds" '- posts_per_s cpu_ns_per_post posts/s more'
}

# --- curves: the cost for each, by how many there are ---

# point CURVE NUMBER VALUE: one line of curves.tsv; an empty value is a failure
point() {
    if [ -z "$3" ]; then
        failures=$((failures + 1))
        printf '  %s, %s: failed (%s)\n' "$1" "$2" "${log#"$repo"/}"
        return
    fi
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$round" "$3" >>"$out/curves.tsv"
}

curves_round() {
    local n json key
    log=$logs/bench-curves.log
    for n in 1 10 100 1000 10000; do
        # long enough that accepting so many is no part of what a request costs
        [ $n -lt 10000 ] || local seconds=4
        load_server "$bench/echo" "pingpong $n 64 1"
        point 'echo: processor time for a request' $n "$cpu"
        load_server "$bench/peers/echo_epoll" "pingpong $n 64 1"
        point 'the same on bare epoll' $n "$cpu"
    done
    for n in 1 10 100 1000 10000 100000 1000000; do
        json=$("$bench/timer" $n 2>>"$log")
        for key in arm cancel fire; do point "timers: $key" $n "$(number ${key}_ns <<<"$json")"; done
        json=$("$bench/tasks" $n 2>>"$log")
        point 'methods: call, suspend' $n "$(number start_ns <<<"$json")"
        point 'methods: resume, end' $n "$(number complete_ns <<<"$json")"
    done
}

: >"$out/runs.tsv"
: >"$out/curves.tsv"
rm -f "$logs"/bench-{echo,file,timer,await,pool,tree,latency,post,curves}.log
dd if=/dev/urandom of="$out/data" bs=1M count=$megabytes 2>"$logs/bench-data.log" || refuse "no room for $megabytes MiB in $out."
sync "$out/data"
for ((round = 1; round <= rounds; round++)); do
    begin "Round $round of $rounds"
    round_of_all
    end
done
rm -f "$out/data" "$out/copy"
for ((round = 1; round <= curve_rounds; round++)); do
    begin "How it scales, round $round of $curve_rounds"
    curves_round
    end
done

awk -f scripts/curves.awk "$out/curves.tsv" >"$out/curves.svg"
awk -v form=json -f scripts/bench.awk "$out/runs.tsv" >"$out/results.json"
awk -v form=svg -f scripts/bench.awk "$out/runs.tsv" >"$out/results.svg"
printf '\n'
awk -v form=text -f scripts/bench.awk "$out/runs.tsv"
printf '\n  %s\n' 'Speed against proact: the median of the pairs within a round; above 1 is faster than proact, below 1 slower.'
printf '  %s\n' 'CPU: the processor time of the server, or of the whole program, for one request, read, bounce or post.'
printf '\n  %s\n\n' 'The cost for each, in ns, by how many there are:'
awk -v form=text -f scripts/curves.awk "$out/curves.tsv"
printf '\n  %s\n' 'In build/bench: runs.tsv, results.json, results.svg, curves.tsv, curves.svg.'
[ $failures = 0 ]
