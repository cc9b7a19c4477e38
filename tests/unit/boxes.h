/* Boxes from a text, a table of two columns, and what tests of them ask. */
#pragma once
#include <string.h>

#include "base/text.h"
#include "complain.h"
#include "script/box.h"
#include "unit.h"

/* Machines under tests are busy: time is short only where it has to run out. */
enum { BOX_MEMORY = 8 * 1024 * 1024, BOX_TIME = 20000, BOX_SHORT_TIME = 50, BOX_ROWS = 100 };

static inline struct rule *rule_of(struct arena *arena, const char *text) {
    struct rule *rule = arena_alloc(arena, sizeof *rule);
    rule->file = (struct file_text){.name = "r.lua", .path = "r.lua", .text = text, .length = strlen(text)};
    rule->memory = BOX_MEMORY;
    rule->time = BOX_TIME;
    rule->rows = BOX_ROWS;
    return rule;
}

static const struct box_column box_table[] = {{"id", BOX_INTEGER}, {"name", BOX_TEXT}};

static inline void fill(struct box *box, int rows, struct error *error) {
    box_group(box, "k = 7");
    for (int i = 1; i <= rows; i++) {
        char id[16], name[16];
        snprintf(id, sizeof id, "%d", i);
        snprintf(name, sizeof name, "n%d", i);
        box_row(box, (const char *[]){id, name}, error);
    }
}

/* A box with columns; complains when it does not open. */
static inline struct box *box_of_rule(struct arena *arena, const struct rule *rule) {
    struct error error = error_new(arena);
    struct box *box = box_new(arena, rule, &error);
    box_columns(box, box_table, 2, &error);
    if (failed(&error)) COMPLAIN("%s", error.message);
    return box;
}

static inline struct box *box_from(struct arena *arena, const char *text) {
    return box_of_rule(arena, rule_of(arena, text));
}

static inline struct rule *keep_rule(struct arena *arena, const char *body) {
    return rule_of(arena, arena_printf(arena, "return { keep = function(rows)\n%s\nend }", body));
}

/* The answer of `keep` over three rows, or -1 and the error. */
static inline int kept_by(struct arena *arena, const struct rule *rule, struct error *error) {
    struct box *box = box_of_rule(arena, rule);
    *error = error_new(arena);
    fill(box, 3, error);
    int answer = (int)box_keep(box, error);
    return failed(error) ? -1 : answer;
}

/* The same from the body of `keep`. */
static inline int kept(struct arena *arena, const char *body, struct error *error) {
    return kept_by(arena, keep_rule(arena, body), error);
}

static inline void keeps(struct arena *arena, const char *body, int expected) {
    struct error error;
    int answer = kept(arena, body, &error);
    if (answer == expected) return;
    COMPLAIN("%s\nkept %d, not %d: %s", body, answer, expected, failed(&error) ? error.message : "");
}

/* It must raise; `says` is in the message. */
static inline struct error raises(struct arena *arena, const char *body, const char *says) {
    struct error error;
    int answer = kept(arena, body, &error);
    if (!failed(&error)) COMPLAIN("%s\nkept %d, and should have raised '%s'", body, answer, says);
    if (error.fault != FAULT_HOOK) COMPLAIN("fault %d", error.fault);
    if (!strstr(error.message, says)) COMPLAIN("%s\nraised '%s', not '%s'", body, error.message, says);
    return error;
}
