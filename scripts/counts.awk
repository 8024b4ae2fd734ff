# SPDX-License-Identifier: MIT
# Adds up a CTest run. First file: what ctest printed (it alone knows which program was skipped or never ran);
# second: LastTest.log with the output of each program. Prints "passed failed skipped". Failures go to -v failures=FILE
# with the program's last lines, the reasons of skips to -v skips=FILE, each under -v title=.
# A program without a summary counts its PASS, FAIL and SKIP lines; one that failed counts at least one failure.

{ sub(/\r$/, "") }

FNR == 1 { file++ }

file == 1 && /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
    line = $0
    sub(/^[^:]*: /, "", line)
    name = line
    sub(/ .*/, "", name)
    how[name] = line ~ /\*\*\*Skipped/ ? "skipped" : line ~ /   Passed/ ? "passed" : "failed"
    if (how[name] == "failed") {
        sub(/^[^*]*\*\*\*/, "", line)
        sub(/ *[0-9.]+ sec.*/, "", line)
        status[name] = line
    }
    order[++programs] = name
}

file == 2 && !inside && /^[0-9]+\/[0-9]+ Testing: / {
    current = $0
    sub(/^[^:]*: /, "", current)
    next
}
file == 2 && !inside && /^Output:$/ { waiting = 1; next }
file == 2 && waiting { waiting = 0; inside = 1; next } # the rule below "Output:"
file == 2 && inside && /^<end of output>$/ { inside = 0; next }
file == 2 && inside {
    if ($0 ~ /^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/) {
        p[current] = $1; f[current] = $3; s[current] = $5
        summary[current] = 1
    } else if (/^PASS /) {
        pass_lines[current]++
    } else if (/^SKIP /) {
        skip_lines[current]++
        reason = $0
        sub(/^SKIP [^:]*: */, "", reason)
        print title ": " reason >> skips
    } else {
        if (/^FAIL /)
            fail_lines[current]++
        text[current, ++lines[current]] = $0
    }
}

# What a reader wants of a failed program's output: where a sanitizer begins to speak, else the first FAIL and what
# stands above it; from there on 30 lines; and the last line.
function excerpt(name,    k, from, last) {
    last = lines[name]
    while (last > 1 && text[name, last] ~ /^ *$/)
        last--
    for (k = 1; k <= last && !from; k++)
        if (text[name, k] ~ /(WARNING|ERROR): [A-Za-z]*Sanitizer|runtime error:|^==[0-9]+== [A-Z]/)
            from = k
    for (k = 1; k <= last && !from; k++)
        if (text[name, k] ~ /^FAIL /)
            from = k > 12 ? k - 12 : 1
    if (!from)
        from = last > 30 ? last - 29 : 1
    for (k = from; k <= last && k < from + 30; k++)
        print "    " text[name, k] >> failures
    if (k < last)
        print "    ..." >> failures
    if (k <= last)
        print "    " text[name, last] >> failures
}

END {
    for (i = 1; i <= programs; i++) {
        name = order[i]
        if (!summary[name]) {
            p[name] = pass_lines[name] + 0; f[name] = fail_lines[name] + 0; s[name] = skip_lines[name] + 0
            if (how[name] == "passed" && p[name] + f[name] + s[name] == 0)
                p[name] = 1
            if (how[name] == "skipped" && s[name] == 0) {
                s[name] = 1
                print title ": " name " was skipped and does not say why" >> skips
            }
            if (how[name] == "failed") # it ended before its summary: the test that was running is lost with it
                f[name]++
        }
        if (how[name] == "failed" && f[name] == 0)
            f[name] = 1
        if (f[name] > 0) {
            print title ": " name (status[name] == "" ? "" : " (" status[name] ")") >> failures
            excerpt(name)
            print "" >> failures
        }
        all_p += p[name]; all_f += f[name]; all_s += s[name]
    }
    print all_p + 0, all_f + 0, all_s + 0
}
