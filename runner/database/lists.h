/*
 * Lists for statements, made in this one file from column names and operators: everything in them is quoted here.
 *
 * A list takes names of an alias's columns: list_columns(a, "c", ...) gives  c."id", c."b". Aliases go in as they
 * stand: one that needs quotes comes quoted.
 */
#pragma once
#include "database/catalog.h"

struct arena;

/* alias."a", alias."b" (alias NULL: bare names) */
const char *list_columns(struct arena *, const char *alias, const struct column *, size_t count);
/* "a" int, "b" text COLLATE ...: column definitions (of base types, without NOT NULL) with a prefix to the names */
const char *list_definitions(struct arena *, const char *prefix, const struct column *, size_t count);
/* alias."prefix1", alias."prefix2": positional names k1, k2 */
const char *list_numbered(struct arena *, const char *alias, const char *prefix, size_t count);
/* a."id" AS k1, a."b" AS k2 */
const char *list_as_numbered(struct arena *, const char *alias, const struct column *, size_t count,
                             const char *prefix);
/* x."id" OP y.k1 AND ...: equality of columns with numbered ones */
const char *list_equal_numbered(struct arena *, const char *alias, const struct column *, size_t count,
                                const char *other, const char *prefix);
/* x."id" OP y."id" AND ...: both sides by name */
const char *list_equal(struct arena *, const char *alias, const char *other, const struct column *, size_t count);
/* comma-joined quoted identifiers */
const char *list_names(struct arena *, const char *alias, const char *const *names, size_t count);
/* "{16384,16390}": the text of a bound value for $1::oid[] */
const char *list_oids(struct arena *, const unsigned *oids, size_t count);
/* {"a","b \"c"}: names as the text of a bound value for $1::text[] */
const char *list_texts(struct arena *, const char *const *names, size_t count);
const char *list_column_texts(struct arena *, const struct column *, size_t count);
