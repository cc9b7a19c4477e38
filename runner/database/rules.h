/*
 * What keeps two rows of a table apart: its primary key, unique indexes, unique and exclusion constraints, and those
 * that only some partitions have. A moved row that would break one collides with another row.
 *
 * Texts are the server's own, over the table's columns without a qualification.
 */
#pragma once
#include "database/reading.h"

struct rule_part {
    const char *expression;
    const char *conflicts; /* "OPERATOR(pg_catalog.=)": of the operator class; of an exclusion constraint, its own */
    const char *less;      /* of the operator class: sorting by it puts equal ones together; NULL for exclusion */
    const char *collate;   /* " COLLATE ...", or "" */
};

struct rule {
    const char *name;      /* of the constraint, else of the index */
    const char *from;      /* where its rows are: "ONLY schema.table", or the partitioned table */
    const char *where;     /* the index's predicate; NULL: all rows */
    const char *partition; /* what rows of that partition are like; NULL: the rule is the whole table's */
    bool exclusion, nulls_equal;
    struct rule_part *parts;
    size_t part_count;
    const char **columns; /* all that it reads, through generated columns too */
    size_t column_count;
    bool involved; /* it reads a column that moves change: policies.c */
};

struct generated {
    const char *name, *expression;
};

void reading_rules(struct reading *); /* nodes: rules, generated */
