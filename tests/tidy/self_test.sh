#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# self_test.sh REPO: a linter that cannot fail is none. bad/RULE/ is a small tree that breaks RULE in the places that
# bad/RULE/expected names, and nowhere else; headers.sh and exports.sh are shown bad ones, too.
set -u -o pipefail
here=$1/tests/tidy
cd "$1" || exit 1
. tests/report.sh
. tests/tidy/rules.sh
max_function=6 max_file=20

reports() { # reports RULE
    cd "$here/bad/$1" || return 1
    diff -u expected <("rule_$1" | sort)
}
for rule in $rules; do
    check "the rule \"$rule\" reports exactly the bad places" reports "$rule"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
refuses() { # refuses WORDS COMMAND…: it must fail and say the words
    local words=$1 said
    shift
    said=$("$@" 2>&1) && { printf 'it passed:\n%s\n' "$said" && return 1; }
    case $said in *"$words"*) ;; *) printf 'it said:\n%s\n' "$said" && return 1 ;; esac
}
check 'a header that leans on another is reported' refuses 'FAIL leaning.h compiles alone as C11' bash "$here/headers.sh" "$here/bad/headers" cc c++
check 'a header that is no C++ is reported' refuses 'FAIL only_c.h compiles alone as C++17' bash "$here/headers.sh" "$here/bad/headers" cc c++
printf 'int pro_good(void) { return 0; }\nint leaked(void) { return 1; }\n' >"$work/leak.c"
check 'a library that shows a symbol too many is reported' refuses 'leaked' \
    bash -c 'cc -shared -fPIC "$1/leak.c" -o "$1/leak.so" && bash "$2" "$1/leak.so" nm objdump' x "$work" "$here/exports.sh"
printf 'static int none(void) { return 0; }\nint (*const pointer)(void);\n' >"$work/empty.c"
check 'a library that shows nothing is reported' refuses 'shows no pro_ function' \
    bash -c 'cc -shared -fPIC -fvisibility=hidden "$1/empty.c" -o "$1/empty.so" && bash "$2" "$1/empty.so" nm objdump' x "$work" "$here/exports.sh"
finish
