/* SQL of plans: what holds together passes, what would swallow or cut our statement is found at its byte. */
#include "complain.h"
#include "plan/sqlscan.h"

#include <stdlib.h>
#include <string.h>

static void passes(const char *text) {
    struct sql_scan scan = sql_scan(text);
    if (scan.flaw) COMPLAIN("%s: %s at %zu", text, scan.flaw, scan.offset);
}

static void refuses(const char *text, size_t offset, const char *reason) {
    struct sql_scan scan = sql_scan(text);
    if (!scan.flaw) COMPLAIN("'%s' passed", text);
    if (!strstr(scan.flaw, reason)) COMPLAIN("'%s': '%s' does not say '%s'", text, scan.flaw, reason);
    if (scan.offset != offset) COMPLAIN("'%s': at %zu, not at %zu", text, scan.offset, offset);
}

UNIT(ordinary_conditions_pass) {
    passes("external_id IS NOT NULL");
    passes("lower(email) COLLATE \"C\" DESC");
    passes("tags[1:2] && ARRAY['a', 'b'] AND (a, b) <= (c[1], d)");
    passes("flags #> '{x}' IS NULL AND doc->>'a' ~ '^(;'");
    passes("a - -1 > 2 / 3 * 4");
}

UNIT(quotes_hide_what_they_hold) {
    passes("'it''s; (' = \"odd \"\" name; (\"");
    passes("E'\\'; (' || e'\\\\'");
    passes("U&'\\0041;(' || U&\"d\\0061t;(\"");
    passes("n'(' || B'01' || x'(' || 'back\\'");
    passes("date'2020-01-01'");
}

UNIT(dollar_quotes_hide_what_they_hold) {
    passes("$$ it's; ( $$ || $a1$ $$ ; ' $a1$");
    passes("$\xC3\xA9$;($\xC3\xA9$");
    passes("a$b + a$$ + a$1");
    refuses("$$ open $", 0, "dollar quote");
    refuses("x = $a$ $b$ $A$", 4, "dollar quote");
}

UNIT(backslash_ends_nothing_outside_e_quotes) {
    refuses("'\\''", 0, "quote is never closed");
    passes("e '\\'");
    passes("e'\\'' AND type = 'x\\'");
    refuses("typee'\\''", 5, "quote is never closed");
}

UNIT(comments_hide_what_they_hold_and_nest) {
    passes("a /* ; ' ( /* nested */ ) */ = b");
    passes("a -- ; ' (\n = b");
    passes("a/*x*/");
    refuses("a /* /* */", 2, "comment is never closed");
    refuses("a = b -- why", 6, "swallow");
    refuses("a +-- why", 3, "swallow");
}

UNIT(line_comments_are_told_of) {
    struct sql_scan scan = sql_scan("'--' = a -- why\n");
    assert_null(scan.flaw);
    assert_true(scan.line_comment);
    assert_int_equal(scan.comment_offset, 9);
    assert_false(sql_scan("'--' || \"--\" || $$--$$").line_comment);
}

UNIT(brackets_must_pair) {
    refuses("a)", 1, "closes nothing");
    refuses("a]", 1, "closes nothing");
    refuses("(a", 0, "'(' is never closed");
    refuses("f(a[1)", 5, "')' closes a '['");
    refuses("(a]", 2, "']' closes a '('");
    refuses("1) OR (1", 1, "closes nothing");
    refuses("((a)", 0, "never closed");
}

UNIT(absurd_nesting_is_refused_and_not_followed) {
    char deep[2001];
    memset(deep, '(', 1000);
    memset(deep + 1000, ')', 1000);
    deep[2000] = '\0';
    assert_non_null(strstr(sql_scan(deep).flaw, "too deeply"));
}

UNIT(quotes_must_close) {
    refuses("a = 'b", 4, "quote is never closed");
    refuses("a = E'b\\", 5, "quote is never closed");
    refuses("\"a", 0, "double quote is never closed");
    refuses("a = 'b''", 4, "quote is never closed");
}

UNIT(a_semicolon_ends_the_statement_but_not_in_parentheses) {
    refuses("true; DELETE FROM users", 4, "';'");
    refuses("SELECT 1;", 8, "';'");
    passes("CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)");
}

UNIT(parameters_are_ours) {
    refuses("id > $1", 5, "parameters");
    passes("id > '$1'");
}

UNIT(nothing_is_no_sql) {
    refuses("", 0, "no SQL");
    refuses(" \n", 0, "no SQL");
    refuses("/* only a comment */", 0, "no SQL");
    refuses("-- only a comment\n", 0, "no SQL");
}

RUN(UNIT_TEST(ordinary_conditions_pass), UNIT_TEST(quotes_hide_what_they_hold),
    UNIT_TEST(dollar_quotes_hide_what_they_hold), UNIT_TEST(backslash_ends_nothing_outside_e_quotes),
    UNIT_TEST(comments_hide_what_they_hold_and_nest), UNIT_TEST(line_comments_are_told_of),
    UNIT_TEST(brackets_must_pair), UNIT_TEST(absurd_nesting_is_refused_and_not_followed), UNIT_TEST(quotes_must_close),
    UNIT_TEST(a_semicolon_ends_the_statement_but_not_in_parentheses), UNIT_TEST(parameters_are_ours),
    UNIT_TEST(nothing_is_no_sql))
