/* The data of a report: what overview.c knows of a run, and behind it sections that the server puts into JSON itself.
 * Owns their order and what stands for them in older versions of the state. */
#include "state/report.h"

#include "base/json.h"
#include "base/text.h"
#include "sql/state/report.sql.h"
#include "state/overview.h"

/* Of the state schema: since when what is told is written down. Looking does not upgrade it. */
enum { SINCE_BEGINNING = 1, SINCE_ARCHIVES = 2, SINCE_ACTS = 3, SINCE_EVENTS = 4 };

struct reading {
    const struct state *state;
    struct arena *arena;
    const char *run; /* $1 */
    int version;
};

static void free_json(void *json) { json_decref(json); }

static struct rows *ask_text(const struct reading *r, const char *text, struct error *error) {
    return ask(r->state->slot, r->arena, &(struct statement){"reading what the run did", text, &r->run, 1}, error);
}

static struct rows *ask_plain(const struct reading *r, const struct sql *sql, struct error *error) {
    return state_ask(r->state, r->arena, "reading what the run did", sql, &r->run, 1, error);
}

static json_t *parsed(struct arena *arena, const struct rows *rows) {
    return json_read_or_null(arena, rows && rows_count(rows) ? rows_text(rows, 0, 0) : NULL);
}

/* --- sections that are one statement each --- */

static const struct section {
    const char *key;
    const struct sql *sql;
    int since;
    const char *before; /* what stands for it in older versions */
} sections[] = {
    {"slowest", &sql_report_slowest, SINCE_BEGINNING, "[]"},
    {"waits", &sql_report_waits, SINCE_EVENTS, "[]"},
    {"statements", &sql_report_statements, SINCE_EVENTS, "[]"},
    {"endpoints", &sql_report_endpoints, SINCE_EVENTS, "[]"},
};

static const struct section series[] = {
    {"throughput", &sql_report_throughput, SINCE_BEGINNING, "[]"},
    {"samples", &sql_report_samples, SINCE_EVENTS, "[]"},
};

static json_t *section(const struct reading *r, const struct section *s, struct error *error) {
    if (r->version < s->since) return json_loads(s->before, 0, NULL);
    return parsed(r->arena, ask_plain(r, s->sql, error));
}

static void add_sections(const struct reading *r, json_t *to, const struct section *list, size_t count,
                         struct error *error) {
    for (size_t i = 0; i < count && !failed(error); i++)
        json_object_set_new(to, list[i].key, section(r, &list[i], error));
}

/* --- sections that are made of pieces --- */

static const char *piece(const struct reading *r, const struct sql *sql, struct error *error) {
    return sql_expand(r->arena, sql, (struct binding[]){{"state", r->state->schema}, {NULL, NULL}}, error);
}

static json_t *timeline(const struct reading *r, struct error *error) {
    struct text sources = text_new(r->arena);
    text_addf(&sources, "%s", piece(r, &sql_timeline_steps, error));
    if (r->version >= SINCE_EVENTS) text_addf(&sources, "\n%s", piece(r, &sql_timeline_events, error));
    if (r->version >= SINCE_ACTS) text_addf(&sources, "\n%s", piece(r, &sql_timeline_acts, error));
    struct binding bindings[] = {{"state", r->state->schema}, {"sources", sources.data}, {NULL, NULL}};
    return parsed(r->arena, ask_text(r, sql_expand(r->arena, &sql_report_timeline, bindings, error), error));
}

/* What the runs table alone has; `archive` among it. */
static void add_own(const struct reading *r, const struct overview *o, json_t *report, struct error *error) {
    bool archives = r->version >= SINCE_ARCHIVES;
    struct binding bindings[] = {
        {"state", r->state->schema},
        {"archives", piece(r, archives ? &sql_report_archives : &sql_report_no_archives, error)},
        {"until", piece(r, archives ? &sql_report_until : &sql_report_no_until, error)},
        {NULL, NULL}};
    json_t *own = parsed(r->arena, ask_text(r, sql_expand(r->arena, &sql_report_run, bindings, error), error));
    json_object_update(report, own);
    json_decref(own);
    json_t *archive = json_object_get(report, "archive");
    if (json_is_object(archive))
        json_object_set_new(archive, "without", json_text_or_null(r->arena, overview_kept_nothing(o)));
}

/* --- what overview.c knows --- */

static json_t *error_of(struct arena *arena, const struct overview *o) {
    if (!o->error.message) return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "message", json_text_or_null(arena, o->error.message), "detail",
                     json_text_or_null(arena, o->error.detail), "hint", json_text_or_null(arena, o->error.hint),
                     "sqlstate", json_text_or_null(arena, o->error.sqlstate));
}

