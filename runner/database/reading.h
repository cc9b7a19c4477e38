/* What the files share that read a tree together: tree.c finds tables and edges, the others fill them in. */
#pragma once
#include "database/foreign.h"
#include "database/tree.h"

struct found_edge {
    const struct foreign_key *key; /* what was declared; of several partitions', the first by name */
    size_t child, parent;          /* in the order found */
    unsigned referenced;           /* the parent, or the one partition of it that is referenced */
    bool whole;                    /* declared on the child itself, not only on partitions of it */
    char on_delete;                /* of several, what does the most */
    bool deferrable, deferred, validated;
    struct edge *edge;
};

struct reading {
    struct slot *slot;
    struct arena *arena, *scratch; /* of the tree; of what is only needed while reading */
    struct error *error;
    struct partitions *partitions;
    struct foreign_keys *keys;
    struct table *root;
    unsigned *oids; /* of the tables, in the order found: by depth */
    int *depths;
    size_t oid_count, depth_count;
    struct found_edge *found;
    size_t found_count;
    struct tree *tree;
};

void reading_events(struct reading *);   /* nodes: triggers, rules (events.c) */
void reading_indexes(struct reading *);  /* edges: indexed (indexes.c) */
const char *reading_fingerprint(struct reading *); /* fingerprint.c */
