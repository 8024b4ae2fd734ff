#!/bin/sh
# SPDX-License-Identifier: MIT
# Counts, by Callgrind, what each kind of bench/instructions.c costs, and compares with instructions.txt: exit 0 when none
# has grown by more than 2 % and one instruction, 1 when one has, 77 (skipped) when that cannot be told here.
#
#     instructions.sh BUILD PROGRAM [--update]     BUILD names compiler and switches; --update writes the new numbers
cd "$(dirname "$0")" || exit 1
build=$1 program=$2 update=${3:-}
stored=instructions.txt
export LC_ALL=C PROACT_BACKEND=sim
# The C library's own choices by processor (memset, memcpy) must not tell machines apart.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,-ERMS,-FSRM,-BMI2

skip() {
    printf 'SKIP bench/instructions: %s\n' "$1"
    exit 77
}
command -v valgrind >/dev/null 2>&1 || skip 'valgrind is not installed'
if [ "$update" != --update ] && ! grep -qxF "build $build" "$stored"; then
    skip "$stored has the numbers of \"$(sed -n 's/^build //p' "$stored")\", and this is \"$build\""
fi

collected() { # collected KIND COUNT
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 | sed -n 's/^==.*Collected : *\([0-9]*\).*/\1/p'
}

fresh=$(mktemp) || exit 1
trap 'rm -f "$fresh"' EXIT
printf '%s\n' '# Instructions for one await, one timer, one post, one request with its answer (both ends), on the simulated kernel.' \
    '# Written by bench/instructions.sh --update; bench/instructions fails when one grows by more than 2 %.' "build $build" >"$fresh"
failed=0
for kind in ready call yield nop timer cancel post echo echo_callback; do
    few=$(collected $kind 1000)
    many=$(collected $kind 3000)
    if [ -z "$few" ] || [ -z "$many" ]; then
        printf '%s: Callgrind counted nothing\n' "$kind"
        exit 1
    fi
    now=$(((many - few) / 2000))
    before=$(sed -n "s/^$kind //p" "$stored" 2>/dev/null)
    printf '%s %s\n' "$kind" "$now" >>"$fresh"
    printf '%-14s %6d  (%s stored)\n' "$kind" "$now" "${before:-none}"
    if [ "$update" != --update ] && [ $((now * 100)) -gt $((${before:-0} * 102 + 100)) ]; then
        printf '  grew by more than 2 %%\n'
        failed=1
    fi
done
if [ "$update" = --update ]; then
    cat "$fresh" >"$stored"
elif [ $failed = 1 ]; then
    printf 'If that is on purpose: bench/instructions.sh "%s" %s --update\n' "$build" "$program"
fi
exit $failed
