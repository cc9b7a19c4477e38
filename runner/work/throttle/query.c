/* throttle.query: a question of the plan's own. No number is too much. */
#include "base/text.h"
#include "sql/work/throttle/query.sql.h"
#include "work/throttle/limit.h"

static bool on(const struct throttle_settings *s) { return s->query.sql.text != NULL; }

static const char *about(struct arena *arena, const struct throttle_settings *s) {
    return arena_printf(arena, "while the answer of %s is above %lld", s->query.sql.text, (long long)s->query.above);
}

static const char *question(const struct look *look, struct error *error) {
    return sql_expand(look->arena, &sql_ask_query,
                      (struct binding[]){{"query", look->settings->query.sql.text}, {NULL, NULL}}, error);
}

static const char *value(const struct look *look) {
    return arena_printf(look->arena, "%lld", (long long)look->settings->query.above);
}

static void judge(struct look *look, const struct rows *rows) {
    const char *answer = rows_text(rows, 0, 0);
    int64_t above = look->settings->query.above;
    if (answer && above > 0) look->near = rows_number(rows, 0, 0) / (double)above;
    if (answer && !rows_flag(rows, 0, 1)) return;
    look->reason =
        answer ? arena_printf(look->arena, "the query's answer is %s", answer) : "the query's answer is NULL";
    look->until = arena_printf(look->arena, "it is %lld or less", (long long)above);
}

const struct limit query_limit = {
    .name = "query", .on = on, .about = about, .question = question, .value = value, .judge = judge};
