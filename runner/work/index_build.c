/*
 * The loop of look and act: what the catalog shows decides what comes next, so a kill at any point, an index that
 * appears meanwhile, and a build of somebody else all meet the same few cases.
 */
#include "work/index_build.h"

#include "base/text.h"
#include "database/sql.h"
#include "sql/work/index_build.sql.h"
#include "work/index_match.h"

enum { LOOK_AGAIN_MS = 500 };

static const char *builder_text(struct arena *arena, const struct rows *rows) {
    const char *pid = rows_text(rows, 0, 5), *name = rows_text(rows, 0, 6);
    if (!pid) return NULL;
    return arena_printf(arena, "process %s (%s)", pid, name && *name ? name : "no name");
}

struct index_found index_find(struct direct *direct, const struct index_wish *wish, struct error *error) {
    const char *values[] = {wish->table->schema, wish->name, arena_printf(direct->arena, "%u", wish->table->oid)};
    struct rows *rows = direct_ask(direct, "looking for the index", &sql_find, NULL, values, 3, error);
    if (!rows || rows_count(rows) == 0) return (struct index_found){0};
    return (struct index_found){.oid = (unsigned)rows_int(rows, 0, 0),
                                .kind = rows_text(rows, 0, 1)[0],
                                .on_table = rows_flag(rows, 0, 2),
                                .valid = rows_flag(rows, 0, 3),
                                .shown = rows_text(rows, 0, 4),
                                .builder = builder_text(direct->arena, rows)};
}

static const char *shown(struct direct *direct, const struct index_wish *wish) {
    return name_text(direct->arena, &(struct name){.schema = wish->table->schema, .name = wish->name});
}

bool index_is_wish(struct direct *direct, const struct index_wish *wish, const struct index_found *found,
                   struct error *error) {
    if (failed(error)) return false;
    if (!found->on_table) {
        fail(error, FAULT_REFUSED, "the name %s is taken: it is %s, not of %s", shown(direct, wish), found->shown,
             wish->table->shown);
        fail_hint(error, "give the index another name");
        return false;
    }
    if (index_same(direct->slot, direct->arena, wish, found->oid, error) || failed(error)) return !failed(error);
    const char *text = index_definition_text(direct->slot, direct->arena, found->oid, error);
    fail(error, FAULT_REFUSED, "the index %s is there with another definition", shown(direct, wish));
    fail_detail(error, "there:  %s\nwanted: %s%s", text ? text : "(gone)", wish->unique ? "unique, " : "",
                wish->definition);
    fail_hint(error, "give the new index another name, and name the old one in `replaces` if it is to go");
    return false;
}

/* Waits for a lock like the build; others that queue behind it are other builds and VACUUM, no reader and no writer. */
static void drop(struct direct *direct, const char *why, const struct bindings *bindings, const char *name,
                 struct error *error) {
    const char *doing = arena_printf(direct->arena, "dropping %s %s", why, name);
    do direct_long(direct, doing, doing, &sql_drop, bindings, error);
    while (direct_again(direct, error));
}

void index_drop(struct direct *direct, const char *schema, const char *name, struct error *error) {
    struct bindings b = {0};
    bind(&b, "index", sql_qualified(direct->arena, schema, name));
    drop(direct, "the index", &b, name, error);
}

static void wait_for_builder(struct direct *direct, const struct index_wish *wish, const char *builder,
                             struct error *error) {
    run_check_stop(direct->run, error);
    if (failed(error)) return;
    direct_waits(direct, arena_printf(direct->arena, "%s is building the index %s", builder, wish->name));
    wire_sleep(direct->run->wire, LOOK_AGAIN_MS);
}

enum next { NEXT_LOOK, NEXT_STOP };

