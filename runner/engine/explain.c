/*
 * explain: what a plan would do here. The tree with the rows that would go by edge, the statements of each step as run
 * would send them, the risks. One READ ONLY transaction: the server enforces that nothing changes.
 */
#include <jansson.h>

#include "base/json.h"
#include "base/text.h"
#include "database/bindings.h"
#include "database/tree_json.h"
#include "engine/engine.h"
#include "sql/engine/explain.sql.h"
#include "work/explanation.h"
#include "work/family_text.h"
#include "work/session.h"
#include "work/throttle_check.h"
#include "work/tracking.h"

struct found {
    int64_t rows, groups, all; /* tracked; groups -1 when there are none; rows of the table */
    int64_t *by_edge;          /* rows of the child that go or change; -1: known only by the run. By edge index */
    struct explanation *steps; /* by step index */
};

/* --- counting --- */

static struct rows *ask_one(struct run *run, const char *about, const struct sql *sql, const struct bindings *b,
                            struct error *error) {
    const char *text = sql_expand(run->arena, sql, b->items, error);
    return ask(run->desk, run->arena, &(struct statement){.about = about, .text = text}, error);
}

static void count_tracked(struct run *run, struct found *found, struct error *error) {
    const struct tracking *t = run->tracking;
    struct bindings b = {0};
    struct text groups = text_new(run->arena);
    for (size_t i = 0; t->survivors && i < run->table->key.count; i++)
        text_addf(&groups, "%spgwinnow_rows.pgwinnow_s%zu", i ? ", " : "", i + 1);
    bind(&b, "groups",
         groups.length ? arena_printf(run->arena, "pg_catalog.count(DISTINCT ROW(%s))", groups.data) : "-1");
    bind(&b, "rows", t->rows);
    bind(&b, "from", run->table->from);
    struct rows *rows =
        ask_one(run, arena_printf(run->arena, "counting the rows of %s that would go", run->table->shown),
                &sql_track_counts, &b, error);
    if (!rows) return;
    found->rows = rows_int(rows, 0, 0);
    found->groups = rows_int(rows, 0, 1);
    rows = ask_one(run, "counting the table", &sql_table_count, &b, error);
    if (rows) found->all = rows_int(rows, 0, 0);
}

/* All that points at moved rows goes along. Other policies are for rows that collisions drop, which are fewer. */
static bool goes_along(const struct edge *e) { return e->carried && (!e->reached || e->policy == POLICY_MOVE); }

/*
 * Which edges are counted: by_edge is 0 for them, and -1 for the others. Rows that collisions drop are not known before
 * the run, so what is reached through those alone is not counted. Rows that move take along what refers to the columns
 * that change.
 */
static void choose_counted(const struct tree *tree, struct arena *arena, int64_t *by_edge) {
    bool *go = arena_alloc(arena, tree->node_count + 1), *move = arena_alloc(arena, tree->node_count + 1);
    for (size_t i = 0; i < tree->edge_count; i++) by_edge[i] = -1;
    go[0] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < tree->edge_count; i++) {
            const struct edge *e = tree->edges[i];
            bool from_going = e->reached && go[e->parent->index], along = goes_along(e) && move[e->parent->index];
            if (!from_going && !along) continue;
            by_edge[i] = 0;
            bool goes = from_going && e->policy == POLICY_DELETE, moves = along || e->policy == POLICY_MOVE;
            changed = changed || (goes && !go[e->child->index]) || (moves && !move[e->child->index]);
            go[e->child->index] |= goes;
            move[e->child->index] |= moves;
        }
    }
}

/* Rows of `by`'s child lead on to rows of `e`: they go, or take them along. */
static bool leads_on(const struct found *found, const struct edge *by, const struct edge *e) {
    if (by->child != e->parent || found->by_edge[by->index] < 0) return false;
    if (by->reached && by->policy == POLICY_DELETE) return e->reached;
    return goes_along(e) && (goes_along(by) || by->policy == POLICY_MOVE);
}

