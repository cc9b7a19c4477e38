/*
 * The command line: walks over the words, looks each option up in the command's table and the common one, and fills
 * struct command_line by offset. Owns the wording of what is wrong with a command line; leaves meaning to the commands.
 */
#include "commands/arguments.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "plan/quantity.h"

enum { MOST_NAMES = 64 };

struct reader {
    struct command_line *line;
    struct arena *arena;
    struct error *error;
    char **words;       /* what is left */
    const char *option; /* at hand, as "--name" */
};

/* ---- values, by kind ---- */

static void bad_value(struct reader *r, const char *value, const char *wanted) {
    fail(r->error, FAULT_USAGE, "%s takes %s, not '%s'", r->option, wanted, value);
}

static bool given_twice(struct reader *r, bool before) {
    if (before) fail(r->error, FAULT_USAGE, "%s is given twice", r->option);
    return before;
}

static void read_text(struct reader *r, const char *value, const char **field) {
    if (given_twice(r, *field != NULL)) return;
    if (!*value) bad_value(r, value, "a value");
    *field = value;
}

static void read_setting(struct reader *r, const char *value, struct settings_given *set) {
    const char *equals = strchr(value, '=');
    if (!equals || equals == value) {
        bad_value(r, value, "NAME=VALUE");
        return;
    }
    set->items = arena_grow(r->arena, set->items, &set->count, sizeof *set->items);
    set->items[set->count - 1] =
        (struct plan_setting){arena_strndup(r->arena, value, (size_t)(equals - value)), equals + 1};
}

static void read_count(struct reader *r, const char *value, int64_t *field) {
    const char *why;
    int64_t number;
    if (given_twice(r, *field != -1)) return;
    if (quantity_count(value, &number, &why) && number >= 1)
        *field = number;
    else
        bad_value(r, value, "a whole number from 1");
}

static void read_duration(struct reader *r, const char *value, int64_t *field) {
    const char *why;
    int64_t ms;
    if (given_twice(r, *field != -1)) return;
    if (quantity_duration(value, &ms, &why))
        *field = ms;
    else
        bad_value(r, value, "a duration, like 500ms, 10min or 30d");
}

static const char *joined(struct arena *arena, const char *const *words) {
    struct text text = text_new(arena);
    for (size_t i = 0; words[i]; i++) {
        if (i) text_add(&text, words[i + 1] ? ", " : " or ");
        text_add(&text, words[i]);
    }
    return text.data;
}

static void read_choice(struct reader *r, const char *value, int *field, const char *const *choices) {
    for (int i = 0; choices[i]; i++)
        if (strcmp(choices[i], value) == 0) {
            *field = i;
            return;
        }
    bad_value(r, value, joined(r->arena, choices));
}

static void read_value(struct reader *r, const struct command_option *option, const char *value) {
    void *field = (char *)r->line + option->offset;
    switch (option->kind) {
    case ARGUMENT_FLAG: *(bool *)field = true; break;
    case ARGUMENT_TEXT: read_text(r, value, field); break;
    case ARGUMENT_SETTING: read_setting(r, value, field); break;
    case ARGUMENT_COUNT: read_count(r, value, field); break;
    case ARGUMENT_DURATION: read_duration(r, value, field); break;
    case ARGUMENT_CHOICE: read_choice(r, value, field, option->choices); break;
    }
}

/* ---- looking options up ---- */

static const struct command_option *find_in(const struct command_option *options, const char *name, size_t length) {
    for (; options && options->name; options++)
        if (strlen(options->name) == length && memcmp(options->name, name, length) == 0) return options;
    return NULL;
}

static const struct command_option *find_option(const struct command *command, const char *name, size_t length) {
    const struct command_option *found = command ? find_in(command->options, name, length) : NULL;
    return found ? found : find_in(command_common, name, length);
}

static const char *nearest_option(const struct command *command, const char *name) {
    const char *names[MOST_NAMES];
    size_t count = 0;
    for (const struct command_option *o = command_common; o->name && count < MOST_NAMES; o++) names[count++] = o->name;
    for (const struct command_option *o = command ? command->options : NULL; o && o->name && count < MOST_NAMES; o++)
        names[count++] = o->name;
    return text_nearest(name, names, count);
}

static const struct command *owner_of(const char *name) {
    for (const struct command *const *c = command_table; *c; c++)
        if (find_in((*c)->options, name, strlen(name))) return *c;
    return NULL;
}

static const char *help_for(struct reader *r) {
    const struct command *command = r->line->command;
    return command ? arena_printf(r->arena, "pgwinnow help %s", command->name) : "pgwinnow help";
}

static void unknown_option(struct reader *r, const char *name) {
    const struct command *command = r->line->command, *owner = owner_of(name);
    const char *nearest = nearest_option(command, name);
    if (command)
        fail(r->error, FAULT_USAGE, "pgwinnow %s has no option %s", command->name, r->option);
    else
        fail(r->error, FAULT_USAGE, "there is no common option %s", r->option);
    if (owner)
        fail_hint(r->error, "%s belongs to pgwinnow %s, and is written behind that name", r->option, owner->name);
    else if (nearest)
        fail_hint(r->error, "did you mean --%s? %s lists them all", nearest, help_for(r));
}

