/*
 * Prints the parts of docs/ that come from the program's tables into the pages named on its command line (`make docs`).
 * tests/unit/test_docs.c fails when somebody forgot to.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "commands/docs.h"

static const char *read_page(struct arena *arena, const char *file, struct error *error) {
    struct text page = text_new(arena);
    char piece[4096];
    size_t n;
    FILE *in = fopen(file, "r");
    if (!in) {
        fail(error, FAULT_FAILED, "%s cannot be opened", file);
        return "";
    }
    while ((n = fread(piece, 1, sizeof piece, in)) > 0) text_add_n(&page, piece, n);
    fclose(in);
    return page.data;
}

static void write_page(const char *file, const char *page, struct error *error) {
    FILE *out = fopen(file, "w");
    if (!out || fputs(page, out) == EOF || fclose(out) == EOF) fail(error, FAULT_FAILED, "%s cannot be written", file);
}

int main(int argc, char **argv) {
    struct arena *arena = arena_new(NULL);
    struct error error = error_new(arena);
    for (int i = 1; i < argc && !failed(&error); i++) {
        const char *old = read_page(arena, argv[i], &error), *page = docs_fill(arena, argv[i], old, &error);
        if (failed(&error) || strcmp(old, page) == 0) continue;
        write_page(argv[i], page, &error);
        printf("printed %s\n", argv[i]);
    }
    if (failed(&error)) fprintf(stderr, "docs: %s\n", error.message);
    int code = (int)error.fault;
    arena_free(arena);
    return code;
}