/* The edges by which a row can have been reached that leads on to rows of this one: -1 stands for tracked rows. */
static const char *reaching(struct run *run, const struct found *found, const struct edge *e) {
    struct text list = text_new(run->arena);
    text_addf(&list, "'{%s", e->parent->index == 0 ? "-1" : "-2");
    for (size_t i = 0; i < run->tree->edge_count; i++)
        if (leads_on(found, run->tree->edges[i], e)) text_addf(&list, ",%zu", i);
    text_add(&list, "}'::pg_catalog.int4[]");
    return list.data;
}

static const char *closure_steps(struct run *run, const struct found *found, struct error *error) {
    struct text steps = text_new(run->arena);
    for (size_t i = 0; i < run->tree->edge_count; i++) {
        const struct edge *e = run->tree->edges[i];
        if (found->by_edge[i] < 0) continue;
        struct bindings b = {0};
        bind(&b, "edge", arena_printf(run->arena, "%zu", i));
        bind(&b, "parent", e->parent->table->from);
        bind(&b, "child", e->child->table->from);
        bind(&b, "points", edge_points(run->arena, e, "p", "c"));
        bind(&b, "reaching", reaching(run, found, e));
        bind(&b, "leaves", edge_leaves(run->arena, e, "p"));
        text_addf(&steps, "%s%s", steps.length ? "\nUNION ALL\n" : "",
                  sql_expand(run->arena, &sql_closure_step, b.items, error));
    }
    return steps.data;
}

static const char *link_name(struct run *run, size_t edge) { return arena_printf(run->arena, "pgwinnow_e%zu", edge); }

/* The rows that lead on to those of an edge. */
static const char *level_above(struct run *run, const struct found *found, const struct edge *e) {
    struct text above = text_new(run->arena);
    if (e->parent->index == 0) text_add(&above, "SELECT pgwinnow_table, pgwinnow_place FROM pgwinnow_tracked");
    for (size_t i = 0; i < run->tree->edge_count; i++) {
        if (!leads_on(found, run->tree->edges[i], e)) continue;
        text_addf(&above, "%sSELECT rel, place FROM %s", above.length ? " UNION " : "", link_name(run, i));
    }
    return above.data;
}

static void add_level(struct run *run, const struct found *found, const struct edge *e, struct text *levels,
                      struct text *counts, struct error *error) {
    struct bindings b = {0};
    const char *link = link_name(run, e->index);
    bind(&b, "link", link);
    bind(&b, "above", level_above(run, found, e));
    bind(&b, "parent", e->parent->table->from);
    bind(&b, "child", e->child->table->from);
    bind(&b, "points", edge_points(run->arena, e, "p", "c"));
    bind(&b, "leaves", edge_leaves(run->arena, e, "p"));
    text_add(levels, sql_expand(run->arena, &sql_level_edge, b.items, error));
    text_addf(counts, "%sSELECT %zu, pg_catalog.count(*) FROM %s", counts->length ? "\nUNION ALL " : "", e->index,
              link);
}

/* Parents before their children: a turn's number is smaller than its children's. */
static struct rows *count_levels(struct run *run, const struct found *found, struct error *error) {
    const struct tree *tree = run->tree;
    struct text levels = text_new(run->arena), counts = text_new(run->arena);
    for (size_t turn = 0; turn < tree->node_count; turn++)
        for (size_t i = 0; i < tree->edge_count; i++)
            if (tree->edges[i]->parent->turn == turn && found->by_edge[i] == 0)
                add_level(run, found, tree->edges[i], &levels, &counts, error);
    struct bindings b = {0};
    bind(&b, "rows", run->tracking->rows);
    bind(&b, "levels", levels.data);
    bind(&b, "counts", counts.data);
    return counts.length ? ask_one(run, "counting the rows below", &sql_level_counts, &b, error) : NULL;
}

static struct rows *count_closure(struct run *run, const struct found *found, struct error *error) {
    struct bindings b = {0};
    bind(&b, "rows", run->tracking->rows);
    bind(&b, "steps", closure_steps(run, found, error));
    return ask_one(run, "counting the rows below", &sql_closure_counts, &b, error);
}

/* Some edge leads on to one that cannot be counted behind it. */
static bool has_circles(const struct tree *tree, const struct found *found) {
    for (size_t i = 0; i < tree->edge_count; i++)
        for (size_t b = 0; found->by_edge[i] == 0 && b < tree->edge_count; b++)
            if (leads_on(found, tree->edges[b], tree->edges[i]) &&
                tree->edges[b]->parent->turn == tree->edges[i]->parent->turn)
                return true;
    return false;
}

