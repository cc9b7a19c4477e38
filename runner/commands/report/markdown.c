/*
 * A run in markdown, for a pull request: the sentences, what it did, the tree as a mermaid flowchart, what was spared,
 * the SQL folded away. Names are written so that neither markdown nor mermaid takes anything in them for its own.
 */
#include <string.h>

#include "commands/report/layout.h"
#include "commands/report/markup.h"
#include "commands/report/page.h"
#include "commands/report/words.h"

enum { MOST_EDGES = 40, EXAMPLES = 5 };

/* What is no letter of a name: a line stays a line, and stays in its direction. How many bytes were taken; 0: none. */
static size_t add_strange(struct text *out, const char *text) {
    unsigned turns = markup_turning(text);
    if (turns)
        text_addf(out, "‹U+%04X›", turns);
    else if ((unsigned char)*text < ' ' || *text == 0x7f)
        text_add(out, " ");
    else
        return 0;
    return turns ? 3 : 1;
}

static void add_text(struct text *out, const char *text) {
    for (size_t taken; text && *text; text += taken) {
        taken = add_strange(out, text);
        if (taken) continue;
        if (strchr("\\`*_[]<>|~&$#", *text)) text_add(out, "\\");
        text_add_n(out, text, taken = 1);
    }
}

static void add_cell(struct text *out, const char *text) {
    text_add(out, " ");
    add_text(out, text);
    text_add(out, " |");
}

/* Inside of double quotes mermaid knows #NUMBER; only. */
static void add_label(struct text *out, const char *text) {
    for (size_t taken; text && *text; text += taken) {
        taken = add_strange(out, text);
        if (taken) continue;
        taken = 1;
        if (strchr("\"#&<>`\\;{}[]()|%", *text))
            text_addf(out, "#%d;", *text);
        else
            text_add_n(out, text, taken);
    }
}

/* --- parts --- */

static void add_top(const struct report *r, struct text *out) {
    static const char *const signs[][2] = {
        {"good", "✅"}, {"bad", "❌"}, {"warn", "⏸️"}, {"busy", "⏳"}, {"calm", "▫️"}};
    const char *state = fact_text(r->run, "state"), *sign = "";
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (text_equal(signs[i][0], words_mood(state))) sign = signs[i][1];
    text_addf(out, "## %s ", sign);
    add_text(out, words_title(r));
    text_add(out, ": ");
    add_text(out, state);
    text_add(out, "\n\n");
    add_text(out, words_summary(r));
    text_add(out, "\n\n");
}

static void add_fact(struct text *out, const char *name, const char *value) {
    if (!value) return;
    text_addf(out, "| %s |", name);
    add_cell(out, value);
    text_add(out, "\n");
}

static void add_facts(const struct report *r, struct text *out) {
    const char *server = fact_text(r->run, "server"), *program = fact_text(r->run, "program");
    text_add(out, "| | |\n|---|---|\n");
    add_fact(out, "environment", fact_text(r->run, "environment"));
    add_fact(out, "database", fact_text(r->run, "database"));
    add_fact(out, "table", fact_text(r->run, "table"));
    if (r->start >= 0) add_fact(out, "when", words_span(r));
    add_fact(out, "server", server ? arena_printf(r->arena, "PostgreSQL %s", server) : NULL);
    add_fact(out, "program", program ? arena_printf(r->arena, "pgwinnow %s", program) : NULL);
    text_add(out, "\n");
}

static void add_quote(struct text *out, const char *before, const char *text) {
    if (!text) return;
    text_addf(out, "> %s", before);
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        add_text(out, arena_strndup(out->arena, text, strcspn(text, "\n")));
        text_add(out, strchr(text, '\n') ? "  \n> " : "");
    }
    text_add(out, "\n>\n");
}

static void add_error(const struct report *r, struct text *out) {
    const json_t *error = json_object_get(r->run, "error");
    if (!fact_text(error, "message")) return;
    add_quote(out, "", fact_text(error, "message"));
    add_quote(out, "", fact_text(error, "detail"));
    add_quote(out, "What to do: ", fact_text(error, "hint"));
    text_add(out, "\n");
}

static void add_steps(const struct report *r, struct text *out) {
    size_t i;
    const json_t *step;
    if (!json_array_size(fact_list(r->run, "steps"))) return;
    text_add(out,
             "### Steps\n\n| step | state | rows | spared | batches | time | note |\n|---|---|--:|--:|--:|--:|---|\n");
    json_array_foreach(fact_list(r->run, "steps"), i, step) {
        int64_t total = fact_count(step, "total"), rows = fact_count(step, "rows");
        text_add(out, "|");
        add_cell(out, fact_text(step, "name"));
        add_cell(out, fact_text(step, "state"));
        add_cell(out, total >= 0 && total != rows ? arena_printf(r->arena, "%s of %s", words_count(r->arena, rows),
                                                                 words_count(r->arena, total))
                      : rows > 0 || total >= 0    ? words_count(r->arena, rows)
                                                  : "");
        add_cell(out, fact_count(step, "spared") > 0 ? words_count(r->arena, fact_count(step, "spared")) : "");
        add_cell(out, fact_count(step, "batches") > 0 ? words_count(r->arena, fact_count(step, "batches")) : "");
        add_cell(out, fact_number(step, "seconds") >= 0 ? words_seconds(r->arena, fact_number(step, "seconds")) : "");
        add_cell(out, fact_text(step, "note"));
        text_add(out, "\n");
    }
    text_add(out, "\n");
}

