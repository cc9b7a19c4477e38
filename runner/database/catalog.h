/*
 * Tables as the catalog has them: columns, the key that names a row, the operators of its types.
 *
 * Everything is read with pg_catalog-qualified names and operators (extensions such as intarray add operators that make
 * plain ones ambiguous). Names are raw; `sql` and `from` are quoted, ready for statements.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "plan/option.h"
#include "wire/slot.h"

struct column {
    const char *name;
    int number;              /* attnum */
    const char *type;        /* SQL of the type; of the base type for a domain (a tracking column may be NULL) */
    unsigned type_oid;       /* of the base type */
    const char *collation;   /* quoted, qualified; NULL when the type has none */
    const char *equal, *less;/* "OPERATOR(pg_catalog.=)" of the type's default btree class; NULL: it has none */
    bool not_null, generated, identity_always;
};

struct key {
    struct column *columns; /* in the order of the index */
    size_t count;           /* 0: the table has no key */
    const char *index;      /* its name */
    bool primary;
};

struct table {
    unsigned oid;
    const char *schema, *name;
    const char *sql;        /* "schema"."name" */
    const char *from;       /* the same, behind ONLY unless it is partitioned: inheritance children are other tables */
    const char *shown;      /* schema.name as people write it */
    bool partitioned, is_partition;
    int64_t rows;           /* the planner's estimate, all partitions; 0 when never analysed */
    int64_t bytes;          /* heap + toast, all partitions */
    struct column *columns; /* all, without dropped ones */
    size_t column_count;
    struct key key;         /* primary key, else the shortest valid, immediate, whole unique key without NULLs */
    const char *owner;
    bool owned;             /* we are (a member of) the owner */
    bool row_security;      /* enabled, and it would apply to us */
};

/* Resolves by the session's search_path when the name has no schema. Refuses views, foreign tables and the like
 * (FAULT_USAGE, with the place). */
struct table *catalog_table(struct slot *, struct arena *, const struct name *, struct error *);
struct table *catalog_table_by_oid(struct slot *, struct arena *, unsigned oid, struct error *);
/* Many at the price of one, in the order of the (different) oids. */
struct table **catalog_tables(struct slot *, struct arena *, const unsigned *oids, size_t count, struct error *);
const struct column *table_column(const struct table *, const char *name); /* NULL: no such column */

/* The leaves that hold rows: of a partitioned table all leaf partitions, else the table itself. In oid order. */
struct leaf { unsigned oid; const char *sql, *shown; };
struct leaf *catalog_leaves(struct slot *, struct arena *, unsigned oid, size_t *count, struct error *);

/* Whether an extended or plain expression list over a table is valid: gives type, operators and collation of each
 * (Describe, nothing runs). The error names the failing one with its place; what the server refuses is FAULT_USAGE. */
struct column *catalog_expressions(struct slot *, struct arena *, const struct table *, const struct sql_text *,
                                   size_t count, struct error *);
