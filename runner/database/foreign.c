/*
 * Reads all foreign keys in two queries and prepares them for the tree: columns, chains of clones, and which of those
 * declared on partitions may not be taken for the whole table.
 */
#include "database/foreign.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "database/sql.h"
#include "sql/database/foreign.sql.h"

static int compare(unsigned a, unsigned b) { return a < b ? -1 : a > b; }

static int by_oid(const void *a, const void *b) {
    return compare(((const struct foreign_key *)a)->oid, ((const struct foreign_key *)b)->oid);
}

static int by_parent(const void *a, const void *b) {
    const struct foreign_key *x = *(struct foreign_key *const *)a, *y = *(struct foreign_key *const *)b;
    return x->parent != y->parent ? compare(x->parent, y->parent) : compare(x->oid, y->oid);
}

struct foreign_key *foreign_find(const struct foreign_keys *keys, unsigned oid) {
    struct foreign_key wanted = {.oid = oid};
    return bsearch(&wanted, keys->by_oid, keys->count, sizeof *keys->by_oid, by_oid);
}

struct foreign_key **foreign_to(const struct foreign_keys *keys, unsigned parent, size_t *count) {
    size_t low = 0, high = keys->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (keys->by_parent[middle]->parent < parent)
            low = middle + 1;
        else
            high = middle;
    }
    *count = 0;
    while (low + *count < keys->count && keys->by_parent[low + *count]->parent == parent) ++*count;
    return keys->by_parent + low;
}

/* --- reading --- */

static struct foreign_key key_of(const struct rows *rows, int row) {
    return (struct foreign_key){
        .oid = (unsigned)rows_int(rows, row, 0),
        .cloned_from = (unsigned)rows_int(rows, row, 1),
        .child = (unsigned)rows_int(rows, row, 2),
        .parent = (unsigned)rows_int(rows, row, 3),
        .name = rows_text(rows, row, 4),
        .on_delete = rows_text(rows, row, 5)[0],
        .match = rows_text(rows, row, 6)[0],
        .deferrable = rows_flag(rows, row, 7),
        .deferred = rows_flag(rows, row, 8),
        .validated = rows_flag(rows, row, 9),
        .temporal = rows_flag(rows, row, 10),
    };
}

static struct foreign_keys *read_keys(struct slot *slot, struct arena *arena, struct error *error) {
    const struct sql *sql = slot_server_version(slot) >= 180000 ? &sql_foreign_keys_18 : &sql_foreign_keys;
    struct statement statement = {"reading foreign keys from the catalog", sql->text, NULL, 0};
    struct rows *rows = failed(error) ? NULL : ask(slot, arena, &statement, error);
    if (!rows) return NULL;
    struct foreign_keys *keys = arena_alloc(arena, sizeof *keys);
    keys->count = (size_t)rows_count(rows);
    keys->by_oid = arena_alloc(arena, (keys->count + 1) * sizeof *keys->by_oid);
    keys->by_parent = arena_alloc(arena, (keys->count + 1) * sizeof *keys->by_parent);
    for (int i = 0; i < (int)keys->count; i++) {
        keys->by_oid[i] = key_of(rows, i);
        keys->by_parent[i] = &keys->by_oid[i];
    }
    qsort(keys->by_parent, keys->count, sizeof *keys->by_parent, by_parent);
    return keys;
}

/* Rows come in the order of keys, so the pairs of one stand together. */
static void read_pairs(struct slot *slot, struct arena *arena, struct foreign_keys *keys, struct error *error) {
    const struct sql *sql = slot_server_version(slot) >= 150000 ? &sql_foreign_columns : &sql_foreign_columns_14;
    struct statement statement = {"reading the columns of foreign keys from the catalog", sql->text, NULL, 0};
    struct rows *rows = failed(error) ? NULL : ask(slot, arena, &statement, error);
    if (!rows) return;
    struct foreign_pair *pairs = arena_alloc(arena, (size_t)(rows_count(rows) + 1) * sizeof *pairs);
    for (int i = 0; i < rows_count(rows); i++) {
        const char *collate = rows_text(rows, i, 4);
        pairs[i] = (struct foreign_pair){rows_text(rows, i, 1), rows_text(rows, i, 2), rows_text(rows, i, 3),
                                         collate ? collate : "", rows_flag(rows, i, 5)};
        struct foreign_key *key = foreign_find(keys, (unsigned)rows_int(rows, i, 0));
        if (key && !key->count++) key->pairs = &pairs[i];
    }
}

