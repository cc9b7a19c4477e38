/* The statements that judge rows before they come back: one text a table, out of one judgement for each rule. */
#include "base/text.h"
#include "database/bindings.h"
#include "database/lists.h"
#include "engine/undo_job.h"
#include "sql/engine/undo_judge.sql.h"
#include "work/session.h"

/* One table looked at in one way. */
struct judge {
    const struct undo_job *job;
    const struct undo_table *t;
    struct arena *arena;
    enum undo_view view;
    struct error *error;
    struct text all;
};

static const char *expand(const struct judge *j, const struct sql *sql, const struct bindings *b) {
    return sql_expand(j->arena, sql, b->items, j->error);
}

static struct bindings bindings_of(const struct judge *j) {
    struct bindings b = undo_bindings(j->job, j->t);
    bind(&b, "these", undo_these(j->job, j->arena, j->t, "o", j->view, j->error));
    return b;
}

static const char *pending(const struct judge *j, const struct undo_table *t, const char *alias) {
    struct bindings b = {0};
    bind(&b, "plan", j->job->plan_table);
    bind(&b, "alias", alias);
    bind(&b, "batch", t->batch);
    return expand(j, &sql_pending, &b);
}

static void add(struct judge *j, const struct sql *sql, const struct bindings *b) {
    const char *text = expand(j, sql, b);
    if (text) text_addf(&j->all, "%s%s", j->all.length ? "\nUNION ALL\n" : "", text);
}

/* ", o."id" AS pgwinnow_k1" */
static const char *keys(const struct judge *j, const char *alias) {
    if (!j->t->key_count) return "";
    return arena_printf(j->arena, ", %s", list_as_numbered(j->arena, alias, j->t->keys, j->t->key_count, "pgwinnow_k"));
}

static const char *numbered(const struct judge *j, const char *alias, const char *prefix, bool present) {
    struct text text = text_new(j->arena);
    for (size_t i = 0; i < j->t->column_count; i++) {
        const struct column *c = j->t->columns[i];
        text_addf(&text, "%s%s.%s", i ? ", " : "", alias, sql_identifier(j->arena, c->name));
        if (present) text_addf(&text, "::%s", c->type);
        text_addf(&text, " AS %s%zu", prefix, i + 1);
    }
    return text.data;
}

/* --- images --- */

static const char *present(const struct judge *j) {
    struct bindings b = undo_bindings(j->job, j->t);
    bind(&b, "values", numbered(j, "c", "pgwinnow_w", true));
    bind(&b, "same_key", undo_same_key(j->arena, j->t, "c", "a"));
    if (j->view == VIEW_NOW) return expand(j, &sql_present_row, &b);
    bind(&b, "later_values", numbered(j, "l", "pgwinnow_w", false));
    bind(&b, "later_key", undo_same_key(j->arena, j->t, "l", "a"));
    bind(&b, "pending", pending(j, j->t, "l"));
    return expand(j, &sql_present_later, &b);
}

static const char *changed_columns(const struct judge *j) {
    if (!j->t->key_count) return numbered(j, "o", "pgwinnow_n", false);
    struct text text = text_new(j->arena);
    for (size_t i = 0; i < j->t->column_count; i++) {
        const char *name = sql_identifier(j->arena, j->t->columns[i]->name);
        text_add(&text, i ? ", " : "");
        if (j->t->changes[i])
            text_addf(&text, "CASE WHEN %s THEN o.%s ELSE w.pgwinnow_w%zu END", undo_unlike(j->arena, "o", "a", name),
                      name, i + 1);
        else
            text_addf(&text, "w.pgwinnow_w%zu", i + 1);
        text_addf(&text, " AS pgwinnow_n%zu", i + 1);
    }
    return text.data;
}

static const char *images(const struct judge *j, bool changed) {
    struct bindings b = bindings_of(j), c = bindings_of(j);
    bind(&b, "keys", keys(j, "o"));
    bind(&b, "columns", numbered(j, "o", "pgwinnow_n", false));
    const char *removed = expand(j, &sql_removed_images, &b);
    if (!changed || !j->t->any_changes) return removed;
    bind(&c, "keys", keys(j, "a"));
    bind(&c, "columns", changed_columns(j));
    bind(&c, "present", j->t->key_count ? present(j) : "SELECT");
    return arena_printf(j->arena, "%s\nUNION ALL\n%s", removed, expand(j, &sql_changed_images, &c));
}

