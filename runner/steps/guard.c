/*
 * guard: keeps new duplicates out until the unique index is there, by a trigger that answers as the index will.
 *
 * Put up in parts, each of which may be repeated: what is only ours; the trigger, in short tries; the wait for
 * transactions that are older than it. It outlives a runner that is killed or paused: that is what it is for. Taking it
 * down is work/guard.h's.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "sql/steps/guard.sql.h"
#include "state/private.h"
#include "steps/guard_job.h"
#include "steps/guard_probe.h"
#include "steps/index_job.h"
#include "steps/table.h"
#include "steps/track_job.h"
#include "steps/trial.h"
#include "work/explanation.h"
#include "work/guard.h"
#include "work/index_match.h"
#include "work/record.h"
#include "work/session.h"

enum { LOOK_MS = 250 };

struct guard_options {
    struct sql_texts unique;
    struct sql_text where;
    int nulls;
};

static const char *const null_choices[] = {"distinct", "equal", NULL};

#define AT(member) offsetof(struct guard_options, member)
static const struct option guard_option_table[] = {
    {"unique", OPTION_SQLS, AT(unique),
     .about = "columns or expressions that no two rows may share; default: those of the unique index behind it, else "
              "track's"},
    {"where", OPTION_SQL, AT(where), .about = "only rows that meet this; default: from where the list comes"},
    {.name = "nulls",
     .kind = OPTION_CHOICE,
     .offset = AT(nulls),
     .choices = null_choices,
     .fallback = "distinct",
     .about = "whether NULLs are left alone or equal each other; with the list from elsewhere, as there"},
    {0},
};
#undef AT

static const struct guard_options *options_of(const struct plan *plan, size_t index) {
    return plan->steps[index].options;
}

/* --- what the plan alone tells --- */

static bool on_plan_table(const struct plan *plan, const struct index_options *o) {
    if (!o->table.name) return true;
    bool schema = !o->table.schema || !plan->table.schema || text_equal(o->table.schema, plan->table.schema);
    return schema && text_equal(o->table.name, plan->table.name);
}

/* The next index step on the plan's table from `from` up to `to`, unique or any; `to` when there is none. */
static size_t index_between(const struct plan *plan, size_t from, size_t to, bool unique) {
    for (; from < to; from++) {
        const struct plan_step *step = &plan->steps[from];
        const struct index_options *o = step->options;
        if (text_equal(step->step->name, "index") && on_plan_table(plan, o) && (o->unique.count || !unique))
            return from;
    }
    return to;
}

static const struct track_options *track_of(const struct plan *plan) {
    const struct plan_step *step = plan_step_before(plan, plan->step_count, "track");
    const struct track_options *o = step ? step->options : NULL;
    return o && o->duplicates.count ? o : NULL;
}

static void guard_check(const struct plan *plan, size_t index, struct problems *problems) {
    const struct guard_options *o = options_of(plan, index);
    struct place place = plan->steps[index].place;
    bool behind = index_between(plan, index, plan->step_count, true) < plan->step_count;
    if (!behind && index_between(plan, 0, index, true) < index)
        problem_add(problems, place, "put it before the index step, and before track",
                    "the guard stands behind the unique index, which needs none");
    else if (!o->unique.count && !behind && !track_of(plan))
        problem_add(
            problems, place, "for example  guard: { unique: [email] }",
            "guard needs to know what is unique: no unique index stands behind it, and track has no duplicates");
}

/* --- what the catalog tells --- */

/* Which rows it keeps apart, from the guard's own keys, the index behind it, or track. */
static void read_wish(struct run *run, size_t index, struct guard_job *job, struct error *error) {
    const struct plan *plan = run->plan;
    const struct guard_options *o = options_of(plan, index);
    const struct track_options *t = track_of(plan);
    size_t at = index_between(plan, index, plan->step_count, true);
    const struct index_options *i = at < plan->step_count ? plan->steps[at].options : NULL;
    const struct sql_texts *list = o->unique.count ? &o->unique : i ? &i->unique : &t->duplicates;
    const struct sql_text *where = o->where.text || o->unique.count ? &o->where : i ? &i->where : &t->where;
    bool equal = o->nulls || (!o->unique.count && (i ? i->nulls_not_distinct : t->nulls > 0));
    job->wish = (struct index_wish){.table = run->table, .method = "btree", .where = where->text};
    index_elements_read(run->arena, &job->wish, list);
    index_wish_define(run->arena, &job->wish, error);
    job->wish.nulls_not_distinct = equal; /* not in the definition: older servers have no words for it */
}

