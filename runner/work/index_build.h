/*
 * One index on one table that has rows of its own, built concurrently: safe to repeat after any kill.
 *
 * A valid index of this name and definition is accepted, and one of another name with the same definition too. An
 * invalid one of this name is what a build left that failed: it is dropped and built anew, unless somebody is
 * building it now; then that is waited for. A valid one of this name with another definition is refused: it is
 * somebody's.
 */
#pragma once
#include "work/direct.h"
#include "work/explanation.h"
#include "work/index_wish.h"

enum index_outcome {
    INDEX_NONE,       /* an error is set */
    INDEX_STANDS,     /* it was there */
    INDEX_BUILT,
    INDEX_DUPLICATES, /* a unique one could not be built; nothing of it is left */
};

struct index_result {
    enum index_outcome outcome;
    const char *name;   /* of the index that stands */
    const char *detail; /* INDEX_DUPLICATES: what the server said of the first key */
};

/* What the catalog holds under the wish's name. */
struct index_found {
    unsigned oid; /* 0: nothing */
    char kind;    /* pg_class.relkind */
    bool on_table, valid;
    const char *shown;   /* "an index of public.posts", for errors */
    const char *builder; /* who is building it now; NULL: nobody */
};

struct index_found index_find(struct direct *, const struct index_wish *, struct error *);

/* Fails when what was found is another thing than the wish, or not the same definition. */
bool index_is_wish(struct direct *, const struct index_wish *, const struct index_found *, struct error *);

struct index_result index_build(struct direct *, const struct index_wish *, struct error *);

/* DROP INDEX CONCURRENTLY, nothing to do when it is not there. */
void index_drop(struct direct *, const char *schema, const char *name, struct error *);

/* The statements of both, for explain. */
void index_build_explain(const struct index_wish *, struct explanation *, struct error *);
void index_drop_explain(const char *schema, const char *name, struct explanation *, struct error *);
