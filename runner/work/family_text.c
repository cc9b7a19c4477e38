/* Names and conditions of nodes and edges as SQL. */
#include "work/family_text.h"

#include "base/text.h"
#include "database/lists.h"
#include "database/sql.h"

static const char *helper(const struct run *run, struct arena *arena, const char *kind, const struct node *node) {
    return sql_qualified(arena, run->state.schema,
                         arena_printf(arena, "%s_%lld_%zu", kind, (long long)run->holder.run, node->index));
}

const char *family_table(const struct run *run, struct arena *arena, const struct node *node) {
    return helper(run, arena, "family", node);
}

const char *family_list(const struct run *run, struct arena *arena, const struct node *node) {
    return helper(run, arena, "list", node);
}

const char *family_order(const struct run *run, struct arena *arena) {
    return sql_qualified(arena, run->state.schema, arena_printf(arena, "order_%lld", (long long)run->holder.run));
}

void family_add_named(struct text *text, const char *name, const char *value) {
    text_addf(text, "%s%s, pg_catalog.quote_nullable((%s\n)::pg_catalog.text)", text->length ? ", ', ', " : "",
              sql_literal(text->arena, arena_printf(text->arena, "%s = ", name)), value);
}

const char *node_definitions(struct arena *arena, const struct node *node) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < node->identity_count; i++) {
        const struct column *c = &node->identity[i];
        text_addf(&text, "%s\"k%zu\" %s NOT NULL", i ? ", " : "", i + 1, c->type);
        if (c->collation) text_addf(&text, " COLLATE %s", c->collation);
    }
    return text.data;
}

const char *node_numbered(struct arena *arena, const char *alias, const struct node *node) {
    return list_numbered(arena, alias, "k", node->identity_count);
}

const char *node_keys(struct arena *arena, const char *alias, const struct node *node) {
    return list_columns(arena, alias, node->identity, node->identity_count);
}

const char *node_is(struct arena *arena, const char *alias, const struct node *node, const char *other) {
    return list_equal_numbered(arena, alias, node->identity, node->identity_count, other, "k");
}

const char *node_named(struct arena *arena, const char *alias, const struct node *node) {
    if (!node->nullable_identity) return "true";
    struct text text = text_new(arena);
    for (size_t i = 0; i < node->identity_count; i++)
        text_addf(&text, "%s%s.%s IS NOT NULL", i ? " AND " : "", alias, sql_identifier(arena, node->identity[i].name));
    return text.data;
}

const char *edge_unnamed(struct arena *arena, const struct edge *edge, const char *alias) {
    if (edge->policy != POLICY_DELETE || !edge->child->identity_count) return "true";
    return arena_printf(arena, "NOT (%s)", node_named(arena, alias, edge->child));
}

const char *edge_points(struct arena *arena, const struct edge *edge, const char *parent, const char *child) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < edge->count; i++)
        text_addf(&text, "%s%s.%s %s %s.%s%s", i ? " AND " : "", parent, sql_identifier(arena, edge->parent_columns[i]),
                  edge->equal[i], child, sql_identifier(arena, edge->columns[i]), edge->collate[i]);
    return text.data;
}

const char *edge_refs(struct arena *arena, const struct edge *edge, const char *alias) {
    return list_names(arena, alias, edge->parent_columns, edge->count);
}

const char *edge_nulls(struct arena *arena, const struct edge *edge) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < edge->null_count; i++)
        text_addf(&text, "%s%s = NULL", i ? ", " : "", sql_identifier(arena, edge->null_columns[i]));
    return text.data;
}

const char *edge_leaves(struct arena *arena, const struct edge *edge, const char *alias) {
    if (!edge->parent_leaves) return "";
    return arena_printf(arena, "AND %s.tableoid OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.oid[])", alias,
                        list_oids(arena, edge->parent_leaves, edge->parent_leaf_count));
}
