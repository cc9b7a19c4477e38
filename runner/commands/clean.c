/*
 * pgwinnow clean: drop what runs that are over left behind: tracking tables, helper tables and sequences, temporary
 * indexes, guards, and archives that are older than their plan keeps them. The rows about the runs stay, for history. A
 * run that `run` or `undo` could go on with is never touched.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "commands/shown.h"
#include "database/frame.h"
#include "sql/commands/clean.sql.h"
#include "state/runs.h"
#include "work/guard.h"

enum { LOCK_MS = 1000 }; /* the application queues behind us that long when a guard's trigger goes */

static const struct command_option clean_options[] = {
    {"older", ARGUMENT_DURATION, offsetof(struct command_line, older), "30d", "of all runs that ended so long ago",
     NULL},
    {"archive", ARGUMENT_FLAG, offsetof(struct command_line, archive), NULL,
     "archives too that are still to be kept: what the runs removed cannot be brought back then", NULL},
    {0},
};

struct cleaning {
    struct state state;
    struct arena *arena;
    struct wire *wire;
    const char *direct_url;
    struct slot *direct; /* where indexes are dropped; NULL: not needed so far */
    bool quiet;
    bool archive; /* --archive: before their time */
    int64_t dropped;
};

/* --- which runs --- */

static void refuse_unfinished(const struct overview *o, struct error *error) {
    bool works = o->alive && (text_equal(o->state, "running") || text_equal(o->state, "waiting"));
    fail(error, FAULT_REFUSED, "run %lld of plan %s is not over: it is %s", (long long)o->run, o->plan, o->state);
    if (text_equal(o->state, "undoing"))
        fail_hint(error, "`pgwinnow undo %lld` goes on with it", (long long)o->run);
    else if (works)
        fail_hint(error, "wait until it has ended; `pgwinnow status %lld` shows how far it is", (long long)o->run);
    else
        fail_hint(error, "`pgwinnow run` with its plan goes on with it, and with --fresh cancels it and starts anew");
}

static struct overview *choose(const struct command_line *line, const struct cleaning *c, const struct named *named,
                               size_t *count, struct error *error) {
    *count = 0;
    if (!line->argument_count) {
        struct overview_filter filter = {.environment = line->environment,
                                         .which = OVERVIEW_OVER,
                                         .left = true,
                                         .archives = c->archive,
                                         .older = line->older > 0 ? line->older : 0};
        return overview_read(&c->state, c->arena, &filter, count, error);
    }
    struct overview *found = desk_find(&c->state, c->arena, named, error);
    if (!found) return NULL;
    if (!overview_over(found)) refuse_unfinished(found, error);
    *count = found->objects > 0 || found->expired > 0 || (c->archive && found->archives > 0);
    return found;
}

/* --- archives --- */

struct archive_row {
    const char *oid, *name, *table; /* of the source; raw; the source as people write it */
};

static struct archive_row *archives_of(const struct cleaning *c, const struct overview *o, size_t *count,
                                       struct error *error) {
    const char *values[] = {arena_printf(c->arena, "%lld", (long long)o->run), c->archive ? "true" : "false"};
    *count = 0;
    if (!o->archives) return NULL; /* a state of version 1 has no table of them */
    struct rows *rows = state_ask(&c->state, c->arena, "reading the archives", &sql_archives_to_drop, values, 2, error);
    *count = rows ? (size_t)rows_count(rows) : 0;
    struct archive_row *list = arena_alloc(c->arena, (*count + 1) * sizeof *list);
    for (int i = 0; i < (int)*count; i++)
        list[i] = (struct archive_row){rows_text(rows, i, 0), rows_text(rows, i, 1), rows_text(rows, i, 2)};
    return list;
}

/* --- asking --- */

static const char *list_objects(const struct cleaning *c, const struct overview *runs, size_t count,
                                struct error *error) {
    struct text text = text_new(c->arena);
    for (size_t i = 0; i < count; i++) {
        size_t objects;
        const struct object_row *rows = runs_objects(&c->state, c->arena, runs[i].run, NULL, &objects, error);
        size_t archives;
        const struct archive_row *kept = archives_of(c, &runs[i], &archives, error);
        text_addf(&text, "%srun %lld of plan %s, %s:", i ? "\n" : "", (long long)runs[i].run, runs[i].plan,
                  runs[i].state);
        for (size_t j = 0; j < objects; j++)
            text_addf(&text, "%s %s%s", j ? "," : "", text_equal(rows[j].kind, "index") ? "index " : "",
                      sql_qualified(c->arena, rows[j].schema, rows[j].name));
        for (size_t j = 0; j < archives; j++)
            text_addf(&text, "%s the archive of %s", j || objects ? "," : "", kept[j].table);
        for (size_t j = 0; j < runs[i].guard_count; j++)
            text_addf(&text, "%s the guard of %s", j || objects || archives ? "," : "", runs[i].guards[j].table);
    }
    return text.data;
}

