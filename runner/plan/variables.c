/* ${NAME} in texts. Owns the syntax and who may be asked; plan_variables.c reads the declarations. */
#include "plan/variables.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static bool name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static size_t name_length(const char *text) {
    size_t length = 0;
    while (name_start(text[length]) || (length && text[length] >= '0' && text[length] <= '9')) length++;
    return length;
}

bool variable_name_fits(const char *name) { return *name && name_length(name) == strlen(name); }

struct variable *variable_find(const struct variables *variables, const char *name) {
    for (size_t i = 0; i < variables->count; i++)
        if (text_equal(variables->items[i].name, name)) return &variables->items[i];
    return NULL;
}

const char *variable_nearest(struct arena *arena, const struct variables *variables, const char *name) {
    const char **names = arena_alloc(arena, (variables->count + 1) * sizeof *names);
    for (size_t i = 0; i < variables->count; i++) names[i] = variables->items[i].name;
    return text_nearest(name, names, variables->count);
}

static void undeclared(const struct substitution *s, const char *name, struct place place) {
    const char *near = variable_nearest(s->arena, s->variables, name);
    const char *hint = near ? arena_printf(s->arena, "did you mean '${%s}'?", near)
                            : arena_printf(s->arena, "declare it under variables: %s: { about: ... }", name);
    problem_add(s->problems, place, hint, "the variable '%s' is not declared", name);
}

/* In secrets the process environment serves undeclared names too; the value goes nowhere but into the text. */
static const char *secret_value(const struct substitution *s, const char *name, struct place place, enum use use) {
    const char *value = getenv(name);
    if (!value && use == USE_SECRET)
        problem_add(s->problems, place, arena_printf(s->arena, "export %s=... before the command", name),
                    "the environment variable '%s' is not set", name);
    return value;
}

static const char *value_of(const struct substitution *s, const char *name, struct place place, enum use use) {
    struct variable *variable = variable_find(s->variables, name);
    if (variable && variable->value) {
        if (use == USE_COUNTS) variable->used = true;
        return variable->value;
    }
    if (!variable && (use == USE_SECRET || use == USE_SECRET_ELSEWHERE)) return secret_value(s, name, place, use);
    if (!variable)
        undeclared(s, name, place);
    else if (use != USE_SECRET_ELSEWHERE)
        problem_add(s->problems, place, arena_printf(s->arena, "give it with --set %s=..., or give it a default", name),
                    "the variable '%s' has no value", name);
    return NULL;
}

/* At a "${": the length of the whole reference, 0 when it is none, with `wrong` when it was meant to be one. */
static size_t reference(const char *text, bool *wrong) {
    const char *name = text + 2 + strspn(text + 2, " \t");
    size_t length = name_length(text + 2);
    *wrong = name_start(*name) && (name != text + 2 || text[2 + length] != '}');
    return length && !*wrong ? length + 3 : 0;
}

static bool put_one(const struct substitution *s, struct text *out, const char **at, struct place place, enum use use) {
    bool wrong;
    size_t length = reference(*at, &wrong);
    if (wrong)
        problem_add(s->problems, place, "a name is letters, digits and '_'",
                    "a variable is written ${NAME}: this one is not whole");
    if (wrong) return false;
    if (!length) {
        text_add_n(out, *at, 2);
        *at += 2;
        return true;
    }
    if (s->variables->forbidden) {
        problem_add(s->problems, place, NULL, "a variable cannot be used in the declaration of variables");
        return false;
    }
    const char *value = value_of(s, arena_strndup(s->arena, *at + 2, length - 3), place, use);
    if (value) text_add(out, value);
    *at += length;
    return value != NULL;
}

const char *variables_put_in(const struct substitution *s, const char *text, struct place place, enum use use) {
    if (!strstr(text, "${")) return text;
    struct text out = text_new(s->arena);
    bool whole = true;
    for (const char *found; (found = strstr(text, "${"));) {
        text_add_n(&out, text, (size_t)(found - text));
        text = found;
        if (!put_one(s, &out, &text, place, use)) {
            whole = false;
            if (text == found) text += 2;
        }
    }
    text_add(&out, text);
    return whole ? out.data : NULL;
}
