/* Reads the partitions of the database once and answers from two sorted arrays. */
#include "database/partitions.h"

#include <stdlib.h>

#include "sql/database/partitions.sql.h"

struct partition {
    unsigned oid, parent;
    bool leaf;
};

struct partitions {
    struct partition *by_oid, *by_parent;
    size_t count;
};

static int compare(unsigned a, unsigned b) { return a < b ? -1 : a > b; }

static int by_oid(const void *a, const void *b) {
    return compare(((const struct partition *)a)->oid, ((const struct partition *)b)->oid);
}

static int by_parent(const void *a, const void *b) {
    const struct partition *x = a, *y = b;
    return x->parent != y->parent ? compare(x->parent, y->parent) : compare(x->oid, y->oid);
}

struct partitions *partitions_read(struct slot *slot, struct arena *arena, struct error *error) {
    struct statement statement = {"reading partitions from the catalog", sql_partitions.text, NULL, 0};
    struct rows *rows = failed(error) ? NULL : ask(slot, arena, &statement, error);
    if (!rows) return NULL;
    struct partitions *p = arena_alloc(arena, sizeof *p);
    p->count = (size_t)rows_count(rows);
    p->by_oid = arena_alloc(arena, (p->count + 1) * sizeof *p->by_oid);
    for (int i = 0; i < (int)p->count; i++)
        p->by_oid[i] =
            (struct partition){(unsigned)rows_int(rows, i, 0), (unsigned)rows_int(rows, i, 1), rows_flag(rows, i, 2)};
    p->by_parent = arena_copy(arena, p->by_oid, (p->count + 1) * sizeof *p->by_oid);
    qsort(p->by_oid, p->count, sizeof *p->by_oid, by_oid);
    qsort(p->by_parent, p->count, sizeof *p->by_parent, by_parent);
    return p;
}

static const struct partition *find(const struct partitions *p, unsigned oid) {
    struct partition wanted = {.oid = oid};
    return bsearch(&wanted, p->by_oid, p->count, sizeof *p->by_oid, by_oid);
}

unsigned partitions_parent(const struct partitions *p, unsigned oid) {
    const struct partition *found = find(p, oid);
    return found ? found->parent : 0;
}

unsigned partitions_top(const struct partitions *p, unsigned oid) {
    for (unsigned parent; (parent = partitions_parent(p, oid)); oid = parent) continue;
    return oid;
}

bool partitions_below(const struct partitions *p, unsigned oid, unsigned top) {
    while (oid && oid != top) oid = partitions_parent(p, oid);
    return oid == top;
}

/* The first of a parent's partitions in by_parent, or where it would stand. */
static size_t first_of(const struct partitions *p, unsigned parent) {
    size_t low = 0, high = p->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (p->by_parent[middle].parent < parent)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The list is its own queue: what a member has below it is appended behind it. */
unsigned *partitions_members(const struct partitions *p, struct arena *arena, unsigned top, size_t *count) {
    unsigned *members = NULL;
    *count = 0;
    members = arena_grow(arena, members, count, sizeof *members);
    members[0] = top;
    for (size_t next = 0; next < *count; next++)
        for (size_t i = first_of(p, members[next]); i < p->count && p->by_parent[i].parent == members[next]; i++) {
            members = arena_grow(arena, members, count, sizeof *members);
            members[*count - 1] = p->by_parent[i].oid;
        }
    return members;
}

unsigned *partitions_leaves(const struct partitions *p, struct arena *arena, unsigned top, bool partitioned,
                            size_t *count) {
    size_t all, kept = 0;
    unsigned *members = partitions_members(p, arena, top, &all);
    for (size_t i = 0; i < all; i++) {
        const struct partition *member = i ? find(p, members[i]) : NULL;
        if (i ? member->leaf : !partitioned) members[kept++] = members[i];
    }
    *count = kept;
    return members;
}
