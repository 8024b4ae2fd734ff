#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# outside.sh linux|windows BUILD REPO: installs the library from BUILD and uses it from a small project in another
# folder in every way that README shows. The lines are those of lines-linux and lines-windows, run as they stand.
set -u -o pipefail
system=$1 build=$2 repo=$3
cmake=${CMAKE:-cmake}
here=$repo/tests/outside
work=$build/outside
. "$repo/tests/report.sh"

rm -rf "$work" && mkdir -p "$work" || exit 1
installed=$work/installed
if ! output=$("$cmake" --install "$build" --prefix "$installed" 2>&1); then
    fail 'the library installs' "$output"
    finish
fi
pass 'the library installs'
# Whoever installs may move the tree afterwards (a package does): nothing in it may remember the first place.
prefix=$work/prefix
mv "$installed" "$prefix"
check 'no installed file names the folder it was built or installed in' \
    bash -c '! grep -rlI -e "$1" -e "$2" "$3"/lib*' grep "$build" "$repo" "$prefix"

pkgconfig=$(dirname "$(find "$prefix" -name proact.pc)")
library=$(dirname "$pkgconfig")
export prefix PKG_CONFIG_PATH=$pkgconfig CMAKE_PREFIX_PATH=$prefix
export LD_LIBRARY_PATH=$library WINEPATH=$prefix/bin
if [ "$system" = linux ]; then # what /usr/local is without being asked
    export C_INCLUDE_PATH=$prefix/include CPLUS_INCLUDE_PATH=$prefix/include LIBRARY_PATH=$library
fi
unset WINE_RUN_MARKER

run() { # run PROGRAM: it must greet
    local said
    case $1 in
    *.exe) said=$("$repo/scripts/wine-run.sh" "$1" 2>&1) ;;
    *) said=$("$1" 2>&1) ;;
    esac || { printf '%s\nexit status %s of %s\n' "$said" $? "$1" && return 1; }
    case $said in
    *'hello from proact '[0-9]*' on '[a-z]*) ;;
    *) printf 'it said: %s\n' "$said" && return 1 ;;
    esac
}

try_line() { # try_line FOLDER PROGRAM LINE
    mkdir "$1" && cp "$here"/project/* "$1" && cd "$1" || return 1
    printf '%s\n' "$3"
    bash -e -o pipefail -c "$3" || return 1
    case $2 in
    build/*) # the project makes four programs
        local program
        for program in hello hello_static hello_cpp hello_cpp_static; do
            run "$PWD/build/$program${2#build/hello}" || { printf 'of %s\n' "$program" && return 1; }
        done ;;
    *) run "$PWD/${2#./}" ;;
    esac
}

number=0
while IFS= read -r row; do
    case $row in '#'* | '') continue ;; esac
    number=$((number + 1))
    IFS=$'\t' read -r name program line < <(awk -F '   *' -v OFS='\t' '{ print $1, $2, $3 }' <<<"$row")
    check "$name" try_line "$work/$number" "$program" "$line"
done <"$here/lines-$system"

check_depends() { # the static programs must not ask for the shared library, the shared ones must
    local folder program wanted found
    for folder in "$work"/[0-9]*; do
        for program in "$folder"/hello "$folder"/hello.exe; do
            [ -e "$program" ] || continue
            case $(sed -n "$(basename "$folder")p" < <(grep -v '^#' "$here/lines-$system")) in *static*) wanted=0 ;; *) wanted=1 ;; esac
            found=$(objdump -p "$program" | grep -c -e 'NEEDED.*libproact\.so' -e 'DLL Name: libproact\.dll')
            [ "$found" = "$wanted" ] || { printf '%s: needs the shared library %s times\n' "$program" "$found" && return 1; }
        done
    done
}
check 'static programs need no shared library, shared ones do' check_depends

if [ "$system" = linux ]; then
    fetch_content() {
        mkdir "$work/fetch" && cp "$here"/project/hello.c "$work/fetch" && cd "$work/fetch" || return 1
        cat >CMakeLists.txt <<-END
		cmake_minimum_required(VERSION 3.25)
		project(hello LANGUAGES C)
		include(FetchContent)
		FetchContent_Declare(proact SOURCE_DIR "$repo")
		FetchContent_MakeAvailable(proact)
		add_executable(hello hello.c)
		target_link_libraries(hello PRIVATE proact::proact_static)
		install(TARGETS hello)
		END
        "$cmake" -G Ninja -S . -B build && "$cmake" --build build --target hello && run "$PWD/build/hello" &&
            "$cmake" --install build --prefix "$PWD/own" && [ "$(cd own && find . -type f)" = ./bin/hello ]
    }
    check 'FetchContent: it builds inside another project and installs nothing of its own' fetch_content
    check 'another library folder is respected' bash -c '
        '"$cmake"' -G Ninja -S "$1" -B "$2/libdir" -DCMAKE_INSTALL_LIBDIR=lib/here -DPROACT_TESTS=OFF -DPROACT_SAMPLES=OFF \
            -DPROACT_BENCH=OFF && PKG_CONFIG_PATH=$2/libdir/package pkg-config --variable=libdir proact | grep lib/here\$' x "$repo" "$work"
fi
finish
