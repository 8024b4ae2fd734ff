#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every test on every system: Linux on each backend, AddressSanitizer and UBSan, ThreadSanitizer, simulated threads, a
# build by clang, Windows under Wine. The last line is "N passed, N failed, N skipped". Exit status: 0 when nothing
# failed, 1 when something did, 2 when the tests could not be run. $PROACT_REQUIRE=uring,epoll,sim,iocp turns a skip into a failure.
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
parse_options 'Builds proact for Linux and Windows and runs every test.' yes "$@"

required=${PROACT_REQUIRE:-}
for word in ${required//,/ }; do
    case $word in
    uring | epoll | sim | iocp) ;;
    *) refuse "PROACT_REQUIRE names \"$word\"; it takes uring, epoll, sim and iocp, with commas between." ;;
    esac
done
passed=0 failed=0 skipped=0
export UBSAN_OPTIONS=print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}
: >"$logs/failures.txt"
: >"$logs/skips.txt"

# What a run must not skip: those of the words given that $PROACT_REQUIRE names.
require() {
    local word wanted=
    for word; do
        case ,$required, in *,"$word",*) wanted=$wanted,$word ;; esac
    done
    printf '%s' "${wanted#,}"
}

# Adds what one CTest run says.
add_counts() { # add_counts TITLE WHAT-CTEST-PRINTED LOG
    local p=0 f=1 s=0
    read -r p f s < <(awk -v title="$1" -v failures="$logs/failures.txt" -v skips="$logs/skips.txt" \
        -f scripts/counts.awk "$2" "$3")
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    counted="$p passed, $f failed, $s skipped"
}

# A whole run that could not be made: a failure, or a skip with its reason.
add_failure() { failed=$((failed + 1)) && printf '%s\n' "$1" >>"$logs/failures.txt"; }
add_skip() { skipped=$((skipped + 1)) && printf '%s\n' "$1" >>"$logs/skips.txt"; }

# run_tests TITLE FOLDER REQUIRED [ctest arguments…]; what stands in $under is put before ctest
under=()
run_tests() {
    local title=$1 folder=$2 must=$3 log
    shift 3
    log=$logs/test-${title//[^A-Za-z0-9]/-}.log
    begin "Test:  $title"
    rm -f "build/$folder/Testing/Temporary/LastTest.log"
    PROACT_REQUIRE=$must "${under[@]}" ctest --test-dir "build/$folder" -j "$jobs" --no-tests=error "$@" >"$log.ctest" 2>&1 </dev/null
    local status=$?
    if mv "build/$folder/Testing/Temporary/LastTest.log" "$log" 2>/dev/null; then
        local before=$failed
        add_counts "$title" "$log.ctest" "$log"
        # CTest saw a failure that no summary tells: never lose it.
        if [ $status != 0 ] && [ "$failed" = "$before" ]; then
            add_failure "$title: ctest ended with status $status (${log#"$repo"/})"
            counted="$counted, and ctest failed"
        fi
        end "$counted"
    else
        add_failure "$title: ctest ended with status $status and no test ran (${log#"$repo"/})"
        end failed
        show_log "$log.ctest"
    fi
}

# build_step TITLE FOLDER PRESET [configuration…]: a build that fails counts as one failure
build_step() {
    local title=$1 folder=$2 preset=$3
    shift 3
    step "$title" "build-$folder" build "$folder" "$preset" all "$@" && return 0
    add_failure "$title: does not build (build/logs/build-$folder.log)"
    return 1
}

# Sanitizers want memory where new kernels put other things; without address randomisation they find it.
# Sets $under, or fails with $why.
sanitizer_starts() { # sanitizer_starts NAME
    local probe=build/logs/probe-$1
    printf 'int main(void) { return 0; }\n' | cc -x c -fsanitize="$1" -o "$probe" - 2>"$probe.log" || { why='cc cannot link it' && return 1; }
    under=(setarch "$(uname -m)" -R)
    "${under[@]}" true 2>/dev/null || under=()
    "${under[@]}" "$probe" 2>>"$probe.log" && return 0
    why='a program built with it does not start here'
    under=()
    return 1
}

run_sanitizer() { # run_sanitizer TITLE PRESET NAME
    if sanitizer_starts "$3"; then
        build_step "Build: $1" "$2" "$2" && run_tests "$1" "$2" "$(require uring epoll sim)"
        under=()
    else
        add_skip "$1: $why"
        printf '  %s was skipped: %s.\n' "$1" "$why"
    fi
}

# --- what --full adds -------------------------------------------------------------------------------------------

minutes() { echo $(((SECONDS - started) / 60)); }

run_valgrind() {
    build_step 'Build: Linux for Valgrind' linux-valgrind linux -DPROACT_VALGRIND=ON -DPROACT_BENCH=OFF -DPROACT_SAMPLES=OFF \
        "-DCMAKE_CROSSCOMPILING_EMULATOR=valgrind;-q;--error-exitcode=9;--leak-check=full;--errors-for-leak-kinds=definite" &&
        PROACT_BACKEND=epoll PROACT_TEST_LIMIT=600 run_tests 'unit tests in Valgrind, on epoll' linux-valgrind '' \
            -R '^unit/' -E '^unit/(linux_uring.*|scale)$' --timeout 1500
}

# The stored traces against .NET itself, where it is installed.
run_oracle() {
    begin 'Ask .NET for its traces'
    scripts/oracle.sh >"$logs/oracle.log" 2>&1 </dev/null
    case $? in
    0) passed=$((passed + 1)) && end ;;
    77) end skipped && add_skip "$(tail -n 1 "$logs/oracle.log")" ;;
    *) end failed && show_log "$logs/oracle.log" && add_failure 'The stored traces are not those of .NET (build/logs/oracle.log)' ;;
    esac
}

