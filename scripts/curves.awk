# SPDX-License-Identifier: MIT
# Reads curves.tsv (curve, how many, round, ns) and draws the medians as lines over a logarithmic number, in an SVG; -v form=text
# prints them as a table.
BEGIN { FS = "\t" }

{
    if (!($1 in counts)) {
        curves[++curve_count] = $1
        counts[$1] = 0
    }
    if (!(($1, $2) in runs)) {
        at[$1, ++counts[$1]] = $2
        runs[$1, $2] = 0
    }
    ns[$1, $2, ++runs[$1, $2]] = $4 + 0
    if ($2 + 0 > most)
        most = $2 + 0
    if ($4 + 0 > highest)
        highest = $4 + 0
}

function median_at(curve, n,    count, i, j, held) {
    count = runs[curve, n]
    for (i = 1; i <= count; i++) {
        held = ns[curve, n, i]
        for (j = i - 1; j >= 1 && list[j] > held; j--)
            list[j + 1] = list[j]
        list[j + 1] = held
    }
    return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
}

function x_of(n) { return 70 + 560 * log(n) / log(most) }
function y_of(value) { return 380 - 330 * log(value < 1 ? 1 : value) / log(highest) }

function print_text(    c, k, n) {
    for (c = 1; c <= curve_count; c++) {
        printf "  %-44s", curves[c]
        for (k = 1; k <= counts[curves[c]]; k++) {
            n = at[curves[c], k]
            printf "%10s: %-8.0f", n, median_at(curves[c], n)
        }
        printf "\n"
    }
}

function print_svg(    c, k, n, value, points, colors) {
    split("#2a6f97 #c9a227 #6a994e #bc4749 #6d597a #3d405b", colors, " ")
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\" height=\"430\" font-family=\"sans-serif\" font-size=\"11\">"
    print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    print "<text x=\"10\" y=\"22\" font-size=\"15\">Nanoseconds for each, by how many there are (both axes logarithmic)</text>"
    for (n = 1; n <= most; n *= 10)
        printf("<line x1=\"%.0f\" y1=\"50\" x2=\"%.0f\" y2=\"380\" stroke=\"#ddd\"/><text x=\"%.0f\" y=\"398\" text-anchor=\"middle\">%d</text>\n",
            x_of(n), x_of(n), x_of(n), n)
    for (value = 1; value <= highest; value *= 10)
        printf("<line x1=\"70\" y1=\"%.0f\" x2=\"630\" y2=\"%.0f\" stroke=\"#ddd\"/><text x=\"62\" y=\"%.0f\" text-anchor=\"end\">%d ns</text>\n",
            y_of(value), y_of(value), y_of(value) + 4, value)
    for (c = 1; c <= curve_count; c++) {
        points = ""
        for (k = 1; k <= counts[curves[c]]; k++) {
            n = at[curves[c], k]
            points = points sprintf("%.1f,%.1f ", x_of(n), y_of(median_at(curves[c], n)))
        }
        printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", points, colors[(c - 1) % 6 + 1]
        printf("<rect x=\"645\" y=\"%d\" width=\"12\" height=\"3\" fill=\"%s\"/><text x=\"662\" y=\"%d\">%s</text>\n", 60 + 20 * c,
            colors[(c - 1) % 6 + 1], 65 + 20 * c, curves[c])
    }
    print "</svg>"
}

END {
    if (form == "text")
        print_text()
    else
        print_svg()
}
