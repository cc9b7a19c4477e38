/* Reads SQL names as PostgreSQL's lexer folds them, and writes them back. Quoting for statements is database/'s. */
#include "plan/name.h"

#include <string.h>

#include "base/text.h"

/* NAMEDATALEN - 1: the server would cut a longer name silently, and we would look for one that is not there. */
enum { LONGEST_NAME = 63 };

/* Keywords that quote_ident() quotes, of PostgreSQL 14 to 18. */
static const char keywords[] =
    " all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both "
    "case cast char character check coalesce collate collation column concurrently constraint create cross "
    "current_catalog current_date current_role current_schema current_time current_timestamp current_user dec "
    "decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign "
    "freeze from full grant greatest group grouping having ilike in initially inner inout int integer "
    "intersect interval into is isnull join json json_array json_arrayagg json_exists json_object "
    "json_objectagg json_query json_scalar json_serialize json_table json_value lateral leading least left "
    "like limit localtime localtimestamp merge_action national natural nchar none normalize not notnull null "
    "nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real "
    "references returning right row select session_user setof similar smallint some substring symmetric "
    "system_user table tablesample then time timestamp to trailing treat trim true union unique user using "
    "values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists "
    "xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";

struct reader {
    struct arena *arena;
    const char *at;
    const char *why;
};

static void skip_blanks(struct reader *r) { r->at += strspn(r->at, " \t\r\n"); }

static bool begins(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool continues(char c) { return begins(c) || (c >= '0' && c <= '9') || c == '$'; }

static const char *quoted(struct reader *r) {
    struct text name = text_new(r->arena);
    for (r->at++; *r->at != '"' || r->at[1] == '"'; r->at++) {
        if (!*r->at) {
            r->why = "the double quote is never closed";
            return NULL;
        }
        if (*r->at == '"') r->at++;
        text_add_n(&name, r->at, 1);
    }
    r->at++;
    if (!name.length) r->why = "a quoted name is empty";
    return name.data;
}

/* Only ASCII letters fold: so does the server in every encoding of more than one byte. */
static const char *unquoted(struct reader *r) {
    const char *start = r->at;
    while (continues(*r->at)) r->at++;
    char *name = arena_strndup(r->arena, start, (size_t)(r->at - start));
    for (char *c = name; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c - 'A' + 'a');
    return name;
}

static const char *identifier(struct reader *r) {
    if (r->why) return NULL;
    skip_blanks(r);
    const char *name = NULL;
    if (*r->at == '"')
        name = quoted(r);
    else if (begins(*r->at))
        name = unquoted(r);
    else if (!*r->at)
        r->why = "a name is missing at its end";
    else
        r->why = "what is not letters, digits, '_' or '$' (or begins with a digit) must stand in double quotes";
    if (name && !r->why && strlen(name) > LONGEST_NAME)
        r->why = "a name longer than 63 bytes would be cut by the server";
    skip_blanks(r);
    return name;
}

static bool take(struct reader *r, char c) {
    if (r->why || *r->at != c) return false;
    r->at++;
    return true;
}

/* identifier[.identifier...]: their number, or 0 with a reason. */
static size_t path(struct reader *r, const char *parts[], size_t most, const char *too_many) {
    size_t count = 0;
    do {
        if (count == most) {
            r->why = too_many;
            return 0;
        }
        parts[count++] = identifier(r);
    } while (take(r, '.'));
    return r->why ? 0 : count;
}

static bool used_up(struct reader *r, const char **why) {
    if (!r->why && *r->at) r->why = "there is more behind the name than a name";
    if (r->why) *why = r->why;
    return !r->why;
}

static struct reader reader_of(struct arena *arena, const char *text) {
    struct reader r = {.arena = arena, .at = text};
    skip_blanks(&r);
    if (!*r.at) r.why = "it is empty";
    return r;
}

bool name_parse(struct arena *arena, const char *text, struct name *name, const char **why) {
    struct reader r = reader_of(arena, text);
    const char *parts[2] = {NULL};
    size_t count = path(&r, parts, 2, "it has more parts than schema.name");
    if (!used_up(&r, why)) return false;
    name->schema = count == 2 ? parts[0] : NULL;
    name->name = parts[count - 1];
    return true;
}

static void add_column(struct reader *r, struct edge_name *edge, const char *column) {
    edge->columns = arena_grow(r->arena, edge->columns, &edge->count, sizeof *edge->columns);
    edge->columns[edge->count - 1] = column;
}

/* The table's parts were read; the columns follow in parentheses. */
static void columns_in_parentheses(struct reader *r, struct edge_name *edge) {
    do add_column(r, edge, identifier(r));
    while (take(r, ','));
    if (!take(r, ')') && !r->why) r->why = "the list of columns needs ',' between and ')' at its end";
    skip_blanks(r);
}

bool edge_name_parse(struct arena *arena, const char *text, struct edge_name *edge, const char **why) {
    *edge = (struct edge_name){0};
    struct reader r = reader_of(arena, text);
    if (take(&r, '*')) {
        skip_blanks(&r);
        edge->star = true;
        return used_up(&r, why);
    }
    const char *parts[3] = {NULL};
    size_t count = path(&r, parts, 3, "it has more parts than schema.table.column");
    bool list = take(&r, '(');
    if (list && count == 3)
        r.why = "columns in parentheses stand behind schema.table";
    else if (list)
        columns_in_parentheses(&r, edge);
    else if (count == 1)
        r.why = "it needs the column too: table.column";
    if (!used_up(&r, why)) return false;
    size_t table = list ? count - 1 : count - 2;
    if (!list) add_column(&r, edge, parts[count - 1]);
    edge->table = (struct name){.schema = table == 1 ? parts[0] : NULL, .name = parts[table]};
    return true;
}

static bool keyword(struct arena *arena, const char *word) {
    return strstr(keywords, arena_printf(arena, " %s ", word)) != NULL;
}

/* Stricter than what we read, as quote_ident() is: letters beyond ASCII and '$' are quoted too. */
static bool plain(struct arena *arena, const char *identifier) {
    if (!*identifier || strspn(identifier, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(identifier)) return false;
    return !(*identifier >= '0' && *identifier <= '9') && !keyword(arena, identifier);
}

const char *identifier_text(struct arena *arena, const char *identifier) {
    if (plain(arena, identifier)) return identifier;
    struct text text = text_new(arena);
    text_add(&text, "\"");
    for (const char *c = identifier; *c; c++) text_add_n(&text, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    text_add(&text, "\"");
    return text.data;
}

const char *name_text(struct arena *arena, const struct name *name) {
    const char *own = identifier_text(arena, name->name);
    return name->schema ? arena_printf(arena, "%s.%s", identifier_text(arena, name->schema), own) : own;
}

const char *edge_name_text(struct arena *arena, const char *schema, const char *table, const char *const *columns,
                           size_t count) {
    struct text text = text_new(arena);
    text_add(&text, name_text(arena, &(struct name){.schema = schema, .name = table}));
    if (count == 1) {
        text_addf(&text, ".%s", identifier_text(arena, columns[0]));
        return text.data;
    }
    for (size_t i = 0; i < count; i++) text_addf(&text, "%s%s", i ? ", " : "(", identifier_text(arena, columns[i]));
    text_add(&text, ")");
    return text.data;
}
