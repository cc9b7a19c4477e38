/* The docs say what the program's tables say: `make docs` was not forgotten, no command or step is missing. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "commands/docs.h"
#include "unit.h"

static const char *const pages[] = {"docs/exit-codes.md", "docs/commands.md", "docs/plan-reference.md"};
enum { PAGES = sizeof pages / sizeof *pages };

static const char *content(struct arena *arena, const char *file) {
    struct text text = text_new(arena);
    char piece[4096];
    size_t n;
    FILE *in = fopen(file, "r");
    assert_non_null(in); /* tests run in the project's root */
    while ((n = fread(piece, 1, sizeof piece, in)) > 0) text_add_n(&text, piece, n);
    fclose(in);
    return text.data;
}

UNIT(the_pages_are_printed_from_the_tables) {
    for (size_t i = 0; i < PAGES; i++) {
        struct error error = error_new(arena);
        const char *page = content(arena, pages[i]), *printed = docs_fill(arena, pages[i], page, &error);
        if (failed(&error)) print_error("%s\n", error.message);
        assert_false(failed(&error));
        if (strcmp(page, printed) != 0) print_error("%s is not what the tables say: run `make docs`\n", pages[i]);
        assert_string_equal(page, printed);
    }
}

UNIT(every_command_and_step_has_its_part) {
    struct text all = text_new(arena);
    for (size_t i = 0; i < PAGES; i++) text_add(&all, content(arena, pages[i]));
    for (const char *const *topic = docs_topics(arena); *topic; topic++) {
        const char *mark = arena_printf(arena, "<!-- printed: %s -->", *topic);
        if (!strstr(all.data, mark)) print_error("no page has %s\n", mark);
        assert_non_null(strstr(all.data, mark));
    }
}

UNIT(what_stands_between_the_marks_is_made_anew) {
    struct error error = error_new(arena);
    const char *page = docs_fill(arena, "x.md", "a\n<!-- printed: exit-codes -->\nstale\n<!-- end -->\nb\n", &error);
    assert_false(failed(&error));
    assert_null(strstr(page, "stale"));
    assert_non_null(strstr(page, "| 75 | "));
    assert_true(text_starts(page, "a\n<!-- printed: exit-codes -->\n"));
    assert_non_null(strstr(page, "<!-- end -->\nb\n"));
    assert_string_equal(docs_fill(arena, "x.md", page, &error), page);
}

UNIT(wrong_marks_are_told) {
    struct error error = error_new(arena);
    docs_fill(arena, "x.md", "<!-- printed: step nosuch -->\n<!-- end -->", &error);
    assert_string_equal(error.message, "x.md: there is nothing to print for 'step nosuch'");
    error_clear(&error);
    docs_fill(arena, "x.md", "<!-- printed: commands -->\n", &error);
    assert_string_equal(error.message, "x.md: the printed part 'commands' has no end");
}

RUN(UNIT_TEST(the_pages_are_printed_from_the_tables), UNIT_TEST(every_command_and_step_has_its_part),
    UNIT_TEST(what_stands_between_the_marks_is_made_anew), UNIT_TEST(wrong_marks_are_told))
