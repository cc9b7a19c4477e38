/* Reads the rules of all tables of a tree in two queries. */
#include "database/rules.h"

#include <jansson.h>

#include "base/text.h"
#include "database/lists.h"
#include "sql/database/rules.sql.h"

static const char *copied(struct reading *r, const char *text) { return text ? arena_strdup(r->arena, text) : NULL; }

static struct node *node_of(struct reading *r, unsigned oid) {
    for (size_t i = 0; i < r->tree->node_count; i++)
        if (r->tree->nodes[i]->table->oid == oid) return r->tree->nodes[i];
    return NULL;
}

static void take_columns(struct reading *r, struct rule *rule, const char *names) {
    json_t *list = names ? json_loads(names, 0, NULL) : NULL, *name;
    size_t i;
    rule->columns = arena_alloc(r->arena, (json_array_size(list) + 1) * sizeof *rule->columns);
    json_array_foreach(list, i, name) rule->columns[rule->column_count++] =
        arena_strdup(r->arena, json_string_value(name));
    json_decref(list);
}

static void add_rule(struct reading *r, struct node *node, const struct rows *rows, int row) {
    node->uniques = arena_grow(r->arena, node->uniques, &node->unique_count, sizeof *node->uniques);
    struct rule *rule = &node->uniques[node->unique_count - 1];
    *rule = (struct rule){
        .name = copied(r, rows_text(rows, row, 2)),
        .from = rows_flag(rows, row, 3) ? node->table->from : copied(r, rows_text(rows, row, 4)),
        .exclusion = rows_flag(rows, row, 5),
        .nulls_equal = rows_flag(rows, row, 6),
        .where = copied(r, rows_text(rows, row, 7)),
        .partition = copied(r, rows_text(rows, row, 8)),
    };
    take_columns(r, rule, rows_text(rows, row, 13));
}

static void add_part(struct reading *r, struct rule *rule, const struct rows *rows, int row) {
    rule->parts = arena_grow(r->arena, rule->parts, &rule->part_count, sizeof *rule->parts);
    rule->parts[rule->part_count - 1] = (struct rule_part){
        .expression = copied(r, rows_text(rows, row, 9)),
        .conflicts = copied(r, rows_text(rows, row, 10)),
        .less = copied(r, rows_text(rows, row, 11)),
        .collate = copied(r, rows_text(rows, row, 12)),
    };
}

static void read_generated(struct reading *r, const char *oids) {
    struct statement statement = {"reading generated columns from the catalog", sql_read_generated.text, &oids, 1};
    struct rows *rows = failed(r->error) ? NULL : ask(r->slot, r->scratch, &statement, r->error);
    for (int i = 0; rows && i < rows_count(rows); i++) {
        struct node *node = node_of(r, (unsigned)rows_int(rows, i, 0));
        node->generated = arena_grow(r->arena, node->generated, &node->generated_count, sizeof *node->generated);
        node->generated[node->generated_count - 1] =
            (struct generated){copied(r, rows_text(rows, i, 1)), copied(r, rows_text(rows, i, 2))};
    }
}

void reading_rules(struct reading *r) {
    if (failed(r->error) || !r->tree->edge_count) return;
    unsigned *oids = arena_alloc(r->scratch, r->tree->node_count * sizeof *oids), index = 0;
    for (size_t i = 0; i < r->tree->node_count; i++) oids[i] = r->tree->nodes[i]->table->oid;
    const char *value = list_oids(r->scratch, oids, r->tree->node_count);
    struct statement statement = {"reading unique and exclusion rules from the catalog", sql_read_rules.text, &value,
                                  1};
    struct rows *rows = ask(r->slot, r->scratch, &statement, r->error);
    for (int i = 0; rows && i < rows_count(rows); i++) {
        struct node *node = node_of(r, (unsigned)rows_int(rows, i, 0));
        bool first = index != (unsigned)rows_int(rows, i, 1) || rows_text(rows, i, 13);
        index = (unsigned)rows_int(rows, i, 1);
        if (first) add_rule(r, node, rows, i);
        add_part(r, &node->uniques[node->unique_count - 1], rows, i);
    }
    read_generated(r, value);
}
