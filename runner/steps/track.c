/*
 * track: which rows go, fixed in a table of the runner's own before anything is removed. Duplicates of a list of
 * columns or expressions, rows that meet a condition, or the keys that a query gives.
 */
#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "script/box.h"
#include "sql/steps/track.sql.h"
#include "state/private.h"
#include "steps/table.h"
#include "steps/track_pairs.h"
#include "steps/track_rule.h"
#include "work/announce.h"
#include "work/groups.h"
#include "work/record.h"
#include "work/session.h"

enum { SCAN_AUTO, SCAN_WHOLE };

#define AT(field) offsetof(struct track_options, field)
#define KEEP(field) (AT(keep.field) - AT(keep))
#define EXPECT(field) (AT(expect.field) - AT(expect))

static const char *const null_choices[] = {"distinct", "equal", NULL}, *const scan_choices[] = {"auto", "whole", NULL};

static const struct option keep_options[] = {
    {.name = "first",
     .kind = OPTION_SQL,
     .offset = KEEP(first),
     .about = "the row with the smallest value stays; NULL never wins"},
    {.name = "last",
     .kind = OPTION_SQL,
     .offset = KEEP(last),
     .about = "the row with the largest value stays; NULL never wins"},
    {.name = "order_by", .kind = OPTION_SQL, .offset = KEEP(order_by), .about = "the first row in this order stays"},
    {.name = "lua",
     .kind = OPTION_GROUP,
     .offset = KEEP(lua),
     .group = rule_options,
     .shorthand = "file",
     .about = "a rule in Lua: its function keep gets the rows of a group in the order of the key and returns the "
              "number of the one that stays, or nil to leave the group alone"},
    {0},
};

static const struct option expect_options[] = {
    {.name = "rows", .kind = OPTION_COUNT, .offset = EXPECT(rows), .about = "at most so many rows may be tracked"},
    {.name = "share", .kind = OPTION_SHARE, .offset = EXPECT(share), .about = "at most this share of the table's rows"},
    {.name = "groups", .kind = OPTION_COUNT, .offset = EXPECT(groups), .about = "at most so many groups of duplicates"},
    {0},
};

static const struct option options[] = {
    {.name = "duplicates",
     .kind = OPTION_SQLS,
     .offset = AT(duplicates),
     .about = "columns or expressions: rows that are equal in all of them form a group, of which one stays"},
    {.name = "where",
     .kind = OPTION_SQL,
     .offset = AT(where),
     .about = "SQL condition: only these rows; alone, all of them go"},
    {.name = "query",
     .kind = OPTION_SQL,
     .offset = AT(query),
     .about = "a SELECT of the keys of the rows that go; or of the key's columns and survivor_ columns, the key of the "
              "row that stays for each"},
    {.name = "recheck",
     .kind = OPTION_SQL,
     .offset = AT(recheck),
     .about =
         "with query: SQL over the row that must still hold when it goes; without it, a row that changed is spared"},
    {.name = "keep",
     .kind = OPTION_GROUP,
     .offset = AT(keep),
     .group = keep_options,
     .about = "which row of a group stays; ties are broken by the key, which is also the default"},
    {.name = "nulls",
     .kind = OPTION_CHOICE,
     .offset = AT(nulls),
     .choices = null_choices,
     .fallback = "distinct",
     .about = "whether rows with a NULL in the list are left alone, or equal each other"},
    {.name = "scan",
     .kind = OPTION_CHOICE,
     .offset = AT(scan),
     .choices = scan_choices,
     .fallback = "auto",
     .about = "how the table is read: one statement over the whole of it"},
    {.name = "expect",
     .kind = OPTION_GROUP,
     .offset = AT(expect),
     .group = expect_options,
     .about = "at most this much; more is refused before anything is removed"},
    {0},
};

static const struct track_options *options_of(const struct run *run, size_t index) {
    return run->plan->steps[index].options;
}

/* --- the plan alone --- */

