/* Pieces of SQL over move tables: images of rows as they will be, and what the rules see of them. */
#include "base/text.h"
#include "database/lists.h"
#include "sql/work/move_text.sql.h"
#include "work/closure.h"
#include "work/family_text.h"
#include "work/move_job.h"

static const char *helper(const struct batch *batch, const char *kind, const struct node *node) {
    const struct run *run = batch->loop->run;
    return sql_qualified(batch->arena, run->state.schema,
                         arena_printf(batch->arena, "%s_%lld_%zu", kind, (long long)run->holder.run, node->index));
}

const char *move_table(const struct batch *batch, const struct node *node) { return helper(batch, "move", node); }

const char *move_pairs(const struct batch *batch, const struct node *node) { return helper(batch, "pairs", node); }

bool move_has_rules(const struct node *node) {
    for (size_t i = 0; i < node->unique_count; i++)
        if (node->uniques[i].involved) return true;
    return false;
}

bool move_has_pairs(const struct node *node) {
    for (size_t i = 0; i < node->unique_count; i++)
        if (node->uniques[i].involved && node->uniques[i].exclusion) return true;
    return false;
}

bool move_named(const struct node *node) { return node->identity_count && !node->nullable_identity; }

bool move_enters(const struct node *node) { return node->dropped && node->identity_count; }

const char *move_same_row(const struct batch *batch, const struct node *node) {
    if (move_named(node)) return node_is(batch->arena, "c", node, "m");
    return "c.tableoid = m.leaf AND c.ctid = m.place";
}

/* By key; without one, or where it may be NULL, by place. */
const char *move_order(const struct batch *batch, const struct node *node, bool inner) {
    struct text text = text_new(batch->arena);
    for (size_t i = 1; i <= node->identity_count; i++)
        text_addf(&text, "%s%spgwinnow_k%zu", i > 1 ? ", " : "",
                  inner ? arena_printf(batch->arena, "m.k%zu AS ", i) : "", i);
    if (!move_named(node))
        text_addf(&text, "%s%s", text.length ? ", " : "",
                  inner ? "m.leaf AS pgwinnow_leaf, m.place AS pgwinnow_place" : "pgwinnow_leaf, pgwinnow_place");
    return text.data;
}

/* Place of a column among those that moves change, counted from 1; 0: it is none of them. */
static size_t place_of(const struct node *node, const char *name) {
    for (size_t i = 0; i < node->moved_count; i++)
        if (text_equal(node->moved[i], name)) return i + 1;
    return 0;
}

/* "public.p with id = '1'" for each reference that changes. */
static void add_target(struct batch *batch, struct text *text, const struct edge *e) {
    struct text named = text_new(batch->arena), changed = text_new(batch->arena);
    for (size_t i = 0; i < e->count; i++) {
        const char *now = arena_printf(batch->arena, "c.%s", sql_identifier(batch->arena, e->columns[i]));
        size_t place = place_of(e->child, e->columns[i]);
        const char *then = place ? arena_printf(batch->arena, "m.m%zu", place) : now;
        family_add_named(&named, e->parent_columns[i], then);
        if (place)
            text_addf(&changed, "%s%s::pg_catalog.text IS DISTINCT FROM %s::pg_catalog.text",
                      changed.length ? " OR " : "", now, then);
    }
    if (!changed.length) return;
    const char *parent = sql_literal(batch->arena, arena_printf(batch->arena, "%s with ", e->parent->table->shown));
    text_addf(text, "%sCASE WHEN %s THEN pg_catalog.concat(%s, %s) END", text->length ? ", " : "", changed.data, parent,
              named.data);
}

const char *move_targets(struct batch *batch, const struct node *node) {
    const struct tree *tree = family_of(batch)->tree;
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < tree->edge_count; i++)
        if (tree->edges[i]->child == node) add_target(batch, &text, tree->edges[i]);
    return text.length ? text.data : "NULL";
}

/* --- images --- */

static const char *image_columns(struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < node->table->column_count; i++) {
        const struct column *c = &node->table->columns[i];
        const char *name = sql_identifier(batch->arena, c->name);
        size_t moved = place_of(node, c->name);
        if (c->generated) continue;
        text_add(&text, text.length ? ", " : "");
        text_add(&text, moved ? arena_printf(batch->arena, "m.m%zu AS %s", moved, name)
                              : arena_printf(batch->arena, "c.%s", name));
    }
    return text.data;
}

static const char *image_generated(struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < node->generated_count; i++)
        text_addf(&text, ", (%s) AS %s", node->generated[i].expression,
                  sql_identifier(batch->arena, node->generated[i].name));
    return text.data;
}