static void count_edges(struct run *run, struct found *found, struct error *error) {
    choose_counted(run->tree, run->arena, found->by_edge);
    if (!found->rows || !run->tree->edge_count) return;
    struct rows *rows =
        has_circles(run->tree, found) ? count_closure(run, found, error) : count_levels(run, found, error);
    for (int i = 0; rows && i < rows_count(rows); i++) found->by_edge[rows_int(rows, i, 0)] = rows_int(rows, i, 1);
}

static void explain_steps(struct run *run, struct found *found, struct error *error) {
    for (size_t i = 0; i < run->plan->step_count; i++) {
        struct explanation *e = &found->steps[i];
        *e = (struct explanation){.arena = run->arena, .said = text_new(run->arena)};
        if (run->plan->steps[i].step->explain) run->plan->steps[i].step->explain(run, i, e, error);
    }
}

/* --- risks --- */

static json_t *risk(const char *code, const char *message) {
    return json_pack("{s:s, s:s}", "code", code, "message", message);
}

static void edge_risks(struct run *run, const struct found *found, const struct edge *e, json_t *risks) {
    const char *child = e->child->table->shown, *said = NULL;
    if (!e->reached && !e->carried) return;
    if (!e->indexed) {
        said = arena_printf(run->arena, "%s has no usable index on (%s)%s", child, e->index_columns,
                            run->missing_index == MISSING_CREATE ? "; one is built for the run"
                                                                 : ": every removed row reads the whole table");
        json_array_append_new(risks, risk("missing-index", said));
    }
    if (e->policy == POLICY_STOP && found->by_edge[e->index] > 0) {
        said = arena_printf(run->arena, "%s rows of %s stand in the way: %s is stop",
                            text_count(run->arena, found->by_edge[e->index]), child, e->key);
        json_array_append_new(risks, risk("stop", said));
    }
    if (!e->validated) {
        said = arena_printf(run->arena, "%s of %s is not validated: rows there may point at nothing", e->constraint,
                            child);
        json_array_append_new(risks, risk("not-valid", said));
    }
}

static json_t *all_risks(struct run *run, const struct found *found) {
    json_t *risks = json_array();
    for (size_t i = 0; i < run->tree->edge_count; i++) edge_risks(run, found, run->tree->edges[i], risks);
    for (size_t i = 0; i < run->tree->node_count; i++) {
        const struct node *n = run->tree->nodes[i];
        for (size_t t = 0; (n->removed || n->moved_count) && t < n->trigger_count; t++)
            json_array_append_new(risks, risk("trigger", arena_printf(run->arena, "trigger %s of %s fires for each row",
                                                                      n->triggers[t], n->table->shown)));
    }
    return risks;
}

static const char lacking_rights[] = "a run by this role would need";

/* --- the throttle --- */

static const char *throttle_lines(struct arena *arena, const struct throttle_settings *settings) {
    size_t count;
    const char **lines = throttle_told(arena, settings, &count);
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++) text_addf(&text, "%s%s", i ? "\n" : "", lines[i]);
    return count ? text.data : "nothing makes it wait";
}

/* A step's own, where it differs from the plan's; else NULL. */
static const char *own_throttle(const struct run *run, size_t step) {
    const char *plan = throttle_lines(run->arena, &run->plan->settings.throttle);
    const char *own = throttle_lines(run->arena, &run->plan->steps[step].settings.throttle);
    return text_equal(plan, own) ? NULL : own;
}

/* --- JSON --- */

static json_t *strings(const char *const *items, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, json_string(items[i]));
    return list;
}

static json_t *edge_json(const struct edge *e, const struct found *found) {
    json_t *json = tree_edge_json(e);
    json_object_set_new(json, "rows", json_count_or_null(found->by_edge[e->index]));
    return json;
}

