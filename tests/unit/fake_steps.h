/* A small table of steps with one option of each kind, for what reads plans: the real ones are steps/'s. */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"

struct fake_discover {
    struct entries children;
    int missing_index;
};

struct fake_keep {
    struct sql_text first;
    struct sql_texts order_by;
};

struct fake_expect {
    int64_t rows, wal;
    double share;
};

struct fake_track {
    struct sql_texts duplicates;
    struct sql_text where;
    struct fake_keep keep;
    struct fake_expect expect;
};

struct fake_merge {
    struct entries columns;
};

struct fake_limit {
    int64_t most, wait;
};

struct fake_index {
    struct fake_limit limit;
    struct entries limits;
    struct name name;
    struct names tables;
    bool unique;
    int64_t wait, parallel;
    const char *method;
    struct entries set, settings;
};

enum { FAKE_CREATE, FAKE_IGNORE, FAKE_STOP };

static const char *const fake_policies[] = {"delete", "set-null", "stop", NULL};
static const char *const fake_missing[] = {"create", "ignore", "stop", NULL};

#define FAKE(type, member, ...) offsetof(struct fake_##type, member), .about = #member, __VA_ARGS__
static const struct option fake_discover_options[] = {
    {"children", OPTION_MAP, FAKE(discover, children, .item = OPTION_CHOICE, .choices = fake_policies)},
    {"missing_index", OPTION_CHOICE, FAKE(discover, missing_index, .choices = fake_missing, .fallback = "stop")},
    {0},
};
static const struct option fake_keep_options[] = {
    {"first", OPTION_SQL, FAKE(keep, first, .flags = 0)},
    {"order_by", OPTION_SQLS, FAKE(keep, order_by, .flags = 0)},
    {0},
};
static const struct option fake_expect_options[] = {
    {"rows", OPTION_COUNT, FAKE(expect, rows, .flags = 0)},
    {"wal", OPTION_SIZE, FAKE(expect, wal, .flags = 0)},
    {"share", OPTION_SHARE, FAKE(expect, share, .flags = 0)},
    {0},
};
static const struct option fake_track_options[] = {
    {"duplicates", OPTION_SQLS, FAKE(track, duplicates, .flags = 0)},
    {"where", OPTION_SQL, FAKE(track, where, .flags = 0)},
    {"keep", OPTION_GROUP, FAKE(track, keep, .group = fake_keep_options)},
    {"expect", OPTION_GROUP, FAKE(track, expect, .group = fake_expect_options)},
    {0},
};
static const struct option fake_merge_options[] = {
    {"columns", OPTION_MAP, FAKE(merge, columns, .item = OPTION_SQL)},
    {0},
};
static const struct option fake_together_options[] = {
    {"steps", OPTION_STEPS, 0, .about = "inside", .flags = OPTION_REQUIRED},
    {0},
};
static const struct option fake_limit_options[] = {
    {"most", OPTION_COUNT, offsetof(struct fake_limit, most), .about = "most", .least = 0, .most = 8},
    {"wait", OPTION_DURATION, offsetof(struct fake_limit, wait), .about = "wait", .fallback = "2s"},
    {0},
};
static const struct option fake_index_options[] = {
    {"limit", OPTION_GROUP, FAKE(index, limit, .group = fake_limit_options, .shorthand = "most")},
    {"limits", OPTION_MAP,
     FAKE(index, limits, .item = OPTION_GROUP, .group = fake_limit_options, .size = sizeof(struct fake_limit),
          .shorthand = "most")},
    {"name", OPTION_NAME, FAKE(index, name, .flags = OPTION_REQUIRED)},
    {"tables", OPTION_NAMES, FAKE(index, tables, .flags = 0)},
    {"unique", OPTION_FLAG, FAKE(index, unique, .flags = 0)},
    {"wait", OPTION_DURATION, FAKE(index, wait, .fallback = "2min", .least = 1000, .most = 3600000)},
    {"parallel", OPTION_COUNT, FAKE(index, parallel, .least = 0, .most = 8)},
    {"method", OPTION_TEXT, FAKE(index, method, .flags = 0)},
    {"set", OPTION_MAP, FAKE(index, set, .item = OPTION_SQL)},
    {"settings", OPTION_MAP, FAKE(index, settings, .item = OPTION_TEXT)},
    {0},
};
#undef FAKE

/* A step's own check that sees the whole plan: a plan with an index step must not be called 'unindexed'. */
static inline void fake_index_check(const struct plan *plan, size_t index, struct problems *problems) {
    if (plan->name && strcmp(plan->name, "unindexed") == 0)
        problem_add(problems, plan->steps[index].place, NULL, "the fake index step was checked");
}

static const struct step fake_discover = {
    .name = "discover", .size = sizeof(struct fake_discover), .options = fake_discover_options};
static const struct step fake_track = {
    .name = "track", .size = sizeof(struct fake_track), .options = fake_track_options, .needs = NEEDS_TREE};
static const struct step fake_delete = {.name = "delete",
                                        .needs = NEEDS_TREE | NEEDS_TRACKED_ROWS | CHANGES_ROWS | USES_FAMILIES};
static const struct step fake_index = {.name = "index",
                                       .size = sizeof(struct fake_index),
                                       .options = fake_index_options,
                                       .needs = REPEATABLE,
                                       .check = fake_index_check};
/* Its check inside another step: a merge of a column called 'wrong' must not pass. */
static inline void fake_merge_check(const struct plan_step *step, struct problems *problems) {
    const struct fake_merge *o = step->options;
    if (o->columns.count && strcmp(o->columns.items[0].key, "wrong") == 0)
        problem_add(problems, step->place, NULL, "the fake merge was checked");
}

static const struct step fake_merge = {.name = "merge",
                                       .size = sizeof(struct fake_merge),
                                       .options = fake_merge_options,
                                       .needs = INSIDE_ONLY,
                                       .check_inside = fake_merge_check};
static const struct step *const fake_inner[] = {&fake_merge, &fake_delete, NULL};
static const struct step fake_together = {.name = "together",
                                          .options = fake_together_options,
                                          .needs = NEEDS_TREE | NEEDS_TRACKED_ROWS | CHANGES_ROWS,
                                          .inner = fake_inner};
static const struct step *const fake_steps[] = {&fake_discover, &fake_track,    &fake_delete, &fake_index,
                                                &fake_merge,    &fake_together, NULL};
