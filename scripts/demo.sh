#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the deadlock gallery for Linux and for Windows, runs every scenario on both, prints one table.
# Exit status: 0 when every scenario ended as it should, on both; 1 when not; 2 when it could not be tried.
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
parse_options 'Builds the deadlock gallery, runs it on Linux and under Wine, and prints one table.' no "$@"

linux_gallery=$repo/build/linux/samples/gallery/gallery
windows_gallery=$repo/build/windows/samples/gallery/gallery.exe
verdicts=$repo/build/logs/verdicts
tab=$'\t'

gallery() { # gallery SYSTEM arguments…
    local system=$1
    shift
    case $system in
    linux) "$linux_gallery" "$@" ;;
    windows) "$repo/scripts/wine-run.sh" "$windows_gallery" "$@" ;;
    esac
}
export -f gallery
export linux_gallery windows_gallery repo

# run_all SYSTEM: one line "name TAB outcome TAB ok" for each scenario, in the gallery's order
run_all() {
    local system=$1 name log line status
    while IFS=$tab read -r _ name _; do
        log=$verdicts/$system-$name.log
        timeout -k 5 60 bash -c 'gallery "$@"' gallery "$system" run "$name" --verdict >"$log" 2>&1 </dev/null
        status=$?
        line=$(tr -d '\r' <"$log" | sed -n "s/^VERDICT$tab$name$tab//p" | tail -n 1)
        if [ $status = 124 ] || [ $status = 137 ]; then
            line="no end in 60 s${tab}NOT AS EXPECTED"
        elif [ -z "$line" ]; then
            line="no verdict, exit status $status${tab}NOT AS EXPECTED"
        elif [ $status != 0 ]; then
            line="${line%"$tab"*}${tab}NOT AS EXPECTED"
        fi
        printf '%s\t%s\n' "$name" "$line"
    done <"$verdicts/list" >"$verdicts/$system"
}

# The table of what both said; exit 0 when all is as it should be.
table() {
    local width
    width=240
    [ ! -t 1 ] || width=$(tput cols 2>/dev/null || echo 120)
    awk -F'\t' -v width="$width" -v both="$windows" -v logs="build/logs/verdicts" '
        function columns(s) { gsub(/[\200-\277]/, "", s); return length(s) } # of UTF-8: bytes that begin a character
        function fit(s, n) {
            if (columns(s) > n) {
                while (columns(s) > n - 2)
                    s = substr(s, 1, length(s) - 1)
                s = s ".."
            }
            return s sprintf("%*s", n - columns(s), "")
        }
        function longest(s, n) { return columns(s) > n ? columns(s) : n }
        FILENAME ~ /list$/ { number[++n] = $1; name[n] = $2; shows[n] = $3; w1 = longest($2, w1); w2 = longest($3, w2); next }
        FILENAME ~ /linux$/ { linux[$1] = $2; linux_ok[$1] = $3; w3 = longest($2, w3); next }
        { win[$1] = $2; win_ok[$1] = $3; w4 = longest($2, w4) }
        function row(a, b, c, d, e, f) {
            printf "  %2s  %s  %s  %s  ", a, fit(b, w1), fit(c, w2), fit(d, w3)
            if (both == "yes")
                printf "%s  ", fit(e, w4)
            print f
        }
        END {
            w1 = longest("scenario", w1); w3 = longest("Linux", w3); w4 = longest("Windows", w4)
            room = width - w1 - w3 - w4 - 29
            if (room < 30) room = 30
            if (w2 > room) w2 = room
            row("", "scenario", "what it shows", "Linux", "Windows", "verdict")
            for (i = 1; i <= n; i++) {
                s = name[i]
                ok = linux_ok[s] == "ok" && (both != "yes" || (win_ok[s] == "ok" && win[s] == linux[s]))
                row(number[i], s, shows[i], linux[s], win[s], ok ? "ok" : "NOT AS EXPECTED")
                if (!ok) bad[++nbad] = s
            }
            printf "\n  %d scenarios, %d as they should be", n, n - nbad
            printf both == "yes" ? ", on Linux and on Windows (Wine).\n" : ", on Linux.\n"
            for (i = 1; i <= nbad; i++)
                printf "  %s: see %s/*-%s.log\n", bad[i], logs, bad[i]
            exit n == 0 || nbad > 0
        }' "$verdicts/list" "$verdicts/linux" $([ "$windows" = yes ] && echo "$verdicts/windows")
}

printf 'proact: the deadlock gallery\n\n'
setup
tell_backend
warm_wine
step 'Build for Linux' demo-build-linux build linux linux samples/gallery/gallery || exit 1
if [ "$windows" = yes ]; then
    step 'Build for Windows (mingw-w64)' demo-build-windows build windows windows samples/gallery/gallery.exe || exit 1
    step 'Make Wine ready' wine wait "$wine_warming" || { show_log "$logs/wine-prefix.log"; exit 1; }
fi

rm -rf "$verdicts" && mkdir -p "$verdicts"
gallery linux list --plain | tr -d '\r' >"$verdicts/list" || { echo 'The gallery cannot list its scenarios.' >&2; exit 1; }
begin "Run $(wc -l <"$verdicts/list") scenarios"
running=()
run_all linux & running+=($!)
if [ "$windows" = yes ]; then
    run_all windows & running+=($!)
fi
wait "${running[@]}"
end
printf '\n'
table
status=$?
[ "$windows" = yes ] || printf '  Windows was left out (--linux-only).\n'
printf '  To see one of them: build/linux/samples/gallery/gallery run NAME   (and: list, explain, diff)\n'
printf '  %d s in all.\n' $((SECONDS - started))
exit $status
