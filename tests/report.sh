# SPDX-License-Identifier: MIT
# For tests written in shell (bash): the lines that the harness of the C tests prints.
passed=0 failed=0 skipped=0

pass() { passed=$((passed + 1)) && printf 'PASS %s\n' "$1"; }
skip() { skipped=$((skipped + 1)) && printf 'SKIP %s: %s\n' "$1" "$2"; }
fail() { # fail NAME [DETAILS]; the details come first, as from the harness
    failed=$((failed + 1))
    [ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/  /'
    printf 'FAIL %s\n' "$1"
}

# check NAME COMMAND…: passes when the command does; its output is shown when not
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1 </dev/null); then pass "$name"; else fail "$name" "$output"; fi
}

finish() {
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" = 0 ] || exit 1
    [ "$passed" != 0 ] || exit 77
    printf 'ALL-OK\n'
    exit 0
}
