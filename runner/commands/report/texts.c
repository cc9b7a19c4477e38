/* The plan as it counted, and the SQL that was sent: texts in colour. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "commands/report/markup.h"
#include "commands/report/section.h"
#include "commands/report/words.h"

enum { INDENT = 2, LONGEST_FLOW = 76 };

/* --- the plan, as YAML reads --- */

static void add_value(const struct report *, struct text *, const json_t *, int indent);

static const char *scalar(struct arena *arena, const json_t *value) {
    if (json_is_string(value)) return json_string_value(value);
    if (json_is_real(value)) return arena_printf(arena, "%g", json_real_value(value));
    if (json_is_integer(value)) return arena_printf(arena, "%lld", (long long)json_integer_value(value));
    return json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null";
}

/* { policy: delete } is how the word alone is kept. */
static const json_t *unwrapped(const json_t *value) {
    const json_t *policy = json_object_get(value, "policy");
    return policy && json_object_size(value) == 1 ? policy : value;
}

/* On one line; NULL when that is too long. */
static const char *flow(struct arena *arena, const json_t *value) {
    if (!json_is_object(value) && !json_is_array(value)) return scalar(arena, value);
    struct text out = text_new(arena);
    const char *key, *part;
    size_t i;
    json_t *one;
    text_add(&out, json_is_array(value) ? "[" : "{ ");
    json_array_foreach(value, i, one) {
        if (!(part = flow(arena, one))) return NULL;
        text_addf(&out, "%s%s", i ? ", " : "", part);
    }
    json_object_foreach((json_t *)value, key, one) {
        if (!(part = flow(arena, one))) return NULL;
        text_addf(&out, "%s%s: %s", out.length > 2 ? ", " : "", key, part);
    }
    text_add(&out, json_is_array(value) ? "]" : " }");
    return text_columns(out.data) <= LONGEST_FLOW ? out.data : NULL;
}

static void add_lines(struct text *out, const char *lines, int indent) {
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        markup(out, "\n%s", arena_printf(out->arena, "%*s%.*s", indent, "", (int)length, lines));
        lines += length + (lines[length] == '\n');
    }
}

static void add_pair(const struct report *r, struct text *out, const char *key, const json_t *value, int indent) {
    markup(out, "%s<b>%s</b>:", arena_printf(r->arena, "\n%*s", indent, ""), key);
    add_value(r, out, unwrapped(value), indent);
}

/* What stands behind "key:". */
static void add_value(const struct report *r, struct text *out, const json_t *value, int indent) {
    const char *line = flow(r->arena, value), *key;
    size_t i;
    json_t *one;
    if (json_is_string(value) && strchr(line, '\n')) {
        markup_raw(out, " |");
        add_lines(out, line, indent + INDENT);
    } else if (line) {
        markup(out, " %s", line);
    }
    if (line) return;
    json_object_foreach((json_t *)value, key, one) { add_pair(r, out, key, one, indent + INDENT); }
    json_array_foreach(value, i, one) {
        markup(out, "%s-", arena_printf(r->arena, "\n%*s", indent + INDENT, ""));
        add_value(r, out, one, indent + INDENT);
    }
}

static void add_step(const struct report *r, struct text *out, const json_t *step) {
    const json_t *options = json_object_get(step, "options"), *value;
    const char *key;
    size_t others = json_object_size(step) - 1 - (options ? 1 : 0);
    markup(out, "\n  - <b>%s</b>", fact_text(step, "step"));
    if (!json_object_size(options) && !others) return;
    markup_raw(out, ":");
    json_object_foreach((json_t *)step, key, value) {
        if (text_equal(key, "step") || text_equal(key, "options")) continue;
        add_pair(r, out, key, value, 3 * INDENT);
    }
    json_object_foreach((json_t *)options, key, value) { add_pair(r, out, key, value, 3 * INDENT); }
}

static bool is_empty(const json_t *value) {
    return json_is_null(value) || (json_is_object(value) && !json_object_size(value));
}