static enum next created(struct direct *direct, const struct index_wish *wish, const struct bindings *bindings,
                         struct index_result *result, struct error *error) {
    if (!failed(error)) {
        result->outcome = INDEX_BUILT;
        return NEXT_LOOK;
    }
    if (text_equal(error->sqlstate, "23505")) {
        result->outcome = INDEX_DUPLICATES;
        result->detail = arena_strdup(direct->run->arena, error->detail ? error->detail : error->message);
        error_clear(error);
        drop(direct, "what the failed build left:", bindings, wish->name, error);
        return NEXT_STOP;
    }
    /* Somebody made one of this name since we looked. */
    bool taken = text_equal(error->sqlstate, "42P07");
    if (taken) error_clear(error);
    return taken || direct_again(direct, error) ? NEXT_LOOK : NEXT_STOP;
}

static enum next absent(struct direct *direct, const struct index_wish *wish, struct index_result *result,
                        struct error *error) {
    const char *twin = index_twin(direct->slot, direct->arena, wish, error);
    if (twin) {
        *result = (struct index_result){INDEX_STANDS, arena_strdup(direct->run->arena, twin), NULL};
        return NEXT_STOP;
    }
    struct bindings bindings = index_wish_bindings(direct->arena, wish);
    const char *doing = arena_printf(direct->arena, "building the index %s", wish->name);
    const char *about = arena_printf(direct->arena, "%s on %s", doing, wish->table->shown);
    direct_long(direct, doing, about, &sql_create, &bindings, error);
    return created(direct, wish, &bindings, result, error);
}

static enum next present(struct direct *direct, const struct index_wish *wish, const struct index_found *found,
                         struct index_result *result, struct error *error) {
    if (found->valid || !found->on_table) {
        if (result->outcome != INDEX_BUILT && index_is_wish(direct, wish, found, error)) result->outcome = INDEX_STANDS;
        return NEXT_STOP;
    }
    if (found->builder) {
        wait_for_builder(direct, wish, found->builder, error);
        return NEXT_LOOK;
    }
    struct bindings bindings = index_wish_bindings(direct->arena, wish);
    drop(direct, "what a failed build left:", &bindings, wish->name, error);
    result->outcome = INDEX_NONE;
    return NEXT_LOOK;
}

static enum next look_and_act(struct direct *direct, const struct index_wish *wish, struct index_result *result,
                              struct error *error) {
    struct index_found found = index_find(direct, wish, error);
    if (failed(error)) return direct_again(direct, error) ? NEXT_LOOK : NEXT_STOP;
    if (!found.builder) direct_waits(direct, NULL);
    return found.oid ? present(direct, wish, &found, result, error) : absent(direct, wish, result, error);
}

/* Each turn has its own arena: somebody else's build may have to be waited for a long time. */
struct index_result index_build(struct direct *direct, const struct index_wish *wish, struct error *error) {
    struct index_result result = {.name = wish->name};
    struct arena *arena = direct->arena;
    direct->tries = 0;
    for (enum next next = NEXT_LOOK; next == NEXT_LOOK && !failed(error);) {
        direct->arena = arena_new(arena);
        next = look_and_act(direct, wish, &result, error);
        arena_free(direct->arena);
    }
    direct->arena = arena;
    direct->tries = 0;
    direct_waits(direct, NULL);
    if (failed(error)) result.outcome = INDEX_NONE;
    return result;
}

static void show(const struct sql *sql, const struct bindings *bindings, struct explanation *explanation,
                 struct error *error) {
    const char *text = sql_expand(explanation->arena, sql, bindings->items, error);
    if (text) explain_statement(explanation, sql, text);
}

void index_build_explain(const struct index_wish *wish, struct explanation *explanation, struct error *error) {
    struct bindings b = index_wish_bindings(explanation->arena, wish);
    show(&sql_create, &b, explanation, error);
}

void index_drop_explain(const char *schema, const char *name, struct explanation *explanation, struct error *error) {
    struct bindings b = {0};
    bind(&b, "index", sql_qualified(explanation->arena, schema, name));
    show(&sql_drop, &b, explanation, error);
}
