#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tidy.sh REPO: every rule of rules.sh on the whole tree.
set -u -o pipefail
cd "$1" || exit 1
. tests/report.sh
. tests/tidy/rules.sh
for rule in $rules; do
    found=$("rule_$rule")
    if [ -z "$found" ]; then pass "$rule"; else fail "$rule" "$found"; fi
done
finish
