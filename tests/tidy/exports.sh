#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# exports.sh LIBRARY NM OBJDUMP: the shared library shows pro_ names and nothing else.
set -u -o pipefail
. "$(dirname "$0")/../report.sh"
library=$1 nm=$2 objdump=$3

shown() { # the names it shows, one a line
    case $library in
    *.dll) "$objdump" -p "$library" | sed -n '/^\[Ordinal\/Name Pointer\] Table/,/^$/s/^\t\[ *[0-9]*\] \([^ ]*\)$/\1/p' ;;
    *) "$nm" -D --defined-only "$library" | sed 's/.* //; s/@.*//' ;;
    esac
}
names=$(shown)
if grep -q '^pro_' <<<"$names"; then pass 'it shows pro_ functions'; else fail 'it shows pro_ functions' "$library shows no pro_ function"; fi
foreign=$(grep -v '^pro_' <<<"$names")
if [ -z "$foreign" ]; then pass 'it shows nothing else'; else fail 'it shows nothing else' "$foreign"; fi
finish