/* The first unique index behind it that keeps the same rows apart. */
static void find_index(struct run *run, size_t index, struct guard_job *job, struct problems *problems,
                       struct error *error) {
    const struct plan *plan = run->plan;
    size_t count = plan->step_count, first = index_between(plan, index, count, true);
    job->until = -1;
    for (size_t at = first; at < count && job->until < 0 && !failed(error);
         at = index_between(plan, at + 1, count, true)) {
        const struct index_options *o = plan->steps[at].options;
        struct index_wish wish = index_step_wish(run, at, job->wish.table, error);
        if (!index_wishes_agree(run->desk, run->arena, &job->wish, &wish, error)) continue;
        job->until = (int)at;
        job->constraint = o->constraint.name ? o->constraint.name : o->name.name;
    }
    if (first == count || job->until >= 0 || failed(error)) return;
    const struct index_options *o = plan->steps[first].options;
    problem_add(problems, plan->steps[index].place,
                "leave out the guard's keys: then it takes list, condition and NULL rule of that index",
                "the guard (%s) and the unique index %s keep different rows apart",
                index_wish_shown(run->arena, &job->wish), o->name.name);
}

static const struct column *read_elements(struct run *run, size_t index, const struct guard_job *job,
                                          struct problems *problems, struct error *error) {
    struct column *columns = arena_alloc(run->arena, (job->wish.count + 1) * sizeof *columns);
    struct sql_text where = {job->wish.where, run->plan->steps[index].place};
    bool good = true;
    for (size_t i = 0; i < job->wish.count; i++) {
        const struct index_element *e = &job->wish.elements[i];
        struct sql_text text = {arena_printf(run->arena, "%s %s", e->expression, e->collate), e->place};
        struct column *column = trial_expression(run, index, job->wish.table, &text, "unique", problems, error);
        good = good && column;
        if (column && !column->equal)
            problem_add(problems, e->place, "compare a text or another expression of it",
                        "values of %s cannot be compared (type %s)", e->text, column->type);
        if (column) columns[i] = *column;
    }
    good = trial_condition(run, index, job->wish.table, &where, "where", problems, error) && good;
    return good ? columns : NULL;
}

static void check_rights(struct run *run, struct error *error) {
    const struct table *table = run->table;
    struct error hidden = error_new(run->arena);
    run_refuse_hidden(table, &hidden);
    run_refuse(run, &hidden, error);
    const char *value = arena_printf(run->arena, "%u", table->oid);
    struct statement statement = {"asking for rights", sql_lacking_to_guard.text, &value, 1};
    struct rows *rows = failed(error) ? NULL : ask(run->desk, run->arena, &statement, error);
    for (int i = 0; rows && i < rows_count(rows); i++) run_lacks(run, rows_text(rows, i, 0), rows_text(rows, i, 1));
}

static const char *probe_text(struct run *run, const struct guard_job *job, struct error *error) {
    struct guard_key key = guard_key_written(run->arena, job);
    struct guard_job distinct = *job;
    distinct.wish.nulls_not_distinct = false;
    struct bindings b = {0};
    bind(&b, "nulls", guard_nulls(run->arena, job));
    bind(&b, "from", job->wish.table->from);
    bind(&b, "name", job->wish.table->name);
    bind(&b, "condition", key.condition);
    bind(&b, "equal", guard_equal(run->arena, &distinct, &key));
    return sql_expand(run->arena, &sql_probe_plan, b.items, error);
}

static const char index_hint[] = "put an index step before the guard:  - index: { name: NAME, columns: [...] }";

/* Within the transaction in which the plan is compiled. */
static void set_scans(struct run *run, const char *value, struct error *error) {
    ask(run->desk, run->arena, &(struct statement){"setting up a trial", sql_scans.text, &value, 1}, error);
}

/* Every insert looks its key up: without an index that is a scan of the table, for each. */
static void check_index(struct run *run, size_t index, struct guard_job *job, struct problems *problems,
                        struct error *error) {
    struct sql_text place = {"", run->plan->steps[index].place};
    const char *text = probe_text(run, job, error);
    if (failed(error)) return;
    set_scans(run, "off", error);
    struct rows *rows = trial_plan(run, index, &place, "unique", text, problems, error);
    set_scans(run, "on", error);
    if (!rows || guard_probe_serves(rows_text(rows, 0, 0))) return;
    job->unproven = index_between(run->plan, 0, index, false) < index;
    if (!job->unproven)
        problem_add(problems, place.place, index_hint,
                    "%s has no usable index on (%s), which the guard looks keys up by", job->wish.table->shown,
                    index_wish_shown(run->arena, &job->wish));
}