static const char *condition(struct batch *batch, const struct rule *rule) {
    const char *none = "true";
    return arena_printf(batch->arena, "(%s) AND (%s)", rule->partition ? rule->partition : none,
                        rule->where ? rule->where : none);
}

/* Whether the rule is about the row, and its parts; where it is not, they are not computed. */
static const char *rule_values(struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t r = 0; r < node->unique_count; r++) {
        const struct rule *rule = &node->uniques[r];
        if (!rule->involved) continue;
        text_addf(&text, "%s(%s) AS pgwinnow_a%zu", text.length ? ", " : "", condition(batch, rule), r);
        for (size_t p = 0; p < rule->part_count; p++)
            text_addf(&text, ", (CASE WHEN %s THEN %s END)%s AS pgwinnow_e%zu_%zu", condition(batch, rule),
                      rule->parts[p].expression, rule->parts[p].collate, r, p);
    }
    return text.data;
}

/* Values are compared as records: by the default operators of their types, whatever the search path holds, NULL being
 * NULL's equal. The casts take domains off: a move table has the types below.
 *
 * Whether what a unique rule sees of the row stays as it is: it holds its place then, and comes before who arrives. */
static const char *holds(struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t r = 0; r < node->unique_count; r++) {
        const struct rule *rule = &node->uniques[r];
        if (!rule->involved || rule->exclusion) continue;
        text_add(&text, ", (true");
        for (size_t i = 0; i < rule->column_count; i++) {
            size_t moved = place_of(node, rule->columns[i]);
            if (moved)
                text_addf(&text, " AND ROW(m.m%zu)::pg_catalog.record OPERATOR(pg_catalog.=) ROW(c.%s::%s)", moved,
                          sql_identifier(batch->arena, rule->columns[i]),
                          table_column(node->table, rule->columns[i])->type);
        }
        text_addf(&text, ") AS pgwinnow_h%zu", r);
    }
    return text.data;
}

const char *move_values(struct batch *batch, const struct node *node) {
    struct bindings b = {0};
    bind(&b, "holds", holds(batch, node));
    bind(&b, "has", move_groups(batch->arena, node, ", pgwinnow_h#"));
    bind(&b, "ranked", family_apart(&batch->range) ? "true" : "m.conflict = 1");
    bind(&b, "order", move_order(batch, node, false));
    bind(&b, "named_order", move_order(batch, node, true));
    bind(&b, "columns", image_columns(batch, node));
    bind(&b, "generated", image_generated(batch, node));
    bind(&b, "values", rule_values(batch, node));
    bind(&b, "move", move_table(batch, node));
    bind(&b, "child", node->table->from);
    bind(&b, "same_row", move_same_row(batch, node));
    bind(&b, "alias", sql_identifier(batch->arena, node->table->name));
    return sql_expand(batch->arena, &sql_move_values, b.items, &batch->error);
}

/* The rule is about the image: its condition holds, and no NULL keeps it apart from all others. */
static const char *live(struct batch *batch, const struct rule *rule, size_t number, const char *alias) {
    struct text text = text_new(batch->arena);
    text_addf(&text, "COALESCE(%s.pgwinnow_a%zu, false)", alias, number);
    for (size_t p = 0; !rule->nulls_equal && p < rule->part_count; p++)
        text_addf(&text, " AND %s.pgwinnow_e%zu_%zu IS NOT NULL", alias, number, p);
    return text.data;
}

/* --- mappings --- */

static const char *new_value(struct batch *batch, const struct node *parent, const char *name, bool carried) {
    const char *column = sql_identifier(batch->arena, name);
    size_t place = place_of(parent, name);
    if (!place) return arena_printf(batch->arena, "%s.%s", carried ? "p" : "s", column);
    if (carried) return arena_printf(batch->arena, "x.m%zu", place);
    return arena_printf(batch->arena, "CASE WHEN x.n IS NULL THEN s.%s ELSE x.m%zu END", column, place);
}

static const char *new_values(struct batch *batch, const struct edge *edge, bool carried, bool named) {
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < edge->count; i++) {
        text_addf(&text, "%s%s", i ? ", " : "", new_value(batch, edge->parent, edge->parent_columns[i], carried));
        if (named) text_addf(&text, " AS pgwinnow_v%zu", i + 1);
    }
    return text.data;
}

/* Of a heavy group, a piece is about its tracked rows; all else is about what collisions drop. */
static const char *which_go(struct batch *batch, const struct edge *edge) {
    if (edge->parent->index != 0 || !family_apart(&batch->range)) return "true";
    return move_state(batch)->piece ? "f.seq IS NOT NULL" : "f.seq IS NULL";
}

