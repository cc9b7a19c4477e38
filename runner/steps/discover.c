/*
 * discover: the foreign-key tree below the table, held against the plan's `children`. An edge that can be reached
 * through removed rows and has no policy is refused with the lines to paste, so a foreign key that exists in production
 * only cannot be missed.
 */
#include "base/text.h"
#include "steps/table.h"
#include "work/explanation.h"
#include "work/indexes.h"
#include "work/run.h"

enum { TRIGGERS_FIRE, TRIGGERS_STOP };

struct discover_options {
    struct entries children;
    int missing_index, triggers;
};

static const char *const missing_choices[] = {"stop", "create", "ignore", NULL}, *const trigger_choices[] = {
                                                                                     "fire", "stop", NULL};

#define AT(field) offsetof(struct discover_options, field)
static const struct option options[] = {
    {.name = "children",
     .kind = OPTION_MAP,
     .offset = AT(children),
     .item = OPTION_GROUP,
     .group = policy_options,
     .size = sizeof(struct policy_options),
     .shorthand = "policy",
     .about = "what happens to rows that point at a removed row, by foreign key: table.column, table(column, column), "
              "or \"*\""},
    {.name = "missing_index",
     .kind = OPTION_CHOICE,
     .offset = AT(missing_index),
     .choices = missing_choices,
     .fallback = "stop",
     .about = "when referencing columns have no usable index: stop, create one for the run, or ignore (slow)"},
    {.name = "triggers",
     .kind = OPTION_CHOICE,
     .offset = AT(triggers),
     .choices = trigger_choices,
     .fallback = "fire",
     .about = "user triggers on the tables of the tree fire, or their presence stops the run"},
    {0},
};

static const struct discover_options *options_of(const struct run *run, size_t index) {
    return run->plan->steps[index].options;
}

/* --- what is refused --- */

static void refuse_missing(struct run *run, size_t index, struct error *error) {
    size_t missing = 0;
    for (size_t i = 0; i < run->tree->edge_count; i++)
        missing += run->tree->edges[i]->reached && run->tree->edges[i]->policy == POLICY_NONE;
    (void)index;
    if (!missing) return;
    fail(error, FAULT_REFUSED, "%zu foreign key%s below %s %s no policy", missing, missing == 1 ? "" : "s",
         run->table->shown, missing == 1 ? "has" : "have");
    fail_detail(error, "add to `children` of the discover step, after thought:\n%s",
                tree_lines(error->arena, run->tree, run->table->schema, "            "));
    fail_hint(error, "delete takes the child rows along, move points them at the survivor, set-null keeps them without "
                     "their parent, "
                     "stop refuses when there are any");
}

/* Every foreign key that the policies reach, a line each. */
static const char *tree_shown(struct arena *arena, const struct tree *tree) {
    struct text lines = text_new(arena);
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *e = tree->edges[i];
        if (e->reached)
            text_addf(&lines, "\n%*s%s: %s (%s, on delete %s)", 2 * e->depth, "", e->key, edge_policy_text(e),
                      e->constraint, on_delete_text(e->on_delete));
    }
    return lines.data;
}

/* "*" with anything but stop answers for edges nobody has looked at: a person must, or the fingerprint of them. */
static void confirm_star(struct run *run, size_t index, struct error *error) {
    const struct entries *children = &options_of(run, index)->children;
    bool accepted = run->yes || text_equal(run->accepted_tree, run->tree->fingerprint);
    for (size_t i = 0; i < children->count && !accepted; i++) {
        const struct entry *e = &children->items[i];
        const struct policy_options *o = e->options;
        if (!text_equal(e->key, "*") || o->policy + 1 == POLICY_STOP) continue;
        fail(error, FAULT_REFUSED, "\"*\": %s stands for foreign keys that the plan does not name",
             policy_choices[o->policy]);
        fail_detail(error, "tree %s below %s:%s", run->tree->fingerprint, run->table->shown,
                    tree_shown(error->arena, run->tree));
        fail_hint(error, "explain counts the rows; then --tree %s (or --yes)", run->tree->fingerprint);
    }
}

static void refuse_unindexed(struct run *run, size_t index, struct error *error) {
    struct text lines = text_new(error->arena);
    (void)index;
    for (size_t i = 0; i < run->tree->edge_count; i++) {
        const struct edge *e = run->tree->edges[i];
        if ((e->reached || e->carried) && !e->indexed)
            text_addf(&lines, "CREATE INDEX CONCURRENTLY ON %s (%s);\n", e->child->table->sql, e->index_columns);
    }
    if (!lines.length || run->missing_index != MISSING_STOP) return;
    fail(error, FAULT_REFUSED,
         "foreign keys below %s have no usable index: every removed row would read the whole child table",
         run->table->shown);
    fail_detail(error, "%s", lines.data);
    fail_hint(error, "create them, or set missing_index: create (dropped afterwards) or ignore");
}

