/* What is known of a run, from JSON. */
#include "commands/report/facts.h"

#include <string.h>
#include <time.h>

#include "base/text.h"

const char *fact_text(const json_t *object, const char *key) { return json_string_value(json_object_get(object, key)); }

int64_t fact_count(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? (int64_t)json_number_value(value) : -1;
}

double fact_number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : -1;
}

const json_t *fact_list(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_array(value) ? value : NULL;
}

bool fact_is(const json_t *object, const char *key, const char *value) {
    return text_equal(fact_text(object, key), value);
}

double fact_time(const json_t *object, const char *key) {
    struct tm parts = {0};
    const char *text = fact_text(object, key), *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) : NULL;
    if (!rest) return -1;
    double fraction = 0, place = 0.1;
    for (rest += *rest == '.'; *rest >= '0' && *rest <= '9'; rest++, place /= 10) fraction += (*rest - '0') * place;
    return (double)timegm(&parts) + fraction;
}

bool report_over(const struct report *r) {
    static const char *const over[] = {"finished", "cancelled", "undone"};
    for (size_t i = 0; i < sizeof over / sizeof *over; i++)
        if (fact_is(r->run, "state", over[i])) return true;
    return false;
}

bool report_lives(const struct report *r) {
    return fact_is(r->run, "state", "running") || fact_is(r->run, "state", "waiting") ||
           fact_is(r->run, "state", "undoing");
}

static double latest(const json_t *list, double so_far) {
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one) {
        double seconds = fact_number(one, "seconds");
        if (seconds > so_far) so_far = seconds;
    }
    return so_far;
}

struct report report_new(struct arena *arena, const json_t *run) {
    const json_t *series = json_object_get(run, "series");
    double span = fact_number(run, "seconds");
    span = latest(fact_list(series, "throughput"), span);
    span = latest(fact_list(series, "samples"), span);
    const char *table = fact_text(run, "table");
    return (struct report){arena, run, table ? table : "its table", fact_time(run, "started"), span > 0.001 ? span : 1};
}
