/* SPDX-License-Identifier: MIT */
/* Number and name of a scenario are its file's; title and explanation are the file's first comment, so that what the
   program says and what the reader of the file reads is one text. */
#include <stdlib.h>

#include "book.h"

static struct scenario *registered;
static struct page pages[BOOK_MAX];
static size_t page_count;

void scenario_register(struct scenario *scenario)
{
    scenario->next = registered;
    registered = scenario;
}

static const char *base_name(const char *path)
{
    const char *base = path;
    for (; *path; path++)
        if (*path == '/' || *path == '\\')
            base = path + 1;
    return base;
}

static void find_lines(struct page *page, const char *file)
{
    static const char *const none[] = { NULL };
    page->lines = none;
    for (const struct book_source *source = book_sources; source->file; source++)
        if (strcmp(base_name(source->file), file) == 0)
            page->lines = source->lines;
    for (; page->lines[page->line_count]; page->line_count++) {
        const char *const line = page->lines[page->line_count];
        if (page->comment_end == 0 && strcmp(line, " */") == 0)
            page->comment_end = page->line_count;
        if (strncmp(line, "SCENARIO(", 9) == 0)
            page->code_end = page->line_count;
    }
    page->comment_first = page->comment_end > 1 ? 1 : 0;
}

static void fill(struct page *page, const struct scenario *scenario)
{
    const char *const file = base_name(scenario->file);
    char *rest;
    size_t length;
    page->scenario = scenario;
    page->number = (int)strtol(file, &rest, 10);
    snprintf(page->name, sizeof page->name, "%s", *rest == '_' ? rest + 1 : rest);
    page->name[strcspn(page->name, ".")] = '\0';
    find_lines(page, file);
    if (page->comment_first < page->comment_end) {
        snprintf(page->title, sizeof page->title, "%s", page->lines[page->comment_first] + strlen("/* "));
        length = strlen(page->title);
        if (length > 0 && page->title[length - 1] == '.')
            page->title[length - 1] = '\0';
    }
}

static int by_number(const void *a, const void *b)
{
    return ((const struct page *)a)->number - ((const struct page *)b)->number;
}

size_t book_open(void)
{
    for (const struct scenario *scenario = registered; scenario && page_count < BOOK_MAX; scenario = scenario->next)
        fill(&pages[page_count++], scenario);
    qsort(pages, page_count, sizeof pages[0], by_number);
    return page_count;
}

const struct page *book_page(size_t index) { return index < page_count ? &pages[index] : NULL; }

const struct page *book_find(const char *name)
{
    char *end;
    const long number = strtol(name, &end, 10);
    for (size_t i = 0; i < page_count; i++)
        if (strcmp(pages[i].name, name) == 0 || (*name && !*end && pages[i].number == number))
            return &pages[i];
    return NULL;
}

void page_explain(const struct page *page)
{
    printf("%02d %s: %s.\n\n", page->number, page->name, page->title);
    for (size_t i = page->comment_first + 2; i < page->comment_end; i++)
        printf("%s\n", page->lines[i] + (strncmp(page->lines[i], " * ", 3) == 0 ? 3 : 2));
    printf("\nit should end so: %s\n", page->scenario->expects);
    printf("see it:           gallery run %s\n", page->name);
    if (page->scenario->compare)
        printf("compare:          gallery diff %s %s\n", page->name, page->scenario->compare);
}

/* ---- the difference of two files: the longest common subsequence of their lines ---- */
enum { DIFF_MAX = 256 };

static bool same(const struct page *a, size_t i, const struct page *b, size_t j)
{
    return strcmp(a->lines[i], b->lines[j]) == 0;
}

/* Tells the lines that go and those that come, each with its number in its own file. */
static void walk(const struct page *from, const struct page *to, unsigned short (*common)[DIFF_MAX + 1])
{
    const size_t from_first = from->comment_end + 1, to_first = to->comment_end + 1;
    size_t i = from_first, j = to_first;
    bool apart = false; /* is there a gap since the last line told? */
    while (i < from->code_end || j < to->code_end) {
        if (i < from->code_end && j < to->code_end && same(from, i, to, j)) {
            i++, j++;
            apart = true;
            continue;
        }
        if (apart)
            printf("     ...\n");
        apart = false;
        /* Where as much stays in common either way, the lines that go are told first. */
        if (j == to->code_end || (i < from->code_end && common[i + 1 - from_first][j - to_first] >=
                                                            common[i - from_first][j + 1 - to_first])) {
            printf("-%4zu | %s\n", i + 1, from->lines[i]);
            i++;
        } else {
            printf("+%4zu | %s\n", j + 1, to->lines[j]);
            j++;
        }
    }
}

void page_diff(const struct page *from, const struct page *to)
{
    /* common[i][j]: how many lines the rests from line i of one and line j of the other have in common. */
    static unsigned short common[DIFF_MAX + 1][DIFF_MAX + 1];
    const size_t from_first = from->comment_end + 1, to_first = to->comment_end + 1;
    const size_t from_lines = from->code_end - from_first, to_lines = to->code_end - to_first;
    if (from_lines > DIFF_MAX || to_lines > DIFF_MAX) {
        printf("The two are too long to compare.\n");
        return;
    }
    for (size_t i = from_lines; i-- > 0;)
        for (size_t j = to_lines; j-- > 0;) {
            const unsigned short without_i = common[i + 1][j], without_j = common[i][j + 1];
            if (same(from, from_first + i, to, to_first + j))
                common[i][j] = (unsigned short)(common[i + 1][j + 1] + 1);
            else
                common[i][j] = without_i > without_j ? without_i : without_j;
        }
    printf("--- %02d_%s.c: %s\n", from->number, from->name, from->scenario->expects);
    printf("+++ %02d_%s.c: %s\n", to->number, to->name, to->scenario->expects);
    walk(from, to, common);
}
