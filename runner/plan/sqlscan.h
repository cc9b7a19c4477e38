/*
 * A look over a piece of SQL that a plan gives: does it hold together on its own?
 *
 * Plan texts are put into our statements as they stand, so a parenthesis, quote or comment left open would swallow what
 * follows, and a ';' or '--' would cut it off. This is PostgreSQL's lexer as far as that needs, not a parser: what the
 * SQL means is the server's to say. standard_conforming_strings is taken to be on.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct sql_scan {
    const char *flaw, *hint; /* flaw NULL: nothing wrong; a sentence without the place otherwise */
    size_t offset;           /* of the flaw, in bytes */
    bool line_comment;       /* there is a "--" comment, which needs its line end kept */
    size_t comment_offset;   /* of the first one */
};

/* The first flaw only: what comes behind an open quote is noise. */
struct sql_scan sql_scan(const char *text);
