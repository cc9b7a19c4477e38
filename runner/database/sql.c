/*
 * Expands named statements by psql's rules for variables, so that every statement can be tried in psql as it stands.
 *
 * One difference: a verbatim value is not read again for placeholders of its own, since it may be a condition that a
 * user wrote, in which a colon means what it means in SQL. Quoting gives the very bytes that libpq gives in UTF-8.
 */
#include "database/sql.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

static bool starts_word(char c) { return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80; }

static bool in_variable(char c) { return starts_word(c) || isdigit((unsigned char)c); }

static bool in_word(char c) { return in_variable(c) || c == '$'; }

/* Length of a quoted piece. A quote that is doubled, or behind a backslash where that escapes, does not end it. */
static size_t quoted(const char *p, bool escapes) {
    size_t n = 1;
    while (p[n] && (p[n] != *p || p[n + 1] == *p)) n += p[n] == *p || (escapes && p[n] == '\\' && p[n + 1]) ? 2 : 1;
    return p[n] ? n + 1 : n;
}

static size_t comment(const char *p) {
    size_t n = 2;
    for (int depth = 1; p[n] && depth; n++) {
        int turn = p[n] == '*' && p[n + 1] == '/' ? -1 : p[n] == '/' && p[n + 1] == '*' ? 1 : 0;
        depth += turn;
        n += turn != 0;
    }
    return n;
}

/* $$ ... $$ and $tag$ ... $tag$; a lone dollar (or $1) is a piece of one character. */
static size_t dollar_quoted(const char *p) {
    size_t tag = 1;
    if (starts_word(p[1]))
        while (in_variable(p[tag])) tag++;
    if (p[tag++] != '$') return 1;
    for (const char *end = p + tag; (end = strchr(end, '$')); end++)
        if (strncmp(end, p, tag) == 0) return (size_t)(end - p) + tag;
    return strlen(p);
}

/* A word, with the string behind it when the word is the E of E'...', in which a backslash escapes. */
static size_t word(const char *p) {
    size_t n = 0;
    while (in_word(p[n])) n++;
    bool escape_string = n == 1 && (*p == 'e' || *p == 'E') && p[1] == '\'';
    return escape_string ? n + quoted(p + 1, true) : n;
}

/* Length of the piece at p that is copied as it is; at least 1. */
static size_t plain(const char *p) {
    if (in_variable(*p)) return word(p);
    switch (*p) {
    case '\'':
    case '"': return quoted(p, false);
    case '$': return dollar_quoted(p);
    case '-': return p[1] == '-' ? strcspn(p, "\n") : 1;
    case '/': return p[1] == '*' ? comment(p) : 1;
    case ':': return p[1] == ':' || p[1] == '=' ? 2 : 1;
    default: return 1;
    }
}

struct placeholder {
    char kind; /* '"', '\'' or ':' for verbatim */
    const char *name;
    size_t name_length, length; /* length: of all of it; 0: there is none here */
};

static struct placeholder placeholder_at(const char *p) {
    struct placeholder none = {0};
    if (*p != ':') return none;
    bool quotes = p[1] == '"' || p[1] == '\'';
    const char *name = p + 1 + quotes;
    size_t n = 0;
    while (in_variable(name[n])) n++;
    /* [1:2] is a slice: psql has no variables named by numbers here, and neither have we. */
    if (!n || isdigit((unsigned char)*name) || (quotes && name[n] != p[1])) return none;
    return (struct placeholder){quotes ? p[1] : ':', name, n, n + 1 + 2 * quotes};
}

static const struct binding *find(const struct binding *bindings, const struct placeholder *at) {
    for (; bindings->name; bindings++)
        if (strlen(bindings->name) == at->name_length && memcmp(bindings->name, at->name, at->name_length) == 0)
            return bindings;
    return NULL;
}

static void put(struct text *out, const struct placeholder *at, const char *value) {
    switch (at->kind) {
    case '"': text_add(out, sql_identifier(out->arena, value)); break;
    case '\'': text_add(out, sql_literal(out->arena, value)); break;
    default: text_add(out, value);
    }
}

const char *sql_expand(struct arena *arena, const struct sql *sql, const struct binding *bindings,
                       struct error *error) {
    struct text out = text_new(arena);
    for (const char *p = sql->text; *p && !failed(error);) {
        struct placeholder at = placeholder_at(p);
        size_t length = at.length ? at.length : plain(p);
        if (!at.length) {
            text_add_n(&out, p, length);
        } else {
            const struct binding *binding = find(bindings, &at);
            bool usable = binding && (binding->value || at.kind == '\'');
            if (usable)
                put(&out, &at, binding->value);
            else
                fail(error, FAULT_FAILED, "%s: statement \"%s\" has nothing to put in for %.*s (a fault of pgwinnow)",
                     sql->file, sql->name, (int)at.length, p);
        }
        p += length;
    }
    return out.data;
}

static void add_doubled(struct text *out, const char *text, const char *doubled) {
    for (; *text; text++) {
        if (strchr(doubled, *text)) text_add_n(out, text, 1);
        text_add_n(out, text, 1);
    }
}

const char *sql_identifier(struct arena *arena, const char *name) {
    struct text out = text_new(arena);
    text_add(&out, "\"");
    add_doubled(&out, name, "\"");
    text_add(&out, "\"");
    return out.data;
}

const char *sql_qualified(struct arena *arena, const char *schema, const char *name) {
    return arena_printf(arena, "%s.%s", sql_identifier(arena, schema), sql_identifier(arena, name));
}

/* The blank before E keeps it from becoming the end of a word that the text stands behind. */
const char *sql_literal(struct arena *arena, const char *text) {
    if (!text) return "NULL";
    bool escapes = strchr(text, '\\') != NULL;
    struct text out = text_new(arena);
    text_add(&out, escapes ? " E'" : "'");
    add_doubled(&out, text, escapes ? "'\\" : "'");
    text_add(&out, "'");
    return out.data;
}
