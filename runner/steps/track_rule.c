/*
 * The rule's side of the track step: a second connection reads the groups by COPY, the box is asked about each, and the
 * rows that go are written by COPY on the desk, inside the transaction that tracks. The two have no snapshot in common
 * and need none: each row comes with its version, which is compared under locks when its turn comes.
 */
#include "steps/track_rule.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "database/lists.h"
#include "script/box.h"
#include "sql/steps/track_rule.sql.h"
#include "work/family_text.h"
#include "work/record.h"
#include "work/session.h"
#include "work/told.h"

enum {
    OUT_BYTES = 65536,  /* so much is collected before it is sent */
    TELL_GROUPS = 1000, /* between two looks at the clock */
    WIDE_ROW = 400,     /* bytes, from which sorting whole rows costs more than looking them up again */
    FIELD_COUNT = 0,    /* of a line: the group's size, where the row lies, */
    FIELD_TABLE,
    FIELD_PLACE,
    FIELD_VERSION,
    FIELD_COLUMN, /* and the row itself; then what the list of duplicates needs beside it, and the children */
};

struct place_in_table {
    uint32_t table, block;
    unsigned offset;
};

/* A row of the group at hand: where what it hands on lies in `kept`, with the tabs that COPY put between. */
struct judged_row {
    size_t begin, version, end;
    struct place_in_table place;
};

struct judge {
    struct run *run;
    struct arena *arena;
    const struct rule *rule;
    struct box *box;
    size_t fields, values; /* of a line; of them, from FIELD_COLUMN on, what the rule sees */
    char **field;
    size_t *key_fields, *list_fields; /* which of them are the row's key, and what its group has in common */
    struct slot *reader;
    struct text kept, out, key; /* of the group: its rows, for errors; lines not yet sent */
    struct judged_row *rows;
    size_t count, room, size; /* size: of the group, as the server counted it */
    int64_t groups, losers, told;
    char doing[96];
    struct event_step *shown;
};

static const struct rule *rule_of(const struct run *run, size_t index) {
    const struct track_options *o = run->plan->steps[index].options;
    return &o->keep.lua;
}

/* --- compile --- */

static const struct edge *child_edge(const struct tree *tree, const char *name) {
    for (size_t i = 0; i < tree->edge_count; i++)
        if (tree->edges[i]->parent->index == 0 && text_equal(tree->edges[i]->key, name)) return tree->edges[i];
    return NULL;
}

static const char *child_edges(struct arena *arena, const struct tree *tree) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < tree->edge_count; i++)
        if (tree->edges[i]->parent->index == 0)
            text_addf(&text, "%s%s", text.length ? ", " : "there are ", tree->edges[i]->key);
    return text.length ? text.data : "no foreign key points at the table; a discover step must stand before this one";
}

void rule_compile(struct run *run, size_t index, struct problems *problems, struct error *error) {
    const struct rule *rule = rule_of(run, index);
    struct box *box = run->steps[index].own = box_new(run->arena, rule, error);
    if (failed(error)) return;
    for (const char *const *name = box_children(box); *name; name++)
        if (!child_edge(run->tree, *name))
            problem_add(problems, rule->file.place, child_edges(run->arena, run->tree),
                        "%s asks for the children %s, which do not point at %s", rule->file.path, *name,
                        run->table->shown);
}

/* --- the statements --- */

static const char *judged_name(const struct run *run, struct arena *arena) {
    return sql_qualified(arena, run->state.schema, arena_printf(arena, "judged_%lld", (long long)run->holder.run));
}

/* A column of the table is in the row already; what else the list of duplicates says is asked for beside it. */
static size_t column_of(const struct table *table, const char *text, struct arena *arena) {
    size_t i = 0;
    bool plain = text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
    while (i < table->column_count && !(plain && text_equal(text, table->columns[i].name)) &&
           !text_equal(text, sql_identifier(arena, table->columns[i].name)))
        i++;
    return i;
}