/* Whether a moved parent's referenced columns change. */
static const char *changes(struct batch *batch, const struct edge *edge) {
    struct text old = text_new(batch->arena), new = text_new(batch->arena);
    for (size_t i = 0; i < edge->count; i++) {
        const char *name = edge->parent_columns[i], *type = table_column(edge->parent->table, name)->type;
        const char *comma = i ? ", " : "";
        text_addf(&old, "%sp.%s::%s", comma, sql_identifier(batch->arena, name), type);
        text_addf(&new, "%s%s::%s", comma, new_value(batch, edge->parent, name, true), type);
    }
    return arena_printf(batch->arena, "ROW(%s)::pg_catalog.record OPERATOR(pg_catalog.<>) ROW(%s)", old.data, new.data);
}

static const char *mapping(struct batch *batch, const struct edge *edge, bool carried) {
    const struct node *parent = edge->parent;
    struct bindings b = {0};
    bind(&b, "refs", edge_refs(batch->arena, edge, "p"));
    bind(&b, "parent", parent->table->from);
    bind(&b, "leaves", edge_leaves(batch->arena, edge, "p"));
    bind(&b, "values", new_values(batch, edge, carried, true));
    if (carried) {
        bind(&b, "move", move_table(batch, parent));
        bind(&b, "changes", changes(batch, edge));
        bind(&b, "parent_is_moved",
             move_named(parent) ? node_is(batch->arena, "p", parent, "x") : "p.tableoid = x.leaf AND p.ctid = x.place");
        return sql_expand(batch->arena, &sql_mapping_of_carried, b.items, &batch->error);
    }
    struct bindings image = {0};
    bind(&b, "which", which_go(batch, edge));
    bind(&image, "move", move_table(batch, parent));
    bind(&b, "image",
         parent->moved_count ? sql_expand(batch->arena, &sql_mapping_image, image.items, &batch->error) : "");
    bind(&b, "family", family_table(family_of(batch)->run, batch->arena, parent));
    bind(&b, "parent_is_family", node_is(batch->arena, "p", parent, "f"));
    bind(&b, "stays_is_family",
         list_equal_numbered(batch->arena, "s", parent->identity, parent->identity_count, "f", "s"));
    return sql_expand(batch->arena, &sql_mapping_of_going, b.items, &batch->error);
}

static const char *mapping_to_null(struct batch *batch, const struct edge *edge) {
    struct bindings b = {0};
    bind(&b, "refs", edge_refs(batch->arena, edge, "p"));
    bind(&b, "family", family_table(family_of(batch)->run, batch->arena, edge->parent));
    bind(&b, "parent", edge->parent->table->from);
    bind(&b, "parent_is_family", node_is(batch->arena, "p", edge->parent, "f"));
    bind(&b, "leaves", edge_leaves(batch->arena, edge, "p"));
    bind(&b, "which", which_go(batch, edge));
    return sql_expand(batch->arena, &sql_mapping_to_null, b.items, &batch->error);
}

/* An edge may both set rows to NULL, whose parents go, and take rows along, whose parents change their keys. */
bool move_to_null(struct batch *batch, const struct edge *edge) {
    return edge->policy == POLICY_SET_NULL && (!edge->carried || move_state(batch)->to_null);
}

const char *move_mapping(struct batch *batch, const struct edge *edge) {
    bool going = family_of(batch)->settled[edge->index] && edge->parent->identity_count;
    if (move_to_null(batch, edge)) return mapping_to_null(batch, edge);
    if (going && edge->policy == POLICY_MOVE && edge->carried)
        return arena_printf(batch->arena, "%s UNION ALL %s", mapping(batch, edge, false), mapping(batch, edge, true));
    return mapping(batch, edge, edge->carried);
}

static bool sets_null(const struct edge *edge, const char *name) {
    for (size_t i = 0; i < edge->null_count; i++)
        if (text_equal(edge->null_columns[i], name)) return true;
    return false;
}

static size_t place_in_edge(const struct edge *edge, const char *name) {
    size_t i = 0;
    while (i < edge->count && !text_equal(edge->columns[i], name)) i++;
    return i;
}