static void check_hash(struct run *run, size_t index, const struct guard_job *job, struct problems *problems,
                       struct error *error) {
    struct text nulls = text_new(run->arena);
    for (size_t i = 0; i < job->wish.count; i++) text_addf(&nulls, "%sNULL::%s", i ? ", " : "", job->columns[i].type);
    struct sql_text place = {"", job->wish.elements[0].place};
    struct bindings b = {0};
    bind(&b, "nulls", nulls.data);
    const char *text = sql_expand(run->arena, &sql_try_hash, b.items, error);
    if (text) trial_plan(run, index, &place, "unique", text, problems, error);
}

static void guard_compile(struct run *run, size_t index, struct problems *problems, struct error *error) {
    struct table *table = trial_table(run, index, &(struct name){0}, problems, error);
    if (!table || failed(error)) return;
    struct guard_job *job = arena_alloc(run->arena, sizeof *job);
    *job = (struct guard_job){.until = -1};
    size_t before = problems->count;
    read_wish(run, index, job, error);
    job->wish.table = table;
    check_rights(run, error);
    job->columns = read_elements(run, index, job, problems, error);
    run->steps[index].own = job;
    if (!job->columns || problems->count > before || failed(error)) return;
    find_index(run, index, job, problems, error);
    check_hash(run, index, job, problems, error);
    if (problems->count == before) check_index(run, index, job, problems, error);
}

/* --- run --- */

static void say(struct run *run, struct arena *arena, const char *about, const struct sql *sql,
                const struct bindings *b, const char *const *values, int count, struct error *error) {
    const char *text = sql_expand(arena, sql, b->items, error);
    record_sent(run, sql, text);
    ask(run->desk, arena, &(struct statement){about, text, values, count}, error);
}

static struct session reading(struct run *run, size_t index, struct arena *arena) {
    struct session session = session_for(run, index, arena);
    session.read_only = session.pinned = true;
    return session;
}

/* The index it stands for is there, from another run perhaps. */
static const char *standing_index(struct run *run, size_t index, struct arena *arena, const struct guard_job *job,
                                  struct error *error) {
    if (job->until < 0) return NULL;
    struct session session = reading(run, index, arena);
    session_begin(run->desk, arena, &session, error);
    struct index_wish wish =
        failed(error) ? (struct index_wish){0} : index_step_wish(run, (size_t)job->until, job->wish.table, error);
    const char *name = failed(error) ? NULL : index_twin(run->desk, arena, &wish, error);
    session_end(run->desk, arena, error);
    return name ? arena_strdup(run->arena, name) : NULL;
}

/* What a step before should have built. */
static void prove_index(struct run *run, size_t index, struct arena *arena, const struct guard_job *job,
                        struct error *error) {
    if (!job->unproven || failed(error)) return;
    struct session session = reading(run, index, arena);
    const char *text = probe_text(run, job, error);
    session_begin(run->desk, arena, &session, error);
    struct rows *rows = ask(
        run->desk, arena, &(struct statement){.about = "looking for an index by the guard's key", .text = text}, error);
    bool serves = rows && guard_probe_serves(rows_text(rows, 0, 0));
    session_end(run->desk, arena, error);
    if (serves || failed(error)) return;
    fail(error, FAULT_REFUSED, "%s has no usable index on (%s), which the guard looks keys up by",
         job->wish.table->shown, index_wish_shown(run->arena, &job->wish));
    fail_hint(error, "%s", index_hint);
}

/* Before anybody can see it. */
static void revoke(struct run *run, struct arena *arena, const char *about, const struct bindings *b,
                   struct error *error) {
    const char *function = arena_printf(arena, "%s()", guard_qualified(run, arena));
    struct statement statement = {about, sql_function_grantees.text, &function, 1};
    struct rows *rows = failed(error) ? NULL : ask(run->desk, arena, &statement, error);
    const char *grantees = rows && rows_count(rows) ? rows_text(rows, 0, 0) : NULL;
    if (!grantees) return;
    struct bindings with = *b;
    bind(&with, "grantees", grantees);
    say(run, arena, about, &sql_revoke_function, &with, NULL, 0, error);
    private_keep(&run->state, arena, error);
}

