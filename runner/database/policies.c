/*
 * Puts the plan's `children` on the edges and works out what follows: which edges are reached through removed rows,
 * which tables lose rows, and which lines a plan lacks.
 */
#include <string.h>

#include "base/text.h"
#include "database/components.h"
#include "database/moved.h"

static const char *const conflict_choices[] = {"delete", "keep-first", "stop", NULL};

static const struct option move_options[] = {
    {.name = "on_conflict",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct policy_options, on_conflict),
     .choices = conflict_choices,
     .fallback = "delete",
     .about = "when a moved row would break a unique or exclusion rule: delete (the survivor's own row stays, else the "
              "first by key), keep-first (the first of the group's keep order), or stop"},
    {0},
};

const struct option policy_options[] = {
    {.name = "policy",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct policy_options, policy),
     .choices = policy_choices,
     .fallback = "move",
     .about = "what happens to the rows; a plain word gives it"},
    {.name = "move",
     .kind = OPTION_GROUP,
     .offset = 0,
     .group = move_options,
     .about = "they point at the row that stays"},
    {0},
};

const char *edge_policy_text(const struct edge *edge) {
    static const char *const moves[][2] = {
        [CONFLICT_DELETE] = {"move, on conflict delete", "move, on conflict delete (follows the rows above)"},
        [CONFLICT_KEEP_FIRST] = {"move, on conflict keep-first",
                                 "move, on conflict keep-first (follows the rows above)"},
        [CONFLICT_STOP] = {"move, on conflict stop", "move, on conflict stop (follows the rows above)"},
    };
    return edge->policy == POLICY_MOVE ? moves[edge->on_conflict][edge->follows] : policy_text(edge->policy);
}

/* --- matching --- */

static bool has_column(const struct edge_name *name, const char *column) {
    for (size_t i = 0; i < name->count; i++)
        if (strcmp(name->columns[i], column) == 0) return true;
    return false;
}

static bool same_columns(const struct edge *edge, const struct edge_name *name) {
    if (edge->count != name->count) return false;
    for (size_t i = 0; i < edge->count; i++)
        if (!has_column(name, edge->columns[i])) return false;
    return true;
}

bool tree_names_edge(const struct tree *tree, const struct edge_name *name, const struct edge *edge) {
    const char *schema = name->table.schema ? name->table.schema : tree->nodes[0]->table->schema;
    const struct table *child = edge->child->table;
    return strcmp(child->schema, schema) == 0 && strcmp(child->name, name->table.name) == 0 && same_columns(edge, name);
}

/* The key of an edge that the name fits but for its schema, else the nearest of all keys. */
static const char *nearest_key(struct arena *arena, const struct tree *tree, const struct entry *entry,
                               const struct edge_name *name) {
    const char **keys = arena_alloc(arena, (tree->edge_count + 1) * sizeof *keys);
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *edge = tree->edges[i];
        keys[i] = edge->key;
        if (strcmp(edge->child->table->name, name->table.name) == 0 && same_columns(edge, name)) return edge->key;
    }
    return text_nearest(entry->key, keys, tree->edge_count);
}

static void unknown_edge(struct arena *arena, const struct tree *tree, const struct entry *entry,
                         const struct edge_name *name, struct problems *problems) {
    const char *near = nearest_key(arena, tree, entry, name);
    const char *hint = near ? arena_printf(arena, "did you mean '%s'?", near)
                            : "explain shows the tree: take the line out, or name a foreign key of it";
    problem_add(problems, entry->key_place, hint, "no foreign key below %s is named '%s'", tree->nodes[0]->table->shown,
                entry->key);
}

static void cannot_set_null(const struct edge *edge, const struct entry *entry, struct problems *problems) {
    problem_add(problems, entry->key_place, "choose delete, move or stop", "%s cannot be set-null: %s (foreign key %s)",
                edge->key, edge->why_not_null ? edge->why_not_null : "it has no column that can be NULL",
                edge->constraint);
}

static void put(struct edge *edge, const struct entry *entry) {
    const struct policy_options *options = entry->options;
    edge->policy = (enum policy)(options->policy + 1);
    edge->on_conflict = (enum conflict)options->on_conflict;
    edge->place = entry->key_place;
}

