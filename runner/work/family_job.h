/* What the files of families share about one pass over the tracked rows. For work/family*.c, closure.c and heavy.c
 * only. */
#pragma once
#include "work/family.h"
#include "work/loop.h"
#include "work/tracking.h"

enum family_mode {
    MODE_NORMAL, /* fast where the tree allows it */
    MODE_THOROUGH,
    MODE_EXPAND,         /* list the descendants of a heavy tracked row */
    MODE_DRAIN,          /* its children that are set to NULL, or have no key */
    MODE_DRAIN_MOVES,    /* what points at a heavy group and has no key, moved in pieces */
    MODE_GIVE_UP,        /* mark the range contested */
    MODE_SKIP_HEAVY,     /* spare the row: children keep coming, or its group is too large to go whole */
    MODE_SKIP_PROTECTED, /* spare the row: a row below it must stay */
};

/* `part` of a checkpoint: the tracking table, the list of a node, a heavy row of either, a piece of a heavy group, the
 * moves of an edge. */
enum { PART_ROOT = 0, PART_LIST = 1, PART_HEAVY = 10000, PART_HEAVY_LIST = 10001, PART_GROUP = 20000,
       PART_MOVES = 30000 };

enum { FIRST_PASS = 1, MOST_CONTESTED_ROUNDS = 5, MOST_HEAVY_ROUNDS = 3 };

struct region {
    int64_t first, last; /* of seq */
    size_t by;           /* index of the edge by which it was listed, and 1; 0: not known */
};

struct list {
    bool there;             /* the node has one */
    struct region *regions; /* not yet cut; the last one goes first, from its end */
    size_t count, room, next; /* next: lists of moves go from the first region on */
};

struct family {
    struct run *run;
    size_t step;
    int round;
    const struct families *what;
    struct arena *arena;
    struct tree *tree;
    bool *settled;       /* by edge index: its rows are settled in this pass */
    bool moves;          /* some of them by pointing at other rows */
    bool *plain;         /* by node index: rows can go first and be looked after only when a foreign key objects */
    bool fast, probed;   /* the whole family in one statement; its size can be asked for */
    struct gap *regions; /* of the tracking table, not yet cut; first to last */
    size_t region, region_count;
    int64_t contested_after; /* seq of the last contested row taken in this round */
    int contested_round;
    /* Of the last pass and of heavy rows: above all that any session used, so that no old checkpoint is met. */
    int next_pass;
    double weight;      /* rows changed for one tracked row, smoothed */
    double unit_rows;   /* tracked rows of a group, on average; 1 where ranges count rows */
    int64_t looked;     /* the last group that a probe looked at */
    struct gap *groups; /* too large to go at once: what points at them is settled, their rows go in pieces */
    size_t group_count;
    struct gap group_rows; /* of such a group, by seq: not yet cut */
    bool heavy_next;    /* a heavy row is next, and another one is just being listed */
    struct list *lists;  /* by node index */
    struct list *movers; /* by edge index: rows of heavy groups that move */
    int *places;         /* by edge index: in the tree as it is shown; -1: not shown */
    size_t shown;
    struct leaves {
        struct leaf *items;
        size_t count;
    } * leaves; /* of the child, by index of the edges that may be drained */
};

enum stage { STAGE_TAKE, STAGE_CLOSE, STAGE_CHECK, STAGE_SETTLE, STAGE_CLASSIFY };

/* What one statement put into a list. */
struct listed {
    struct list *list;
    struct region region;
};

/* One leaf that is drained by one edge; more: not yet known to be empty. */
struct drain {
    const struct edge *edge;
    const char *leaf;
    bool more, asked;
};

/* The state of one try of a batch: batch->own. */
struct try {
    enum stage stage;
    int round;                /* of the closure, or of the listing */
    int64_t bound;            /* as it was at the start: others change the pace meanwhile, and LIMITs go by it */
    int64_t expected, taken;  /* tracked rows pending in the range; those that were locked or removed */
    int64_t closed, changing; /* rows in the closure; rows that set-null and keyless edges will change */
    int64_t *fresh, *fresher; /* by node: rows found in the last round, in this one */
    int64_t *found;           /* by edge: rows found by it first, and not yet settled */
    size_t *counted;          /* edges in the order of the statements, or counts, that settle by one */
    size_t counted_count, counted_heard;
    struct walk *walk;        /* of moves */
    size_t *asked;            /* edges or nodes in the order of their statements */
    size_t asked_count, heard;
    size_t *movers; /* edges in the order of their lists */
    size_t mover_count, mover_heard;
    struct drain *drains;
    size_t drain_count;
    int64_t left, share; /* rows the batch may still drain; one statement of this round */
    const char *group;   /* the key of the group that a merge failed for, when the range is that group alone */
    bool collected;      /* groups were made whole, and their merged values computed */
    struct merging *merging; /* merge's own */
    bool full;           /* a drain took all it might: there is more */
    bool is_protected;
    struct listed *listed;
    size_t listed_count;
    struct list **ends; /* in the order of their statements */
};

static inline struct family *family_of(const struct batch *batch) { return batch->loop->job; }

static inline bool is_heavy_part(const struct range *range) { return range->part != PART_ROOT; }

/* Tracked rows themselves, and not what was listed below them. */
static inline bool is_of_roots(const struct range *range) {
    return range->part == PART_ROOT || range->part == PART_GROUP;
}