static json_t *step_json(const struct run *run, size_t i, const struct explanation *e) {
    json_t *statements = json_array();
    for (size_t s = 0; s < e->count; s++)
        json_array_append_new(statements, json_pack("{s:s, s:s, s:i, s:s}", "name", e->statements[s].name, "file",
                                                    e->statements[s].file, "line", e->statements[s].line, "sql",
                                                    e->statements[s].text));
    return json_pack("{s:s, s:s, s:s, s:o, s:s*}", "name", run->plan->steps[i].name, "step",
                     run->plan->steps[i].step->name, "about", e->said.data, "statements", statements, "throttle",
                     own_throttle(run, i));
}

static json_t *problem(const struct error *e) {
    return json_pack("{s:s, s:s*, s:s*}", "message", e->message, "detail", e->detail, "hint", e->hint);
}

static json_t *all_problems(const struct run *run) {
    json_t *problems = json_array();
    for (size_t i = 0; i < run->refusal_count; i++) json_array_append_new(problems, problem(&run->refusals[i]));
    if (run->missing_rights)
        json_array_append_new(problems,
                              json_pack("{s:s, s:s}", "message", lacking_rights, "detail", run->missing_rights));
    return problems;
}

static json_t *as_json(struct run *run, const struct found *found, json_t *risks) {
    json_t *tree = json_array(), *steps = json_array(), *track = json_null();
    for (size_t i = 0; i < run->tree->edge_count; i++)
        if (run->tree->edges[i]->reached) json_array_append_new(tree, edge_json(run->tree->edges[i], found));
    for (size_t i = 0; i < run->plan->step_count; i++)
        json_array_append_new(steps, step_json(run, i, &found->steps[i]));
    if (run->tracking)
        track = json_pack("{s:I, s:o, s:f}", "rows", (json_int_t)found->rows, "groups",
                          found->groups < 0 ? json_null() : json_integer(found->groups), "share",
                          found->all ? (double)found->rows / (double)found->all : 0.0);
    size_t limits;
    const char **throttle = throttle_told(run->arena, &run->plan->settings.throttle, &limits);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:O, s:o, s:o}", "plan", run->plan->name, "table",
                     run->table->shown, "fingerprint", run->tree->fingerprint, "tree", tree, "track", track, "steps",
                     steps, "risks", risks, "problems", all_problems(run), "throttle", strings(throttle, limits));
}

/* --- text --- */

static void tell_edge(struct run *run, const struct edge *e, const struct found *found, struct text *out) {
    int64_t rows = found->by_edge[e->index];
    text_addf(out, "%*s%s -> %s  %s, %s  (%s, on delete %s%s%s)\n", 2 + 2 * e->depth, "", e->key,
              e->parent->table->shown, e->reached ? edge_policy_text(e) : "go along with the rows above",
              rows < 0 ? "rows of those that collide"
                       : arena_printf(run->arena, "%s rows", text_count(run->arena, rows)),
              e->constraint, on_delete_text(e->on_delete), e->indexed ? "" : ", no index", e->cycle ? ", circle" : "");
}

/* Depth first, each edge once; an edge of a circle is named where it is first met. */
static void tell_below(struct run *run, const struct node *node, const struct found *found, bool *told,
                       struct text *out) {
    for (size_t i = 0; i < run->tree->edge_count; i++) {
        const struct edge *e = run->tree->edges[i];
        if (e->parent != node || !(e->reached || e->carried) || told[i]) continue;
        told[i] = true;
        tell_edge(run, e, found, out);
        if (e->policy == POLICY_DELETE || e->policy == POLICY_MOVE || e->carried)
            tell_below(run, e->child, found, told, out);
    }
}

static void tell_counts(struct run *run, const struct found *found, struct text *out) {
    if (!run->tracking) return;
    text_addf(out, "%s of %s rows would go", text_count(run->arena, found->rows), text_count(run->arena, found->all));
    if (found->all) text_addf(out, " (%.1f %%)", 100 * (double)found->rows / (double)found->all);
    if (found->groups >= 0)
        text_addf(out, ", in %s groups that keep one row each", text_count(run->arena, found->groups));
    text_add(out, "\n");
}

