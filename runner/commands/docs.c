/* Printing docs from the tables: commands, options of the command line, keys of a plan, exit codes, displays. */
#include "commands/docs.h"

#include <string.h>

#include "base/text.h"
#include "commands/help.h"
#include "events/sinks.h"
#include "plan/plan.h"
#include "steps/table.h"

static const char begin_mark[] = "<!-- printed: ", mark_close[] = " -->", end_mark[] = "<!-- end -->";

/* A cell of a table: a bar would end it. */
static void add_cell(struct text *out, const char *text) {
    for (; *text; text++) {
        if (*text == '|') text_add(out, "\\");
        text_add_n(out, text, 1);
    }
}

/* ---- the command line ---- */

static void print_exit_codes(struct text *out) {
    text_add(out, "| code | means |\n|---|---|\n");
    for (int code = 0; code < 256; code++)
        if (fault_about(code)) text_addf(out, "| %d | %s |\n", code, fault_about(code));
}

static void print_commands(struct text *out) {
    text_add(out, "| command | does |\n|---|---|\n");
    for (const struct command *const *c = command_table; *c; c++) {
        text_addf(out, "| [`pgwinnow %s%s", (*c)->name, *(*c)->synopsis ? " " : "");
        add_cell(out, (*c)->synopsis);
        text_addf(out, "`](#%s) | %s |\n", (*c)->name, (*c)->about);
    }
}

static void print_options(struct text *out, const struct command_option *options) {
    if (!options) {
        text_add(out, "No options of its own.\n");
        return;
    }
    text_add(out, "| option | does |\n|---|---|\n");
    for (; options->name; options++) {
        text_add(out, "| `");
        add_cell(out, option_usage(out->arena, options));
        text_add(out, "` | ");
        add_cell(out, options->about);
        text_add(out, " |\n");
    }
}

static bool print_command(struct text *out, const char *name) {
    const struct command *command = command_named(name);
    if (!command) return false;
    text_addf(out, "    pgwinnow %s%s%s\n\n", command->name, *command->synopsis ? " " : "", command->synopsis);
    print_options(out, command->options);
    return true;
}

static void print_outputs(struct text *out) {
    text_add(out, "| `--output` | shows |\n|---|---|\n| `auto` | `bar` on a terminal, `plain` otherwise |\n");
    for (const struct sink *const *s = sink_table; *s; s++) text_addf(out, "| `%s` | %s |\n", (*s)->name, (*s)->about);
}

/* ---- the plan ---- */

static const struct {
    const char *name;
    const struct option *options;
} key_tables[] = {
    {"plan", plan_options},          {"environments", environment_options},
    {"variables", variable_options}, {"batch", batch_options},
    {"locks", lock_options},         {"throttle", throttle_options},
    {"archive", archive_options},    {"state", state_options},
    {"notify", endpoint_options},    {"step", step_common_options},
};
enum { KEY_TABLES = sizeof key_tables / sizeof *key_tables };

/* A table that has a section of its own is linked to, not repeated. */
static const char *section_of(const struct option *group) {
    for (size_t i = 0; i < KEY_TABLES; i++)
        if (key_tables[i].options == group) return key_tables[i].name;
    return NULL;
}

