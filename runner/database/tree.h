/*
 * The foreign-key tree below a table: every row that can point, directly or through removed rows, at a row that goes.
 *
 * Nodes are tables (node 0 is the plan's), edges are logical foreign keys. A partitioned child or parent gives ONE edge
 * though the catalog holds a row per partition; a foreign key that only some partitions of a child declare gives an
 * edge from the whole partitioned table, so that the rows in the other partitions are not orphaned (but from the
 * partition itself where partitions use the same columns for different parents: there the same value means different
 * rows); one that references a single partition of the parent keeps that partition in `parent_leaves`.
 */
#pragma once
#include "database/catalog.h"
#include "plan/option.h"
#include "plan/problem.h"

enum policy { POLICY_NONE, POLICY_DELETE, POLICY_SET_NULL, POLICY_STOP, POLICY_MOVE };
enum conflict { CONFLICT_DELETE, CONFLICT_KEEP_FIRST, CONFLICT_STOP }; /* what a colliding moved row does */
enum missing_index { MISSING_STOP, MISSING_CREATE, MISSING_IGNORE };

struct rule; /* database/rules.h */
struct generated;

struct node {
    size_t index; /* in tree.nodes */
    struct table *table;
    bool removed;          /* rows of it can go: node 0, and every child of a delete edge that is reached */
    int depth;             /* least number of edges from the root */
    size_t component;      /* strongly connected by delete edges; a parent's number is smaller than its children's */
    size_t sweep;          /* the same by all edges between rows that go: what is removed in one statement */
    bool cyclic;           /* its component has more than one node, or it references itself by a delete edge */
    const char **triggers; /* user triggers that a removal or change fires, "name" */
    size_t trigger_count;
    bool before_triggers;    /* one of them is a BEFORE row trigger for DELETE or UPDATE */
    bool rules;              /* rewrite rules ON DELETE or ON UPDATE */
    struct column *identity; /* what names a row below the root: key, else a unique key that a foreign key references */
    size_t identity_count;   /* 0: rows have no name, they go by the parent's columns */
    bool nullable_identity;  /* identity columns may be NULL (rows with NULL have no children) */
    bool dropped;            /* moved rows of it can collide and go in favour of a row that stays */
    const char **moved;      /* columns that moves change, or take along: of its move edges, of carried ones */
    size_t moved_count;      /* 0: no row of it is moved */
    size_t turn;             /* strongly connected by all that goes, moves or is carried; parents first */
    bool turns;              /* its turn leads back to itself */
    struct rule *uniques;    /* unique and exclusion rules, of partitions alone too */
    size_t unique_count;
    struct generated *generated; /* columns the server computes */
    size_t generated_count;
};

struct edge {
    size_t index;           /* in tree.edges */
    const char *constraint; /* name */
    struct node *child, *parent;
    const char **columns, **parent_columns; /* names, in pairs */
    size_t count;
    const char **equal;   /* per pair: parent-side OP child-side, "OPERATOR(pg_catalog.=)" */
    const char **collate; /* per pair: " COLLATE ..." for the child's side when collations differ, else "" */
    char on_delete;       /* a no action, r restrict, c cascade, n set null, d set default */
    bool deferrable, deferred, validated;
    const char **null_columns; /* the columns that set-null sets; 0 of them: it cannot (why_not_null tells) */
    size_t null_count;
    const char *why_not_null;
    const unsigned *parent_leaves; /* oids; NULL: all of the parent */
    size_t parent_leaf_count;
    bool indexed;              /* every leaf of the child has a usable index that begins with these, in any order */
    const char *index_columns; /* quoted list, for CREATE INDEX when it is missing */
    int depth;
    bool cycle;   /* both ends in the same component; a self reference only when it deletes */
    bool reached; /* through removed rows: needs a policy */
    enum policy policy;
    enum conflict on_conflict;
    bool follows;       /* reached through rows that conflicts drop only, and without a policy of its own: it moves */
    bool carried;       /* refers to columns that moves change: rows that point at a moved row go along */
    struct place place; /* of its policy in the plan */
    const char *key;    /* "posts.listing_id": as `children` names it (qualified when needed) */
};

struct tree {
    struct node **nodes;
    size_t node_count;
    struct edge **edges; /* by depth, then child, constraint */
    size_t edge_count;
    const char *fingerprint; /* 12 hex digits over all edges and what they do, not over policies or partitions */
};

/* Reads the whole tree. The catalog queries are few, whatever the number of tables. */
struct tree *tree_read(struct slot *, struct arena *, struct table *root, struct error *);

/* What a key of `children` holds: { move: { on_conflict: ... } }, or a plain word. */
struct policy_options {
    int policy, on_conflict; /* policy + 1 is the enum */
};
extern const struct option policy_options[];

/* Puts `children` (of policy_options) on the edges: fills policy, reached, removed, dropped, moved, component, cyclic.
 * Adds problems for policies of edges that are not there, policies that cannot work (set-null on NOT NULL columns, move
 * where rows go that nothing stays for). Returns the number of edges that are
 * reached and have no policy; tree_lines() gives the lines to paste for those and all that would be reached then. */
size_t tree_policies(struct tree *, struct arena *, const struct entries *children, struct problems *);
const char *tree_lines(struct arena *, const struct tree *, const char *plan_schema, const char *indent);

/* Whether a key of the plan means this edge: table and the set of columns. */
bool tree_names_edge(const struct tree *, const struct edge_name *, const struct edge *);

/* What an operator must know when the tree changed under a run: edges that are gone, edges that are new, a line each.
 * */
const char *tree_difference(struct arena *, const struct tree *before, const struct tree *after);

const char *policy_text(enum policy);              /* "delete" */
const char *edge_policy_text(const struct edge *); /* "move, on conflict delete (follows)" */
const char *on_delete_text(char);                  /* "NO ACTION" */
extern const char *const policy_choices[];         /* "delete", "set-null", "stop", "move": choice + 1 is the policy */

/* What the role lacks: one GRANT a line, "" when nothing. For the plan's removals and changes, node tables and edges by
 * their policies; to read a table; to build an index on a table and all its partitions; to VACUUM them. */
const char *tree_grants(struct slot *, struct arena *, const struct tree *, struct error *);
const char *table_grants(struct slot *, struct arena *, unsigned table, struct error *);
const char *index_grants(struct slot *, struct arena *, unsigned table, struct error *);
const char *vacuum_grants(struct slot *, struct arena *, unsigned table, struct error *);
