/*
 * pgwinnow help: the overview, a command's own page, a step's keys. All from the tables, so help cannot drift from what
 * the program understands.
 */
#include "commands/help.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "plan/step.h"
#include "steps/table.h"

static const char *bold(bool colour) { return colour ? "\033[1m" : ""; }
static const char *plain(bool colour) { return colour ? "\033[0m" : ""; }

const char *option_usage(struct arena *arena, const struct command_option *option) {
    struct text text = text_new(arena);
    text_addf(&text, "%s%s", option->name[1] ? "--" : "-", option->name);
    if (option->value) text_addf(&text, " %s", option->value);
    for (size_t i = 0; option->choices && option->choices[i]; i++)
        text_addf(&text, "%s%s", i ? "|" : " ", option->choices[i]);
    return text.data;
}

static void title(FILE *out, const char *text, bool colour) {
    fprintf(out, "\n%s%s%s\n", bold(colour), text, plain(colour));
}

/* What the tables tell in a line, on a page of its own. */
static void sentence(FILE *out, const char *about) {
    size_t length = strlen(about);
    fprintf(out, "%c%s%s\n", toupper((unsigned char)*about), about + 1, length && about[length - 1] == '.' ? "" : ".");
}

static void list_options(FILE *out, const struct command_option *options) {
    struct arena *arena = arena_new(NULL);
    for (; options && options->name; options++) {
        const char *usage = option_usage(arena, options);
        if (strlen(usage) > 24)
            fprintf(out, "  %s\n  %-24s %s\n", usage, "", options->about);
        else
            fprintf(out, "  %-24s %s\n", usage, options->about);
    }
    arena_free(arena);
}

void help_overview(FILE *out, bool colour) {
    fprintf(out, "%spgwinnow%s cleans up large PostgreSQL tables by plan files, while the application stays online.\n",
            bold(colour), plain(colour));
    title(out, "Commands", colour);
    for (const struct command *const *c = command_table; *c; c++)
        fprintf(out, "  %-8s %-15s %s\n", (*c)->name, (*c)->synopsis, (*c)->about);
    title(out, "Options of every command", colour);
    list_options(out, command_common);
    title(out, "Exit codes", colour);
    for (int code = 0; code < 256; code++)
        if (fault_about(code)) fprintf(out, "  %3d  %s\n", code, fault_about(code));
    fputs("\npgwinnow help COMMAND tells more, and pgwinnow help STEP lists the keys of a plan's step.\n", out);
}

void help_command_text(FILE *out, const struct command *command, bool colour) {
    fprintf(out, "%spgwinnow %s%s%s%s [OPTION...]\n", bold(colour), command->name, plain(colour),
            *command->synopsis ? " " : "", command->synopsis);
    fputc('\n', out);
    sentence(out, command->about);
    if (command->more) fprintf(out, "%s\n", command->more);
    if (command->options) {
        title(out, "Options", colour);
        list_options(out, command->options);
    }
    title(out, "Options of every command", colour);
    list_options(out, command_common);
}

/* ---- steps ---- */

static void list_keys(FILE *out, struct arena *arena, const struct option *options, int depth) {
    for (; options && options->name; options++) {
        int width = 22 - 2 * depth;
        fprintf(out, "  %*s%-*s %s", 2 * depth, "", width, options->name, options->about ? options->about : "");
        if (options->flags & OPTION_REQUIRED) fputs(" (required)", out);
        if (options->fallback) fprintf(out, " (default: %s)", options->fallback);
        fputc('\n', out);
        if (options->kind == OPTION_GROUP) list_keys(out, arena, options->group, depth + 1);
    }
}

static bool help_step(FILE *out, struct arena *arena, const char *name, bool colour) {
    for (const struct step *const *s = step_table; *s; s++) {
        if (strcmp((*s)->name, name) != 0) continue;
        fprintf(out, "%sstep %s%s\n\n", bold(colour), name, plain(colour));
        sentence(out, (*s)->about);
        if ((*s)->options) title(out, "Keys", colour);
        list_keys(out, arena, (*s)->options, 0);
        title(out, "Keys of every step", colour);
        list_keys(out, arena, step_common_options, 0);
        return true;
    }
    return false;
}

static void unknown_topic(struct arena *arena, const char *topic, struct error *error) {
    const char **names = NULL;
    size_t count = 0;
    for (const struct command *const *c = command_table; *c; c++) {
        names = arena_grow(arena, names, &count, sizeof *names);
        names[count - 1] = (*c)->name;
    }
    for (const struct step *const *s = step_table; *s; s++) {
        names = arena_grow(arena, names, &count, sizeof *names);
        names[count - 1] = (*s)->name;
    }
    const char *nearest = text_nearest(topic, names, count);
    fail(error, FAULT_USAGE, "there is no command or step '%s'", topic);
    if (nearest)
        fail_hint(error, "did you mean pgwinnow help %s?", nearest);
    else
        fail_hint(error, "pgwinnow help lists the commands");
}

/* `check` is a command and a step: both are shown then. */
static void help_run(struct command_line *line, struct arena *arena, struct error *error) {
    if (!line->argument_count) {
        help_overview(stdout, line->colour);
        return;
    }
    const char *topic = line->arguments[0];
    const struct command *command = command_named(topic);
    if (command) help_command_text(stdout, command, line->colour);
    for (const struct step *const *s = step_table; command && *s; s++)
        if (strcmp((*s)->name, topic) == 0) fputc('\n', stdout);
    if (!help_step(stdout, arena, topic, line->colour) && !command) unknown_topic(arena, topic, error);
}

const struct command help_command = {
    .name = "help",
    .synopsis = "[COMMAND|STEP]",
    .about = "print this, or the options of a command, or the keys of a step",
    .most = 1,
    .run = help_run,
};
