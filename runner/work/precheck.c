/* Looking along the paths of the tree for rows that a `stop` edge protects. */
#include "work/precheck.h"

#include "base/text.h"
#include "database/lists.h"
#include "sql/work/precheck.sql.h"
#include "work/family_text.h"
#include "work/session.h"
#include "work/tracking.h"

enum { DEEPEST = 32 };

struct walk {
    struct run *run;
    struct arena *arena;
    size_t step;
    const struct edge *path[DEEPEST];
    struct error *error;
};

static const char *alias(struct arena *arena, int depth) { return depth < 0 ? "p" : arena_printf(arena, "c%d", depth); }

static const char *joins(struct walk *w, int depth) {
    struct text text = text_new(w->arena);
    for (int i = 0; i <= depth; i++) {
        const struct edge *e = w->path[i];
        struct bindings b = {0};
        bind(&b, "child", e->child->table->from);
        bind(&b, "alias", alias(w->arena, i));
        bind(&b, "points",
             arena_printf(w->arena, "%s %s", edge_points(w->arena, e, alias(w->arena, i - 1), alias(w->arena, i)),
                          edge_leaves(w->arena, e, alias(w->arena, i - 1))));
        text_addf(&text, "\n  %s", sql_expand(w->arena, &sql_join_edge, b.items, w->error));
    }
    return text.data;
}

static void refuse(struct walk *w, const struct edge *e, const char *example) {
    fail(w->error, FAULT_REFUSED, "%s has rows that point at rows of %s which would go (%s), and the plan says stop",
         e->child->table->shown, e->parent->table->shown, e->constraint);
    fail_detail(w->error, "for example %s", example);
    fail_hint(w->error, "nothing was removed; settle those rows, hold the tracked ones back, or give %s another policy",
              e->key);
}

static void look(struct walk *w, int depth) {
    const struct run *run = w->run;
    const struct key *key = &run->table->key;
    struct bindings b = {0};
    tracking_bind(&b, run, w->arena, run->steps[w->step].round);
    bind(&b, "last", alias(w->arena, depth));
    bind(&b, "parent_is_tracked", list_equal_numbered(w->arena, "p", key->columns, key->count, "t", "pgwinnow_k"));
    bind(&b, "joins", joins(w, depth));
    const char *text = sql_expand(w->arena, &sql_find_stop, b.items, w->error);
    const char *about = arena_printf(w->arena, "looking at rows of %s by %s", w->path[depth]->child->table->shown,
                                     w->path[depth]->constraint);
    struct rows *rows = ask(run->desk, w->arena, &(struct statement){.about = about, .text = text}, w->error);
    if (rows && rows_count(rows)) refuse(w, w->path[depth], rows_text(rows, 0, 0));
}

/* A child that can go itself by another edge is left to the batches: only they know whether it does. */
static void below(struct walk *w, const struct node *node, int depth) {
    for (size_t i = 0; i < w->run->tree->edge_count && depth < DEEPEST && !failed(w->error); i++) {
        const struct edge *e = w->run->tree->edges[i];
        if (e->parent != node || !e->reached) continue;
        w->path[depth] = e;
        if (e->policy == POLICY_STOP && !e->child->removed) look(w, depth);
        if (e->policy == POLICY_DELETE && !e->cycle) below(w, e->child, depth + 1);
    }
}

static bool any_stop(const struct tree *tree) {
    for (size_t i = 0; i < tree->edge_count; i++)
        if (tree->edges[i]->reached && tree->edges[i]->policy == POLICY_STOP && !tree->edges[i]->child->removed)
            return true;
    return false;
}

void precheck_stops(struct run *run, size_t step, struct error *error) {
    if (failed(error) || !any_stop(run->tree)) return;
    struct walk w = {.run = run, .arena = arena_new(run->arena), .step = step, .error = error};
    struct session session = session_for(run, step, w.arena);
    session.read_only = true;
    session.statement_timeout = 0;
    run->progress.doing = "looking for rows that must not lose their parent";
    session_begin(run->desk, w.arena, &session, error);
    below(&w, run->tree->nodes[0], 0);
    session_end(run->desk, w.arena, error);
    run->progress.doing = NULL;
    arena_free(w.arena);
}