/* --- the tree --- */

static void add_columns(struct text *out, const json_t *edge) {
    size_t i;
    const json_t *column;
    json_array_foreach(fact_list(edge, "columns"), i, column) {
        text_add(out, i ? ", " : "");
        add_label(out, json_string_value(column));
    }
}

static void add_edge(const struct report *r, struct text *out, const struct layout_edge *edge) {
    bool none = edge->rows == 0;
    text_addf(out, "  t%zu %s|\"", edge->parent, none ? "-.->" : "-->");
    add_columns(out, edge->fact);
    text_add(out, ": ");
    add_label(out, words_policy(fact_text(edge->fact, "policy")));
    if (edge->rows >= 0) text_addf(out, ", %s", words_rows(r->arena, edge->rows, "row", "rows"));
    text_addf(out, "\"| t%zu\n", edge->child);
}

static void add_tree(const struct report *r, struct text *out) {
    struct layout l = layout_new(r, MOST_EDGES);
    if (!l.edge_count) return;
    text_add(out, "### Foreign keys\n\n```mermaid\nflowchart LR\n");
    for (size_t i = 0; i < l.box_count; i++) {
        if (!l.boxes[i].shown) continue;
        text_addf(out, "  t%zu[\"", i);
        add_label(out, l.boxes[i].name);
        text_add(out, "\"]\n");
    }
    for (size_t i = 0; i < l.edge_count; i++)
        if (l.edges[i].shown) add_edge(r, out, &l.edges[i]);
    text_add(out, "  style t0 stroke-width:3px\n```\n\n");
    if (l.shown < l.edge_count)
        text_addf(out, "Of %zu foreign keys the %zu by which most rows went, and those that lead to them.\n\n",
                  l.edge_count, l.shown);
}

/* --- the rest --- */

static void add_spared(const struct report *r, struct text *out) {
    size_t i, k;
    const json_t *reason, *key;
    if (!json_array_size(fact_list(r->run, "spared"))) return;
    text_add(out, "### Spared rows\n\n| why | rows | some of them, by key |\n|---|--:|---|\n");
    json_array_foreach(fact_list(r->run, "spared"), i, reason) {
        text_add(out, "|");
        add_cell(out, fact_text(reason, "reason"));
        add_cell(out, words_count(r->arena, fact_count(reason, "rows")));
        json_array_foreach(fact_list(reason, "examples"), k, key) {
            if (k == EXAMPLES) break;
            text_add(out, k ? ", " : " ");
            add_text(out, json_string_value(key));
        }
        text_add(out, " |\n");
    }
    text_add(out, "\n");
}

static void add_acts(const struct report *r, struct text *out) {
    size_t i, told = 0;
    const json_t *act;
    json_array_foreach(fact_list(r->run, "timeline"), i, act) {
        if (!fact_is(act, "what", "act")) continue;
        if (!told++) text_add(out, "### Who stepped in\n\n| when (UTC) | who | did | |\n|---|---|---|---|\n");
        text_add(out, "|");
        add_cell(out, words_when(r->arena, fact_time(act, "at")));
        add_cell(out, fact_text(act, "role"));
        add_cell(out, fact_text(act, "type"));
        add_cell(out, fact_text(act, "message"));
        text_add(out, "\n");
    }
    if (told) text_add(out, "\n");
}

/* A fence is longer than any run of backticks inside. */
static void add_fenced(struct text *out, const char *sql) {
    size_t longest = 2, now = 0;
    for (const char *c = sql; *c; c++) {
        now = *c == '`' ? now + 1 : 0;
        if (now > longest) longest = now;
    }
    for (size_t i = 0; i <= longest; i++) text_add(out, "`");
    text_addf(out, "sql\n%s\n", sql);
    for (size_t i = 0; i <= longest; i++) text_add(out, "`");
    text_add(out, "\n\n");
}

static void add_sql(const struct report *r, struct text *out) {
    size_t i;
    const json_t *statement;
    if (!json_array_size(fact_list(r->run, "statements"))) return;
    text_add(out, "<details>\n<summary>The SQL it sent</summary>\n\n");
    json_array_foreach(fact_list(r->run, "statements"), i, statement) {
        text_add(out, "step ");
        add_text(out, fact_text(statement, "step"));
        text_add(out, ", ");
        add_text(out, fact_text(statement, "name"));
        text_add(out, "\n\n");
        add_fenced(out, fact_text(statement, "text") ? fact_text(statement, "text") : "");
    }
    text_add(out, "</details>\n");
}

void report_markdown(const json_t *run, struct text *out) {
    struct report r = report_new(out->arena, run);
    add_top(&r, out);
    add_error(&r, out);
    add_facts(&r, out);
    add_steps(&r, out);
    add_tree(&r, out);
    add_spared(&r, out);
    add_acts(&r, out);
    add_sql(&r, out);
}
