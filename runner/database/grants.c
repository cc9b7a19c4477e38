/*
 * Says which privileges the role lacks for what the policies do, as GRANTs that the owner can run.
 *
 * Through a partitioned table only its own privileges count; rows without a key are removed leaf by leaf, which needs
 * them on the leaves.
 */
#include "base/text.h"
#include "database/tree.h"
#include "sql/database/grants.sql.h"

/* Two arrays that go to the server in pairs. */
struct pairs {
    struct text first, second;
};

static struct pairs pairs_new(struct arena *arena) {
    struct pairs pairs = {text_new(arena), text_new(arena)};
    text_add(&pairs.first, "{");
    text_add(&pairs.second, "{");
    return pairs;
}

static void pairs_add(struct pairs *pairs, unsigned first, const char *second) {
    bool begun = pairs->first.length > 1;
    text_addf(&pairs->first, "%s%u", begun ? "," : "", first);
    text_addf(&pairs->second, "%s%s", begun ? "," : "", second);
}

static struct rows *query(struct slot *slot, struct arena *arena, const struct sql *sql, struct pairs *pairs,
                          struct error *error) {
    text_add(&pairs->first, "}");
    text_add(&pairs->second, "}");
    const char *values[] = {pairs->first.data, pairs->second.data};
    struct statement statement = {"reading privileges from the catalog", sql->text, values, 2};
    return failed(error) ? NULL : ask(slot, arena, &statement, error);
}

static bool loses_rows(const struct node *node) { return node->removed || node->dropped; }

static bool looked_at(const struct tree *tree, const struct node *node) {
    if (node->moved_count) return true;
    for (size_t i = 0; i < tree->edge_count; i++)
        if (tree->edges[i]->child == node && tree->edges[i]->reached) return true;
    return false;
}

static void add_leaves(struct slot *slot, struct arena *arena, const struct node *node, struct pairs *pairs,
                       struct error *error) {
    size_t count;
    struct leaf *leaves = catalog_leaves(slot, arena, node->table->oid, &count, error);
    for (size_t i = 0; i < count; i++) pairs_add(pairs, leaves[i].oid, "t");
}

static void add_tables(struct slot *slot, struct arena *arena, const struct tree *tree, struct pairs *pairs,
                       struct error *error) {
    for (size_t i = 0; i < tree->node_count; i++) {
        const struct node *node = tree->nodes[i];
        if (!loses_rows(node) && !looked_at(tree, node)) continue;
        pairs_add(pairs, node->table->oid, loses_rows(node) ? "t" : "f");
        if (node->removed && node->table->partitioned && !node->identity_count)
            add_leaves(slot, arena, node, pairs, error);
    }
}

static void say_tables(struct text *text, const struct rows *rows) {
    const char *schema = "";
    for (int i = 0; i < rows_count(rows); i++) {
        const char *role = rows_text(rows, i, 6);
        bool select = rows_flag(rows, i, 3), delete = rows_flag(rows, i, 4), update = rows_flag(rows, i, 5);
        if (rows_flag(rows, i, 2) && !text_equal(schema, rows_text(rows, i, 0)))
            text_addf(text, "GRANT USAGE ON SCHEMA %s TO %s;\n", rows_text(rows, i, 0), role);
        schema = rows_text(rows, i, 0);
        if (!select && !delete &&!update) continue;
        text_addf(text, "GRANT %s%s%s%s%s ON %s TO %s;\n", select ? "SELECT" : "",
                  select && (delete || update) ? ", " : "", delete ? "DELETE" : "", delete &&update ? ", " : "",
                  update ? "UPDATE" : "", rows_text(rows, i, 1), role);
    }
}

static void add_changed(struct arena *arena, struct pairs *pairs, const struct table *table, const char *const *names,
                        size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct column *column = table_column(table, names[i]);
        if (column) pairs_add(pairs, table->oid, arena_printf(arena, "%d", column->number));
    }
}

static void add_columns(const struct tree *tree, struct arena *arena, struct pairs *pairs) {
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *edge = tree->edges[i];
        if (edge->reached && edge->policy == POLICY_SET_NULL)
            add_changed(arena, pairs, edge->child->table, edge->null_columns, edge->null_count);
    }
    for (size_t i = 0; i < tree->node_count; i++) {
        const struct node *node = tree->nodes[i];
        add_changed(arena, pairs, node->table, node->moved, node->moved_count);
    }
}

const char *tree_grants(struct slot *slot, struct arena *arena, const struct tree *tree, struct error *error) {
    struct pairs tables = pairs_new(arena), columns = pairs_new(arena);
    struct text text = text_new(arena);
    add_tables(slot, arena, tree, &tables, error);
    struct rows *rows = query(slot, arena, &sql_missing_on_tables, &tables, error);
    if (rows) say_tables(&text, rows);
    add_columns(tree, arena, &columns);
    rows = query(slot, arena, &sql_missing_on_columns, &columns, error);
    for (int i = 0; rows && i < rows_count(rows); i++)
        text_addf(&text, "GRANT UPDATE (%s) ON %s TO %s;\n", rows_text(rows, i, 1), rows_text(rows, i, 0),
                  rows_text(rows, i, 2));
    return text.data;
}

const char *table_grants(struct slot *slot, struct arena *arena, unsigned table, struct error *error) {
    struct pairs tables = pairs_new(arena);
    struct text text = text_new(arena);
    pairs_add(&tables, table, "f");
    struct rows *rows = query(slot, arena, &sql_missing_on_tables, &tables, error);
    if (rows) say_tables(&text, rows);
    return text.data;
}

static const char *lines(struct slot *slot, struct arena *arena, const struct sql *sql, unsigned table,
                         struct error *error) {
    const char *values[] = {arena_printf(arena, "%u", table)};
    struct statement statement = {"reading privileges from the catalog", sql->text, values, 1};
    struct rows *rows = failed(error) ? NULL : ask(slot, arena, &statement, error);
    struct text text = text_new(arena);
    for (int i = 0; rows && i < rows_count(rows); i++) text_addf(&text, "%s\n", rows_text(rows, i, 0));
    return text.data;
}

const char *index_grants(struct slot *slot, struct arena *arena, unsigned table, struct error *error) {
    return lines(slot, arena, &sql_missing_to_index, table, error);
}

const char *vacuum_grants(struct slot *slot, struct arena *arena, unsigned table, struct error *error) {
    return lines(slot, arena, &sql_missing_to_vacuum, table, error);
}
