#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# headers.sh INCLUDE CC CXX: every public header compiles alone, as C11 and as C++17, without a warning.
set -u -o pipefail
. "$(dirname "$0")/../report.sh"
include=$1 cc=$2 cxx=$3
warnings='-Wall -Wextra -Wpedantic -Wundef -Werror -fsyntax-only'

compiles() { # compiles COMPILER LANGUAGE STANDARD HEADER
    # shellcheck disable=SC2086
    printf '#include <proact/%s>\n' "$4" | "$1" -x "$2" -std="$3" $warnings -I"$include" -
}
compiles_alone() { compiles "$@" < /dev/null; }

for header in "$include"/proact/*.h; do
    header=${header##*/}
    check "$header compiles alone as C11" compiles_alone "$cc" c c11 "$header"
    if command -v "$cxx" >/dev/null; then
        check "$header compiles alone as C++17" compiles_alone "$cxx" c++ c++17 "$header"
    else
        skip "$header compiles alone as C++17" "there is no $cxx here"
    fi
done
finish
