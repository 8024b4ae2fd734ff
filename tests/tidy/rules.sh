# SPDX-License-Identifier: MIT
# The rules, one function each (bash). Each reads the tree in the current folder and prints what breaks it, one line each:
# "file:line: sentence". Silence is consent. self_test.sh shows every rule a tree that it must report.
layers='platform proactor sync_context awaiters diagnostics'
max_function=${MAX_FUNCTION:-70}
max_file=${MAX_FILE:-800}

# C sources and headers below these folders, without what is built and without the trees of the self-test.
files() {
    local folder
    for folder; do
        [ ! -d "$folder" ] || find "$folder" \( -path tests/tidy/bad -o -path ./tests/tidy/bad -o -path ./build -o -path ./.git \) -prune \
            -o \( -name '*.c' -o -name '*.h' -o -name '*.cpp' \) -print
    done | sed 's|^\./||' | sort
}

# "file:line:text" of the code of these files: comments and string literals are blanked, lines stay.
code_of() {
    [ $# -gt 0 ] || return 0
    awk '
        FNR == 1 { comment = 0 }
        {
            line = $0; out = ""
            while (line != "") {
                if (comment) {
                    at = index(line, "*/")
                    if (!at) break
                    line = substr(line, at + 2); comment = 0; out = out " "
                    continue
                }
                if (!match(line, /"|\/\*|\/\/|\047/)) { out = out line; break }
                out = out substr(line, 1, RSTART - 1)
                token = substr(line, RSTART, RLENGTH); line = substr(line, RSTART + RLENGTH)
                if (token == "//") break
                if (token == "/*") { comment = 1; continue }
                # a literal: to the closing quote, past escaped ones; an #include keeps its name
                literal = token
                while (line != "") {
                    c = substr(line, 1, 1); line = substr(line, 2); literal = literal c
                    if (c == "\\") { literal = literal substr(line, 1, 1); line = substr(line, 2) }
                    else if (c == token) break
                }
                out = out (out ~ /^[ \t]*#[ \t]*include/ ? literal : token token)
            }
            print FILENAME ":" FNR ":" out
        }' "$@"
}

# Says @sentence of every line of code that matches an extended regular expression.
complain() { # complain SENTENCE REGEX FILE...
    local sentence=$1 regex=$2
    shift 2
    code_of "$@" | awk -v regex="$regex" -v sentence="$sentence" '
        { text = $0; sub(/^[^:]*:[^:]*:/, "", text) }
        text ~ regex { split($0, part, ":"); match(text, regex); print part[1] ":" part[2] ": " sentence }'
}

standard=' assert.h complex.h ctype.h errno.h fenv.h float.h inttypes.h iso646.h limits.h locale.h math.h setjmp.h
 signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h
 tgmath.h threads.h time.h uchar.h wchar.h wctype.h '
standard=${standard//$'\n'/}

# Whose is the header that FILE includes as NAME? include, a layer, tests, ..., own, standard or native.
owner_of() { # sets $owner
    local file=$1 name=${2#[<\"]} folder
    local quote=${2:0:1}
    name=${name%[>\"]}
    while [[ $name == ../* ]]; do name=${name#../}; done
    case $name in
    proact/*) owner=include && return ;;
    platform/* | proactor/* | sync_context/* | awaiters/* | diagnostics/*) owner=${name%%/*} && return ;;
    esac
    if [[ $quote == '"' && -e ${file%/*}/$name ]]; then
        owner=own
        return
    fi
    for folder in "${file%%/*}" $layers; do
        if [ -e "$folder/$name" ]; then
            owner=$folder
            [ "$folder" != "${file%%/*}" ] || owner=own
            return
        fi
    done
    case $standard in *" $name "*) owner=standard ;; *) owner=native ;; esac
    [[ $quote == '<' ]] || owner=own
}

# Design, "who may include whom".
rule_includes() {
    local file number text header layer owner why
    while IFS=: read -r file number text; do
        header=$(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"][^>"]*[>"]\).*/\1/p' <<<"$text")
        [ -n "$header" ] || continue
        layer=${file%%/*}
        owner_of "$file" "$header"
        why=
        case $layer in
        include)
            case $owner in
            include | standard) ;;
            own) why='a public header names its neighbours as <proact/…>' ;;
            *) why='a public header includes public headers and standard C only' ;;
            esac ;;
        platform)
            case $owner in
            own | standard) ;;
            native)
                case $file in
                platform/linux/* | platform/windows/* | platform/simthreads/* | platform/sanitizer.h) ;;
                *) why='of platform/, only linux/, windows/ and simthreads/ include native headers' ;;
                esac ;;
            include)
                case $header in
                *proact/task.h* | *proact/awaiter.h* | *proact/async.h* | *proact/scheduler.h* | *proact/diagnostics.h* | *proact/proact.h*)
                    why='platform/ sees the base of the public headers: no task, awaiter, scheduler' ;;
                esac ;;
            proactor) [[ $header == *proactor/backend.h* ]] || why='of proactor/, platform/ sees backend.h only' ;;
            *) why="platform/ knows nothing of $owner/" ;;
            esac ;;
        proactor)
            case $owner in
            own | standard) ;;
            include)
                case $header in
                *proact/task.h* | *proact/awaiter.h* | *proact/async.h* | *proact/scheduler.h* | *proact/proact.h*)
                    why='proactor/ knows no task: not this public header' ;;
                esac ;;
            platform) [[ $header == *platform.h* ]] || why='of platform/, proactor/ sees platform.h only' ;;
            native) why='only platform/ includes native headers' ;;
            *) why="proactor/ knows nothing of $owner/" ;;
            esac ;;
        sync_context)
            case $owner in
            own | standard | include) ;;
            platform) [[ $header == *platform.h* ]] || why='of platform/, sync_context/ sees platform.h only' ;;
            proactor) [ "$file" = sync_context/loop_context.c ] || why='of sync_context/, only loop_context.c knows proactor/' ;;
            native) why='only platform/ includes native headers' ;;
            *) why="sync_context/ knows nothing of $owner/" ;;
            esac ;;
        awaiters)
            case $owner in
            own | standard | include) ;;
            platform) [[ $header == *platform.h* ]] || why='of platform/, awaiters/ sees platform.h only' ;;
            sync_context) [[ $header == *internal.h* ]] || why='of sync_context/, awaiters/ sees internal.h only' ;;
            native) why='only platform/ includes native headers' ;;
            *) why="awaiters/ knows nothing of $owner/" ;;
            esac ;;
        diagnostics)
            [ "$owner" != native ] || why='only platform/ includes native headers' ;;
        samples | bench)
            case $layers in *"$owner"*) why="$layer/ uses the public API only" ;; esac ;;
        esac
        [ -z "$why" ] || printf '%s:%s: includes %s: %s\n' "$file" "$number" "$header" "$why"
    done < <(code_of $(files include $layers samples bench) /dev/null | grep '#[[:space:]]*include')
}

rule_length() {
    local list
    list=$(files .)
    [ -n "$list" ] || return 0
    # shellcheck disable=SC2086 # names without spaces
    awk -v max_function="$max_function" -v max_file="$max_file" '
        function file_ends() { if (lines > max_file) print name ":" lines ": the file has " lines " lines, " max_file " are the limit" }
        FNR == 1 { file_ends(); name = FILENAME; begin = 0 }
        { lines = FNR }
        /^\{/ || /^PRO_ASYNC\(/ { begin = FNR }
        begin && (/^\}/ || /^PRO_ASYNC_END/) {
            if (FNR - begin - 1 > max_function)
                print name ":" begin ": the function has " FNR - begin - 1 " lines, " max_function " are the limit"
            begin = 0
        }
        END { file_ends() }' $list
}

rule_systems() {
    # shellcheck disable=SC2046
    complain 'asks which system it is; only platform/ and include/ may, the folder is the condition' \
        '^[ \t]*#[ \t]*(el)?if.*(_WIN32|_WIN64|__MINGW|__CYGWIN__|_MSC_VER|__linux|__unix|__APPLE__|__FreeBSD__|__ANDROID__)' \
        $(files proactor sync_context awaiters diagnostics tests samples bench)
}

rule_banned() {
    # shellcheck disable=SC2046
    {
        complain 'a test waits for an event, it does not sleep' '(^|[^_A-Za-z0-9])(sleep|usleep|nanosleep|clock_nanosleep|thrd_sleep|Sleep|SleepEx)[ ]*\(' \
            $(files tests | grep -v '^tests/conformance/threads_') # ports of programs that sleep on purpose do it there
        complain 'memory comes from the allocator of platform.h' '(^|[^_A-Za-z0-9.>])(malloc|calloc|realloc|free|strdup|aligned_alloc)[ ]*\(' \
            $(files proactor sync_context awaiters diagnostics)
        complain 'threads, locks, clocks and shared atomics go through platform.h' \
            '(^|[^_A-Za-z0-9])(pthread_[a-z]|thrd_|mtx_|cnd_|_Atomic|_Thread_local|__thread|__atomic_|__sync_|atomic_[a-z]|clock_gettime|gettimeofday|CreateThread)|<(stdatomic|threads|time)\.h>' \
            $(files proactor sync_context awaiters diagnostics)
        complain 'the library prints through proi_notice and proi_misuse only' '(^|[^_A-Za-z0-9])(printf|puts|putchar|perror|stdout|stderr)[^_A-Za-z0-9]' \
            $(files proactor sync_context awaiters)
    }
}

rule_leftovers() {
    local word=''
    for word in TO''DO FIX''ME XX''X HA''CK; do
        grep -rnIw "$word" --include='*.c' --include='*.h' --include='*.cpp' --include='*.cmake' --include='*.sh' --include='*.awk' \
            --include='*.md' --include='CMakeLists.txt' --exclude-dir=build --exclude-dir=.git --exclude-dir=bad . |
            sed "s|^\./||; s|^\([^:]*:[^:]*\):.*|\1: a leftover: $word|"
    done
}

rule_licence() {
    local file
    for file in $(files .); do
        head -n 1 "$file" | grep -q 'SPDX-License-Identifier: MIT' || printf '%s:1: has no SPDX line on top\n' "$file"
    done
}

rule_macros() {
    # proi_load and its like are the generic functions of platform.h; C has no other way to write one.
    # shellcheck disable=SC2046
    complain 'a macro in lower case' '^[ \t]*#[ \t]*define[ \t]+([a-oq-z]|p[a-qs-z]|pr[a-np-z]|pro[a-hj-z_])' $(files include $layers)
    # shellcheck disable=SC2046
    complain 'a public macro without PRO_' '^[ \t]*#[ \t]*define[ \t]+([A-OQ-Z]|P[A-QS-Z]|PR[A-NP-Z])' $(files include)
}

# Relative links of the pages: [text](target), without what follows a #.
rule_links() {
    local page target folder
    for page in README.md $(find docs -name '*.md' 2>/dev/null | sort) $(find platform proactor sync_context awaiters diagnostics samples tests bench \
        -path tests/tidy/bad -prune -o -name '*.md' -print 2>/dev/null | sort); do
        [ -e "$page" ] || continue
        folder=$(dirname "$page")
        while IFS=: read -r number target; do
            case $target in
            *://* | mailto:* | '#'*) continue ;;
            esac
            target=${target%%#*}
            [ -e "$folder/$target" ] || printf '%s:%s: links to %s, which does not exist\n' "$page" "$number" "$target"
        done < <(awk '{ line = $0
            if (line ~ /^```/) fenced = !fenced
            if (fenced) next
            gsub(/`[^`]*`/, "", line)
            while (match(line, /\]\([^() ]+\)/)) { print FNR ":" substr(line, RSTART + 2, RLENGTH - 3); line = substr(line, RSTART + RLENGTH) } }' "$page")
    done
}

rules='includes length systems banned leftovers licence macros links'