static bool says_yes(void) {
    char answer[16] = "";
    printf("Drop all of it? [y/N] ");
    fflush(stdout);
    if (!fgets(answer, sizeof answer, stdin)) putchar('\n');
    return answer[0] == 'y' || answer[0] == 'Y';
}

/* Without a run or an age it is a lot that may go, so a person looks at it first. */
static bool agreed(const struct command_line *line, const struct cleaning *c, const struct overview *runs, size_t count,
                   struct error *error) {
    if (line->yes || line->argument_count || line->older > 0) return true;
    const char *list = list_objects(c, runs, count, error);
    if (failed(error)) return false;
    if (!isatty(STDIN_FILENO)) {
        fail(error, FAULT_USAGE, "clean would drop what %zu run%s left, and nobody is there to agree", count,
             count == 1 ? "" : "s");
        fail_detail(error, "%s", list);
        fail_hint(error, "add --yes, or name a run, or an age: --older 30d");
        return false;
    }
    printf("%s\n", list);
    return says_yes();
}

/* --- dropping --- */

static void send_to(const struct cleaning *c, struct slot *slot, const char *about, const struct sql *sql,
                    const char *object, struct error *error) {
    struct binding bindings[] = {{"object", object}, {NULL, NULL}};
    const char *text = sql_expand(c->arena, sql, bindings, error);
    ask(slot, c->arena, &(struct statement){.about = about, .text = text}, error);
}

static void send(const struct cleaning *c, const char *about, const struct sql *sql, const char *object,
                 struct error *error) {
    send_to(c, c->state.slot, about, sql, object, error);
}

/* A session of its own: it gets settings that are no other statement's. */
static void open_direct(struct cleaning *c, const char *about, struct error *error) {
    c->direct = slot_open(c->wire, c->arena, c->direct_url, "pgwinnow", error);
    if (!failed(error) && slot_pooled(c->direct, error)) {
        fail(error, FAULT_REFUSED, "%s: an index cannot be dropped concurrently through a pooler", about);
        fail_hint(error, "give the server's own address with --database-direct");
    }
    send_to(c, c->direct, about, &sql_index_session, NULL, error);
}

static void drop_index(struct cleaning *c, const char *about, const char *object, struct error *error) {
    if (!c->direct) open_direct(c, about, error);
    send_to(c, c->direct, about, &sql_drop_index, object, error);
}

static void begin_transaction(const struct cleaning *c, const char *about, struct error *error) {
    frame_begin(c->state.slot, c->arena, error);
    send(c, about, &sql_clean_settings, NULL, error);
}

static void end_transaction(const struct cleaning *c, struct error *error) {
    frame_end(c->state.slot, c->arena, error);
    if (text_equal(error->sqlstate, "55P03")) error->hint = "somebody is looking at it; clean again later";
}

/* A table and the note about it go together. */
static void drop_in_transaction(struct cleaning *c, int64_t run, const struct object_row *o, const char *about,
                                const char *object, struct error *error) {
    begin_transaction(c, about, error);
    send(c, about, text_equal(o->kind, "sequence") ? &sql_drop_sequence : &sql_drop_table, object, error);
    runs_forget_object(&c->state, c->arena, run, o->kind, o->schema, o->name, error);
    end_transaction(c, error);
}

static void drop(struct cleaning *c, int64_t run, const struct object_row *o, struct error *error) {
    const char *object = sql_qualified(c->arena, o->schema, o->name);
    const char *about = arena_printf(c->arena, "dropping %s", object);
    if (text_equal(o->kind, "index")) {
        drop_index(c, about, object, error);
        runs_forget_object(&c->state, c->arena, run, o->kind, o->schema, o->name, error);
    } else {
        drop_in_transaction(c, run, o, about, object, error);
    }
    if (failed(error)) return;
    c->dropped++;
    if (!c->quiet) printf("dropped %s\n", object);
}