/* given: the entry of each edge. An edge is named by one key; keys that differ in spelling may name the same. */
static void give(struct arena *arena, struct tree *tree, const struct entry *entry, const struct edge_name *name,
                 const struct entry **given, struct problems *problems) {
    const struct entry *twice = NULL;
    bool found = false;
    for (size_t i = 0; i < tree->edge_count; i++) {
        struct edge *edge = tree->edges[i];
        if (!tree_names_edge(tree, name, edge)) continue;
        found = true;
        if (given[i]) twice = given[i];
        given[i] = entry;
        put(edge, entry);
    }
    if (!found) unknown_edge(arena, tree, entry, name, problems);
    if (twice)
        problem_add(problems, entry->key_place, "keep one of them", "'%s' names the same foreign key as '%s'",
                    entry->key, twice->key);
}

/* Returns the "*" entry, or NULL. */
static const struct entry *give_all(struct arena *arena, struct tree *tree, const struct entries *children,
                                    const struct entry **given, struct problems *problems) {
    const struct entry *star = NULL;
    for (size_t i = 0; i < children->count; i++) {
        const struct entry *entry = &children->items[i];
        struct edge_name name;
        const char *why;
        if (!edge_name_parse(arena, entry->key, &name, &why))
            problem_add(problems, entry->key_place, "table.column, or table(column, column)",
                        "'%s' names no foreign key: %s", entry->key, why);
        else if (name.star)
            star = entry;
        else
            give(arena, tree, entry, &name, given, problems);
    }
    for (size_t i = 0; star && i < tree->edge_count; i++) {
        if (given[i]) continue;
        given[i] = star;
        put(tree->edges[i], star);
    }
    return star;
}

/* --- reach --- */

/* Which edges are reached and which nodes lose rows, when each edge has the policy given. */
static void spread(const struct tree *tree, struct arena *arena, const enum policy *policies, bool *reached,
                   bool *removed) {
    struct arena *scratch = arena_new(arena);
    size_t *next = arena_alloc(scratch, (tree->edge_count + 1) * sizeof *next);   /* edge behind it, of its parent */
    size_t *first = arena_alloc(scratch, (tree->node_count + 1) * sizeof *first); /* counted from 1 */
    size_t *queue = arena_alloc(scratch, (tree->node_count + 1) * sizeof *queue);
    for (size_t i = tree->edge_count; i-- > 0;) {
        size_t parent = tree->edges[i]->parent->index;
        next[i] = first[parent];
        first[parent] = i + 1;
    }
    size_t count = 1;
    removed[0] = true;
    for (size_t at = 0; at < count; at++)
        for (size_t i = first[queue[at]]; i; i = next[i - 1]) {
            size_t child = tree->edges[i - 1]->child->index;
            reached[i - 1] = true;
            if (policies[i - 1] != POLICY_DELETE || removed[child]) continue;
            removed[child] = true;
            queue[count++] = child;
        }
    arena_free(scratch);
}

static size_t reach(struct tree *tree, struct arena *arena) {
    struct arena *scratch = arena_new(arena);
    enum policy *policies = arena_alloc(scratch, (tree->edge_count + 1) * sizeof *policies);
    bool *reached = arena_alloc(scratch, tree->edge_count + 1), *removed = arena_alloc(scratch, tree->node_count + 1);
    for (size_t i = 0; i < tree->edge_count; i++) policies[i] = tree->edges[i]->policy;
    spread(tree, arena, policies, reached, removed);
    size_t missing = 0;
    for (size_t i = 0; i < tree->edge_count; i++) {
        tree->edges[i]->reached = reached[i];
        missing += reached[i] && policies[i] == POLICY_NONE;
    }
    for (size_t i = 0; i < tree->node_count; i++) tree->nodes[i]->removed = removed[i];
    arena_free(scratch);
    return missing;
}

static void clear(struct tree *tree) {
    for (size_t i = 0; i < tree->edge_count; i++) tree->edges[i]->policy = POLICY_NONE;
    for (size_t i = 0; i < tree->node_count; i++) tree->nodes[i]->cyclic = false;
}

size_t tree_policies(struct tree *tree, struct arena *arena, const struct entries *children,
                     struct problems *problems) {
    const struct entry **given = arena_alloc(arena, (tree->edge_count + 1) * sizeof *given);
    clear(tree);
    const struct entry *star = give_all(arena, tree, children, given, problems);
    size_t missing = reach(tree, arena);
    tree_moves(tree, arena, problems);
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *edge = tree->edges[i];
        if (edge->policy != POLICY_SET_NULL || edge->null_count) continue;
        if (given[i] != star || edge->reached) cannot_set_null(edge, given[i], problems);
    }
    tree_components(tree, arena);
    return missing;
}

