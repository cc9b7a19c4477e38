/*
 * An index as a plan wishes for it, read into its parts: what CREATE INDEX takes, what a SELECT can compute, and what
 * the catalog can be asked about. No connection is needed for that.
 */
#pragma once
#include "database/bindings.h"
#include "database/catalog.h"

/* One entry of `unique` or `columns`: expression [COLLATE x] [operator class] [ASC|DESC] [NULLS FIRST|LAST]. */
struct index_element {
    const char *text;            /* for CREATE INDEX: in parentheses where it needs them */
    const char *expression;      /* alone, to stand in a SELECT */
    const char *collate;         /* "COLLATE ..." as written, or "" */
    const char *column;          /* the name of a plain column, folded; NULL: an expression */
    struct name operator_class;  /* name NULL: the default one */
    const char *class_options;   /* "(siglen=32)", or "" */
    bool descending, nulls_first;
    struct place place;
};

struct index_wish {
    const struct table *table;
    const char *name;            /* raw; the index lives in the table's schema */
    bool unique, nulls_not_distinct;
    const char *method;          /* "btree" */
    struct index_element *elements;
    size_t count;
    const struct names *include; /* NULL: none */
    const char *where;           /* NULL: all rows */
    const char *definition;      /* what stands behind USING; of a partition: the server's text of the parent's */
    bool partition;              /* wished for by the parent's index: compared by text, and must be free */
    const char *not_this;        /* an index that does not count as the same one: it is to be replaced; NULL */
};

struct index_element index_element_read(struct arena *, const struct sql_text *);
void index_elements_read(struct arena *, struct index_wish *, const struct sql_texts *);

/* Fills wish->definition from the other parts. */
void index_wish_define(struct arena *, struct index_wish *, struct error *);

/* "lower(email) COLLATE ... AS k1, name AS k2": for a SELECT, the names made of prefix and number. */
const char *index_wish_expressions(struct arena *, const struct index_wish *, const char *prefix);
/* "lower(email), name": for people. */
const char *index_wish_shown(struct arena *, const struct index_wish *);

/* What the statements about this index share: unique, name, from, definition, index (qualified). */
struct bindings index_wish_bindings(struct arena *, const struct index_wish *);