static json_t *waiting_of(struct arena *arena, const struct overview *o) {
    if (!o->waiting.reason) return json_null();
    return json_pack("{s:o, s:o, s:o}", "since", json_text_or_null(arena, o->waiting.since), "reason",
                     json_text_or_null(arena, o->waiting.reason), "until", json_text_or_null(arena, o->waiting.until));
}

static json_t *head(const struct reading *r, const struct overview *o) {
    const struct {
        const char *key, *text;
    } texts[] = {{"plan", o->plan},
                 {"environment", o->environment},
                 {"table", o->table},
                 {"state", o->state},
                 {"role", o->role},
                 {"runner", o->alive ? o->holder : NULL},
                 {"program", o->program},
                 {"started", o->started},
                 {"finished", o->finished},
                 {"lane", o->lane},
                 {"schema", r->state->schema},
                 {"database", slot_database(r->state->slot)}};
    json_t *report = json_pack("{s:I}", "run", (json_int_t)o->run);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(report, texts[i].key, json_text_or_null(r->arena, texts[i].text));
    json_object_set_new(report, "seconds", json_seconds_or_null(o->ms));
    json_object_set_new(report, "error", error_of(r->arena, o));
    json_object_set_new(report, "waiting", waiting_of(r->arena, o));
    json_object_set_new(report, "settings", json_read_or_null(r->arena, o->settings));
    return report;
}

static json_t *totals(const struct reading *r, const struct overview *o, struct error *error) {
    bool archives = r->version >= SINCE_ARCHIVES;
    struct rows *rows = archives ? ask_plain(r, &sql_report_archived, error) : NULL;
    return json_pack("{s:I, s:I, s:I, s:I, s:n}", "removed", (json_int_t)o->removed, "children",
                     (json_int_t)o->children, "spared", (json_int_t)o->spared, "archived",
                     (json_int_t)(rows ? rows_int(rows, 0, 0) : 0), "held");
}

static json_t *step(struct arena *arena, const struct overview_step *s, const char *started, const char *finished) {
    return json_pack("{s:o, s:o, s:o, s:I, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:i, s:o}", "name",
                     json_text_or_null(arena, s->name), "kind", json_text_or_null(arena, s->kind), "state",
                     json_text_or_null(arena, s->state), "rows", (json_int_t)s->rows, "total",
                     json_count_or_null(s->total), "spared", (json_int_t)s->spared, "archived", (json_int_t)s->archived,
                     "batches", (json_int_t)s->batches, "seconds", json_seconds_or_null(s->ms), "started",
                     json_text_or_null(arena, started), "finished", json_text_or_null(arena, finished), "round",
                     s->round, "note", json_text_or_null(arena, s->note));
}

static json_t *steps(const struct reading *r, const struct overview *o, struct error *error) {
    json_t *list = json_array();
    struct rows *times = ask_plain(r, &sql_report_step_times, error);
    for (size_t i = 0; times && i < o->step_count && (int)i < rows_count(times); i++)
        json_array_append_new(list,
                              step(r->arena, &o->steps[i], rows_text(times, (int)i, 0), rows_text(times, (int)i, 1)));
    return list;
}

static json_t *report_of(const struct reading *r, const struct overview *o, struct error *error) {
    json_t *report = head(r, o), *all = json_object();
    arena_defer(r->arena, free_json, report);
    json_object_set_new(report, "series", all);
    add_own(r, o, report, error);
    json_object_set_new(report, "totals", totals(r, o, error));
    json_object_set_new(report, "steps", steps(r, o, error));
    const struct sql *tree = r->version >= SINCE_EVENTS ? &sql_report_tree : &sql_report_no_tree;
    json_object_set_new(report, "tree", parsed(r->arena, ask_plain(r, tree, error)));
    json_object_set_new(report, "timeline", timeline(r, error));
    add_sections(r, all, series, sizeof series / sizeof *series, error);
    add_sections(r, report, sections, sizeof sections / sizeof *sections, error);
    report_tracked(r->state, r->arena, o, report, error);
    return report;
}

json_t *report_data(const struct state *state, struct arena *arena, int64_t run, struct error *error) {
    struct reading r = {.state = state, .arena = arena, .run = arena_printf(arena, "%lld", (long long)run)};
    size_t count = 0;
    json_t *report = NULL;
    overview_begin(state, arena, error);
    r.version = failed(error) ? 0 : schema_version(state, arena, error);
    struct overview *found =
        r.version ? overview_read_inside(state, arena, &(struct overview_filter){.run = run}, &count, error) : NULL;
    if (count && !failed(error)) report = report_of(&r, found, error);
    overview_end(state, arena, error);
    return failed(error) ? NULL : report;
}
