/* What the files of an undo share. For engine/undo*.c only. */
#pragma once
#include "database/catalog.h"
#include "engine/undo.h"
#include "state/runs.h"
#include "work/run.h"

struct undo_rule { /* a unique index or an exclusion constraint */
    const char *name;
    bool excludes, nulls_equal;
    const char *predicate; /* NULL: all rows */
    struct undo_term {
        const char *expression, *operator, * collate; /* collate NULL: none */
    } * terms;
    size_t count;
    const char **columns; /* all that it depends on */
    size_t column_count;
    bool goes; /* the run made it and it stands in the way: dropped before the first row comes back */
    bool dead; /* half dropped: only its name is known */
};

struct undo_reference { /* a foreign key, seen from the table that has it, or from the one it points at */
    const char *name;
    unsigned other;
    const char *other_sql;
    const char **own, **others, **equal; /* in pairs; equal: parent OP child */
    size_t count;
    bool cascades; /* ON UPDATE CASCADE: the server changes what points at a key along with it */
};

struct undo_check {
    const char *what, *expression; /* what to say of a row for which it is false */
};

struct undo_table {
    unsigned oid;
    const char *archive_name, *archive;       /* raw; quoted with the schema */
    const char *seq, *batch, *order, *action; /* raw names of the archive's own columns */
    struct table *table;
    struct column *keys; /* what named a row when it was archived; as the table has them now */
    size_t key_count;
    const struct column **columns; /* those that were kept */
    size_t column_count;
    bool *changes; /* by index in columns: the run changed it somewhere */
    bool any_changes;
    struct undo_rule *rules;
    size_t rule_count;
    struct undo_reference *outgoing, *incoming;
    size_t outgoing_count, incoming_count;
    struct undo_check *checks;
    size_t check_count;
};

struct undo_job {
    struct run *run;
    struct arena *arena;
    const struct overview *overview;
    const struct undo_request *request;
    struct undo_outcome *outcome;
    size_t step;                         /* the undo's, behind the plan's */
    const char *definition;              /* of the plan, as it ran */
    const char *plan_name, *left_name;   /* raw */
    const char *plan_table, *left_table; /* quoted with the schema */
    struct undo_table *tables;
    size_t table_count;
    int64_t turns, done; /* batches in all; the last that is taken back */
    int64_t rows;
    bool begun;   /* rows may have come back: the run is recorded as being undone */
    bool keyless; /* rows without a key were changed: looked for by all they hold */
};

/* How a look at the tables is meant. */
enum undo_view {
    VIEW_NOW,   /* inside a batch: $1 batch, $2 statement */
    VIEW_LATER, /* before anything is changed: $1 batch, $2 the last turn that is done */
};

/* undo_tables.c: what the run archived, and whether it can come back at all. */
void undo_tables_read(struct undo_job *, struct error *);
void undo_tables_changes(struct undo_job *, struct error *); /* fills changes */
const struct undo_table *undo_table_of(const struct undo_job *, unsigned oid);
/* Whether the run changed one of them. */
bool undo_touches(const struct undo_table *, const char *const *columns, size_t count);

/* undo_text.c: lists for statements, all quoted there. */
struct bindings undo_bindings(const struct undo_job *, const struct undo_table *);
const char *undo_these(const struct undo_job *, struct arena *, const struct undo_table *, const char *alias,
                       enum undo_view, struct error *);
const char *undo_stays_out(const struct undo_job *, struct arena *, const struct undo_table *, const char *alias,
                           struct error *);
const char *undo_same_key(struct arena *, const struct undo_table *, const char *alias, const char *other);
/* All columns as one text; the row's key for people (alias NULL: of an image). */
const char *undo_image(struct arena *, const struct undo_table *, const char *alias, bool present);
const char *undo_shown(struct arena *, const struct undo_table *, const char *alias);
const char *undo_differs(struct arena *, const struct undo_table *, bool present, const char **changed);
const char *undo_unlike(struct arena *, const char *alias, const char *other, const char *column); /* quoted column */
const char *undo_number(const struct undo_table *, const char *column, struct arena *); /* pgwinnow_n.pgwinnow_n3 */

/* undo_judge.c: SQL that gives the rows of a table that cannot come back, with the reasons; NULL: nothing can be in the
 * way. */
const char *undo_judged(const struct undo_job *, struct arena *, const struct undo_table *, enum undo_view,
                        struct error *);
const char *undo_judged_parents(const struct undo_job *, struct arena *, const struct undo_table *, enum undo_view,
                                struct error *);
const char *undo_foresee_text(const struct undo_job *, struct arena *, const struct undo_table *, struct error *);
const char *undo_images(const struct undo_job *, struct arena *, const struct undo_table *, bool changed,
                        enum undo_view, struct error *);
const char *undo_points(struct arena *, const struct undo_table *, const struct undo_reference *, const char **given);
bool undo_in_the_way(const struct undo_job *, struct arena *, const struct undo_table *, const struct undo_rule *,
                     struct error *);

/* undo_index.c: unique indexes that the run made. */
void undo_indexes_find(struct undo_job *, struct error *); /* marks those in the way; refuses unless they may go */
void undo_indexes_drop(struct undo_job *, struct error *);

/* undo_batch.c */
void undo_batches(struct undo_job *, struct error *);