/* --- lines to paste --- */

/* What comes nearest to what the schema says. */
static enum policy suggested(const struct edge *edge) {
    bool sets = edge->on_delete == 'n' || edge->on_delete == 'd';
    return sets && edge->null_count ? POLICY_SET_NULL : POLICY_DELETE;
}

/* Edges of one child and the same columns share their key, and so their policy. */
static bool share_key(const struct edge *a, const struct edge *b) { return a == b || strcmp(a->key, b->key) == 0; }

static enum policy shared_suggestion(const struct tree *tree, const struct edge *edge) {
    enum policy policy = POLICY_SET_NULL;
    for (size_t i = 0; i < tree->edge_count; i++)
        if (share_key(tree->edges[i], edge) && suggested(tree->edges[i]) == POLICY_DELETE) policy = POLICY_DELETE;
    return policy;
}

/* A YAML key. Quoted unless it is plain beyond doubt; control characters need the escapes of double quotes. */
static const char *yaml_key(struct arena *arena, const char *key) {
    if (strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(key) && (*key < '0' || *key > '9') &&
        *key != '.')
        return key;
    bool control = false;
    for (const char *c = key; *c; c++) control = control || (unsigned char)*c < ' ' || *c == 0x7f;
    struct text text = text_new(arena);
    text_add(&text, control ? "\"" : "'");
    for (const char *c = key; *c; c++) {
        if (!control)
            text_add_n(&text, *c == '\'' ? "''" : c, *c == '\'' ? 2 : 1);
        else if ((unsigned char)*c < ' ' || *c == 0x7f)
            text_addf(&text, "\\x%02x", (unsigned char)*c);
        else if (*c == '"' || *c == '\\')
            text_addf(&text, "\\%c", *c);
        else
            text_add_n(&text, c, 1);
    }
    text_add(&text, control ? "\"" : "'");
    return text.data;
}

/* For a comment, which ends with its line. */
static const char *one_line(struct arena *arena, const char *text) {
    char *line = arena_strdup(arena, text);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
    return line;
}

static const char *key_for(struct arena *arena, const struct edge *edge, const char *plan_schema) {
    const struct table *table = edge->child->table;
    const char *schema = text_equal(table->schema, plan_schema) ? NULL : table->schema;
    return yaml_key(arena, edge_name_text(arena, schema, table->name, edge->columns, edge->count));
}

static void add_line(struct text *text, const struct tree *tree, const struct edge *edge, const char *plan_schema,
                     const char *indent, enum policy policy) {
    struct arena *arena = text->arena;
    const struct table *table = edge->child->table;
    text_addf(text, "%s%s: %s  #", indent, key_for(arena, edge, plan_schema), policy_text(policy));
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *also = tree->edges[i];
        if (!share_key(also, edge)) continue;
        text_addf(text, " %s, ON DELETE %s;", one_line(arena, identifier_text(arena, also->constraint)),
                  on_delete_text(also->on_delete));
    }
    if (table->rows)
        text_addf(text, " about %s rows\n", text_count(arena, table->rows));
    else
        text_add(text, " rows unknown, never analysed\n");
}

const char *tree_lines(struct arena *arena, const struct tree *tree, const char *plan_schema, const char *indent) {
    enum policy *policies = arena_alloc(arena, (tree->edge_count + 1) * sizeof *policies);
    bool *reached = arena_alloc(arena, tree->edge_count + 1), *removed = arena_alloc(arena, tree->node_count + 1);
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *edge = tree->edges[i];
        policies[i] = edge->policy != POLICY_NONE ? edge->policy : shared_suggestion(tree, edge);
    }
    spread(tree, arena, policies, reached, removed);
    struct text text = text_new(arena);
    for (size_t i = 0; i < tree->edge_count; i++) {
        const struct edge *edge = tree->edges[i];
        if (!reached[i] || edge->policy != POLICY_NONE) continue;
        bool said = false;
        for (size_t j = 0; j < i && !said; j++)
            said = reached[j] && tree->edges[j]->policy == POLICY_NONE && share_key(tree->edges[j], edge);
        if (!said) add_line(&text, tree, edge, plan_schema, indent, policies[i]);
    }
    return text.data;
}
