#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What demo.sh and test.sh share: options, steps with the time they took, and the packages. Installs only what is
# missing, after saying what that is and how large; asks nothing. Run by itself it installs and does no more.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
repo=$PWD
logs=$repo/build/logs
jobs=$(nproc 2>/dev/null || echo 2)
install=yes windows=yes full=no
export LC_ALL=C PROACT_WINEPREFIX=$repo/build/wine
started=$SECONDS

# One sentence, and the end.
refuse() {
    printf '%s\n' "$*" >&2
    exit 2
}

usage() {
    printf '%s\n' "$purpose" '' "usage: $0 [options]" ''
    [ "$accepts_full" = no ] || printf '  --full        %s\n' 'also more seeds, Valgrind, stress and clang-tidy: at most an hour'
    printf '  %s\n' '--no-install  install nothing; say what is missing' \
        '--linux-only  neither mingw-w64 nor Wine' '--help        this text'
    printf '\n%s\n' 'Everything is built below build/; what the steps print is in build/logs/.'
}

# parse_options PURPOSE ACCEPTS_FULL "$@"
parse_options() {
    purpose=$1 accepts_full=$2
    shift 2
    for option; do
        case $option in
        --no-install) install=no ;;
        --linux-only) windows=no ;;
        --full) [ "$accepts_full" = yes ] || refuse "$0 has no option --full; --help lists those it has." && full=yes ;;
        --help | -h) usage && exit 0 ;;
        *) refuse "$0 does not know \"$option\"; --help lists the options." ;;
        esac
    done
    mkdir -p "$logs" || refuse "$logs cannot be written, and everything is built below it."
}

# --- steps ------------------------------------------------------------------------------------------------------

milliseconds() { # since 1970; %N is GNU's, busybox prints it as it stands
    local now
    now=$(date +%s%3N)
    case $now in *[!0-9]*) now=$(date +%s)000 ;; esac
    printf '%s' "$now"
}

begin() { # begin WHAT: the first half of a step's line
    printf '  %-58s' "$1"
    began=$(milliseconds)
}

end() { # end [WORD]: the other half
    local took=$(($(milliseconds) - began))
    printf '%4d.%d s%s\n' $((took / 1000)) $((took % 1000 / 100)) "${1:+   $1}"
}

show_log() { # what a failed step printed: from the first failed compilation on, else the end
    local first
    first=$(grep -n -m 1 '^FAILED: ' "$1" | cut -d: -f1)
    printf '\n  from %s:\n\n' "${1#"$repo"/}"
    if [ -n "$first" ]; then sed -n "$first,$((first + 14))p" "$1"; else tail -n 25 "$1"; fi | cut -c 1-240 | sed 's/^/    /'
    printf '\n'
}

# step WHAT LOG COMMAND...: runs it with its output in build/logs/LOG.log
step() {
    local log=$logs/$2.log
    begin "$1"
    shift 2
    if "$@" >"$log" 2>&1 </dev/null; then
        end
        return 0
    fi
    end failed
    show_log "$log"
    return 1
}

# configure FOLDER PRESET [more…]: silent when it was done already and nothing changed
configure() {
    local folder=$repo/build/$1 preset=$2
    shift 2
    cmake --preset "$preset" -B "$folder" "$@" -S "$repo"
}

# build FOLDER PRESET TARGET [more…]
build() {
    local folder=$1 preset=$2 target=$3
    shift 3
    configure "$folder" "$preset" "$@" && cmake --build "$repo/build/$folder" --target "$target" -j "$jobs"
}

# The first Wine program makes the prefix, which takes seconds: begun early, beside the compilers.
warm_wine() {
    [ "$windows" = yes ] || return 0
    "$repo/scripts/wine-run.sh" cmd.exe /c exit 0 >"$logs/wine-prefix.log" 2>&1 </dev/null &
    wine_warming=$!
    trap '"$repo/scripts/wine-run.sh" --stop >/dev/null 2>&1' EXIT # the server would stay for ever
}

# One sentence when Linux will not run on io_uring: why.
tell_backend() {
    "$repo/scripts/uring-probe.sh" | sed 's/^/  /'
}