/* Rows without a name are in no family: those of them that go do so by what they point at. */
const char *move_not_going(struct batch *batch, const struct node *node, const char *alias) {
    const struct family *f = family_of(batch);
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (e->child != node || !f->settled[i] || e->policy != POLICY_DELETE || !goes_by_parent(e)) continue;
        struct bindings b = {0};
        bind(&b, "parents", closure_parents(batch, e, "true"));
        bind(&b, "points", edge_points(batch->arena, e, "pgwinnow_p", alias));
        bind(&b, "unnamed", edge_unnamed(batch->arena, e, alias));
        text_add(&text, sql_expand(batch->arena, &sql_not_going, b.items, &batch->error));
    }
    return text.data;
}

/* What a row's columns will be by this edge; those of other edges as they stand, until such an edge says otherwise. */
void move_bind_edge(struct bindings *b, struct batch *batch, const struct edge *edge) {
    const struct node *child = edge->child;
    struct text values = text_new(batch->arena), changed = text_new(batch->arena), lost = text_new(batch->arena);
    bool null = move_to_null(batch, edge);
    struct text ours = text_new(batch->arena), theirs = text_new(batch->arena);
    for (size_t i = 1; i <= child->identity_count; i++)
        text_addf(&values, "%sc.%s", i > 1 ? ", " : "", sql_identifier(batch->arena, child->identity[i - 1].name));
    for (size_t i = 0; i < child->moved_count; i++) {
        const char *name = child->moved[i], *column = sql_identifier(batch->arena, name);
        size_t place = place_in_edge(edge, name);
        bool changes = null ? sets_null(edge, name) : place < edge->count;
        text_add(&values, values.length ? ", " : "");
        if (!changes) {
            text_addf(&values, "c.%s", column);
            continue;
        }
        text_add(&values, null ? arena_printf(batch->arena, "NULL::%s", table_column(child->table, name)->type)
                               : arena_printf(batch->arena, "p.pgwinnow_v%zu", place + 1));
        text_addf(&changed, "%sm%zu = EXCLUDED.m%zu", changed.length ? ", " : "", i + 1, i + 1);
        text_addf(&ours, "%sm.m%zu", ours.length ? ", " : "", i + 1);
        text_addf(&theirs, "%sEXCLUDED.m%zu", theirs.length ? ", " : "", i + 1);
        text_addf(&lost, "%sm.m%zu IS NULL", lost.length ? " OR " : "", i + 1);
    }
    bind(b, "differs",
         arena_printf(batch->arena, "ROW(%s)::pg_catalog.record OPERATOR(pg_catalog.<>) ROW(%s)", ours.data,
                      theirs.data));
    bind(b, "lost", null ? "false" : lost.data);
    bind(b, "values", values.data);
    bind(b, "changed", changed.data);
}

/* --- collisions --- */

static const char *part_conflicts(struct batch *batch, const struct rule *rule, size_t number, size_t part,
                                  const char *left) {
    const struct rule_part *p = &rule->parts[part];
    const char *theirs = arena_printf(batch->arena, "pgwinnow_i.pgwinnow_e%zu_%zu", number, part);
    const char *same = arena_printf(batch->arena, "(%s)%s %s %s", left, p->collate, p->conflicts, theirs);
    if (!rule->nulls_equal) return same;
    return arena_printf(batch->arena, "(%s OR (%s) IS NULL AND %s IS NULL)", same, left, theirs);
}

static const char *conflicts(struct batch *batch, const struct rule *rule, size_t number, const char *alias) {
    struct text text = text_new(batch->arena);
    for (size_t p = 0; p < rule->part_count; p++) {
        const char *left =
            alias ? arena_printf(batch->arena, "%s.pgwinnow_e%zu_%zu", alias, number, p) : rule->parts[p].expression;
        text_addf(&text, "%s%s", p ? " AND " : "", part_conflicts(batch, rule, number, p, left));
    }
    return text.data;
}

static const char *other_not_in_family(struct batch *batch, const struct node *node, const char *alias) {
    struct family *f = family_of(batch);
    const char *not_going = move_not_going(batch, node, alias);
    if (!node->identity_count || !(node->removed || node->dropped))
        return arena_printf(batch->arena, "true%s", not_going);
    return arena_printf(batch->arena,
                        "NOT EXISTS (SELECT FROM %s AS pgwinnow_f WHERE pgwinnow_f.batch = "
                        "pg_catalog.pg_current_xact_id() AND %s)%s",
                        family_table(f->run, batch->arena, node), node_is(batch->arena, alias, node, "pgwinnow_f"),
                        not_going);
}

