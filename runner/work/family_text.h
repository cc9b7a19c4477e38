/* Pieces of SQL that the statements over families share: names, columns and conditions of nodes and edges, all quoted.
 * */
#pragma once
#include "base/text.h"
#include "database/tree.h"
#include "work/run.h"

const char *family_table(const struct run *, struct arena *, const struct node *); /* "pgwinnow"."family_7_2" */
const char *family_list(const struct run *, struct arena *, const struct node *);  /* "pgwinnow"."list_7_2" */
const char *family_order(const struct run *, struct arena *);                      /* the lists' common sequence */

const char *node_definitions(struct arena *, const struct node *);                 /* "k1" int, "k2" text COLLATE ... */
const char *node_numbered(struct arena *, const char *alias, const struct node *); /* f."k1", f."k2" */
const char *node_keys(struct arena *, const char *alias, const struct node *);     /* c."id" */
const char *node_is(struct arena *, const char *alias, const struct node *, const char *other); /* c."id" OP f."k1" */
const char *node_named(struct arena *, const char *alias, const struct node *); /* identity not NULL, or true */
const char *edge_unnamed(struct arena *, const struct edge *,
                         const char *alias); /* a delete edge's rows that nothing names */

/* Adds what `concat` shows to people as "id = '4', name = 'a'": a name and its value, any expression. */
void family_add_named(struct text *, const char *name, const char *value);

const char *edge_points(struct arena *, const struct edge *, const char *parent,
                        const char *child);                                    /* p."id" OP c."fk" */
const char *edge_refs(struct arena *, const struct edge *, const char *alias); /* p."id": the columns referred to */
const char *edge_nulls(struct arena *, const struct edge *);                   /* "fk" = NULL */
const char *edge_leaves(struct arena *, const struct edge *,
                        const char *alias); /* AND p.tableoid = ...: some partitions only */
