#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs a Windows program under Wine: wine-run.sh PROGRAM [ARGUMENT…]. CMake uses it as the cross-compiling emulator.
#
# It keeps one prefix for all builds and one Wine server behind them, both made on first use (about ten seconds, 0.7 GB):
#   PROACT_WINEPREFIX   the prefix; default ${XDG_CACHE_HOME:-~/.cache}/proact-wine
#   WINE_RUN_MARKER     a grep pattern; a run that exits 0 without a line that matches it counts as failed (status 87)
# Status 98: no Wine on this machine. 99: the prefix cannot be made. Everything else is the program's own.
# "wine-run.sh --stop" ends the server.

say() { echo "wine-run: $*" >&2; }

command -v wine >/dev/null || { say "there is no 'wine' on this machine; on Debian: apt-get install wine wine64"; exit 98; }
server=$(command -v wineserver || ls /usr/lib/wine/wineserver{,64} 2>/dev/null | head -n 1)
[ -n "$server" ] || { say "there is a wine, but no wineserver"; exit 98; }

cache=${XDG_CACHE_HOME:-${HOME:-/tmp/proact-$(id -u)}/.cache}
WINEPREFIX=${PROACT_WINEPREFIX:-$cache/proact-wine}
case $WINEPREFIX in
/*) ;;
*) WINEPREFIX=$PWD/$WINEPREFIX ;; # Wine takes absolute ones only
esac
export WINEPREFIX WINEDEBUG=${WINEDEBUG:--all}
# No questions about Mono and Gecko; and no automatic debugger: with it a crash now and then ends with status 0.
export WINEDLLOVERRIDES=${WINEDLLOVERRIDES:-mscoree,mshtml,winedbg.exe=}
# The server's socket lives under TMPDIR. Two values would mean two servers on one prefix, which ruins it.
export TMPDIR=/tmp
# Wine writes file names in the locale's letters: in the C locale it could write ASCII alone.
export LC_ALL=C.UTF-8
unset DISPLAY WAYLAND_DISPLAY
# Wine wants the page at 0x7ffe0000 for itself. Linux 6.9 and later begin the heap of a program somewhere in the gigabyte
# above its data, and Wine 8's loader lies below that page: one start in some thousands failed, with status 1 and without
# a word.
# Without random addresses the heap lies elsewhere. A container may forbid to switch them off: then it stays so.
wine=(wine)
! setarch -R true 2>/dev/null || wine=(setarch -R wine)

# Without our standard streams: what starts the server or its services hands them a pipe for as long as they live, and
# whoever reads that pipe to its end (CTest) would wait for them. Without our lock, for the same reason.
quietly() { timeout -k 5 180 "$@" </dev/null >/dev/null 2>&1 9>&-; }

# Several tests may be first at the same time, and Wine cannot make one prefix twice at once: one maker, the others wait.
prepare() {
    local version=$1 # all is looked at again: the lock was free for a moment
    if [ "$(cat "$WINEPREFIX/.ready" 2>/dev/null)" != "$version" ]; then
        quietly "${wine[@]}" wineboot -u || { say "wineboot failed on $WINEPREFIX"; return 1; }
        quietly "${wine[@]}" winecfg -v win10 # a new prefix says Windows 7
        quietly "$server" -w
        echo "$version" >"$WINEPREFIX/.ready" || return 1
    fi
    if ! quietly "$server" -k0; then
        quietly "$server" -p        # stays when the last program ends: a start then takes 30 ms, not 500
        quietly "${wine[@]}" cmd /c exit # brings the services up
    fi
}

if [ "$1" = --stop ]; then
    [ ! -d "$WINEPREFIX" ] || "$server" -k </dev/null >/dev/null 2>&1
    exit 0
fi
[ $# -gt 0 ] || { say "give the program to run"; exit 99; }

version=$(wine --version 2>/dev/null </dev/null)
ready() { [ "$(cat "$WINEPREFIX/.ready" 2>/dev/null)" = "$version" ] && "$server" -k0 </dev/null >/dev/null 2>&1 9>&-; }

# Whoever only looks takes the lock as well, shared: a server that is up while its services are not would let them inherit our streams.
mkdir -p "$WINEPREFIX" && exec 9>"$WINEPREFIX.lock" || { say "cannot make $WINEPREFIX"; exit 99; }
flock -s 9
ready || { flock 9 && prepare "$version"; } || exit 99
exec 9>&-

[ -n "$WINE_RUN_MARKER" ] || exec "${wine[@]}" "$@"

# A Wine server that dies takes its programs with it, silently and with status 0: so 0 alone is no proof. The program
# writes into a file and not into a pipe, so that nothing it leaves behind can hold us up.
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT
"${wine[@]}" "$@" <&0 >"$log" 2>&1 &
program=$!
trap 'kill -TERM $program 2>/dev/null' TERM INT HUP
wait $program
status=$?
while [ $status -gt 128 ] && kill -0 $program 2>/dev/null; do # it was our own wait that the signal ended
    wait $program
    status=$?
done
cat "$log"
if [ $status -eq 0 ] && ! grep -q -e "$WINE_RUN_MARKER" "$log"; then
    say "exit status 0, but no line matches '$WINE_RUN_MARKER': the Wine server died, or a crash went unreported"
    status=87
fi
exit $status
