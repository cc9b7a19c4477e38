/* Finds what else happens when rows of the tree go or change: user triggers and rewrite rules. */
#include <stdlib.h>

#include "base/text.h"
#include "database/lists.h"
#include "database/reading.h"
#include "sql/database/events.sql.h"

struct member {
    unsigned oid;
    struct node *node;
};

static int by_oid(const void *a, const void *b) {
    const struct member *x = a, *y = b;
    if (x->oid != y->oid) return x->oid < y->oid ? -1 : 1;
    return x->node->index < y->node->index ? -1 : x->node->index > y->node->index;
}

/* All tables of the tree with their partitions; a partition may belong to two nodes. */
static struct member *members_of(struct reading *r, size_t *count) {
    struct member *members = NULL;
    for (size_t i = 0; i < r->tree->node_count; i++) {
        size_t below;
        unsigned *oids = partitions_members(r->partitions, r->scratch, r->tree->nodes[i]->table->oid, &below);
        for (size_t m = 0; m < below; m++) {
            members = arena_grow(r->scratch, members, count, sizeof *members);
            members[*count - 1] = (struct member){oids[m], r->tree->nodes[i]};
        }
    }
    qsort(members, *count, sizeof *members, by_oid);
    return members;
}

/* Partitions have clones of the trigger, of the same name. */
static void add_trigger(struct reading *r, struct node *node, const char *name, bool before) {
    node->before_triggers |= before;
    for (size_t i = 0; i < node->trigger_count; i++)
        if (text_equal(node->triggers[i], name)) return;
    node->triggers = arena_grow(r->arena, node->triggers, &node->trigger_count, sizeof *node->triggers);
    node->triggers[node->trigger_count - 1] = arena_strdup(r->arena, name);
}

static size_t first_of(const struct member *members, size_t count, unsigned oid) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (members[middle].oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void reading_events(struct reading *r) {
    if (failed(r->error)) return;
    size_t count = 0;
    struct member *members = members_of(r, &count);
    unsigned *oids = arena_alloc(r->scratch, count * sizeof *oids);
    for (size_t i = 0; i < count; i++) oids[i] = members[i].oid;
    const char *value = list_oids(r->scratch, oids, count);
    struct statement statement = {"reading triggers and rules from the catalog", sql_read_events.text, &value, 1};
    struct rows *rows = ask(r->slot, r->scratch, &statement, r->error);
    for (int i = 0; rows && i < rows_count(rows); i++) {
        unsigned oid = (unsigned)rows_int(rows, i, 0);
        const char *trigger = rows_text(rows, i, 1);
        for (size_t m = first_of(members, count, oid); m < count && members[m].oid == oid; m++) {
            if (trigger)
                add_trigger(r, members[m].node, trigger, rows_flag(rows, i, 2));
            else
                members[m].node->rules = true;
        }
    }
}
