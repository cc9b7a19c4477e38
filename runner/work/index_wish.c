/*
 * Takes the entries of an index apart. Owns the rule of when parentheses are needed; what an expression means is the
 * server's to say.
 *
 * CREATE INDEX takes a column name, a function call, or anything else in parentheses, followed by a collation, an
 * operator class and an order. An entry that has this shape goes as it stands; everything else is one expression and
 * is wrapped.
 */
#include "work/index_wish.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "database/sql.h"
#include "sql/work/index_wish.sql.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_GROUP, TOKEN_DOT, TOKEN_OTHER };

struct token {
    enum token_kind kind;
    const char *at;
    size_t length;
};

struct scan {
    const char *at; /* behind the token */
    struct token token;
};

static bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool in_name(char c) { return begins_name(c) || (c >= '0' && c <= '9') || c == '$'; }

/* Length of a quoted piece; the plan reader has seen that it ends. */
static size_t quoted(const char *p) {
    size_t n = 1;
    while (p[n] && (p[n] != *p || p[n + 1] == *p)) n += p[n] == *p ? 2 : 1;
    return p[n] ? n + 1 : n;
}

static size_t group(const char *p) {
    size_t n = 1;
    for (int depth = 1; p[n] && depth;) {
        if (p[n] == '\'' || p[n] == '"') {
            n += quoted(p + n);
            continue;
        }
        depth += p[n] == '(' ? 1 : p[n] == ')' ? -1 : 0;
        n++;
    }
    return n;
}

static void advance(struct scan *scan) {
    const char *p = scan->at + strspn(scan->at, " \t\r\n");
    struct token token = {TOKEN_OTHER, p, 1};
    if (!*p) {
        token = (struct token){TOKEN_END, p, 0};
    } else if (*p == '"') {
        token = (struct token){TOKEN_NAME, p, quoted(p)};
    } else if (*p == '(') {
        token = (struct token){TOKEN_GROUP, p, group(p)};
    } else if (*p == '.') {
        token.kind = TOKEN_DOT;
    } else if (begins_name(*p)) {
        token = (struct token){TOKEN_NAME, p, 1};
        while (in_name(p[token.length])) token.length++;
    }
    scan->token = token;
    scan->at = p + token.length;
}

static bool word(const struct scan *scan, const char *word) {
    return scan->token.kind == TOKEN_NAME && scan->token.length == strlen(word) &&
           strncasecmp(scan->token.at, word, scan->token.length) == 0;
}

static bool take_word(struct scan *scan, const char *wanted) {
    if (!word(scan, wanted)) return false;
    advance(scan);
    return true;
}

/* name, or schema.name; the text from its first to its last byte, NULL when there is none. */
static const char *take_name(struct arena *arena, struct scan *scan) {
    if (scan->token.kind != TOKEN_NAME) return NULL;
    const char *start = scan->token.at, *end;
    do {
        end = scan->token.at + scan->token.length;
        advance(scan);
        if (scan->token.kind != TOKEN_DOT) break;
        advance(scan);
    } while (scan->token.kind == TOKEN_NAME);
    return arena_strndup(arena, start, (size_t)(end - start));
}

