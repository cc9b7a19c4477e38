/* What the files of moves share: texts over move tables, and the state of a walk. For work/move*.c only. */
#pragma once
#include "database/bindings.h"
#include "database/rules.h"
#include "work/move.h"

/* Where the walk stands within a turn. */
enum walk_step { WALK_CLOSE, WALK_INNER, WALK_COLLECT, WALK_DECIDE };

struct walk {
    size_t turn;
    enum walk_step step;
    int pass;         /* of resolving, in the batch */
    bool piece;       /* the statement at hand brings a piece of a heavy group */
    bool to_null;     /* the statement at hand sets to NULL, by an edge that also takes rows along */
    bool grew;        /* this pass collected rows, or changed what becomes of some */
    bool again;       /* a later pass of the same turn: its own edges only */
    int64_t *going;   /* by node: rows in its family table */
    int64_t *moving;  /* rows in its move table, dropped ones too */
    int64_t *open;    /* of those, not yet decided */
    int64_t *marked;  /* of those, found to stay by the last look */
    bool *forced;     /* none was, and none fell: the first one stays */
    int64_t *entered; /* dropped and entered in this pass */
    struct asked {
        size_t node;
        const struct edge *edge; /* by which it collects; NULL: it does not */
    } * asked;                   /* in the order of the statements */
    size_t asked_count, heard;
};

const char *move_table(const struct batch *, const struct node *);
const char *move_pairs(const struct batch *, const struct node *);
struct walk *move_state(struct batch *); /* made at first use */

bool move_has_pairs(const struct node *); /* an exclusion rule is involved */
bool move_has_rules(const struct node *);
bool move_named(const struct node *);  /* its rows have a key that is never NULL */
bool move_enters(const struct node *); /* its dropped rows can have children: they go into its family table */

const char *move_same_row(const struct batch *, const struct node *); /* c is m's row */
const char *move_order(const struct batch *, const struct node *, bool inner);
const char *move_values(struct batch *, const struct node *); /* the SELECT of new images, as the rules see them */
bool move_to_null(struct batch *, const struct edge *);
const char *move_mapping(struct batch *, const struct edge *); /* the SELECT of old and new values of an edge */
const char *move_not_going(struct batch *, const struct node *, const char *alias); /* " AND ...", or "" */
void move_bind_edge(struct bindings *, struct batch *, const struct edge *); /* values, changed: of collect_moves */
const char *move_others(struct batch *, const struct node *);
const char *move_targets(struct batch *,
                         const struct node *); /* for people: what a moved row m, now c, will point at */
const char *move_groups(struct arena *, const struct node *, const char *each); /* for each unique rule; # its number */
const char *move_ranks(struct batch *, const struct node *);
const char *move_winners(struct batch *, const struct node *);
const char *move_unpaired(struct batch *, const struct node *);
void move_bind_pair(struct bindings *, struct batch *, const struct node *, const struct rule *);

bool move_settle_answer(struct batch *, const struct sql *, const struct rows *);
