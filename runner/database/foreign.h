/*
 * The foreign keys of the database as the catalog holds them: raw material of the tree, by oids.
 *
 * A declared one has the pairs of its columns; a clone, which the server keeps for each partition, has those of the one
 * it was cloned from.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "database/partitions.h"

struct foreign_pair {
    const char *child, *parent;
    const char *equal, *collate;
    bool set; /* ON DELETE SET NULL or SET DEFAULT sets it */
};

struct foreign_key {
    unsigned oid, cloned_from; /* 0: declared */
    unsigned child, parent;    /* tables */
    const char *name;
    char on_delete, match;
    bool deferrable, deferred, validated, temporal;
    struct foreign_pair *pairs;
    size_t count;
    const struct foreign_key *declared; /* the end of the clones' chain: itself, when it is no clone */
    const char *columns_key;            /* the child's columns in the order of their names */
    const char *pairs_key;              /* the pairs in that order */
    bool alone;  /* declared on a partition, while another partition's same columns reference another table */
    size_t mark; /* the tree's */
};

struct foreign_keys {
    struct foreign_key *by_oid;
    struct foreign_key **by_parent; /* by the referenced table, then oid */
    size_t count;
};

struct foreign_keys *foreign_read(struct slot *, struct arena *, const struct partitions *, struct error *);

/* Those that reference a table: the first of `count` in by_parent. */
struct foreign_key **foreign_to(const struct foreign_keys *, unsigned parent, size_t *count);
struct foreign_key *foreign_find(const struct foreign_keys *, unsigned oid);
