/* The foreign-key tree: a drawing, and the same as a table. */
#include <math.h>
#include <string.h>

#include "commands/report/layout.h"
#include "commands/report/markup.h"
#include "commands/report/section.h"
#include "commands/report/words.h"

enum {
    MOST_EDGES = 30,
    NAME_COLUMNS = 24,
    KEY_COLUMNS = 19,
    SIDE = 16,
    BOX_INSIDE = 12,
    LEAST_SCALE = 77 /* % that can still be read */
};

static bool goes_on(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* How wide a letter is: those of Asia are twice as wide as ours, and what markup() spells out takes eight. */
static size_t width_of(const char *letter) {
    return markup_turning(letter) ? 8 : (unsigned char)*letter >= 0xe0 ? 2 : 1;
}

static size_t columns_of(const char *text) {
    size_t columns = 0;
    for (; *text; text++) columns += goes_on(*text) ? 0 : width_of(text);
    return columns;
}

/* The middle goes, since long names are often told apart by their ends. */
static const char *cut_middle(struct arena *arena, const char *text, size_t columns) {
    size_t head = 0, tail = strlen(text), used = 1;
    if (columns_of(text) <= columns) return text;
    while (text[head] && used + width_of(text + head) <= columns / 2) {
        used += width_of(text + head);
        do head++;
        while (goes_on(text[head]));
    }
    for (size_t letter = tail; letter > head; tail = letter) {
        do letter--;
        while (goes_on(text[letter]));
        used += width_of(text + letter);
        if (used > columns) break;
    }
    return arena_printf(arena, "%.*s…%s", (int)head, text, text + tail);
}

static const char *joined(struct arena *arena, const json_t *names) {
    struct text out = text_new(arena);
    size_t i;
    const json_t *name;
    json_array_foreach(names, i, name) {
        if (i) text_add(&out, ", ");
        text_add(&out, json_string_value(name) ? json_string_value(name) : "");
    }
    return out.data ? out.data : "";
}

static const char *policy_class(const json_t *edge) {
    static const char *const known[] = {"delete", "move", "set-null", "stop"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (fact_is(edge, "policy", known[i])) return known[i];
    return "stop";
}

static const char *on_delete_text(struct arena *arena, const json_t *edge) {
    const char *action = fact_text(edge, "on_delete");
    if (!action || text_equal(action, "NO ACTION")) return "";
    return arena_printf(arena, " · %s", action);
}

static const char *edge_title(struct arena *arena, const json_t *edge, int64_t rows) {
    const char *constraint = fact_text(edge, "constraint");
    return arena_printf(
        arena, "%s (%s) → %s (%s)%s%s: %s, %s", fact_text(edge, "child"), joined(arena, fact_list(edge, "columns")),
        fact_text(edge, "parent"), joined(arena, fact_list(edge, "parent_columns")), constraint ? ", " : "",
        constraint ? constraint : "", rows < 0 ? "rows not counted" : words_rows(arena, rows, "row", "rows"),
        words_policy(fact_text(edge, "policy")));
}

/* --- lines --- */

/* How thick a line is says how many rows went by it: each three times as many is a step. */
static double thickness(int64_t rows) { return rows <= 0 ? 1.2 : fmin(1.6 + log10((double)rows + 1) * 0.85, 7); }

static double line_y(const struct layout *l, const struct layout_edge *edge) {
    const struct layout_box *child = &l->boxes[edge->child];
    size_t before = 0;
    for (const struct layout_edge *e = l->edges; e < edge; e++) before += e->shown && e->child == edge->child;
    return child->y + BOX_HEAD + (edge->child ? 0 : OWN_LINE) + (double)before * BOX_LINE + BOX_LINE / 2.0;
}

static void add_curve(struct text *out, const char *way, double x1, double y1, double x2, double y2, double reach_1,
                      double reach_2) {
    markup(out, "%s M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", way, x1, y1, x1 + reach_1, y1, x2 + reach_2, y2, x2, y2);
}

static void add_line(const struct layout *l, const struct layout_edge *edge, struct text *out) {
    const struct layout_box *parent = &l->boxes[edge->parent], *child = &l->boxes[edge->child];
    double y = line_y(l, edge), head = parent->y + BOX_HEAD / 2.0, right = parent->x + BOX_WIDTH;
    bool back = child->column <= parent->column;
    markup(out, "<path class=\"link %s%s%s\" stroke-width=\"%.1f\" d=\"", policy_class(edge->fact), back ? " back" : "",
           edge->rows == 0 ? " none" : "", thickness(edge->rows));
    if (edge->parent == edge->child)
        add_curve(out, "", right, head, right, y, SIDE * 2, SIDE * 2);
    else if (child->column == parent->column)
        add_curve(out, "", right, head, right, y, COLUMN_GAP / 2.0, COLUMN_GAP / 2.0);
    else if (back)
        add_curve(out, "", parent->x, head, child->x + BOX_WIDTH, y, -COLUMN_GAP / 2.0, COLUMN_GAP / 2.0);
    else
        add_curve(out, "", right, head, child->x, y, COLUMN_GAP / 2.0, -COLUMN_GAP / 2.0);
    markup_raw(out, "\"/>\n");
}

/* --- boxes --- */

static void add_edge_text(const struct report *r, struct text *out, const struct layout_edge *edge, double y) {
    const json_t *fact = edge->fact;
    const char *columns = joined(r->arena, fact_list(fact, "columns"));
    bool self = edge->parent == edge->child;
    markup(out, "<g><title>%s</title><rect class=\"mark %s\" x=\"0\" y=\"%.1f\" width=\"4\" height=\"%d\"/>",
           edge_title(r->arena, fact, edge->rows), policy_class(fact), y + 4, BOX_LINE - 8);
    markup(out, "<text class=\"columns\" x=\"%d\" y=\"%.1f\">%s%s</text>", BOX_INSIDE, y + 16, self ? "↻ " : "",
           cut_middle(r->arena, columns, KEY_COLUMNS));
    markup(out, "<text class=\"rows\" x=\"%d\" y=\"%.1f\">%s</text>", BOX_WIDTH - BOX_INSIDE, y + 16,
           words_count(r->arena, edge->rows));
    markup(out, "<text class=\"policy\" x=\"%d\" y=\"%.1f\">%s%s</text></g>\n", BOX_INSIDE, y + 31,
           words_policy(fact_text(fact, "policy")), on_delete_text(r->arena, fact));
}

/* The root's own rows stand above the foreign keys into it; how high that is. */
static int add_own_rows(const struct report *r, struct text *out, size_t place) {
    if (place) return 0;
    markup(out,
           "<text class=\"policy\" x=\"%d\" y=\"%d\">removed</text><text class=\"rows\" x=\"%d\" y=\"%d\">%s</text>\n",
           BOX_INSIDE, BOX_HEAD + 12, BOX_WIDTH - BOX_INSIDE, BOX_HEAD + 12,
           words_count(r->arena, fact_count(json_object_get(r->run, "totals"), "removed")));
    return OWN_LINE;
}

static void add_box(const struct report *r, struct text *out, const struct layout *l, size_t place) {
    const struct layout_box *box = &l->boxes[place];
    markup(out, "<svg class=\"box%s\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"><title>%s</title>",
           place ? "" : " root", box->x, box->y, BOX_WIDTH, box->height, box->name);
    markup(out, "<rect class=\"frame\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%.1f\" rx=\"6\"/>", BOX_WIDTH - 1,
           box->height - 1);
    markup(out, "<text class=\"name\" x=\"%d\" y=\"20\">%s</text>\n", BOX_INSIDE,
           cut_middle(r->arena, box->name, NAME_COLUMNS));
    double y = BOX_HEAD + add_own_rows(r, out, place);
    for (size_t i = 0; i < l->edge_count; i++) {
        if (!l->edges[i].shown || l->edges[i].child != place) continue;
        add_edge_text(r, out, &l->edges[i], y);
        y += BOX_LINE;
    }
    if (box->folded)
        markup(out, "<text class=\"fold\" x=\"%d\" y=\"%.1f\">+ %zu more below, in the table</text>", BOX_INSIDE,
               y + 14, box->folded);
    markup_raw(out, "</svg>\n");
}

static void add_drawing(const struct report *r, struct text *out, const struct layout *l) {
    double side = l->width + SIDE * 2;
    markup(out,
           "<div class=\"scroll drawing\" tabindex=\"0\" role=\"region\" aria-label=\"Drawing of the tree\">"
           "<svg class=\"tree\" role=\"img\" aria-label=\"Tree of foreign keys\" aria-describedby=\"tree-told\" "
           "width=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" style=\"min-width: %.0fpx\">\n",
           side, side, l->height, side * LEAST_SCALE / 100);
    markup(out,
           "<desc id=\"tree-told\">%s is at the left; each table stands to the right of one that it points at, with "
           "a line for each of its foreign keys, and the rows that were settled by it. The table below the drawing "
           "has the same.</desc>\n",
           l->boxes[0].name);
    for (size_t i = 0; i < l->edge_count; i++)
        if (l->edges[i].shown) add_line(l, &l->edges[i], out);
    for (size_t i = 0; i < l->box_count; i++)
        if (l->boxes[i].shown) add_box(r, out, l, i);
    markup_raw(out, "</svg></div>\n");
}

/* --- the same as an outline, for narrow screens --- */

static void add_outline_of(const struct report *, struct text *, const struct layout *, size_t box);

static void add_outline_edge(const struct report *r, struct text *out, const struct layout *l,
                             const struct layout_edge *edge) {
    const char *action = on_delete_text(r->arena, edge->fact);
    const struct layout_box *child = &l->boxes[edge->child];
    markup(out, "<li><div class=\"head\"><span class=\"chip %s\">%s</span> <b>%s</b></div><small>%s: %s%s</small>",
           policy_class(edge->fact), child->name, words_count(r->arena, edge->rows),
           joined(r->arena, fact_list(edge->fact, "columns")), words_policy(fact_text(edge->fact, "policy")), action);
    bool first = edge->child && child->parent == edge->parent && edge->parent != edge->child;
    for (const struct layout_edge *e = l->edges; e < edge; e++)
        if (e->shown && e->child == edge->child && e->parent == edge->parent) first = false;
    if (first) add_outline_of(r, out, l, edge->child);
    markup_raw(out, "</li>\n");
}

static void add_outline_of(const struct report *r, struct text *out, const struct layout *l, size_t box) {
    size_t lines = l->boxes[box].folded;
    for (size_t i = 0; i < l->edge_count; i++) lines += l->edges[i].shown && l->edges[i].parent == box;
    if (!lines) return;
    markup_raw(out, "<ul>\n");
    for (size_t i = 0; i < l->edge_count; i++)
        if (l->edges[i].shown && l->edges[i].parent == box) add_outline_edge(r, out, l, &l->edges[i]);
    if (l->boxes[box].folded) markup(out, "<li><small>and %zu more, in the table</small></li>\n", l->boxes[box].folded);
    markup_raw(out, "</ul>\n");
}

static void add_outline(const struct report *r, struct text *out, const struct layout *l) {
    markup(out, "<div class=\"outline\"><div class=\"head\"><strong>%s</strong> <b>%s removed</b></div>\n",
           l->boxes[0].name, words_count(r->arena, fact_count(json_object_get(r->run, "totals"), "removed")));
    add_outline_of(r, out, l, 0);
    markup_raw(out, "</div>\n");
}

/* --- the same as a table --- */

static void add_table(const struct report *r, struct text *out, const struct layout *l) {
    markup(out,
           "<details class=\"numbers\"><summary>The tree as a table: %s</summary><div class=\"scroll\" tabindex=\"0\" "
           "role=\"region\" "
           "aria-label=\"The tree as a table\"><table><thead><tr><th scope=\"col\">table</th><th "
           "scope=\"col\">columns</th>"
           "<th scope=\"col\">points at</th><th scope=\"col\">policy</th><th scope=\"col\">on delete</th>"
           "<th scope=\"col\" class=\"n\">rows</th></tr></thead><tbody>\n",
           words_rows(r->arena, (int64_t)l->edge_count, "foreign key", "foreign keys"));
    for (size_t i = 0; i < l->edge_count; i++) {
        const json_t *fact = l->edges[i].fact;
        markup(out, "<tr><th scope=\"row\"><code>%s</code></th><td><code>%s</code></td><td><code>%s</code></td>",
               fact_text(fact, "child"), joined(r->arena, fact_list(fact, "columns")), fact_text(fact, "parent"));
        markup(out, "<td><span class=\"chip %s\">%s</span>%s</td><td>%s</td><td class=\"n\">%s</td></tr>\n",
               policy_class(fact), words_policy(fact_text(fact, "policy")),
               json_is_true(json_object_get(fact, "cycle")) ? " in a circle" : "", fact_text(fact, "on_delete"),
               words_count(r->arena, l->edges[i].rows));
    }
    markup_raw(out, "</tbody></table></div></details>\n");
}

void section_tree(const struct report *r, struct text *out) {
    if (!json_array_size(fact_list(json_object_get(r->run, "tree"), "edges"))) return;
    struct layout l = layout_new(r, MOST_EDGES);
    markup(out, "<p class=\"lead\">What points at <code>%s</code>, and what became of it.%s</p>\n", l.boxes[0].name,
           l.shown < l.edge_count ? " Of so many foreign keys those by which most rows went are drawn." : "");
    add_drawing(r, out, &l);
    markup_raw(
        out,
        "<p class=\"legend tree-legend\"><span><span class=\"key delete\"></span>deleted</span>"
        "<span><span class=\"key move\"></span>moved</span><span><span class=\"key set-null\"></span>set to NULL</span>"
        "<span><span class=\"key stop\"></span>must have no rows</span>"
        "<span>the thicker a line, the more rows went by it</span></p>\n");
    add_outline(r, out, &l);
    add_table(r, out, &l);
}