void section_plan(const struct report *r, struct text *out) {
    const json_t *definition = json_object_get(r->run, "definition"), *value;
    const char *key;
    size_t i;
    if (!json_is_object(definition)) return;
    markup(
        out,
        "<p class=\"lead\">What counted of it, as it was when the run began.</p>\n<pre class=\"plan\"><b>plan</b>: %s",
        fact_text(r->run, "plan"));
    json_object_foreach((json_t *)definition, key, value) {
        if (!text_equal(key, "steps") && !is_empty(value)) add_pair(r, out, key, value, 0);
    }
    markup_raw(out, "\n<b>steps</b>:");
    json_array_foreach(json_object_get(definition, "steps"), i, value) { add_step(r, out, value); }
    markup_raw(out, "</pre>\n");
}

/* --- SQL --- */

/* In capitals only, as ours are written: a column may be called conflict. */
static bool is_keyword(const char *word, size_t length) {
    static const char words[] = " ALL ALTER ANALYZE AND ANY ARRAY AS ASC BEGIN BETWEEN BY CASE CAST COALESCE COMMIT "
                                "CONCURRENTLY CONFLICT CREATE CROSS DELETE "
                                "DESC DISTINCT DO DROP ELSE END EXISTS FALSE FETCH FILTER FIRST FOR FOREIGN FROM "
                                "FUNCTION GROUP HAVING IF IN INDEX INNER INSERT "
                                "INTO IS JOIN KEY LATERAL LEFT LIMIT LOCK LOCKED MATERIALIZED MERGE NO NOT NOTHING "
                                "NULL NULLS OF OFFSET ON ONLY OPERATOR OR ORDER "
                                "ORDINALITY OVER PARTITION PRIMARY RETURNING RIGHT ROW ROWS SELECT SET SHARE SKIP "
                                "TABLE TEMPORARY THEN TO TRUE TRUNCATE UNION "
                                "UNIQUE UPDATE USING VACUUM VALUES VERBOSE WHEN WHERE WINDOW WITH WITHIN ";
    char padded[24];
    if (!length || length > sizeof padded - 3) return false;
    padded[0] = padded[length + 1] = ' ';
    padded[length + 2] = 0;
    memcpy(padded + 1, word, length);
    return strstr(words, padded) != NULL;
}

static size_t quoted_length(const char *text) {
    size_t length = 1;
    while (text[length] && text[length] != text[0]) length++;
    return length + (text[length] != 0);
}

static size_t comment_length(const char *text) {
    const char *end = text[1] == '-' ? strchr(text, '\n') : strstr(text, "*/");
    return end ? (size_t)(end - text) + (text[1] == '-' ? 0 : 2) : strlen(text);
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80; }

/* Enough to tell comments, texts and keywords apart; a mistake costs a colour. */
static void add_sql(struct text *out, const char *sql) {
    while (*sql) {
        size_t length = 1;
        const char *tag = NULL;
        if (text_starts(sql, "--") || text_starts(sql, "/*")) {
            length = comment_length(sql);
            tag = "i";
        } else if (*sql == '\'' || *sql == '"') {
            length = quoted_length(sql);
            tag = *sql == '"' ? NULL : "q";
        } else if (is_word(*sql)) {
            while (is_word(sql[length])) length++;
            tag = is_keyword(sql, length) ? "b" : NULL;
        }
        if (tag) text_addf(out, text_equal(tag, "q") ? "<span class=\"q\">" : "<%s>", tag);
        markup_escape(out, sql, length);
        if (tag) text_addf(out, text_equal(tag, "q") ? "</span>" : "</%s>", tag);
        sql += length;
    }
}

static const char *step_of(const json_t *statement) {
    return fact_text(statement, "step") ? fact_text(statement, "step") : "";
}

void section_sql(const struct report *r, struct text *out) {
    const char *before = NULL;
    size_t i;
    const json_t *statement;
    if (!json_array_size(fact_list(r->run, "statements"))) return;
    markup_raw(out, "<p class=\"lead\">Each statement as it was sent first, once for a step; what a batch fills in is "
                    "$1, $2, …</p>\n");
    json_array_foreach(fact_list(r->run, "statements"), i, statement) {
        const char *text = fact_text(statement, "text"), *place = fact_text(statement, "place");
        if (!before || !text_equal(before, step_of(statement))) markup(out, "<h3>step %s</h3>\n", step_of(statement));
        before = step_of(statement);
        markup(out, "<details class=\"sql\"><summary><code>%s</code>", fact_text(statement, "name"));
        if (place) markup(out, " <small>%s</small>", place);
        markup_raw(out, "</summary><pre>");
        add_sql(out, text ? text : "");
        markup_raw(out, "</pre></details>\n");
    }
}
