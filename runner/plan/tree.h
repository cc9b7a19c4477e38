/*
 * A YAML file as a tree of nodes with their places: what libyaml reads, less what bites.
 *
 * Duplicate keys, anchors and aliases, tags and more than one document are problems, as is nesting beyond any plan's
 * need. Values are texts: what a scalar means is said by the option that takes it. Places are of the file as it stands
 * (a NULL-free text that source.c let pass); a node also knows where its bytes lie, to find places inside a scalar.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "plan/problem.h"
#include "plan/source.h"

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

enum scalar_style { SCALAR_PLAIN, SCALAR_SINGLE, SCALAR_DOUBLE, SCALAR_LITERAL, SCALAR_FOLDED };

struct node {
    enum node_kind kind;
    struct place place;
    bool broken;      /* a problem was told already: say no more about it */
    const char *text; /* SCALAR */
    enum scalar_style style;
    size_t start, end;   /* SCALAR: its bytes in the tree's source, quotes included */
    bool flow;           /* inside [] or {} */
    int indent;          /* column of the list or map it stands in; 0: none */
    struct node **items; /* LIST; MAP: the values */
    struct node **keys;  /* MAP: all scalars */
    size_t count;
};

struct tree {
    const char *file;
    struct source_text source;
    const struct node *root; /* NULL when there is nothing to go on with */
    bool cut;                /* reading stopped early: what is missing may only be out of sight */
};

struct tree tree_parse(struct arena *, const char *file, struct source_text, struct problems *);

/* The value of a key, or NULL. */
const struct node *node_get(const struct node *map, const char *key);

/* `key:` with nothing behind it. */
bool node_empty(const struct node *);

/* The place of a byte of node->text; the node's own where escapes make that unclear. */
struct place tree_place(const struct tree *, const struct node *, size_t offset);

/* A YAML comment right behind a plain scalar, where SQL would go on with an operator like #>: true and its place. */
bool tree_comment_behind(const struct tree *, const struct node *, struct place *);

/* More than one line of the file became one line of text, so a "--" comment would swallow the rest. */
bool tree_lines_joined(const struct tree *, const struct node *);
