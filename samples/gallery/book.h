/* SPDX-License-Identifier: MIT */
/* The gallery as a book: its scenarios in order, their sources (embedded when the program was built), what they
 * explain. */
#ifndef PROACT_GALLERY_BOOK_H
#define PROACT_GALLERY_BOOK_H

#include "gallery.h"

/* A source, line by line; written by embed.cmake. */
struct book_source {
    const char *file;
    const char *const *lines; /* ends with NULL */
};
extern const struct book_source book_sources[]; /* ends with a NULL file */

enum { BOOK_NAME = 40, BOOK_TITLE = 160, BOOK_MAX = 64 };
struct page {
    int number;
    char name[BOOK_NAME];
    char title[BOOK_TITLE]; /* the first sentence of the file, without its full stop */
    const struct scenario *scenario;
    const char *const *lines;
    size_t line_count;
    size_t comment_first, comment_end; /* the explaining comment: lines [first, end) */
    size_t code_end;                   /* the SCENARIO line, which ends the code     */
};

/* Puts the registered scenarios in order. Gives how many there are. */
size_t book_open(void);
const struct page *book_page(size_t index);
/* By name, or by number ("3", "03"); NULL: there is none. */
const struct page *book_find(const char *name);
/* Prints the explanation, and where to go from there. */
void page_explain(const struct page *page);
/* Prints the lines of the code in which the two differ. */
void page_diff(const struct page *from, const struct page *to);

#endif