static void add_choices(struct text *out, const char *const *choices) {
    for (size_t i = 0; choices[i]; i++) text_addf(out, "%s`%s`", !i ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
}

static void add_kind(struct text *out, const struct option *option) {
    const char *section = option->group ? section_of(option->group) : NULL;
    if (section)
        text_addf(out, "%s[keys](#%s)", option->kind == OPTION_GROUPS ? "a list of " : "", section);
    else if (option->kind == OPTION_STEPS)
        text_add(out, "a list of [steps](#steps)");
    else if (option->kind == OPTION_CHOICE)
        add_choices(out, option->choices);
    else if (option->kind == OPTION_MAP && option->item == OPTION_CHOICE) {
        text_add(out, "names, each with ");
        add_choices(out, option->choices);
    } else if (option->kind == OPTION_MAP)
        text_addf(out, "names, each with %s", option_kind_text(option->item));
    else
        add_cell(out, option_kind_text(option->kind));
    if (option->shorthand) text_addf(out, ", or just its `%s`", option->shorthand);
    if (option->flags & OPTION_OFF) text_add(out, ", or `off`");
}

static void print_rows(struct text *out, const struct option *options, const char *prefix) {
    for (; options->name; options++) {
        text_addf(out, "| `%s%s` | ", prefix, options->name);
        add_kind(out, options);
        text_add(out, " | ");
        if (options->fallback) text_addf(out, "`%s`", options->fallback);
        if (options->flags & OPTION_REQUIRED) text_add(out, "required");
        text_add(out, " | ");
        add_cell(out, options->about ? options->about : "");
        text_add(out, " |\n");
        bool items = options->kind == OPTION_MAP && options->size;
        if ((options->kind == OPTION_GROUP && !section_of(options->group)) || items)
            print_rows(out, options->group,
                       arena_printf(out->arena, "%s%s.%s", prefix, options->name, items ? "*." : ""));
    }
}

static void print_keys(struct text *out, const struct option *options) {
    text_add(out, "| key | takes | default | what it is |\n|---|---|---|---|\n");
    print_rows(out, options, "");
}

static bool print_keys_of(struct text *out, const char *name) {
    for (size_t i = 0; i < KEY_TABLES; i++)
        if (strcmp(key_tables[i].name, name) == 0) {
            print_keys(out, key_tables[i].options);
            return true;
        }
    return false;
}

static void print_steps(struct text *out) {
    text_add(out, "| step | does |\n|---|---|\n");
    for (const struct step *const *s = step_table; *s; s++) {
        text_addf(out, "| [`%s`](#%s) | ", (*s)->name, (*s)->name);
        add_cell(out, (*s)->about);
        text_add(out, " |\n");
    }
}

static bool print_step(struct text *out, const char *name) {
    for (const struct step *const *s = step_table; *s; s++) {
        if (strcmp((*s)->name, name) != 0) continue;
        if ((*s)->options && (*s)->options->name)
            print_keys(out, (*s)->options);
        else
            text_add(out, "No keys of its own.\n");
        return true;
    }
    return false;
}

/* ---- pages ---- */

static bool print_topic(struct text *out, const char *topic) {
    static const struct {
        const char *name;
        void (*print)(struct text *);
    } whole[] = {
        {"exit-codes", print_exit_codes},
        {"commands", print_commands},
        {"steps", print_steps},
        {"outputs", print_outputs},
    };
    static const struct {
        const char *start;
        bool (*print)(struct text *, const char *);
    } named[] = {
        {"command ", print_command},
        {"step ", print_step},
        {"keys ", print_keys_of},
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcmp(topic, whole[i].name) == 0) {
            whole[i].print(out);
            return true;
        }
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (text_starts(topic, named[i].start)) return named[i].print(out, topic + strlen(named[i].start));
    if (strcmp(topic, "common-options") != 0) return false;
    print_options(out, command_common);
    return true;
}

const char *docs_fill(struct arena *arena, const char *file, const char *page, struct error *error) {
    struct text out = text_new(arena);
    const char *mark;
    while ((mark = strstr(page, begin_mark))) {
        const char *name = mark + strlen(begin_mark), *close = strstr(name, mark_close);
        const char *end = close ? strstr(close, end_mark) : NULL;
        const char *topic = close ? arena_strndup(arena, name, (size_t)(close - name)) : "";
        if (!end) {
            fail(error, FAULT_FAILED, "%s: the printed part '%s' has no end", file, topic);
            return NULL;
        }
        text_add_n(&out, page, (size_t)(close - page) + strlen(mark_close));
        text_add(&out, "\n\n");
        if (!print_topic(&out, topic)) {
            fail(error, FAULT_FAILED, "%s: there is nothing to print for '%s'", file, topic);
            return NULL;
        }
        text_add(&out, "\n");
        text_add(&out, end_mark);
        page = end + strlen(end_mark);
    }
    text_add(&out, page);
    return out.data;
}

const char *const *docs_topics(struct arena *arena) {
    const char **topics = NULL;
    size_t count = 0;
    for (const struct command *const *c = command_table; *c; c++) {
        topics = arena_grow(arena, topics, &count, sizeof *topics);
        topics[count - 1] = arena_printf(arena, "command %s", (*c)->name);
    }
    for (const struct step *const *s = step_table; *s; s++) {
        topics = arena_grow(arena, topics, &count, sizeof *topics);
        topics[count - 1] = arena_printf(arena, "step %s", (*s)->name);
    }
    return arena_grow(arena, topics, &count, sizeof *topics);
}