const char *undo_images(const struct undo_job *job, struct arena *arena, const struct undo_table *t, bool changed,
                        enum undo_view view, struct error *error) {
    struct judge j = {.job = job, .t = t, .arena = arena, .view = view, .error = error};
    return images(&j, changed);
}

/* --- judgements --- */

/* A row that the undo itself will have moved away by then is in nobody's way. */
static const char *excused(const struct judge *j, const char *alias) {
    if (!j->t->any_changes) return "false";
    struct bindings b = undo_bindings(j->job, j->t);
    const char *by_image = arena_printf(j->arena, "%s = %s", undo_image(j->arena, j->t, "pgwinnow_l", false),
                                        undo_image(j->arena, j->t, alias, true));
    bind(&b, "same_statement", arena_printf(j->arena, "(%s)", expand(j, &sql_same_statement, &b)));
    bind(&b, "after_key", j->t->key_count ? undo_same_key(j->arena, j->t, "pgwinnow_l", alias) : by_image);
    if (j->view == VIEW_NOW) return expand(j, &sql_moves_away_now, &b);
    bind(&b, "pending", pending(j, j->t, "pgwinnow_l"));
    return expand(j, &sql_moves_away, &b);
}

static void judge_key(struct judge *j) {
    if (!j->t->key_count || j->job->request->on_conflict == UNDO_FORCE) return;
    struct bindings b = bindings_of(j);
    bind(&b, "shown", undo_shown(j->arena, j->t, NULL));
    bind(&b, "images", images(j, false));
    bind(&b, "is_there", list_equal_numbered(j->arena, "c", j->t->keys, j->t->key_count, "pgwinnow_n", "pgwinnow_k"));
    bind(&b, "excused", excused(j, "c"));
    add(j, &sql_judge_key, &b);
}

static void judge_changed(struct judge *j) {
    if (!j->t->any_changes || !j->t->key_count) return;
    const char *names;
    struct bindings b = bindings_of(j);
    bind(&b, "shown", undo_shown(j->arena, j->t, "a"));
    bind(&b, "present", present(j));
    bind(&b, "differs", undo_differs(j->arena, j->t, false, &names));
    bind(&b, "changed", names);
    add(j, &sql_judge_gone, &b);
    if (j->job->request->on_conflict != UNDO_FORCE) add(j, &sql_judge_changed, &b);
}

static void judge_keyless(struct judge *j) {
    if (!j->t->any_changes || j->t->key_count) return;
    struct bindings p = undo_bindings(j->job, j->t), b = undo_bindings(j->job, j->t);
    bind(&p, "image", undo_image(j->arena, j->t, "c", true));
    bind(&p, "later_image", undo_image(j->arena, j->t, "l", false));
    bind(&p, "pending", j->view == VIEW_LATER ? pending(j, j->t, "l") : "false");
    bind(&b, "these", undo_these(j->job, j->arena, j->t, "a", j->view, j->error));
    bind(&b, "image", undo_image(j->arena, j->t, "a", false));
    bind(&b, "shown", undo_shown(j->arena, j->t, "a"));
    bind(&b, "present", expand(j, j->view == VIEW_LATER ? &sql_keyless_rows_later : &sql_keyless_rows, &p));
    add(j, &sql_judge_gone_keyless, &b);
}

/* pgwinnow_n.pgwinnow_n1 AS "id", ...: an image under the table's own names, for expressions of the table. */
static const char *named(const struct judge *j) {
    struct text text = text_new(j->arena);
    for (size_t i = 0; i < j->t->column_count; i++)
        text_addf(&text, "%spgwinnow_n.pgwinnow_n%zu AS %s", i ? ", " : "", i + 1,
                  sql_identifier(j->arena, j->t->columns[i]->name));
    return text.data;
}

static const char *term(const struct judge *j, const struct undo_term *term) {
    return arena_printf(j->arena, "((%s)%s)", term->expression, term->collate ? term->collate : "");
}