run_bench() {
    if step 'Measure beside its peers (bench.sh --quick)' bench scripts/bench.sh --quick; then
        passed=$((passed + 1))
    else
        add_failure 'scripts/bench.sh does not end well (build/logs/bench.log)'
    fi
}

run_tidy() {
    find platform proactor sync_context awaiters diagnostics -name '*.c' -not -path '*/windows/*' -not -path '*/simthreads/*' | sort >"$logs/tidy-files.txt"
    if step 'Analyse: clang-tidy' clang-tidy xargs -a "$logs/tidy-files.txt" -n 1 -P "$jobs" \
        clang-tidy --quiet -p build/linux-clang --warnings-as-errors='*'; then
        passed=$((passed + 1))
    else
        add_failure 'clang-tidy has findings (build/logs/clang-tidy.log)'
    fi
}

# What is tested otherwise is a debug build: other warnings, other inlining, misuse that is counted instead of fatal.
run_release() {
    build_step 'Build: Linux, every test as released' linux-release-tests linux-release -DPROACT_TESTS=ON -DPROACT_BENCH=OFF &&
        run_tests 'Linux, every backend, as released' linux-release-tests "$(require uring epoll sim)"
}

# Two thousand seeds for each scenario, twenty times as many random schedules, and deeper searches of small programs.
run_schedules() {
    PROACT_SCHEDULE_SEEDS=2000 run_tests 'simulated threads, 2,000 seeds' linux-simthreads '' -E mutants
    PROACT_SCHEDULE_PREEMPTIONS=4 run_tests 'simulated threads, 4 preemptions' linux-simthreads '' \
        -R '^simthreads/(task_word|continuation_list|cancellation_registration)$'
}

# Other seeds, and every program that races many times over, until 50 minutes are used.
run_more() {
    local seed
    for seed in 1 2 3 4 5 6 7 8 9 10; do
        [ "$(minutes)" -lt 50 ] || { printf '  50 minutes are used: the other seeds were left out.\n' && break; }
        PROACT_SEED=$((seed * 7919)) run_tests "seed $((seed * 7919))" linux "$(require uring epoll sim)" -E '^(outside|tidy|docs)/'
        [ "$(minutes)" -lt 50 ] || continue
        PROACT_SEED=$((seed * 7919)) run_tests "race and contract in ThreadSanitizer, round $seed" linux-tsan \
            "$(require uring epoll sim)" -R '^(race|contract)/'
    done
}

# --- the run ----------------------------------------------------------------------------------------------------

printf 'proact: every test\n\n'
setup
tell_backend
warm_wine

if build_step 'Build: Linux' linux linux; then
    run_tests 'Linux, every backend' linux "$(require uring epoll sim)"
    PROACT_BACKEND=epoll run_tests 'Linux, everything on epoll' linux "$(require epoll sim)" -E '^(outside|tidy|docs)/'
fi
if build_step 'Build: Linux, as released' linux-release linux-release; then # all of it: README installs this one
    run_tests 'Linux, the released library and its benchmarks' linux-release ''
fi
run_sanitizer 'Linux, AddressSanitizer and UBSan' linux-asan address
run_sanitizer 'Linux, ThreadSanitizer' linux-tsan thread
if build_step 'Build: Linux, simulated threads' linux-simthreads linux-simthreads; then
    run_tests 'Linux, simulated threads' linux-simthreads ''
fi
build_step 'Build: Linux, clang' linux-clang linux -DCMAKE_C_COMPILER=clang && passed=$((passed + 1))
if [ "$windows" = yes ]; then
    if build_step 'Build: Windows (mingw-w64)' windows windows; then
        if step 'Make Wine ready' wine wait "$wine_warming"; then
            run_tests 'Windows, under Wine' windows "$(require iocp sim)"
        else
            show_log "$logs/wine-prefix.log"
            add_failure 'Wine does not start (build/logs/wine-prefix.log)'
        fi
    fi
elif [ -n "$(require iocp)" ]; then
    add_failure 'Windows was left out (--linux-only), and PROACT_REQUIRE names iocp'
else
    add_skip 'Windows: left out (--linux-only)'
fi
if [ "$full" = yes ]; then
    run_tidy
    run_oracle
    run_bench
    run_release
    run_valgrind
    run_schedules
    run_more
fi

if [ -s "$logs/skips.txt" ]; then
    printf '\nSkipped, and why:\n\n'
    sort "$logs/skips.txt" | uniq -c | sed 's/^ *\([0-9]*\) /  \1 x /'
fi
if [ -s "$logs/failures.txt" ]; then
    printf '\nFailed:\n\n'
    sed 's/^/  /' "$logs/failures.txt"
fi
printf '\n%d min %d s; logs are in build/logs/.\n' $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60))
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