/* The tracked rows are locked and stay for now: what points at them moves. */
static inline bool family_apart(const struct range *range) {
    return range->part >= PART_MOVES || range->mode == MODE_DRAIN_MOVES;
}

/* What a range of tracked rows counts. Where survivors get something, groups go whole: two batches never hold parts of
 * one. The pieces of a group that is too large are cut by row, when nothing is left to decide between them. */
static inline const char *family_unit(const struct run *run, const struct range *range) {
    return run->tracking->grouped && range->part != PART_GROUP ? "group_no" : "seq";
}

/* SQL over the tracking table: the rows of a batch, $1 to $2. */
static inline const char *family_range(const struct batch *batch) {
    return arena_printf(batch->arena, "%s BETWEEN $1::bigint AND $2::bigint",
                        family_unit(family_of(batch)->run, &batch->range));
}

static inline bool family_last_pass(const struct range *range) { return range->part == PART_ROOT && range->waits; }

/* Rows a batch may change now. A group on its own may be as large as a batch may ever be: whether it goes at once or in
 * pieces is a matter of the plan then, and not of the pace. */
static inline int64_t family_bound(const struct batch *batch) {
    const struct range *range = &batch->range;
    bool alone = family_of(batch)->run->tracking->grouped && range->part == PART_ROOT && range->first == range->last;
    return alone ? run_settings(batch->loop->run, batch->loop->step)->batch.max : pace_size(&batch->loop->pace);
}

/* Its rows are changed with the moves of their table: a row that one edge sets to NULL may be moved by another. */
static inline bool goes_with_moves(const struct edge *edge) {
    return edge->policy == POLICY_MOVE || (edge->policy == POLICY_SET_NULL && edge->child->moved_count);
}

/* A delete edge whose children have a name of their own; else they go by what they point at. */
static inline bool goes_by_key(const struct edge *edge) {
    return edge->policy == POLICY_DELETE && edge->child->identity_count > 0;
}

/* Some children are settled by what they point at: they are set to NULL, or nothing names them (no key, or NULL in it).
 * */
static inline bool goes_by_parent(const struct edge *edge) {
    return !goes_with_moves(edge) && (!goes_by_key(edge) || edge->child->nullable_identity);
}

/* What may be settled in pieces ahead of one heavy row. Of the plan's own rows, what goes with the moves of its table
 * has a list. */
static inline bool goes_in_drains(const struct edge *edge) {
    return goes_by_parent(edge) || (edge->policy == POLICY_SET_NULL && edge->parent->index != 0);
}

struct try *family_try(struct batch *); /* made at first use */

/* family_edges.c: children, counted by the edge that settled them. Rows found below others; rows settled by an edge, or
 * of a table (or circle of tables) whose rows were found by several. */
void family_found(struct batch *, const struct edge *, int64_t rows);
void family_settled(struct batch *, const struct edge *, int64_t rows);
void family_settled_node(struct batch *, const struct node *, int64_t rows);
const struct edge *family_listed_by(const struct batch *, const struct node *); /* of a piece of the node's list */

/* family_fast.c; it answers with the rows that went, and those that were settled by each edge */
void family_fast(struct batch *);
bool family_fast_answer(struct batch *, const struct sql *, const struct rows *);

/* closure.c: stages from the lock to the deletes */
void closure_lock_roots(struct batch *);
void closure_start(
    struct batch *); /* rows were taken into a family table: CLOSE, CHECK, SETTLE follow by closure_more */
bool closure_more(struct batch *);
bool closure_answer(struct batch *, const struct sql *, const struct rows *);
void closure_explain(struct batch *);

/* heavy.c: lists, pieces and drains */
void heavy_fill(struct batch *); /* MODE_EXPAND, MODE_DRAIN */
bool heavy_more(struct batch *);
void heavy_piece(struct batch *, bool thorough);
bool heavy_answer(struct batch *, const struct sql *, const struct rows *);
void heavy_committed(struct batch *);
bool heavy_cut_group(struct batch *); /* a piece of a group whose rows are known */
bool heavy_listing(
    const struct loop *);       /* one row at a time, so that what a statement lists has seqs without others' between */
bool heavy_cut(struct batch *); /* a piece of a list; false: all lists are cut */
void heavy_begin(struct family *, struct range *); /* a single row is too large: what to do first */
void heavy_load(struct family *, struct error *);  /* what an earlier session left in the lists */

const char *heavy_group_roots(struct batch *, const struct edge *); /* tracked rows of the group $1, what e refers to */

/* heavy_moves.c: lists of what moves */
extern const struct sql *const heavy_list_moves; /* answers: rows, first, last */
bool heavy_moves_make(struct family *, struct error *); /* the lists; false: there are none */
bool heavy_moves_any(const struct family *, bool (*which)(const struct family *, const struct edge *));
bool heavy_moves_by(const struct family *, const struct edge *);
bool heavy_moves_listed(const struct family *, const struct edge *);
bool heavy_moves_drained(const struct family *, const struct edge *); /* some of its rows have no key */
void heavy_moves_list(struct batch *);
bool heavy_moves_cut(struct batch *);
bool heavy_moves_next(const struct loop *, const struct range *); /* of the pieces that wait, is it the first? */
const struct edge *heavy_moves_edge(const struct batch *); /* of a piece, else NULL */
const char *heavy_moves_table(const struct family *, struct arena *, const struct edge *);
const char *heavy_moves_roots(struct batch *);

/* family_tables.c */
void family_tables_make(struct family *, struct error *);
