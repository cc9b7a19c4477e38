/* Types with the operators of their default btree class, for columns and expressions alike. Part of the catalog. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "wire/slot.h"

struct type_name {
    unsigned oid;
    int modifier; /* -1: none */
};

struct type {
    unsigned oid;             /* of the base type */
    const char *sql;
    const char *equal, *less; /* NULL: no default btree class */
    bool not_null;            /* a domain that refuses NULL */
    bool collatable, pseudo;
};

/* One query; the answers stand in the order of the names. */
struct type *types_read(struct slot *, struct arena *, const struct type_name *, size_t count, struct error *);