static void check(const struct plan *plan, size_t index, struct problems *problems) {
    const struct track_options *o = plan->steps[index].options;
    struct place place = plan->steps[index].place;
    bool duplicates = o->duplicates.count > 0, query = o->query.text;
    int keeps = (o->keep.first.text != NULL) + (o->keep.last.text != NULL) + (o->keep.order_by.text != NULL) +
                (o->keep.lua.file.name != NULL);
    if (duplicates && query)
        problem_add(problems, o->query.place, NULL, "track takes one of duplicates, where or query");
    if (!duplicates && !query && !o->where.text)
        problem_add(problems, place, "for example  duplicates: [email]",
                    "track needs one of duplicates, where or query");
    if (query && o->where.text)
        problem_add(problems, o->where.place, "put the condition into the query", "where does not go with query");
    if (keeps > 1) problem_add(problems, place, NULL, "keep takes one of first, last, order_by and lua");
    box_check(&o->keep.lua, "keep", problems);
    if (keeps && !duplicates) problem_add(problems, place, NULL, "keep goes with duplicates only");
    if (o->nulls && !duplicates) problem_add(problems, place, NULL, "nulls goes with duplicates only");
    if (o->recheck.text && !query) problem_add(problems, o->recheck.place, NULL, "recheck goes with query only");
    if (o->expect.groups >= 0 && !duplicates && !query)
        problem_add(problems, place, NULL, "expect: groups goes with duplicates, or with a query that gives survivors");
    for (size_t i = 0; i < index; i++)
        if (plan->steps[i].step == &step_track) problem_add(problems, place, NULL, "a plan has one track step");
}

/* --- run --- */

static bool has_pairs(const struct tracking *t) { return t->source == TRACK_QUERY && t->survivors; }

static struct rows *do_one(struct run *run, struct arena *arena, const char *about, const struct sql *sql,
                           const struct bindings *b, struct error *error) {
    const char *text = sql_expand(arena, sql, b->items, error);
    record_sent(run, sql, text);
    return ask(run->desk, arena, &(struct statement){.about = about, .text = text}, error);
}

static void bind_table(struct bindings *b, struct run *run, struct arena *arena, int round) {
    const struct tracking *t = run->tracking;
    bind(b, "track", tracking_sql(run, arena, round));
    bind(b, "alias", sql_identifier(arena, run->table->name));
    bind(b, "from", run->table->from);
    bind(b, "definitions", track_definitions(run, arena));
    bind(b, "columns", track_columns(run, arena));
    bind(b, "values", track_values(run, arena));
    bind(b, "removal_order", track_order(run));
    bind(b, "groups", t->survivors ? list_names(arena, NULL, t->survivors, run->table->key.count) : "");
}

static int64_t count(struct run *run, struct arena *arena, const char *about, const struct sql *sql,
                     const struct bindings *b, struct error *error) {
    struct rows *rows = do_one(run, arena, about, sql, b, error);
    return rows ? rows_int(rows, 0, 0) : 0;
}

static void too_many(const struct run *run, const char *what, int64_t found, int64_t limit, struct error *error) {
    fail(error, FAULT_REFUSED, "track found %s %s of %s, the plan expects at most %s", text_count(error->arena, found),
         what, run->table->shown, text_count(error->arena, limit));
    fail_hint(error, "nothing was removed; look with explain, then mend the plan or its `expect`");
}

static void expect(struct run *run, size_t index, struct arena *arena, int64_t found, const struct bindings *b,
                   struct error *error) {
    const struct track_options *o = options_of(run, index);
    if (o->expect.rows >= 0 && found > o->expect.rows) too_many(run, "rows", found, o->expect.rows, error);
    if (o->expect.groups >= 0 && !failed(error)) {
        int64_t groups = count(run, arena, "counting groups", &sql_count_groups, b, error);
        if (groups > o->expect.groups) too_many(run, "groups", groups, o->expect.groups, error);
    }
    if (o->expect.share >= 0 && !failed(error)) {
        int64_t all = count(run, arena, "counting the table", &sql_count_table, b, error),
                limit = (int64_t)((double)all * o->expect.share);
        if (found > limit)
            too_many(run, arena_printf(arena, "of %s rows", text_count(arena, all)), found, limit, error);
    }
}

/* The role's policies would hide rows: the server raises that itself, row_security being off. */
static void explain_hidden(const struct run *run, struct error *error) {
    if (!text_equal(error->sqlstate, "42501") || !error->message || !strstr(error->message, "row-level security"))
        return;
    error->fault = FAULT_REFUSED;
    error->hint = arena_printf(
        error->arena,
        "run as a role that sees all rows of %s: its owner (without FORCE ROW LEVEL SECURITY) or one with BYPASSRLS",
        run->table->shown);
}