static const char *other(struct batch *batch, const struct node *node, size_t number) {
    const struct rule *rule = &node->uniques[number];
    const char *alias = sql_identifier(batch->arena, node->table->name);
    const char *keys = node_keys(batch->arena, alias, node);
    struct bindings b = {0};
    bind(&b, "number", arena_printf(batch->arena, "%zu", number));
    bind(&b, "identity",
         node->identity_count
             ? arena_printf(batch->arena, ", %s",
                            list_as_numbered(batch->arena, alias, node->identity, node->identity_count, "pgwinnow_s"))
             : "");
    bind(&b, "from", rule->from);
    bind(&b, "alias", alias);
    bind(&b, "live", live(batch, rule, number, "pgwinnow_i"));
    bind(&b, "conflicts", conflicts(batch, rule, number, NULL));
    bind(&b, "where", rule->where ? rule->where : "true");
    bind(&b, "move", move_table(batch, node));
    bind(&b, "not_in_family", other_not_in_family(batch, node, alias));
    bind(&b, "order", rule->exclusion && *keys ? arena_printf(batch->arena, "ORDER BY %s", keys) : "");
    return sql_expand(batch->arena, &sql_other_row, b.items, &batch->error);
}

const char *move_others(struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t r = 0; r < node->unique_count; r++)
        if (node->uniques[r].involved)
            text_addf(&text, "%s%s", text.length ? "\nUNION ALL\n" : "", other(batch, node, r));
    return text.data;
}

const char *move_groups(struct arena *arena, const struct node *node, const char *each) {
    struct text text = text_new(arena);
    for (size_t r = 0; r < node->unique_count; r++) {
        if (!node->uniques[r].involved || node->uniques[r].exclusion) continue;
        for (const char *c = each; *c; c++)
            text_add(&text, *c == '#' ? arena_printf(arena, "%zu", r) : (char[]){*c, 0});
    }
    return text.data;
}

const char *move_ranks(struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t r = 0; r < node->unique_count; r++) {
        const struct rule *rule = &node->uniques[r];
        if (!rule->involved || rule->exclusion) continue;
        const char *is_live = live(batch, rule, r, "pgwinnow_i");
        text_addf(&text, ",\n CASE WHEN %s THEN pg_catalog.dense_rank() OVER (PARTITION BY (%s) ORDER BY ", is_live,
                  is_live);
        for (size_t p = 0; p < rule->part_count; p++)
            text_addf(&text, "%spgwinnow_e%zu_%zu USING %s", p ? ", " : "", r, p, rule->parts[p].less);
        text_addf(&text, ") END AS g%zu", r);
    }
    return text.data;
}

const char *move_winners(struct batch *batch, const struct node *node) {
    struct text text = text_new(batch->arena);
    for (size_t r = 0; r < node->unique_count; r++) {
        const struct rule *rule = &node->uniques[r];
        if (!rule->involved || rule->exclusion) continue;
        struct bindings b = {0};
        bind(&b, "group", arena_printf(batch->arena, "g%zu", r));
        bind(&b, "number", arena_printf(batch->arena, "%zu", r));
        text_addf(&text, "%s%s", text.length ? ", " : "COALESCE(",
                  sql_expand(batch->arena, &sql_sure_of_group, b.items, &batch->error));
    }
    for (size_t r = 0; move_has_pairs(node) && r < node->unique_count; r++) {
        if (!node->uniques[r].involved || !node->uniques[r].exclusion) continue;
        struct bindings b = {0};
        bind(&b, "pairs", move_pairs(batch, node));
        bind(&b, "move", move_table(batch, node));
        bind(&b, "number", arena_printf(batch->arena, "%zu", r));
        text_addf(&text, "%s%s", text.length ? ", " : "COALESCE(",
                  sql_expand(batch->arena, &sql_sure_of_pairs, b.items, &batch->error));
        break; /* pairs do not tell by which rule; the first stands for all */
    }
    text_add(&text, ")");
    return text.data;
}

const char *move_unpaired(struct batch *batch, const struct node *node) {
    if (!move_has_pairs(node)) return "true";
    struct bindings b = {0};
    bind(&b, "pairs", move_pairs(batch, node));
    bind(&b, "move", move_table(batch, node));
    return sql_expand(batch->arena, &sql_unpaired, b.items, &batch->error);
}

void move_bind_pair(struct bindings *b, struct batch *batch, const struct node *node, const struct rule *rule) {
    size_t number = (size_t)(rule - node->uniques);
    bind(b, "pairs", move_pairs(batch, node));
    bind(b, "values", move_values(batch, node));
    bind(b, "live",
         arena_printf(batch->arena, "%s AND %s", live(batch, rule, number, "pgwinnow_i"),
                      live(batch, rule, number, "pgwinnow_j")));
    bind(b, "conflicts", conflicts(batch, rule, number, "pgwinnow_j"));
}
