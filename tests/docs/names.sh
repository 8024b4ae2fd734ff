#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# names.sh REPO: what the pages name exists, and what the headers offer is told somewhere.
set -u -o pipefail
repo=$1
. "$repo/tests/report.sh"
cd "$repo" || exit 1

names_in() { grep -ohE '\b(pro|PRO)_[A-Za-z0-9_]*[A-Za-z0-9]\b' "$@" | sort -u; }
offered=$(names_in include/proact/*.h)

# Every name that the map to C# mentions is a name of the headers.
map_names_exist() { ! comm -23 <(names_in docs/csharp-map.md) <(printf '%s\n' "$offered") | sed 's/^/the headers have no /' | grep .; }
check 'every name in docs/csharp-map.md is in the headers' map_names_exist

# Every public function has a contract: a comment that stands before it, or before its neighbours without a blank line between, or on its
# own line; and one of these says where it may be called, by a mark that base.h explains.
marks='any thread|loop|one thread at a time|the pump.s thread'
without() { # without contract | mark: the functions that lack it
    awk -v what="$1" -v mark="\\[($marks)" '
        FNR == 1 || /^$/ { told["contract"] = told["mark"] = 0 }
        /\/\*/ { inside = 1 }
        inside { told["contract"] = 1; if ($0 ~ mark) told["mark"] = 1 }
        /\*\// { inside = 0 }
        /^PRO_API / && match($0, /pro_[a-z0-9_]+\(/) {
            name = substr($0, RSTART, RLENGTH - 1)
            if (!told[what] && name !~ /_$/) print name
        }' include/proact/*.h | sort -u
}
functions_are_told() { ! without contract | sed 's/$/ has no contract in its header/' | grep .; }
check 'every public function has a contract' functions_are_told
threads_are_told() { ! without mark | sed 's/$/ does not say on which thread it may be called/' | grep .; }
check 'every contract says on which thread' threads_are_told
marks_are_explained() {
    local mark
    for mark in '\[loop\]' '\[any thread\]' '\[one thread at a time\]' "\[the pump's thread\]"; do
        grep -q "^ \*   $mark  " include/proact/base.h || { echo "base.h does not explain $mark"; return 1; }
    done
}
check 'every mark is explained in base.h' marks_are_explained

# docs/semantics.md: files, tests and scenarios exist; numbers rise; every number that headers and code follow is there.
rows() { grep -E '^\| [0-9]{3} \| [ENX] \|' docs/semantics.md; }
semantics_files_exist() {
    local missing=0 name
    for name in $(rows | cut -d'|' -f5 | grep -oE '[a-z_]+(/[a-z_]+)*/[a-z_]+\.[ch]' | sort -u); do
        [ -e "$name" ] || { echo "there is no $name"; missing=1; }
    done
    for name in $(rows | cut -d'|' -f6 | grep -oE '`[a-z_/]+\.c`' | tr -d '`' | sort -u); do
        [ -e "tests/$name" ] || { echo "there is no tests/$name"; missing=1; }
    done
    for name in $(rows | cut -d'|' -f6 | grep -oE '\b[0-9]{3}\b' | sort -u); do
        compgen -G "tests/conformance/${name}_*.c" >/dev/null || { echo "there is no scenario $name"; missing=1; }
    done
    [ $missing = 0 ]
}
check 'files, tests and scenarios in docs/semantics.md exist' semantics_files_exist
semantics_rise() { rows | awk -F'|' '$2 + 0 <= last { print "SEM-" $2 " is out of order"; bad = 1 } { last = $2 + 0 } END { exit bad || NR == 0 }'; }
check 'the entries of docs/semantics.md are in order, each once' semantics_rise
semantics_have_an_answer() { ! rows | awk -F'|' '$6 ~ /^ *$/ { print "SEM-" $2 ": nothing shows it, and no word why" }' | grep .; }
check 'every entry of docs/semantics.md is shown, or it is said why not' semantics_have_an_answer
semantics_are_known() {
    ! comm -23 <(grep -rohE 'SEM-[0-9]{3}' include proactor sync_context awaiters platform diagnostics tests docs --include='*.[ch]' --include='*.md' | cut -c5- | sort -u) \
        <(rows | cut -d'|' -f2 | tr -d ' ' | sort -u) | sed 's/^/docs\/semantics.md has no SEM-/' | grep .
}
check 'every SEM number in the sources is in docs/semantics.md' semantics_are_known
finish