static void carry_holds(struct run *run, struct arena *arena, int round, struct error *error) {
    const struct tracking *t = run->tracking;
    if (round == 1) return;
    struct bindings b = {0};
    bind(&b, "track", tracking_sql(run, arena, round));
    bind(&b, "before", tracking_sql(run, arena, round - 1));
    bind(&b, "same_row", list_equal(arena, "t", "b", t->named, run->table->key.count));
    do_one(run, arena, "keeping what was held back", &sql_carry_holds, &b, error);
}

/* What only a run can find out is put into a table first, which goes when the rows have been taken from it. */
static void fill(struct run *run, size_t index, struct arena *arena, struct bindings *b, struct error *error) {
    const struct tracking *t = run->tracking;
    const char *about = arena_printf(arena, "tracking rows of %s", run->table->shown);
    bind(b, "rows",
         t->keep == KEEP_RULE ? rule_make(run, index, arena, error)
         : has_pairs(t)       ? pairs_make(run, arena, error)
                              : t->rows);
    do_one(run, arena, about, &sql_fill_track, b, error);
    if (t->keep == KEEP_RULE) rule_drop(run, arena, error);
    if (has_pairs(t)) pairs_drop(run, arena, error);
}

/* Groups that go in one transaction must fit into one. */
static void refuse_large_groups(struct run *run, struct arena *arena, int round, struct error *error) {
    for (size_t i = 0; i < run->plan->step_count; i++) {
        const struct plan_step *step = &run->plan->steps[i];
        if (!text_equal(step->step->name, "together") || !run->tracking->grouped) continue;
        run->progress.doing = "counting what is below the groups";
        groups_refuse_large(run, arena, round, run_settings(run, i)->batch.max, error);
    }
}

static void run_track(struct run *run, size_t index, struct error *error) {
    struct arena *arena = arena_new(run->arena);
    struct run_step *step = &run->steps[index];
    struct session session = session_for(run, index, arena);
    struct bindings b = {0};
    const char *about = arena_printf(arena, "tracking rows of %s", run->table->shown);
    session.statement_timeout = session.idle_timeout = 0;
    run->progress.doing = run->tracking->source == TRACK_DUPLICATES ? "looking for duplicates" : "looking for rows";
    bind_table(&b, run, arena, step->round);
    session_begin(run->desk, arena, &session, error);
    runs_add_object(&run->state, arena, run->holder.run, "tracking", run->state.schema,
                    tracking_name(run, arena, step->round), error);
    do_one(run, arena, "making the tracking table", &sql_create_track, &b, error);
    private_keep(&run->state, arena, error);
    fill(run, index, arena, &b, error);
    carry_holds(run, arena, step->round, error);
    run->progress.doing = "indexing what was found";
    do_one(run, arena, about, &sql_add_key, &b, error);
    do_one(run, arena, about, &sql_add_contested, &b, error);
    if (run->tracking->grouped) do_one(run, arena, about, &sql_add_groups, &b, error);
    do_one(run, arena, about, &sql_analyze_track, &b, error);
    int64_t found = count(run, arena, about, &sql_count_rows, &b, error);
    expect(run, index, arena, found, &b, error);
    refuse_large_groups(run, arena, step->round, error);
    step->shown->rows = step->shown->total = found;
    if (!failed(error)) /* with the table, so that a restart neither finds it half done nor does it again */
        runs_set_step(&run->state, arena, &run->holder, index,
                      &(struct step_row){
                          .state = "done", .round = step->round, .rows = found, .total = found, .ms = step->shown->ms},
                      error);
    announce_step(run, EVENT_STEP_FINISHED, STEP_DONE, step->note, error);
    session_end(run->desk, arena, error);
    explain_hidden(run, error);
    run->progress.doing = NULL;
    arena_free(arena);
}

static void explain_track(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    struct bindings b = {0};
    const struct tracking *t = run->tracking;
    bind_table(&b, run, run->arena, 1);
    bind(&b, "rows",
         t->keep == KEEP_RULE ? rule_explain(run, index, explanation, error)
         : has_pairs(t)       ? pairs_explain(run, explanation, error)
                              : t->rows);
    const char *text = sql_expand(run->arena, &sql_fill_track, b.items, error);
    explain_statement(explanation, &sql_fill_track, text);
}

const struct step step_track = {
    .name = "track",
    .about = "write down which rows will go, and which row each group keeps",
    .size = sizeof(struct track_options),
    .options = options,
    .needs = TRACKS_ROWS,
    .check = check,
    .compile = track_compile,
    .explain = explain_track,
    .run = run_track,
};
