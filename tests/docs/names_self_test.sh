#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# names_self_test.sh REPO WORK: names.sh must be able to fail. A copy of what it reads gets one mistake after the other.
set -u
repo=$1 work=$2
. "$repo/tests/report.sh"

fails_after() { # fails_after FILE SED-SCRIPT WORDS: the mistake is found, and told in these words
    local said
    rm -rf "$work" && mkdir -p "$work" || return 1
    (cd "$repo" && tar c README.md include proactor sync_context awaiters platform diagnostics docs tests) | tar x -C "$work" || return 1
    sed -i "$2" "$work/$1"
    cmp -s "$repo/$1" "$work/$1" && { echo "the mistake was not made in $1"; return 1; }
    said=$(bash "$repo/tests/docs/names.sh" "$work") && { echo "it was not found"; return 1; }
    grep -qF "$3" <<<"$said" || { printf 'told otherwise: %s\n' "$said"; return 1; }
}
check 'a name that the headers lack is found' \
    fails_after docs/csharp-map.md 's/`pro_task_then`/`pro_task_after`/' 'the headers have no pro_task_after'
check 'a function without a contract is found' \
    fails_after include/proact/loop.h '$a\\nPRO_API void pro_loop_untold(void);' 'pro_loop_untold has no contract'
check 'a comment that was deleted is found' \
    fails_after include/proact/semaphore.h '/^\/\* Takes one if it is there/d; s/^PRO_API bool pro_semaphore_try_wait/\n&/' 'pro_semaphore_try_wait has no contract'
check 'a contract that names no thread is found' \
    fails_after include/proact/semaphore.h '/^\/\* Takes one if it is there/{s/ \[any thread\]//; s/^/\n/}' 'pro_semaphore_try_wait does not say on which thread'
check 'a mark that nobody explains is found' \
    fails_after include/proact/base.h '/^ \*   \[one thread at a time\]/d' 'base.h does not explain'
check 'a test that is gone is found' \
    fails_after docs/semantics.md 's/`unit\/semantics_then\.c`/`unit\/semantics_than.c`/' 'there is no tests/unit/semantics_than.c'
check 'a scenario that is not there is found' \
    fails_after docs/semantics.md '/^| 001 /s/038/099/' 'there is no scenario 099'
check 'an entry that is gone is found' \
    fails_after docs/semantics.md '/^| 041 /d' 'docs/semantics.md has no SEM-041'
check 'an entry twice is found' \
    fails_after docs/semantics.md '/^| 041 /p' 'is out of order'
finish