# --- packages ---------------------------------------------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }
has_header() { printf '#include <%s>\n' "$1" | cc -E -x c - >/dev/null 2>&1; }

# What must be there: the Debian package, and how one sees that it is (so that other systems pass, too).
wanted() {
    has cc && has c++ && has_header stdio.h || echo build-essential
    has cmake || echo cmake
    has ninja || echo ninja-build
    has pkg-config || echo pkg-config
    has pkg-config && has cc && pkg-config --exists liburing && has_header liburing.h || echo liburing-dev
    if [ "$accepts_full" = yes ]; then
        has clang || echo clang
        has spin || echo spin
        has valgrind && has_header valgrind/memcheck.h || echo valgrind
    fi
    if [ "$full" = yes ]; then
        has clang-tidy || echo clang-tidy
    fi
    [ "$windows" = yes ] || return 0
    has x86_64-w64-mingw32-gcc-win32 || echo gcc-mingw-w64-x86-64-win32
    if [ "$accepts_full" = yes ]; then
        has x86_64-w64-mingw32-g++-win32 || echo g++-mingw-w64-x86-64-win32
    fi
    has wine || echo wine
    has wine64 || [ -e /usr/lib/wine/wine64 ] || echo wine64
}

# Sets $as_root to what makes a command root's.
find_root() {
    if [ "$(id -u)" = 0 ]; then
        as_root=()
    elif has sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
        as_root=(sudo)
    else
        refuse "Missing: $missing; installing needs root or sudo, and neither is at hand."
    fi
}

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" </dev/null; }

# What apt says it would load and use, as one sentence.
apt_size() {
    # shellcheck disable=SC2086 # a list of words
    apt-get -o Debug::NoLocking=1 install --no-install-recommends --assume-no $missing 2>/dev/null |
        sed -n -e 's/^Need to get \(.*\) of archives\.$/\1 to download/p' \
            -e 's/^After this operation, \(.*\) of additional.*/, \1 on disk/p' | tr -d '\n'
}

apt_knows() {
    local package
    for package in $missing; do
        apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || return 1
    done
}

install_packages() {
    if ! apt_knows; then
        step 'Ask for the list of packages (apt-get update)' apt-update apt update
        apt_knows || refuse "Missing: $missing; the package lists do not know all of them, is there a network?"
    fi
    local size
    size=$(apt_size)
    printf '  To install: %s\n              %s\n' "$missing" "${size:-apt does not say how large that is}"
    # shellcheck disable=SC2086
    if ! step 'Install' apt-install apt install --no-install-recommends $missing; then
        # An old list names versions that the mirror has dropped.
        step 'Ask for the list of packages again (apt-get update)' apt-update apt update
        # shellcheck disable=SC2086
        step 'Install' apt-install apt install --no-install-recommends $missing ||
            refuse "Missing: $missing; apt-get could not install them (build/logs/apt-install.log), is there a network?"
    fi
}

# Puts what is missing in place, or says in one sentence what it is.
setup() {
    begin 'Look for compilers and libraries'
    missing=$(wanted | tr '\n' ' ')
    missing=${missing% }
    if [ -z "$missing" ]; then
        end 'all there'
    else
        end
        [ "$install" = yes ] || refuse "Missing: $missing; --no-install was given, so nothing was installed."
        has apt-get || refuse "Missing: $missing (names of Debian); this system has no apt-get to install them with."
        find_root
        install_packages
        hash -r
        missing=$(wanted | tr '\n' ' ')
        [ -z "$missing" ] || refuse "Still missing after the installation: ${missing% }."
    fi
    pkg-config --atleast-version=2.3 liburing ||
        refuse "liburing is $(pkg-config --modversion liburing) here, and 2.3 or later is needed."
    local cmake_version
    cmake_version=$(cmake --version | sed -n '1s/.* //p')
    [ "$(printf '3.25\n%s\n' "$cmake_version" | sort -V | head -n 1)" = 3.25 ] ||
        refuse "cmake is $cmake_version here, and 3.25 or later is needed."
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    parse_options 'Installs what building and testing proact needs.' yes "$@"
    setup
fi