/* What a collision by a rule is, as bindings of `scope` and `taken`. */
static void bind_rule(const struct judge *j, struct bindings *b, const struct undo_rule *rule) {
    const char *predicate = rule->predicate ? rule->predicate : "true";
    struct text scoped = text_new(j->arena), counts = text_new(j->arena), collides = text_new(j->arena);
    text_addf(&scoped, "(%s) IS TRUE AS applies", predicate);
    text_add(&counts, "pgwinnow_i.applies");
    text_addf(&collides, "(%s)", predicate);
    for (size_t i = 0; i < rule->count; i++) {
        const char *e = term(j, &rule->terms[i]), *op = rule->terms[i].operator;
        text_addf(&scoped, ", %s AS x%zu", e, i + 1);
        if (!rule->nulls_equal) text_addf(&counts, " AND pgwinnow_i.x%zu IS NOT NULL", i + 1);
        text_addf(&collides, " AND (%s %s pgwinnow_i.x%zu", e, op, i + 1);
        if (rule->nulls_equal) text_addf(&collides, " OR %s IS NULL AND pgwinnow_i.x%zu IS NULL", e, i + 1);
        text_add(&collides, ")");
    }
    const char *alias = sql_identifier(j->arena, j->t->table->name);
    bind(b, "alias", j->t->table->name);
    bind(b, "named", named(j));
    bind(b, "scoped", scoped.data);
    bind(b, "counts", counts.data);
    bind(b, "values", list_numbered(j->arena, "pgwinnow_i", "x", rule->count));
    bind(b, "collides", collides.data);
    bind(b, "itself",
         j->t->key_count ? list_equal_numbered(j->arena, alias, j->t->keys, j->t->key_count, "pgwinnow_n", "pgwinnow_k")
                         : "false");
    bind(b, "excused", excused(j, alias));
}

static void judge_unique(struct judge *j, const struct undo_rule *rule) {
    if (rule->goes) return;
    struct bindings b = bindings_of(j);
    bind_rule(j, &b, rule);
    bind(&b, "shown", undo_shown(j->arena, j->t, NULL));
    bind(&b, "images", images(j, undo_touches(j->t, rule->columns, rule->column_count)));
    bind(&b, "reason",
         arena_printf(j->arena,
                      rule->excludes ? "the exclusion constraint %s: another row is in the way"
                                     : "the unique index %s: another row has its values",
                      rule->name));
    bind(&b, "scope", expand(j, &sql_scope, &b));
    bind(&b, "taken", expand(j, &sql_taken, &b));
    add(j, &sql_judge_unique, &b);
}

static void judge_twice(struct judge *j, const struct undo_rule *rule) {
    if (rule->goes || rule->excludes) return;
    struct bindings b = bindings_of(j);
    bind_rule(j, &b, rule);
    bind(&b, "shown", undo_shown(j->arena, j->t, NULL));
    bind(&b, "images", images(j, false));
    bind(&b, "reason",
         arena_printf(j->arena, "the unique index %s: another row that comes back has its values", rule->name));
    bind(&b, "scope", expand(j, &sql_scope, &b));
    add(j, &sql_judge_twice, &b);
}

static void judge_rules(struct judge *j) {
    struct text broken = text_new(j->arena);
    for (size_t i = 0; i < j->t->column_count; i++) {
        const struct column *c = j->t->columns[i];
        if (!c->not_null || c->generated) continue;
        text_addf(&broken, " WHEN %s IS NULL THEN %s", undo_number(j->t, c->name, j->arena),
                  sql_literal(j->arena, arena_printf(j->arena, "column %s may not be NULL any more",
                                                     identifier_text(j->arena, c->name))));
    }
    for (size_t i = 0; i < j->t->check_count; i++)
        text_addf(&broken, " WHEN NOT (%s) THEN %s", j->t->checks[i].expression,
                  sql_literal(j->arena, j->t->checks[i].what));
    if (!broken.length) return;
    struct bindings b = bindings_of(j);
    bind(&b, "shown", undo_shown(j->arena, j->t, NULL));
    bind(&b, "images", images(j, true));
    bind(&b, "broken", broken.data);
    bind(&b, "named", named(j));
    bind(&b, "alias", j->t->table->name);
    add(j, &sql_judge_rules, &b);
}

