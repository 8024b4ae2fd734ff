#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checks the Promela models by spin, and that each mistake they can make is found: spin.sh MODELS BUILD COMPILER
. "$(dirname "${BASH_SOURCE[0]}")/../report.sh"
models=$1 build=$2 compiler=$3

# Runs the verifier of one model; succeeds when it went through all states and found @wanted errors ("none", "some").
verify() { # verify MODEL WANTED DEFINES...
    local model=$1 wanted=$2 folder
    shift 2
    folder=$build/$model/${*//[^A-Za-z0-9=]/}
    mkdir -p "$folder" && cd "$folder" || return 1
    spin "$@" -a "$models/$model.pml" && "$compiler" -O2 -w -DSAFETY -DCOLLAPSE -o verifier pan.c || return 1
    ./verifier -m1000000 >verdict 2>&1
    cat verdict
    ! grep -q 'max search depth too small' verdict || return 1
    if [ "$wanted" = none ]; then
        grep -q 'errors: 0$' verdict && ! grep -q 'Search not completed' verdict
    else
        grep -q 'errors: [1-9]' verdict
    fi
}

if ! command -v spin >/dev/null; then
    skip models 'spin is not installed (the Debian package spin)'
    finish
fi
check 'the task word and its continuations obey their property in every order' verify task_word none -DMISTAKE=0
for mistake in 1 2 3; do
    check "mistake $mistake of the task word is found" verify task_word some -DMISTAKE=$mistake
done
check 'no item is missed by workers that fall asleep and leave, in any order' verify parking none -DPOSTERS=3
check 'the same with one worker' verify parking none -DWORKERS=1 -DTARGET=1 -DPOSTERS=3
check 'the same with two workers of which one may be active' verify parking none -DWORKERS=2 -DTARGET=1 -DPOSTERS=3
check 'two items that wait for each other get two workers' verify parking none -DMEET
for mistake in 1 2 4; do
    check "mistake $mistake of the parking is found" verify parking some -DMISTAKE=$mistake -DWORKERS=1 -DTARGET=1
done
check 'mistake 3 of the parking is found' verify parking some -DMISTAKE=3 -DMEET
finish