/* Words that go on with an expression where an operator class could stand. */
static bool ends_expression(const struct scan *scan) {
    static const char *const words[] = {"asc", "desc", "nulls", "in", "isnull", "notnull", "is", "at", "and", "or"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (word(scan, words[i])) return true;
    return false;
}

static const char *from_to(struct arena *arena, const char *start, const char *end) {
    while (end > start && strchr(" \t\r\n", end[-1])) end--;
    return arena_strndup(arena, start, (size_t)(end - start));
}

static void take_collation(struct arena *arena, struct scan *scan, struct index_element *element) {
    const char *start = scan->token.at;
    if (!take_word(scan, "collate")) return;
    take_name(arena, scan);
    element->collate = from_to(arena, start, scan->token.at);
}

static void take_class(struct arena *arena, struct scan *scan, struct index_element *element) {
    if (ends_expression(scan)) return;
    const char *name = take_name(arena, scan), *why = NULL;
    if (!name || !name_parse(arena, name, &element->operator_class, &why)) return;
    if (scan->token.kind != TOKEN_GROUP) return;
    element->class_options = arena_strndup(arena, scan->token.at, scan->token.length);
    advance(scan);
}

/* NULLs come first in a descending order unless it says otherwise. */
static void take_order(struct scan *scan, struct index_element *element) {
    element->descending = take_word(scan, "desc");
    if (!element->descending) take_word(scan, "asc");
    element->nulls_first = element->descending;
    if (!take_word(scan, "nulls")) return;
    element->nulls_first = take_word(scan, "first");
    if (!element->nulls_first) take_word(scan, "last");
}

/* The column's name, a call, or a group; false when the text begins otherwise. */
static bool take_head(struct arena *arena, struct scan *scan, struct index_element *element) {
    const char *start = scan->token.at, *why = NULL;
    if (scan->token.kind == TOKEN_GROUP) {
        advance(scan);
        element->expression = from_to(arena, start, scan->token.at);
        return true;
    }
    const char *name = take_name(arena, scan);
    if (!name) return false;
    bool call = scan->token.kind == TOKEN_GROUP;
    if (call) advance(scan);
    element->expression = from_to(arena, start, scan->token.at);
    struct name column = {0};
    if (!call && name_parse(arena, name, &column, &why) && !column.schema) element->column = column.name;
    return call || element->column;
}

struct index_element index_element_read(struct arena *arena, const struct sql_text *sql) {
    struct index_element element = {.collate = "", .class_options = "", .place = sql->place};
    struct scan scan = {.at = sql->text};
    advance(&scan);
    if (take_head(arena, &scan, &element)) {
        take_collation(arena, &scan, &element);
        take_class(arena, &scan, &element);
        take_order(&scan, &element);
        if (scan.token.kind == TOKEN_END) {
            element.text = sql->text;
            return element;
        }
    }
    const char *wrapped = arena_printf(arena, "(%s\n)", sql->text);
    return (struct index_element){
        .text = wrapped, .expression = wrapped, .collate = "", .class_options = "", .place = sql->place};
}

void index_elements_read(struct arena *arena, struct index_wish *wish, const struct sql_texts *texts) {
    wish->elements = arena_alloc(arena, (texts->count + 1) * sizeof *wish->elements);
    wish->count = texts->count;
    for (size_t i = 0; i < texts->count; i++) wish->elements[i] = index_element_read(arena, &texts->items[i]);
}

static const char *included(struct arena *arena, const struct names *names) {
    if (!names || !names->count) return "";
    struct text text = text_new(arena);
    for (size_t i = 0; i < names->count; i++)
        text_addf(&text, "%s%s", i ? ", " : " INCLUDE (", sql_identifier(arena, names->items[i].name));
    text_add(&text, ")");
    return text.data;
}

void index_wish_define(struct arena *arena, struct index_wish *wish, struct error *error) {
    struct text elements = text_new(arena);
    for (size_t i = 0; i < wish->count; i++) text_addf(&elements, "%s%s", i ? ", " : "", wish->elements[i].text);
    const char *where = wish->where ? arena_printf(arena, " WHERE (%s\n)", wish->where) : "";
    wish->definition = sql_expand(arena, &sql_definition,
                                  (struct binding[]){{"method", wish->method},
                                                     {"elements", elements.data},
                                                     {"include", included(arena, wish->include)},
                                                     {"nulls", wish->nulls_not_distinct ? " NULLS NOT DISTINCT" : ""},
                                                     {"where", where},
                                                     {NULL, NULL}},
                                  error);
}

const char *index_wish_expressions(struct arena *arena, const struct index_wish *wish, const char *prefix) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < wish->count; i++)
        text_addf(&text, "%s%s %s AS %s%zu", i ? ", " : "", wish->elements[i].expression, wish->elements[i].collate,
                  prefix, i + 1);
    return text.data;
}

const char *index_wish_shown(struct arena *arena, const struct index_wish *wish) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < wish->count; i++) text_addf(&text, "%s%s", i ? ", " : "", wish->elements[i].text);
    return text.data;
}

struct bindings index_wish_bindings(struct arena *arena, const struct index_wish *wish) {
    struct bindings b = {0};
    bind(&b, "unique", wish->unique ? "UNIQUE" : "");
    bind(&b, "name", wish->name);
    bind(&b, "from", wish->table->from);
    bind(&b, "definition", wish->definition);
    bind(&b, "index", sql_qualified(arena, wish->table->schema, wish->name));
    return b;
}