static void tell_indented(struct text *out, const char *lines, const char *indent) {
    for (const char *line = lines; *line;) {
        size_t length = 0;
        while (line[length] && line[length] != '\n') length++;
        text_addf(out, "%s%.*s\n", length ? indent : "", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static void tell_throttle(struct text *out, const char *title, const char *lines, const char *indent) {
    text_add(out, title);
    tell_indented(out, lines, indent);
}

static void tell_steps(const struct run *run, const struct found *found, struct text *out) {
    for (size_t i = 0; i < run->plan->step_count; i++) {
        const struct explanation *e = &found->steps[i];
        text_addf(out, "\nstep %zu: %s\n", i + 1, run->plan->steps[i].name);
        tell_indented(out, e->said.data, "  ");
        if (own_throttle(run, i)) tell_throttle(out, "  it waits:\n", own_throttle(run, i), "    ");
        for (size_t s = 0; s < e->count; s++) {
            text_addf(out, "\n    -- %s (%s:%d)\n", e->statements[s].name, e->statements[s].file,
                      e->statements[s].line);
            tell_indented(out, e->statements[s].text, "    ");
        }
    }
}

static void tell_problems(const struct run *run, struct text *out) {
    if (run->refusal_count || run->missing_rights) text_add(out, "\nproblems:\n");
    for (size_t i = 0; i < run->refusal_count; i++) {
        text_addf(out, "  %s\n", run->refusals[i].message);
        if (run->refusals[i].detail) tell_indented(out, run->refusals[i].detail, "    ");
    }
    if (run->missing_rights) text_addf(out, "  %s\n", lacking_rights);
    if (run->missing_rights) tell_indented(out, run->missing_rights, "    ");
}

static void as_text(struct run *run, const struct found *found, json_t *risks, struct text *out) {
    bool *told = arena_alloc(run->arena, run->tree->edge_count + 1);
    text_addf(out, "plan %s on %s\n", run->plan->name, run->table->shown);
    tell_counts(run, found, out);
    if (run->tree->edge_count) text_addf(out, "\nwhat points at these rows (tree %s):\n", run->tree->fingerprint);
    tell_below(run, run->tree->nodes[0], found, told, out);
    if (json_array_size(risks)) text_add(out, "\nrisks:\n");
    for (size_t i = 0; i < json_array_size(risks); i++)
        text_addf(out, "  %s\n", json_string_value(json_object_get(json_array_get(risks, i), "message")));
    tell_throttle(out, "\nit waits:\n", throttle_lines(run->arena, &run->plan->settings.throttle), "  ");
    tell_problems(run, out);
    tell_steps(run, found, out);
}

static void free_json(void *json) { json_decref(json); }

static void add_json(struct run *run, const struct found *found, json_t *risks, struct text *out) {
    text_addf(out, "%s\n", json_written_off(out->arena, as_json(run, found, risks), JSON_INDENT(2)));
}

/* Nothing can be counted that may not be read: then the list is all there is to say. */
static void tell_unreadable(struct run *run, struct error *error) {
    if (!text_equal(error->sqlstate, "42501") || !run->missing_rights) return;
    error_clear(error);
    run->explaining = false;
    run_refuse_lacking(run, error);
}

/* A run would be refused: the answer stands all the same, and the error is the first of the reasons. */
void engine_explain(struct run *run, struct problems *problems, bool json, struct text *out, struct error *error) {
    struct found found = {.groups = -1};
    run->explaining = true;
    engine_compile(run, problems, error);
    if (failed(error)) return;
    struct session session = session_for(run, run->plan->step_count, run->arena);
    session.read_only = true;
    session.statement_timeout = 0;
    session_begin(run->desk, run->arena, &session, error);
    found.by_edge = arena_alloc(run->arena, (run->tree->edge_count + 1) * sizeof *found.by_edge);
    found.steps = arena_alloc(run->arena, (run->plan->step_count + 1) * sizeof *found.steps);
    if (run->tracking) count_tracked(run, &found, error);
    if (run->tracking) count_edges(run, &found, error);
    if (!failed(error)) explain_steps(run, &found, error);
    session_end(run->desk, run->arena, error);
    tell_unreadable(run, error);
    if (failed(error)) return;
    json_t *risks = all_risks(run, &found);
    arena_defer(run->arena, free_json, risks);
    if (json)
        add_json(run, &found, risks, out);
    else
        as_text(run, &found, risks, out);
    if (run->refusal_count) error_promote(error, &run->refusals[0]);
}
