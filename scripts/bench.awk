# SPDX-License-Identifier: MIT
# Reads runs.tsv (title, program, round, value, CPU ns, unit, more or less) and writes medians and ratios: -v form=text, json
# or svg. A ratio is the median of the pairs within a round, turned so that above 1 is faster than proact.
BEGIN { FS = "\t" }

{
    if (!($1 in unit)) {
        titles[++title_count] = $1
        unit[$1] = $6
        better[$1] = $7
    }
    if (!(($1, $2) in counted)) {
        counted[$1, $2] = 0
        programs[$1, ++program_count[$1]] = $2
    }
    counted[$1, $2]++
    value[$1, $2, $3] = $4
    cpu[$1, $2, $3] = $5
    if ($3 > rounds)
        rounds = $3
}

# The middle of list[1..count], or of the middle two; sorts it.
function median(list, count,    i, j, held) {
    for (i = 2; i <= count; i++) {
        held = list[i]
        for (j = i - 1; j >= 1 && list[j] > held; j--)
            list[j + 1] = list[j]
        list[j + 1] = held
    }
    if (!count)
        return ""
    return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
}

function median_of(table, title, program,    r, count) {
    count = 0
    for (r = 1; r <= rounds; r++)
        if ((title, program, r) in table && table[title, program, r] != "")
            list[++count] = table[title, program, r] + 0
    return median(list, count)
}

function ratio_of(title, program,    r, count, one, ours) {
    count = 0
    for (r = 1; r <= rounds; r++)
        if ((title, program, r) in value && (title, "proact", r) in value) {
            one = value[title, program, r] + 0
            ours = value[title, "proact", r] + 0
            if (one > 0 && ours > 0)
                list[++count] = better[title] == "more" ? one / ours : ours / one
        }
    return median(list, count)
}

function plain(x) {
    if (x == "")
        return "-"
    return x >= 1000 ? sprintf("%.0f", x) : sprintf("%.1f", x)
}

function print_text(    t, p, title, program) {
    printf "  %-46s %-18s %14s %-10s %10s %8s\n", "", "", "median", "", "CPU ns", "speed"
    for (t = 1; t <= title_count; t++) {
        title = titles[t]
        for (p = 1; p <= program_count[title]; p++) {
            program = programs[title, p]
            printf("  %-46s %-18s %14s %-10s %10s %8.2f\n", (p == 1 ? title : ""), program, plain(median_of(value, title, program)),
                unit[title], plain(median_of(cpu, title, program)), ratio_of(title, program))
        }
    }
}

function print_json(    t, p, r, title, program, first, x) {
    printf "{\"rounds\":%d,\"rows\":[", rounds
    for (t = 1; t <= title_count; t++) {
        title = titles[t]
        printf("%s\n{\"title\":\"%s\",\"unit\":\"%s\",\"better\":\"%s\",\"programs\":[", (t > 1 ? "," : ""), title, unit[title],
            better[title])
        for (p = 1; p <= program_count[title]; p++) {
            program = programs[title, p]
            x = median_of(cpu, title, program)
            printf("%s\n {\"name\":\"%s\",\"median\":%s,\"speed\":%.3f,\"cpu_ns\":%s,\"runs\":[", (p > 1 ? "," : ""), program,
                median_of(value, title, program), ratio_of(title, program), (x == "" ? "null" : x))
            first = 1
            for (r = 1; r <= rounds; r++)
                if ((title, program, r) in value) {
                    printf("%s%s", (first ? "" : ","), value[title, program, r])
                    first = 0
                }
            printf "]}"
        }
        printf "]}"
    }
    printf "]}\n"
}

# A group of bars for each title; a bar's length is the speed against proact, three times at most.
function print_svg(    t, p, y, height, title, program, ratio, width) {
    height = 60
    for (t = 1; t <= title_count; t++)
        height += 26 + 16 * program_count[titles[t]]
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"860\" height=\"%d\" font-family=\"sans-serif\" font-size=\"11\">\n", height
    print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    print "<text x=\"10\" y=\"22\" font-size=\"15\">Speed against proact (longer is faster; the line is proact)</text>"
    printf "<line x1=\"330\" y1=\"34\" x2=\"330\" y2=\"%d\" stroke=\"#888\" stroke-dasharray=\"3 3\"/>\n", height - 10
    y = 48
    for (t = 1; t <= title_count; t++) {
        title = titles[t]
        printf "<text x=\"10\" y=\"%d\" font-weight=\"bold\">%s</text>\n", y, title
        for (p = 1; p <= program_count[title]; p++) {
            program = programs[title, p]
            ratio = ratio_of(title, program)
            width = 200 * (ratio > 3 ? 3 : ratio)
            y += 16
            printf "<text x=\"122\" y=\"%d\" text-anchor=\"end\">%s</text>\n", y, program
            printf("<rect x=\"130\" y=\"%d\" width=\"%.1f\" height=\"11\" fill=\"%s\"/>\n", y - 9, width,
                (program ~ /^proact/ ? "#2a6f97" : "#c9a227"))
            printf("<text x=\"%.1f\" y=\"%d\">%.2f%s · %s %s</text>\n", 136 + width, y, ratio, (ratio > 3 ? " (cut)" : ""),
                plain(median_of(value, title, program)), unit[title])
        }
        y += 26
    }
    print "</svg>"
}

END {
    if (form == "json")
        print_json()
    else if (form == "svg")
        print_svg()
    else
        print_text()
}