static void bind_groups(struct bindings *b, const struct run *run, struct arena *arena) {
    const struct sql_texts *list = run->tracking->duplicates;
    struct text values = text_new(arena), names = text_new(arena), fields = text_new(arena);
    for (size_t i = 0; i < list->count; i++) {
        const char *between = i ? ", " : "", *text = list->items[i].text;
        text_addf(&values, "%s(%s\n) AS pgwinnow_g%zu", between, text, i + 1);
        text_addf(&names, "%spgwinnow_g%zu", between, i + 1);
        if (column_of(run->table, text, arena) == run->table->column_count)
            text_addf(&fields, ", pgwinnow_g%zu", i + 1);
    }
    bind(b, "group_values", values.data);
    bind(b, "group_names", names.data);
    bind(b, "group_fields", fields.data);
}

static const char *child_counts(const struct run *run, struct arena *arena, const struct box *box, const char *alias,
                                struct error *error) {
    struct text text = text_new(arena);
    for (const char *const *name = box_children(box); *name; name++) {
        const struct edge *e = child_edge(run->tree, *name);
        struct bindings b = {0};
        bind(&b, "child", e->child->table->from);
        bind(&b, "points", edge_points(arena, e, alias, "pgwinnow_child"));
        bind(&b, "leaves", edge_leaves(arena, e, alias));
        text_add(&text, sql_expand(arena, &sql_child_count, b.items, error));
    }
    return text.data;
}

static bool is_wide(const struct table *table) { return table->rows > 0 && table->bytes / table->rows >= WIDE_ROW; }

static const char *groups_sql(struct run *run, size_t index, struct arena *arena, struct error *error) {
    const struct table *table = run->table;
    const struct key *key = &table->key;
    const char *alias = sql_identifier(arena, table->name);
    struct bindings b = {0};
    bind(&b, "alias", alias);
    bind(&b, "from", table->from);
    bind(&b, "condition", run->tracking->where ? run->tracking->where : "true");
    bind(&b, "no_nulls", track_no_nulls(run, arena));
    bind(&b, "list", track_list(run, arena));
    bind(&b, "keys", list_columns(arena, alias, key->columns, key->count));
    bind(&b, "columns", told_columns(arena, alias, table, error));
    bind(&b, "children", child_counts(run, arena, run->steps[index].own, alias, error));
    bind_groups(&b, run, arena);
    bind(&b, "numbered_keys", list_as_numbered(arena, alias, key->columns, key->count, "pgwinnow_k"));
    bind(&b, "table_is_narrow",
         list_equal_numbered(arena, alias, key->columns, key->count, "pgwinnow_narrow", "pgwinnow_k"));
    bind(&b, "repeated", is_wide(table) ? sql_expand(arena, &sql_repeated, b.items, error) : "");
    return sql_expand(arena, &sql_copy_groups, b.items, error);
}

static void bind_judged(struct bindings *b, const struct run *run, struct arena *arena) {
    const struct key *key = &run->table->key;
    const char *place = run->table->partitioned ? "text COLLATE \"C\"" : "tid";
    bind(b, "judged", judged_name(run, arena));
    bind(b, "key_definitions", list_definitions(arena, "", track_numbered(arena, key, "pgwinnow_k"), key->count));
    bind(b, "survivor_definitions", list_definitions(arena, "", track_numbered(arena, key, "pgwinnow_s"), key->count));
    bind(b, "group_definitions",
         run->tracking->grouped ? arena_printf(arena, ", pgwinnow_group_place %s, pgwinnow_rank bigint", place) : "");
}

static struct rows *do_one(struct run *run, struct arena *arena, const char *about, const struct sql *sql,
                           struct error *error) {
    struct bindings b = {0};
    bind_judged(&b, run, arena);
    const char *text = sql_expand(arena, sql, b.items, error);
    record_sent(run, sql, text);
    return ask(run->desk, arena, &(struct statement){.about = about, .text = text}, error);
}