/* p."id" OP pgwinnow_n.pgwinnow_n3 AND ...; given: none of the columns is NULL. */
const char *undo_points(struct arena *arena, const struct undo_table *t, const struct undo_reference *r,
                        const char **given) {
    struct text points = text_new(arena), values = text_new(arena);
    for (size_t i = 0; i < r->count; i++) {
        const char *value = undo_number(t, r->own[i], arena), *and = i ? " AND " : "";
        text_addf(&points, "%sp.%s %s %s", and, sql_identifier(arena, r->others[i]), r->equal[i], value);
        text_addf(&values, "%s%s IS NOT NULL", and, value);
    }
    *given = values.data;
    return points.data;
}

static const char *comes_back(const struct judge *j, const struct undo_reference *r) {
    const struct undo_table *parent = undo_table_of(j->job, r->other);
    if (!parent) return "false";
    struct text points = text_new(j->arena);
    for (size_t i = 0; i < r->count; i++)
        text_addf(&points, "%sx.%s %s %s", i ? " AND " : "", sql_identifier(j->arena, r->others[i]), r->equal[i],
                  undo_number(j->t, r->own[i], j->arena));
    struct bindings b = {0};
    bind(&b, "archive", parent->archive);
    bind(&b, "seq", parent->seq);
    bind(&b, "batch", parent->batch);
    bind(&b, "order", parent->order);
    bind(&b, "action", parent->action);
    bind(&b, "points", points.data);
    bind(&b, "left", j->job->left_table);
    bind(&b, "table", arena_printf(j->arena, "%u", parent->oid));
    if (j->view == VIEW_NOW) return expand(j, &sql_parent_comes, &b);
    bind(&b, "pending", pending(j, parent, "x"));
    return expand(j, &sql_parent_comes_some_day, &b);
}

static void judge_parent(struct judge *j, const struct undo_reference *r) {
    const char *given;
    struct bindings b = bindings_of(j);
    bind(&b, "points", undo_points(j->arena, j->t, r, &given));
    bind(&b, "given", given);
    bind(&b, "comes", comes_back(j, r));
    bind(&b, "parent", r->other_sql);
    bind(&b, "shown", undo_shown(j->arena, j->t, NULL));
    bind(&b, "images", images(j, undo_touches(j->t, r->own, r->count)));
    bind(&b, "reason", arena_printf(j->arena, "the row that its foreign key %s points at is gone", r->name));
    add(j, &sql_judge_parent, &b);
}

/* Of the statement that is taken back, or of any that will be. */
static const char *when(const struct judge *j, const struct undo_table *t, const char *alias) {
    if (j->view == VIEW_LATER) return pending(j, t, alias);
    struct bindings b = {0};
    bind(&b, "alias", alias);
    bind(&b, "batch", t->batch);
    bind(&b, "order", t->order);
    bind(&b, "stays_out", undo_stays_out(j->job, j->arena, t, alias, j->error));
    return expand(j, &sql_in_this_statement, &b);
}

static const char *child_goes_back(const struct judge *j, const struct undo_reference *r) {
    const struct undo_table *child = undo_table_of(j->job, r->other);
    if (!child || !child->any_changes) return "false";
    struct bindings b = undo_bindings(j->job, child);
    const char *by_image = arena_printf(j->arena, "%s = %s", undo_image(j->arena, child, "pgwinnow_l", false),
                                        undo_image(j->arena, child, "p", true));
    bind(&b, "after_key", child->key_count ? undo_same_key(j->arena, child, "pgwinnow_l", "p") : by_image);
    bind(&b, "when", when(j, child, "pgwinnow_l"));
    return expand(j, &sql_child_goes_back, &b);
}