/* `--name`, `--name=value` or `--name value`; a name of one letter has one dash. */
static void read_option(struct reader *r, const char *word) {
    size_t dashes = word[1] == '-' ? 2 : 1;
    const char *name = word + dashes, *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct command_option *option = find_option(r->line->command, name, length);
    r->option = arena_strndup(r->arena, word, dashes + length);
    if (!option)
        unknown_option(r, r->option + dashes);
    else if (option->kind == ARGUMENT_FLAG && equals)
        fail(r->error, FAULT_USAGE, "%s takes no value", r->option);
    else if (option->kind == ARGUMENT_FLAG || equals)
        read_value(r, option, equals ? equals + 1 : NULL);
    else if (!*r->words)
        fail(r->error, FAULT_USAGE, "%s needs a value", r->option);
    else
        read_value(r, option, *r->words++);
}

/* ---- commands and their arguments ---- */

static void unknown_command(struct reader *r, const char *word) {
    const char *names[MOST_NAMES], *dot = strrchr(word, '.');
    size_t count = 0;
    for (const struct command *const *c = command_table; *c && count < MOST_NAMES; c++) names[count++] = (*c)->name;
    const char *nearest = text_nearest(word, names, count);
    fail(r->error, FAULT_USAGE, "there is no command '%s'", word);
    if (dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0))
        fail_hint(r->error, "to try a plan: pgwinnow check %s, then explain, then run", word);
    else if (nearest)
        fail_hint(r->error, "did you mean pgwinnow %s? pgwinnow help lists them all", nearest);
}

static void read_word(struct reader *r, const char *word) {
    struct command_line *line = r->line;
    if (!line->command) {
        line->command = command_named(word);
        if (!line->command) unknown_command(r, word);
        return;
    }
    line->arguments = arena_grow(r->arena, line->arguments, &line->argument_count, sizeof *line->arguments);
    line->arguments[line->argument_count - 1] = word;
}

static bool is_letter(const struct reader *r, const char *word) {
    return word[0] == '-' && word[1] && !word[2] && find_option(r->line->command, word + 1, 1);
}

static void read_words(struct reader *r) {
    bool options = true;
    while (*r->words && !failed(r->error)) {
        const char *word = *r->words++;
        if (options && strcmp(word, "--") == 0)
            options = false;
        else if (options && strcmp(word, "-h") == 0)
            r->line->help = true;
        else if (options && (text_starts(word, "--") || is_letter(r, word)))
            read_option(r, word);
        else if (options && word[0] == '-' && word[1])
            fail(r->error, FAULT_USAGE, "there is no option %s: options are written with two dashes", word);
        else
            read_word(r, word);
    }
}

static void check_whole(struct reader *r) {
    const struct command_line *line = r->line;
    const struct command *command = line->command;
    if (line->help || line->version || failed(r->error) || !command) return;
    if (line->argument_count < command->least)
        fail(r->error, FAULT_USAGE, "pgwinnow %s needs: %s", command->name, command->synopsis);
    else if (line->argument_count > command->most && !command->most)
        fail(r->error, FAULT_USAGE, "pgwinnow %s takes no argument '%s'", command->name, line->arguments[0]);
    else if (line->argument_count > command->most)
        fail(r->error, FAULT_USAGE, "'%s' is one argument too many: pgwinnow %s takes %s",
             line->arguments[command->most], command->name, command->synopsis);
    else if (line->json && !(command->traits & COMMAND_READS)) {
        fail(r->error, FAULT_USAGE, "pgwinnow %s has no answer in JSON", command->name);
        if (find_in(command->options, "output", strlen("output")))
            fail_hint(r->error, "--output json prints its events, one object a line");
    }
}

/* Numbers that were not given are -1, so that 0 can be a value. */
static void clear_numbers(struct command_line *line) {
    for (const struct command *const *c = command_table; *c; c++)
        for (const struct command_option *o = (*c)->options; o && o->name; o++)
            if (o->kind == ARGUMENT_COUNT || o->kind == ARGUMENT_DURATION)
                *(int64_t *)(void *)((char *)line + o->offset) = -1;
}

bool colour_wanted(int choice, bool terminal, const char *no_color, const char *term) {
    if (choice) return choice == 1;
    return terminal && !(no_color && *no_color) && term && *term && strcmp(term, "dumb") != 0;
}

static void resolve_colours(struct command_line *line) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    line->colour = colour_wanted(line->colour_choice, isatty(STDOUT_FILENO), no_color, term);
    line->colour_errors = colour_wanted(line->colour_choice, isatty(STDERR_FILENO), no_color, term);
}

void arguments_parse(struct command_line *line, struct arena *arena, int argc, char **argv, struct error *error) {
    struct reader reader = {line, arena, error, argv + (argc > 0), NULL};
    *line = (struct command_line){0};
    clear_numbers(line);
    read_words(&reader);
    check_whole(&reader);
    resolve_colours(line);
    if (failed(error) && !error->hint) fail_hint(error, "%s", help_for(&reader));
}