/* --- lines of COPY --- */

/* Ends the fields where the tabs are; NULL for a line that is not what was asked for. */
static bool split(struct judge *judge, char *line) {
    size_t count = 0;
    for (char *field = line; field && count < judge->fields; count++) {
        judge->field[count] = field;
        field = strchr(field, '\t');
        if (field) *field++ = '\0';
    }
    return count == judge->fields;
}

/* In place, as COPY writes it: \N is NULL, a control character has a letter, all else stands for itself. */
static const char *unescape(char *field) {
    static const char letters[] = "bfnrtv", controls[] = "\b\f\n\r\t\v";
    char *to = strchr(field, '\\');
    if (!to) return field;
    if (text_equal(field, "\\N")) return NULL;
    for (const char *from = to; *from; from++) {
        if (*from == '\\') {
            const char *letter = strchr(letters, *++from);
            *to++ = letter && *letter ? controls[letter - letters] : *from;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return field;
}

static struct place_in_table read_place(const char *table, const char *place) {
    char *comma;
    struct place_in_table p = {.table = (uint32_t)strtoul(table, NULL, 10)};
    p.block = (uint32_t)strtoul(place + 1, &comma, 10);
    p.offset = (unsigned)strtoul(comma + 1, NULL, 10);
    return p;
}

static bool before(const struct place_in_table *a, const struct place_in_table *b) {
    if (a->table != b->table) return a->table < b->table;
    return a->block != b->block ? a->block < b->block : a->offset < b->offset;
}

/* --- a group --- */

static void tell(struct judge *judge) {
    int64_t now = clock_ms();
    if (now - judge->told < 500) return;
    judge->told = now;
    struct arena *scratch = arena_new(judge->arena);
    snprintf(judge->doing, sizeof judge->doing, "asking the rule, %s groups so far",
             text_count(scratch, judge->groups));
    judge->run->progress.doing = judge->doing;
    judge->shown->rows = judge->losers;
    arena_free(scratch);
}

static void send(struct judge *judge, struct error *error) {
    slot_copy_put(judge->run->desk, judge->out.data, judge->out.length, error);
    judge->out.length = 0;
}

/* The first place among the rows that go, as rows_duplicates has it. */
static void add_group_place(struct judge *judge, size_t survivor) {
    const struct place_in_table *first = NULL;
    for (size_t i = 0; i < judge->count; i++)
        if (i != survivor && (!first || before(&judge->rows[i].place, first))) first = &judge->rows[i].place;
    if (judge->run->table->partitioned)
        text_addf(&judge->out, "\t%08" PRIx32 "%08" PRIx32 "%04x", first->table, first->block, first->offset);
    else
        text_addf(&judge->out, "\t(%" PRIu32 ",%u)", first->block, first->offset);
}

static void add_loser(struct judge *judge, size_t loser, size_t survivor) {
    const struct judged_row *row = &judge->rows[loser], *stays = &judge->rows[survivor];
    text_add_n(&judge->out, judge->kept.data + row->begin, row->end - row->begin);
    text_add_n(&judge->out, judge->kept.data + stays->version, stays->end - stays->version);
    if (judge->run->tracking->grouped) {
        add_group_place(judge, survivor);
        text_addf(&judge->out, "\t%zu", loser + (loser < survivor) + 1);
    }
    text_add_n(&judge->out, "\n", 1);
}

/* The group is whole: the rule is asked, and what it does not keep goes. */
static void settle(struct judge *judge, struct error *error) {
    size_t stays = box_keep(judge->box, error);
    for (size_t i = 0; i < judge->count && stays && !failed(error); i++)
        if (i != stays - 1) add_loser(judge, i, stays - 1);
    if (stays) judge->losers += (int64_t)judge->count - 1;
    judge->count = judge->kept.length = 0;
    if (judge->out.length >= OUT_BYTES) send(judge, error);
    if (++judge->groups % TELL_GROUPS == 0) tell(judge);
}

static const char *group_key(struct judge *judge) {
    const struct sql_texts *list = judge->run->tracking->duplicates;
    judge->key.length = 0;
    for (size_t i = 0; i < list->count; i++) {
        const char *value = judge->field[judge->list_fields[i]];
        text_addf(&judge->key, "%s%s = %s", i ? ", " : "", list->items[i].text, value ? value : "NULL");
    }
    return judge->key.data;
}

static void begin_group(struct judge *judge, struct error *error) {
    const char *key = group_key(judge);
    judge->size = strtoull(judge->field[FIELD_COUNT], NULL, 10);
    box_group(judge->box, key);
    if (judge->size <= (size_t)judge->rule->rows) return;
    fail(error, FAULT_HOOK, "%s: the group with %s has %s rows, more than the %s that the rule may be given",
         judge->rule->file.path, key, text_count(error->arena, (long long)judge->size),
         text_count(error->arena, judge->rule->rows));
    fail_hint(error, "raise `rows` of keep: { lua: { file: ..., rows: %zu } }, or leave the group out by `where`",
              judge->size);
}

static struct judged_row *new_row(struct judge *judge) {
    if (judge->count == judge->room) {
        size_t room = judge->room ? 2 * judge->room : 64;
        struct judged_row *rows = arena_alloc(judge->arena, room * sizeof *rows);
        if (judge->count) memcpy(rows, judge->rows, judge->count * sizeof *rows);
        judge->rows = rows;
        judge->room = room;
    }
    return &judge->rows[judge->count++];
}

static void keep_field(struct text *kept, const char *field) {
    text_add_n(kept, "\t", 1);
    text_add(kept, field);
}

/* What is handed on stays as COPY wrote it: table, place, version and key, with tabs between. */
static void keep_row(struct judge *judge) {
    struct judged_row *row = new_row(judge);
    struct text *kept = &judge->kept;
    row->place = read_place(judge->field[FIELD_TABLE], judge->field[FIELD_PLACE]);
    row->begin = kept->length;
    text_add(kept, judge->field[FIELD_TABLE]);
    keep_field(kept, judge->field[FIELD_PLACE]);
    row->version = kept->length;
    keep_field(kept, judge->field[FIELD_VERSION]);
    for (size_t i = 0; i < judge->run->table->key.count; i++) keep_field(kept, judge->field[judge->key_fields[i]]);
    row->end = kept->length;
}

static void take_line(struct judge *judge, char *line, struct error *error) {
    if (!split(judge, line)) {
        fail(error, FAULT_FAILED, "reading groups: a line has fewer fields than were asked for");
        return;
    }
    keep_row(judge);
    for (size_t i = FIELD_COLUMN; i < judge->fields; i++) judge->field[i] = (char *)unescape(judge->field[i]);
    if (judge->count == 1) begin_group(judge, error);
    if (failed(error)) return;
    box_row(judge->box, (const char *const *)judge->field + FIELD_COLUMN, error);
    if (judge->count == judge->size && !failed(error)) settle(judge, error);
}

/* --- the stream --- */

/* Where in a line is what. */
static void place_fields(struct judge *judge) {
    const struct table *table = judge->run->table;
    const struct sql_texts *list = judge->run->tracking->duplicates;
    judge->values = table->column_count;
    for (const char *const *name = box_children(judge->box); *name; name++) judge->values++;
    judge->fields = FIELD_COLUMN + judge->values;
    judge->key_fields = arena_alloc(judge->arena, table->key.count * sizeof *judge->key_fields);
    for (size_t i = 0; i < table->key.count; i++)
        judge->key_fields[i] =
            FIELD_COLUMN + (size_t)(table_column(table, table->key.columns[i].name) - table->columns);
    judge->list_fields = arena_alloc(judge->arena, list->count * sizeof *judge->list_fields);
    for (size_t i = 0; i < list->count; i++) {
        size_t column = column_of(table, list->items[i].text, judge->arena);
        judge->list_fields[i] = column < table->column_count ? FIELD_COLUMN + column : judge->fields++;
    }
    judge->field = arena_alloc(judge->arena, judge->fields * sizeof *judge->field);
}

static struct judge *new_judge(struct run *run, size_t index, struct arena *arena) {
    struct judge *judge = arena_alloc(arena, sizeof *judge);
    *judge = (struct judge){.run = run,
                            .arena = arena,
                            .rule = rule_of(run, index),
                            .box = run->steps[index].own,
                            .kept = text_new(arena),
                            .out = text_new(arena),
                            .key = text_new(arena),
                            .shown = run->steps[index].shown};
    place_fields(judge);
    return judge;
}

static void tell_columns(struct judge *judge, struct error *error) {
    const struct table *table = judge->run->table;
    struct box_column *columns = arena_alloc(judge->arena, judge->values * sizeof *columns);
    for (size_t i = 0; i < table->column_count; i++)
        columns[i] = (struct box_column){table->columns[i].name, box_kind_of(table->columns[i].type_oid)};
    for (size_t i = table->column_count; i < judge->values; i++)
        columns[i] = (struct box_column){box_children(judge->box)[i - table->column_count], BOX_CHILDREN};
    box_columns(judge->box, columns, judge->values, error);
}

/* One statement, and so one snapshot, reads all groups; it takes no lock that anybody waits for. */
static void open_reader(struct judge *judge, size_t index, struct error *error) {
    struct run *run = judge->run;
    struct session session = session_for(run, index, judge->arena);
    session.read_only = true;
    session.statement_timeout = session.idle_timeout = 0;
    judge->reader = slot_open(run->wire, judge->arena, run->url, "pgwinnow", error);
    session_begin(judge->reader, judge->arena, &session, error);
    slot_copy(judge->reader,
              &(struct statement){.about = arena_printf(judge->arena, "reading groups of %s", run->table->shown),
                                  .text = groups_sql(run, index, judge->arena, error)},
              error);
}

static void stream(struct judge *judge, struct error *error) {
    char *line;
    size_t length;
    while (!failed(error) && slot_copy_next(judge->reader, &line, &length, error)) take_line(judge, line, error);
    send(judge, error);
}

const char *rule_make(struct run *run, size_t index, struct arena *arena, struct error *error) {
    struct judge *judge = new_judge(run, index, arena);
    struct bindings b = {0};
    bind_judged(&b, run, arena);
    run->progress.doing = "reading groups";
    tell_columns(judge, error);
    do_one(run, arena, "making the table of what a rule says", &sql_create_judged, error);
    open_reader(judge, index, error);
    slot_copy(run->desk,
              &(struct statement){.about = "writing what the rule says",
                                  .text = sql_expand(arena, &sql_fill_judged, b.items, error)},
              error);
    stream(judge, error);
    slot_copy_end(run->desk, error);
    slot_close(judge->reader);
    run->progress.doing = "ordering what the rule says";
    return sql_expand(arena, &sql_rows_judged, b.items, error);
}

void rule_drop(struct run *run, struct arena *arena, struct error *error) {
    do_one(run, arena, "dropping the table of what a rule says", &sql_drop_judged, error);
}

const char *rule_explain(struct run *run, size_t index, struct explanation *explanation, struct error *error) {
    struct bindings b = {0};
    bind_judged(&b, run, run->arena);
    text_addf(&explanation->said,
              "each group is asked of %s; the counts above are as if it kept the first by key of every group\n",
              rule_of(run, index)->file.path);
    explain_statement(explanation, &sql_copy_groups, groups_sql(run, index, run->arena, error));
    explain_statement(explanation, &sql_create_judged, sql_expand(run->arena, &sql_create_judged, b.items, error));
    explain_statement(explanation, &sql_fill_judged, sql_expand(run->arena, &sql_fill_judged, b.items, error));
    return sql_expand(run->arena, &sql_rows_judged, b.items, error);
}