/* All that is only ours, in one transaction: who comes after a crash finds it in `guards`. */
static void make(struct run *run, size_t index, struct arena *arena, const struct guard_job *job,
                 const struct bindings *b, struct error *error) {
    const struct table *table = job->wish.table;
    const char *about = arena_printf(arena, "making the guard of %s", table->shown);
    const char *values[] = {arena_printf(arena, "%lld", (long long)run->holder.run),
                            arena_printf(arena, "%zu", index),
                            arena_printf(arena, "%d", job->until),
                            arena_printf(arena, "%u", table->oid),
                            table->schema,
                            table->name,
                            guard_name(run, arena),
                            guard_trigger_name(run, arena),
                            job->constraint};
    struct session session = session_for(run, index, arena);
    session_begin(run->desk, arena, &session, error);
    say(run, arena, about, &sql_add_guard, b, values, 9, error);
    say(run, arena, about, &sql_create_claims, b, NULL, 0, error);
    if (text_equal(error->sqlstate, "42P07") && !error->hint)
        error->hint = arena_printf(error->arena, "something in schema %s has the name of the index; rename one of them",
                                   run->state.schema);
    say(run, arena, about, &sql_create_function, b, NULL, 0, error);
    revoke(run, arena, about, b, error);
    session_end(run->desk, arena, error);
}

static struct guard *mine(struct run *run, size_t index, struct arena *arena, struct error *error) {
    size_t count;
    struct guard *guards = guards_of(&run->state, arena, run->holder.run, &count, error);
    for (size_t i = 0; i < count; i++)
        if (guards[i].step == (int)index) return &guards[i];
    return NULL;
}

/* One try: the walk calls the step again, after a growing pause, when the lock could not be had. */
static void arm(struct run *run, size_t index, struct arena *arena, const struct guard_job *job,
                const struct bindings *b, struct error *error) {
    const char *about = arena_printf(arena, "putting the guard's trigger on %s", job->wish.table->shown);
    const char *values[] = {arena_printf(arena, "%lld", (long long)run->holder.run), arena_printf(arena, "%zu", index)};
    struct session session = session_for(run, index, arena);
    session.lock_timeout = run_settings(run, index)->locks.ddl_timeout;
    session_begin(run->desk, arena, &session, error);
    say(run, arena, about, &sql_create_trigger, b, NULL, 0, error);
    say(run, arena, about, &sql_note_armed, b, values, 2, error);
    session_end(run->desk, arena, error);
    if (text_equal(error->sqlstate, "55P03") && !error->hint)
        error->hint = "somebody holds a lock on the table all the time; run again at a quieter moment, or raise "
                      "locks.ddl_timeout (writers queue behind us that long) or locks.retries";
}

/* --- transactions that are older than the trigger --- */

struct waiting {
    char text[300];
};

static void show_waiting(struct run *run, struct waiting *waiting, struct arena *arena, const struct rows *rows) {
    int64_t count = rows_int(rows, 0, 0);
    const char *pid = rows_text(rows, 0, 1), *name = rows_text(rows, 0, 2), *user = rows_text(rows, 0, 3);
    const char *open = rows_text(rows, 0, 4) ? clock_text(arena, rows_int(rows, 0, 4) * 1000) : NULL;
    snprintf(waiting->text, sizeof waiting->text,
             "for %lld transaction%s older than the guard: process %s (%s%s%s)%s%s", (long long)count,
             count == 1 ? "" : "s", pid ? pid : "unknown", name && *name ? name : "no name", user ? ", " : "",
             user ? user : "", open ? ", open for " : "", open ? open : "");
    if (!run->progress.waiting) run->progress.waiting_since = clock_ms();
    run->progress.waiting = waiting->text;
}

/* Nothing is held meanwhile. */
static void wait_for_older(struct run *run, struct arena *arena, struct error *error) {
    struct waiting *waiting = arena_alloc(arena, sizeof *waiting);
    struct rows *rows = failed(error)
                            ? NULL
                            : ask(run->desk, arena,
                                  &(struct statement){.about = "looking for transactions older than the guard",
                                                      .text = sql_open_transactions.text},
                                  error);
    const char *older = rows && rows_count(rows) ? rows_text(rows, 0, 0) : NULL;
    while (older && !failed(error)) {
        struct arena *scratch = arena_new(arena);
        rows = ask(run->desk, scratch,
                   &(struct statement){"waiting for transactions older than the guard", sql_still_open.text, &older, 1},
                   error);
        bool open = rows && rows_count(rows);
        if (open) show_waiting(run, waiting, scratch, rows);
        arena_free(scratch);
        run_check_stop(run, error);
        if (!open) break;
        wire_sleep(run->wire, LOOK_MS);
    }
    run->progress.waiting = NULL;
}

