#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# readme.sh REPO WORK LIBRARY SUFFIX. CC LINK-FLAGS…: compiles and runs what README.md and docs/*.md show. A comment on the
# line before a block says what it is:
#   <!-- test: NAME -->    ```c    a program, or the next part of it: it compiles without a warning as C11, and ends with status 0
#   <!-- output: NAME -->  ```     what that program prints
#   <!-- test: outside --> ```sh   how to link: each line is one that tests/outside runs (lines-linux, lines-windows);
#                          ```cmake: each line stands in the CMakeLists.txt of its project
set -u -o pipefail
repo=$1 work=$2 library=$3 suffix=${4%.} cc=$5
shift 5
. "$repo/tests/report.sh"
readme=$repo/README.md
[ -e "$readme" ] || { skip 'what README.md shows works' 'there is no README.md'; finish; }
rm -rf "$work" && mkdir -p "$work" || exit 1

# Every marked block becomes a file, or a part of it: test-NAME.c, test-NAME.sh, output-NAME.text; a block without its fence, and a
# name that two pages use, are refused.
cd "$repo" || exit 1
awk -v work="$work" '
    { sub(/\r$/, "") }
    FNR == 1 { mark = ""; inside = 0 }
    /^<!-- (test|output): [a-z0-9_-]+ -->$/ { mark = $2 $3; sub(/:/, "-", mark); next }
    !inside && mark != "" {
        if (!/^```/) { print FILENAME ":" FNR ": a block was announced, and none begins here"; mark = ""; next }
        kind = substr($0, 4); inside = 1
        if (mark in page && page[mark] != FILENAME) print FILENAME ":" FNR ": " page[mark] " has a block of this name"
        page[mark] = FILENAME
        if (kind == "") kind = "text"
        file = work "/" mark "." kind
        next
    }
    !inside && /^```/ { inside = 1; file = ""; next }
    inside && /^```/ { inside = 0; mark = ""; next }
    inside && file != "" { print >> file }' README.md docs/*.md >"$work/complaints"
if [ -s "$work/complaints" ]; then fail 'every mark stands before a block' "$(cat "$work/complaints")"; else pass 'every mark stands before a block'; fi

program_works() { # program_works NAME CC LINK…
    local name=$1 cc=$2 said
    shift 2
    # A program that is no use without arguments or the network has no place in such a block.
    "$cc" -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -I"$repo/include" "$work/test-$name.c" "$library" "$@" \
        -o "$work/$name$suffix" || return 1
    if [ -n "$suffix" ]; then said=$("$repo/scripts/wine-run.sh" "$work/$name$suffix" | tr -d '\r'); else said=$("$work/$name"); fi ||
        { printf '%s\nexit status %s\n' "$said" $? && return 1; }
    [ ! -e "$work/output-$name.text" ] || diff -u "$work/output-$name.text" <(printf '%s\n' "$said")
}
programs=0
for program in "$work"/test-*.c; do
    [ -e "$program" ] || continue
    programs=$((programs + 1))
    name=$(basename "$program" .c)
    name=${name#test-}
    check "the program \"$name\" compiles and runs" program_works "$name" "$cc" "$@"
done
if [ $programs != 0 ]; then pass 'there is a program'; else fail 'there is a program' 'README.md marks no ```c block with <!-- test: NAME -->'; fi

linked=0
while IFS= read -r line; do
    case $line in '' | '#'*) continue ;; esac
    line=$(sed 's/   *#.*$//; s/[ \t]*$//' <<<"$line")
    linked=$((linked + 1))
    if wanted=$line awk -F '   *' '$3 == ENVIRON["wanted"] { found = 1 } END { exit !found }' \
        "$repo/tests/outside/lines-linux" "$repo/tests/outside/lines-windows"; then
        pass "tests/outside runs: $line"
    else
        fail "tests/outside runs: $line" 'neither lines-linux nor lines-windows has this line'
    fi
done < <(cat "$work/test-outside.sh" 2>/dev/null)
while IFS= read -r line; do
    line=$(sed 's/   *#.*$//; s/^[ \t]*//; s/[ \t]*$//' <<<"$line")
    [ -n "$line" ] || continue
    if grep -qxF "$line" "$repo/tests/outside/project/CMakeLists.txt"; then
        pass "tests/outside has: $line"
    else
        fail "tests/outside has: $line" 'tests/outside/project/CMakeLists.txt has no such line'
    fi
done < <(cat "$work/test-outside.cmake" 2>/dev/null)
if [ $linked != 0 ]; then pass 'it shows how to link'; else fail 'it shows how to link' 'README.md marks no ```sh block with <!-- test: outside -->'; fi
finish
