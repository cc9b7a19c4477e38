/* What the tracking tables of a run still tell: rows that were spared, with reasons and examples, and what stayed. They
 * may be gone, too large to be looked through now, or not for this role. */
#include "base/json.h"
#include "base/text.h"
#include "database/lists.h"
#include "sql/state/report_tracked.sql.h"
#include "state/overview.h"
#include "state/report.h"

static const char survivor_prefix[] = "survivor_";

struct tracked {
    const char *name;
    const char **columns; /* of the key, then of the survivor's */
    size_t count, survivors;
};

struct tables {
    struct tracked *items;
    size_t count;
};

/* The second half is the survivor's key, where there is one. */
static void split(struct tracked *t) {
    if (t->count && t->count % 2 == 0 && text_starts(t->columns[t->count - 1], survivor_prefix))
        t->survivors = t->count / 2;
    t->count -= t->survivors;
}

static struct tables find_tables(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    const char *values[] = {state->schema, arena_printf(arena, "%lld", (long long)run)};
    struct rows *rows = state_ask(state, arena, "looking for tracking tables", &sql_tracked_tables, values, 2, error);
    struct tables tables = {0};
    for (int i = 0; rows && i < rows_count(rows); i++) {
        const char *name = rows_text(rows, i, 0);
        if (!tables.count || !text_equal(tables.items[tables.count - 1].name, name)) {
            tables.items = arena_grow(arena, tables.items, &tables.count, sizeof *tables.items);
            tables.items[tables.count - 1].name = arena_strdup(arena, name);
        }
        struct tracked *t = &tables.items[tables.count - 1];
        t->columns = arena_grow(arena, t->columns, &t->count, sizeof *t->columns);
        t->columns[t->count - 1] = arena_strdup(arena, rows_text(rows, i, 1));
    }
    for (size_t i = 0; i < tables.count; i++) split(&tables.items[i]);
    return tables;
}

/* The question over each of them, put together. */
static const char *over_all(const struct state *state, struct arena *arena, const struct tables *tables,
                            const struct sql *one, const char *between, struct error *error) {
    struct text all = text_new(arena);
    for (size_t i = 0; i < tables->count; i++) {
        const struct tracked *t = &tables->items[i];
        struct binding bindings[] = {
            {"track", sql_qualified(arena, state->schema, t->name)},
            {"round", arena_printf(arena, "%zu", i + 1)},
            {"key", list_names(arena, "t", t->columns, t->count)},
            {"survivor", t->survivors ? list_names(arena, "t", t->columns + t->count, t->survivors) : ""},
            {NULL, NULL}};
        text_addf(&all, "%s%s", i ? between : "", sql_expand(arena, one, bindings, error));
    }
    return all.data;
}

/* NULL when it has no answer: that costs the report nothing else. */
static struct rows *try_asking(const struct state *state, struct arena *arena, const struct tables *tables,
                               const struct sql *whole, const struct sql *one, const char *between,
                               struct error *error) {
    struct binding bindings[] = {{"each", over_all(state, arena, tables, one, between, error)}, {NULL, NULL}};
    const char *text = sql_expand(arena, whole, bindings, error), about[] = "looking at what was tracked";
    const struct statement before[] = {{.about = about, .text = sql_save_reading.text},
                                       {.about = about, .text = sql_tracked_patience.text}};
    ask_all(state->slot, arena, before, 2, error);
    if (failed(error)) return NULL;
    struct error tried = error_new(arena);
    struct rows *rows = ask(state->slot, arena, &(struct statement){.about = about, .text = text}, &tried);
    if (slot_lost(state->slot)) error_promote(error, &tried);
    if (!failed(error)) state_ask(state, arena, about, &sql_back_to_reading, NULL, 0, error);
    return rows;
}

static json_t *spared(const struct state *state, struct arena *arena, const struct tables *tables,
                      struct error *error) {
    struct rows *rows =
        try_asking(state, arena, tables, &sql_spared_rows, &sql_spared_of_round, "\nUNION ALL\n", error);
    return rows ? json_read_or_null(arena, rows_text(rows, 0, 0)) : json_array();
}

static json_t *survivors(const struct state *state, struct arena *arena, const struct tables *tables,
                         struct error *error) {
    for (size_t i = 0; i < tables->count; i++)
        if (!tables->items[i].survivors) return json_null();
    struct rows *rows =
        try_asking(state, arena, tables, &sql_survivors_kept, &sql_survivors_of_round, "\nUNION\n", error);
    return rows ? json_integer(rows_int(rows, 0, 0)) : json_null();
}

void report_tracked(const struct state *state, struct arena *arena, const struct overview *o, json_t *report,
                    struct error *error) {
    struct tables tables = failed(error) ? (struct tables){0} : find_tables(state, arena, o->run, error);
    bool any = tables.count > 0;
    struct rows *kept =
        any ? try_asking(state, arena, &tables, &sql_kept_rows, &sql_kept_of_round, "\nUNION ALL\n", error) : NULL;
    json_t *held = kept ? json_integer(rows_int(kept, 0, 0)) : json_null(),
           *contested = kept ? json_integer(rows_int(kept, 0, 1)) : json_null();
    json_object_set(json_object_get(report, "totals"), "held", held);
    json_object_set_new(report, "spared", any && o->spared ? spared(state, arena, &tables, error) : json_array());
    json_object_set_new(report, "kept",
                        json_pack("{s:o, s:o, s:o}", "survivors",
                                  any ? survivors(state, arena, &tables, error) : json_null(), "held", held,
                                  "contested", contested));
}