static void put_up(struct run *run, size_t index, struct arena *arena, const struct guard_job *job,
                   struct error *error) {
    guards_drop_left(run, job->wish.table, error);
    prove_index(run, index, arena, job, error);
    const struct guard *guard = failed(error) ? NULL : mine(run, index, arena, error);
    if (!failed(error) && !(guard && guard->stands && !guard->disarmed)) {
        struct guard_key key = guard_key_resolved(run, index, arena, job, error);
        struct bindings b = {0};
        if (!failed(error)) b = guard_bindings(run, arena, job, &key, error);
        if (!failed(error)) make(run, index, arena, job, &b, error);
        if (!failed(error) && !(guard && guard->stands)) arm(run, index, arena, job, &b, error);
    }
    wait_for_older(run, arena, error);
}

static void guard_run(struct run *run, size_t index, struct error *error) {
    trial_again(run, index, error);
    if (failed(error)) return;
    struct guard_job *job = run->steps[index].own;
    struct arena *arena = arena_new(run->arena);
    if (!job->constraint) job->constraint = guard_trigger_name(run, run->arena); /* the run has its number now */
    const char *there = standing_index(run, index, arena, job, error);
    if (there) {
        run->steps[index].note = arena_printf(run->arena, "%s is there: nothing to guard", there);
        guards_end(run, job->until, error);
    } else if (!failed(error)) {
        put_up(run, index, arena, job, error);
        run->steps[index].note = arena_printf(run->arena, "stands as %s", job->constraint);
    }
    arena_free(arena);
}

/* --- explain --- */

static void explain_subscription(struct run *run, const struct table *table, struct text *said, struct error *error) {
    const char *value = arena_printf(run->arena, "%u", table->oid);
    struct statement statement = {"looking for subscriptions", sql_subscriptions.text, &value, 1};
    struct rows *rows = ask(run->desk, run->arena, &statement, error);
    if (rows && rows_int(rows, 0, 0))
        text_add(said,
                 "risk: a subscription writes to this table, and its apply worker does not fire the trigger: what it "
                 "brings is found when the index is built\n");
}

static void explain_statements(struct run *run, const struct guard_job *job, struct explanation *explanation,
                               struct error *error) {
    static const struct sql *const statements[] = {&sql_create_claims, &sql_create_function, &sql_revoke_function,
                                                   &sql_create_trigger};
    struct guard_key key = guard_key_written(run->arena, job);
    struct bindings b = guard_bindings(run, run->arena, job, &key, error);
    bind(&b, "grantees", "PUBLIC");
    for (size_t i = 0; i < sizeof statements / sizeof *statements && !failed(error); i++)
        explain_statement(explanation, statements[i], sql_expand(explanation->arena, statements[i], b.items, error));
}

static void guard_explain(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    struct guard_job *job = run->steps[index].own;
    struct text *said = &explanation->said;
    if (!job || !job->columns) {
        text_add(said, "what it does is known when the `sql` step before has run\n");
        return;
    }
    if (!job->constraint) job->constraint = guard_trigger_name(run, run->arena);
    const char *shown = index_wish_shown(run->arena, &job->wish);
    const char *table = job->wish.table->shown;
    text_addf(said, "a trigger on %s refuses new duplicates of (%s) with SQLSTATE 23505 and constraint %s%s\n", table,
              shown, job->constraint, job->until >= 0 ? ", as the unique index will" : "");
    text_addf(
        said,
        "it takes SHARE ROW EXCLUSIVE on %s for a moment, in tries of %s at most: writers queue behind that, readers "
        "do not; then it waits for older transactions, holding nothing\n",
        table, clock_text(run->arena, run_settings(run, index)->locks.ddl_timeout));
    text_add(said,
             "until it goes, each insert and each update of the key looks the key up and writes a row of 70 bytes\n");
    text_addf(said, "it goes %s: disarmed without a lock, then dropped in short tries (ACCESS EXCLUSIVE)\n",
              job->until >= 0 ? "when the index is valid, or when the run is over" : "when the run is over");
    text_addf(
        said,
        "risk: INSERT ... ON CONFLICT DO NOTHING that meets a duplicate of (%s) gets 23505 until the index is there, "
        "where the index will skip the row\n",
        shown);
    text_add(said, "names in the function are qualified when it is made\n");
    explain_subscription(run, job->wish.table, said, error);
    explain_statements(run, job, explanation, error);
}

const struct step step_guard = {
    .name = "guard",
    .about = "keeps new duplicates out until the unique index is there",
    .size = sizeof(struct guard_options),
    .options = guard_option_table,
    .check = guard_check,
    .compile = guard_compile,
    .explain = guard_explain,
    .run = guard_run,
};