/* What the application made point at a key since: the server would refuse, or set its reference to NULL. */
static void judge_referred(struct judge *j, const struct undo_reference *r) {
    if (!undo_touches(j->t, r->own, r->count) || (r->cascades && !j->job->request->triggers_off)) return;
    struct text points = text_new(j->arena), same = text_new(j->arena), differs = text_new(j->arena);
    for (size_t i = 0; i < r->count; i++) {
        const char *own = sql_identifier(j->arena, r->own[i]), *and = i ? " AND " : "";
        text_addf(&points, "%sa.%s %s p.%s", and, own, r->equal[i], sql_identifier(j->arena, r->others[i]));
        text_addf(&same, "%sx.%s::text = a.%s::text", and, own, own);
        text_addf(&differs, "%s%s", i ? " OR " : "", undo_unlike(j->arena, "o", "a", own));
    }
    struct bindings b = bindings_of(j);
    bind(&b, "shown", undo_shown(j->arena, j->t, "a"));
    bind(&b, "reason", arena_printf(j->arena, "rows that came since point at it by the foreign key %s", r->name));
    bind(&b, "differs", differs.data);
    bind(&b, "child", r->other_sql);
    bind(&b, "points", points.data);
    bind(&b, "goes_back", child_goes_back(j, r));
    bind(&b, "same_reference", same.data);
    bind(&b, "when", when(j, j->t, "x"));
    add(j, &sql_judge_referred, &b);
}

static void all_rules(struct judge *j) {
    judge_key(j);
    judge_changed(j);
    judge_keyless(j);
    for (size_t i = 0; i < j->t->rule_count; i++) {
        judge_unique(j, &j->t->rules[i]);
        judge_twice(j, &j->t->rules[i]);
    }
    judge_rules(j);
}

static void all_parents(struct judge *j) {
    for (size_t i = 0; i < j->t->outgoing_count; i++) judge_parent(j, &j->t->outgoing[i]);
    for (size_t i = 0; i < j->t->incoming_count; i++) judge_referred(j, &j->t->incoming[i]);
}

static const char *judged(struct judge *j) {
    if (!j->all.length) return NULL;
    struct bindings b = {0};
    bind(&b, "judgements", j->all.data);
    return expand(j, &sql_judged, &b);
}

static struct judge judge_new(const struct undo_job *job, struct arena *arena, const struct undo_table *t,
                              enum undo_view view, struct error *error) {
    return (struct judge){job, t, arena, view, error, text_new(arena)};
}

const char *undo_judged(const struct undo_job *job, struct arena *arena, const struct undo_table *t,
                        enum undo_view view, struct error *error) {
    struct judge j = judge_new(job, arena, t, view, error);
    all_rules(&j);
    return judged(&j);
}

const char *undo_judged_parents(const struct undo_job *job, struct arena *arena, const struct undo_table *t,
                                enum undo_view view, struct error *error) {
    struct judge j = judge_new(job, arena, t, view, error);
    all_parents(&j);
    return judged(&j);
}

const char *undo_foresee_text(const struct undo_job *job, struct arena *arena, const struct undo_table *t,
                              struct error *error) {
    struct judge j = judge_new(job, arena, t, VIEW_LATER, error);
    all_rules(&j);
    all_parents(&j);
    struct bindings b = {0};
    const char *rows = judged(&j);
    if (!rows) return NULL;
    bind(&b, "judged", rows);
    return expand(&j, &sql_foresee, &b);
}

/* --- an index as a whole --- */

bool undo_in_the_way(const struct undo_job *job, struct arena *arena, const struct undo_table *t,
                     const struct undo_rule *rule, struct error *error) {
    struct judge j = judge_new(job, arena, t, VIEW_NOW, error);
    struct bindings all = undo_bindings(job, t), b = undo_bindings(job, t);
    bind(&all, "these", "true");
    bind(&all, "keys", keys(&j, "o"));
    bind(&all, "columns", numbered(&j, "o", "pgwinnow_n", false));
    bind_rule(&j, &b, rule);
    bind(&b, "removed", expand(&j, &sql_removed_images, &all));
    bind(&b, "scope", expand(&j, &sql_scope, &b));
    bind(&b, "taken", expand(&j, &sql_taken, &b));
    const char *text = expand(&j, &sql_index_in_the_way, &b);
    struct rows *rows = ask(
        job->run->desk, arena,
        &(struct statement){arena_printf(arena, "looking whether %s is in the way", rule->name), text, NULL, 0}, error);
    return rows && rows_flag(rows, 0, 0);
}