/* Whether rows of it go or change; with `looked_at`, also whether they are only looked at, by stop. */
static bool touched(const struct run *run, const struct node *node, bool looked_at) {
    if (node->removed || node->moved_count) return true;
    for (size_t i = 0; i < run->tree->edge_count; i++) {
        const struct edge *e = run->tree->edges[i];
        if (e->child == node && e->reached && (looked_at || e->policy == POLICY_SET_NULL)) return true;
    }
    return false;
}

static void refuse_rules(struct run *run, size_t index, struct error *error) {
    for (size_t i = 0; i < run->tree->node_count; i++) {
        const struct node *n = run->tree->nodes[i];
        if (!touched(run, n, false)) continue;
        if (n->rules) {
            fail(error, FAULT_REFUSED,
                 "%s has rules on delete or update, which may do something else than the plan says", n->table->shown);
            fail_hint(error, "drop or disable the rules for the time of the run");
        }
        if (n->trigger_count && options_of(run, index)->triggers == TRIGGERS_STOP) {
            fail(error, FAULT_REFUSED, "%s has trigger %s, and the plan says triggers: stop", n->table->shown,
                 n->triggers[0]);
            fail_hint(error, "allow it with triggers: fire, or disable the trigger");
        }
    }
}

static void refuse_hidden(struct run *run, size_t index, struct error *error) {
    (void)index;
    for (size_t i = 0; i < run->tree->node_count; i++)
        if (touched(run, run->tree->nodes[i], true)) run_refuse_hidden(run->tree->nodes[i]->table, error);
}

static void list_rights(struct run *run, size_t index, struct error *error) {
    (void)index;
    run_lacks_all(run, tree_grants(run->desk, run->arena, run->tree, error));
}

static void (*const guards[])(struct run *, size_t, struct error *) = {refuse_missing,   confirm_star,  refuse_rules,
                                                                       refuse_unindexed, refuse_hidden, list_rights};

static void compile(struct run *run, size_t index, struct problems *problems, struct error *error) {
    static const enum missing_index choices[] = {MISSING_STOP, MISSING_CREATE, MISSING_IGNORE};
    run->missing_index = choices[options_of(run, index)->missing_index];
    run->tree = tree_read(run->desk, run->arena, run->table, error);
    if (failed(error)) return;
    tree_policies(run->tree, run->arena, &options_of(run, index)->children, problems);
    if (problems->count) return;
    for (size_t i = 0; i < sizeof guards / sizeof *guards && !failed(error); i++) {
        struct error guard = error_new(run->arena);
        guards[i](run, index, &guard);
        run_refuse(run, &guard, error);
    }
}

/* --- run and explain --- */

static void run_discover(struct run *run, size_t index, struct error *error) {
    size_t reached = 0;
    for (size_t i = 0; i < run->tree->edge_count; i++) reached += run->tree->edges[i]->reached;
    run->steps[index].note = arena_printf(run->arena, "%zu foreign key%s, tree %s", reached, reached == 1 ? "" : "s",
                                          run->tree->fingerprint);
    runs_set_tree(&run->state, run->arena, &run->holder, run->tree->fingerprint, error);
    if (run->missing_index == MISSING_CREATE) indexes_ensure_temporary(run, error);
}

static void explain_discover(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    (void)index, (void)error;
    for (size_t i = 0; i < run->tree->edge_count; i++) {
        const struct edge *e = run->tree->edges[i];
        if ((e->reached || e->carried) && !e->indexed)
            text_addf(&explanation->said, "%s has no index on (%s)%s\n", e->child->table->shown, e->index_columns,
                      run->missing_index == MISSING_CREATE ? ": one is built for the run"
                                                           : ": every removed row reads the whole table");
    }
    for (size_t i = 0; i < run->tree->node_count; i++) {
        const struct node *n = run->tree->nodes[i];
        for (size_t t = 0; touched(run, n, false) && t < n->trigger_count; t++)
            text_addf(&explanation->said, "trigger %s of %s fires\n", n->triggers[t], n->table->shown);
    }
}

const struct step step_discover = {
    .name = "discover",
    .about = "read the foreign-key tree below the table and hold it against the plan",
    .size = sizeof(struct discover_options),
    .options = options,
    .compile = compile,
    .explain = explain_discover,
    .run = run_discover,
};