/* --- preparing --- */

static int by_child_column(const void *a, const void *b) {
    return strcmp(((const struct foreign_pair *)a)->child, ((const struct foreign_pair *)b)->child);
}

static void set_keys(struct arena *arena, struct foreign_key *key) {
    struct foreign_pair *sorted = arena_copy(arena, key->pairs, key->count * sizeof *sorted);
    qsort(sorted, key->count, sizeof *sorted, by_child_column);
    struct text columns = text_new(arena), pairs = text_new(arena);
    for (size_t i = 0; i < key->count; i++) {
        text_add(&columns, sql_identifier(arena, sorted[i].child));
        text_addf(&pairs, "%s=%s ", sql_identifier(arena, sorted[i].child), sql_identifier(arena, sorted[i].parent));
    }
    key->columns_key = columns.data;
    key->pairs_key = pairs.data;
}

/* The server clones no deeper than partitions nest; a chain that is broken was changed while we read. */
static void set_declared(struct foreign_keys *keys, struct foreign_key *key) {
    const struct foreign_key *at = key;
    while (at && at->cloned_from) at = foreign_find(keys, at->cloned_from);
    if (!at || !at->count) return;
    key->declared = at;
    key->pairs = at->pairs;
    key->count = at->count;
    key->columns_key = at->columns_key;
    key->pairs_key = at->pairs_key;
}

struct claim { /* of a declared key on the columns of a table */
    unsigned top;
    struct foreign_key *key;
};

static int by_claim(const void *a, const void *b) {
    const struct claim *x = a, *y = b;
    return x->top != y->top ? compare(x->top, y->top) : strcmp(x->key->columns_key, y->key->columns_key);
}

static bool same_target(const struct foreign_key *a, const struct foreign_key *b) {
    return a->parent == b->parent && text_equal(a->pairs_key, b->pairs_key);
}

/*
 * Partitions that each declare the same columns to reference something else (a table per kind, or partition by
 * partition) mean different rows by the same value. Taking one's foreign key for the whole table would remove rows that
 * belong to another's parent, so such keys stay with the partition that declares them.
 */
static void set_alone(struct arena *arena, struct foreign_keys *keys, const struct partitions *partitions) {
    struct claim *claims = arena_alloc(arena, (keys->count + 1) * sizeof *claims);
    size_t count = 0;
    for (size_t i = 0; i < keys->count; i++) {
        struct foreign_key *key = &keys->by_oid[i];
        if (key->declared == key) claims[count++] = (struct claim){partitions_top(partitions, key->child), key};
    }
    qsort(claims, count, sizeof *claims, by_claim);
    for (size_t from = 0, to; from < count; from = to) {
        bool differ = false;
        for (to = from; to < count && by_claim(&claims[from], &claims[to]) == 0; to++)
            differ = differ || !same_target(claims[from].key, claims[to].key);
        for (size_t i = from; i < to; i++) claims[i].key->alone = differ && claims[i].key->child != claims[i].top;
    }
}

struct foreign_keys *foreign_read(struct slot *slot, struct arena *arena, const struct partitions *partitions,
                                  struct error *error) {
    struct foreign_keys *keys = read_keys(slot, arena, error);
    if (keys) read_pairs(slot, arena, keys, error);
    if (failed(error)) return NULL;
    for (size_t i = 0; i < keys->count; i++)
        if (!keys->by_oid[i].cloned_from && keys->by_oid[i].count) set_keys(arena, &keys->by_oid[i]);
    for (size_t i = 0; i < keys->count; i++) set_declared(keys, &keys->by_oid[i]);
    set_alone(arena, keys, partitions);
    return keys;
}
