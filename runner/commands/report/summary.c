/* The sentences at the top: what was done, how it ended, what is left, what can be done about it. */
#include <string.h>

#include "commands/report/words.h"

static bool is(const struct report *r, const char *state) { return fact_is(r->run, "state", state); }

static const json_t *totals(const struct report *r) { return json_object_get(r->run, "totals"); }

static bool has_step(const struct report *r, const char *key, const char *value) {
    size_t i;
    const json_t *step;
    json_array_foreach(fact_list(r->run, "steps"), i, step) {
        if (fact_is(step, key, value)) return true;
    }
    return false;
}

static bool removes(const struct report *r) {
    return has_step(r, "kind", "delete") || has_step(r, "kind", "together") || has_step(r, "kind", "delete-children");
}

/* "removed 12 rows from public.t and settled 40 rows that pointed at them" */
static void add_deeds(const struct report *r, struct text *out) {
    int64_t removed = fact_count(totals(r), "removed"), children = fact_count(totals(r), "children");
    if (removed > 0) text_addf(out, "removed %s from %s", words_rows(r->arena, removed, "row", "rows"), r->table);
    if (removed > 0 && children > 0) text_add(out, " and ");
    if (children > 0)
        text_addf(out, "settled %s below %s", words_rows(r->arena, children, "row", "rows"),
                  removed > 0 ? removed == 1 ? "it" : "them" : r->table);
}

static bool has_deeds(const struct report *r) {
    return fact_count(totals(r), "removed") > 0 || fact_count(totals(r), "children") > 0;
}

static const char *step_at_hand(const struct report *r) {
    size_t i;
    const json_t *step;
    json_array_foreach(fact_list(r->run, "steps"), i, step) {
        if (!fact_is(step, "state", "done") && !fact_is(step, "state", "skipped")) return fact_text(step, "name");
    }
    return NULL;
}

static void add_where(const struct report *r, struct text *out) {
    const char *step = step_at_hand(r);
    if (step) text_addf(out, " in step %s", step);
}

static void add_deeds_so_far(const struct report *r, struct text *out, const char *tense) {
    if (!has_deeds(r)) {
        text_addf(out, " %s not removed anything.", tense);
        return;
    }
    text_addf(out, " %s ", tense);
    add_deeds(r, out);
    text_add(out, ".");
}

static void add_finished(const struct report *r, struct text *out, const char *took) {
    text_addf(out, "Run %lld ", (long long)fact_count(r->run, "run"));
    if (has_deeds(r))
        add_deeds(r, out);
    else
        text_addf(out, removes(r) ? "found nothing to remove in %s" : "did its steps on %s", r->table);
    text_addf(out, ". It finished on %s UTC, after %s.", words_when(r->arena, fact_time(r->run, "finished")), took);
}

/* What a run in this state is said to have come to; the number of the run stands in front. */
static const struct ending {
    const char *state, *before_step; /* " failed" + " in step delete" */
    const char *behind;              /* how long it took stands between */
    const char *so_far;
    const char *outlook; /* NULL: nothing more to say */
} endings[] = {
    {"failed", " failed", " after it began.", "Until then it had", "The same command goes on where it stopped."},
    {"refused", " was refused", " after it began.", "Until then it had",
     "When the reason is mended, the same command goes on where it stopped."},
    {"paused", " is paused", " after it began.", "So far it has", "The same command goes on where it stopped."},
    {"interrupted", " was interrupted", " after it began: its runner is gone.", "So far it has",
     "The same command goes on where it stopped."},
    {"waiting", " is waiting", " after it began.", "So far it has", NULL},
    {"running", " is working", " after it began.", "So far it has", NULL},
    {"cancelled", " was cancelled", " after it began.", "Until then it had", NULL},
    {"undoing", " is being taken back", " after it began.", "It had", NULL},
    {"undone", " was taken back", " after it began.", "It had", NULL},
};

/* Undo goes over the archive, in which nothing is of what the plan's own SQL did. */
static void add_taken_back(const struct report *r, struct text *out) {
    size_t i;
    const json_t *step;
    int64_t left = 0;
    json_array_foreach(fact_list(r->run, "steps"), i, step) {
        if (fact_is(step, "kind", "undo") && fact_count(step, "spared") > 0) left += fact_count(step, "spared");
    }
    text_add(out, " What it removed or changed is as it was");
    if (left) text_addf(out, ", except for %s that undo left alone", words_rows(r->arena, left, "row", "rows"));
    text_add(out, has_step(r, "kind", "sql") ? "; what its SQL steps did stays." : ".");
}

static void add_ending(const struct report *r, struct text *out, const char *took) {
    const char *state = fact_text(r->run, "state");
    const struct ending *ending = NULL;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_equal(endings[i].state, state)) ending = &endings[i];
    text_addf(out, "Run %lld", (long long)fact_count(r->run, "run"));
    if (!ending) {
        text_addf(out, " is %s, %s after it began.", state ? state : "in a state that is not known", took);
        return;
    }
    bool left = is(r, "undoing") && json_is_null(json_object_get(r->run, "runner"));
    text_add(out, left ? " is half taken back" : ending->before_step);
    if (!report_over(r) && !is(r, "undoing")) add_where(r, out);
    text_addf(out, ", %s%s", took, ending->behind);
    if (removes(r)) add_deeds_so_far(r, out, arena_printf(r->arena, " %s", ending->so_far) + 1);
    if (is(r, "undone")) add_taken_back(r, out);
    if (left) text_addf(out, " Nobody is at it now; pgwinnow undo %lld goes on.", (long long)fact_count(r->run, "run"));
    if (ending->outlook) text_addf(out, " %s", ending->outlook);
}

static void add_what_is_left(const struct report *r, struct text *out) {
    int64_t spared = fact_count(totals(r), "spared"), held = fact_count(totals(r), "held");
    const json_t *archive = json_object_get(r->run, "archive");
    double until = fact_time(archive, "until");
    const char *without = fact_text(archive, "without");
    bool taken_back = is(r, "undone") || is(r, "undoing");
    if (spared > 0)
        text_addf(out, " %s spared, since %s no longer qualified when %s turn came.",
                  words_rows(r->arena, spared, "row was", "rows were"), spared == 1 ? "it" : "they",
                  spared == 1 ? "its" : "their");
    if (held > 0) text_addf(out, " %s held back by hand.", words_rows(r->arena, held, "row was", "rows were"));
    if (has_deeds(r) && without && !taken_back)
        text_addf(out, " It cannot be undone: step %s kept nothing.", without);
    else if (has_deeds(r) && until > 0 && !taken_back)
        text_addf(out, " All of it can be brought back until %s.", words_day(r->arena, until));
}

const char *words_summary(const struct report *r) {
    struct text out = text_new(r->arena);
    const char *took = words_seconds(r->arena, fact_number(r->run, "seconds"));
    if (is(r, "finished"))
        add_finished(r, &out, took);
    else
        add_ending(r, &out, took);
    add_what_is_left(r, &out);
    return out.data;
}