/* The last one takes the sequence that numbered them all along. */
static void drop_archive(struct cleaning *c, int64_t run, const struct archive_row *a, struct error *error) {
    const char *object = sql_qualified(c->arena, c->state.schema, a->name);
    const char *about = arena_printf(c->arena, "dropping %s", object);
    const char *values[] = {arena_printf(c->arena, "%lld", (long long)run), a->oid};
    const char *order =
        sql_qualified(c->arena, c->state.schema, arena_printf(c->arena, "archive_%lld", (long long)run));
    begin_transaction(c, about, error);
    send(c, about, &sql_drop_table, object, error);
    struct rows *rows = state_ask(&c->state, c->arena, about, &sql_note_dropped, values, 2, error);
    if (rows && rows_count(rows) && rows_flag(rows, 0, 0)) send(c, about, &sql_drop_sequence, order, error);
    end_transaction(c, error);
    if (failed(error)) return;
    c->dropped++;
    if (!c->quiet) printf("dropped %s, the archive of %s\n", object, a->table);
}

/* Disarmed first: that needs no lock, so it is done even when the trigger cannot go now. */
static void drop_guards(struct cleaning *c, const struct overview *o, struct error *error) {
    if (!o->guard_count || failed(error)) return;
    size_t count;
    const struct guard *guards = guards_of(&c->state, c->arena, o->run, &count, error);
    for (size_t i = 0; i < count && !failed(error); i++) {
        guard_disarm(&c->state, c->arena, &guards[i], error);
        guard_drop(&c->state, c->arena, &guards[i], LOCK_MS, error);
        if (text_equal(error->sqlstate, "55P03"))
            error->hint =
                "the guard is disarmed and harms nobody; somebody holds a lock on the table, clean again later";
        if (failed(error)) return;
        c->dropped++;
        if (!c->quiet) printf("dropped the guard of %s\n", guards[i].table ? guards[i].table : o->table);
    }
}

static void drop_all(struct cleaning *c, const struct overview *runs, size_t count, struct error *error) {
    for (size_t i = 0; i < count && !failed(error); i++) {
        size_t objects;
        drop_guards(c, &runs[i], error);
        const struct object_row *rows = runs_objects(&c->state, c->arena, runs[i].run, NULL, &objects, error);
        for (size_t j = 0; j < objects && !failed(error); j++) drop(c, runs[i].run, &rows[j], error);
        size_t archives;
        const struct archive_row *kept = archives_of(c, &runs[i], &archives, error);
        for (size_t j = 0; j < archives && !failed(error); j++) drop_archive(c, runs[i].run, &kept[j], error);
        if (archives < (size_t)runs[i].archives && !c->quiet && !failed(error))
            printf("kept the archive of run %lld until %s, %s (--archive drops it now)\n", (long long)runs[i].run,
                   runs[i].archive_until,
                   text_equal(runs[i].state, "undone") ? "for the rows that its undo left out" : "for undo");
    }
}

static void clean(const struct command_line *line, struct cleaning *c, const struct named *named, struct error *error) {
    size_t count;
    const struct overview *runs = choose(line, c, named, &count, error);
    if (failed(error)) return;
    if (!count) {
        if (!c->quiet) puts("There is nothing to clean: no run that is over left anything behind.");
        return;
    }
    if (!agreed(line, c, runs, count, error)) {
        if (!failed(error)) puts("Nothing was dropped.");
        return;
    }
    drop_all(c, runs, count, error);
    if (!c->quiet && c->dropped)
        printf("%lld object%s of %zu run%s dropped; pgwinnow history still knows the run%s.\n", (long long)c->dropped,
               c->dropped == 1 ? "" : "s", count, count == 1 ? "" : "s", count == 1 ? "" : "s");
}

static const char *direct_url(const struct command_line *line, const struct named *named) {
    const char *direct = desk_direct(line, named);
    if (direct) return direct;
    return line->database ? line->database : named->url ? named->url : "";
}

static void clean_run(struct command_line *line, struct arena *arena, struct error *error) {
    if (line->argument_count && line->older > 0) {
        fail(error, FAULT_USAGE, "clean takes a run or --older, not both");
        fail_hint(error, "pgwinnow help clean");
    }
    struct named named = {0};
    if (!failed(error)) named = desk_named(line, arena, error);
    struct cleaning cleaning = {.state = desk_open(line, arena, named.url, error),
                                .arena = arena,
                                .wire = wire_new(arena),
                                .direct_url = direct_url(line, &named),
                                .quiet = line->quiet,
                                .archive = line->archive};
    if (!failed(error)) clean(line, &cleaning, &named, error);
}

const struct command clean_command = {
    .name = "clean",
    .synopsis = "[RUN]",
    .about = "drop what runs that are over left behind",
    .more = "Tracking tables, helper tables, indexes built for the time of a run, guards, and archives that are older "
            "than their\n"
            "plan keeps them. RUN is a run's number or a plan's name (its latest run). Without RUN or --older it shows "
            "what\n"
            "all runs that are over left, and asks.",
    .most = 1,
    .options = clean_options,
    .run = clean_run,
};
