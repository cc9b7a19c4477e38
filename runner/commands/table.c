/* THE table of commands, in the order that help shows, and the options that all of them take. */
#include "commands/command.h"

#include <string.h>

extern const struct command check_command, explain_command, run_command, status_command, history_command, set_command,
    pause_command, resume_command, cancel_command, approve_command, report_command, lock_command, undo_command,
    clean_command, init_command, notify_command, hooks_command, help_command;

const struct command *const command_table[] = {
    &check_command,
    &explain_command,
    &run_command,
    &status_command,
    &history_command,
    &pause_command,
    &resume_command,
    &cancel_command,
    &approve_command,
    &set_command,
    &report_command,
    &undo_command,
    &clean_command,
    &init_command,
    &lock_command,
    &notify_command,
    &hooks_command,
    &help_command,
    NULL,
};

const char *const published_choices[] = {"refuse", "accept", NULL};
const char *const colour_choices[] = {"auto", "always", "never", NULL};

#define AT(field) offsetof(struct command_line, field)

const struct command_option command_common[] = {
    {"env", ARGUMENT_TEXT, AT(environment), "NAME", "the plan's environment to use", NULL},
    {"database", ARGUMENT_TEXT, AT(database), "URL",
     "libpq URL or keyword string; else the environment's `database`, else PG* variables", NULL},
    {"database-direct", ARGUMENT_TEXT, AT(database_direct), "URL",
     "past the pooler, for indexes and vacuum; else the environment's `database_direct`", NULL},
    {"set", ARGUMENT_SETTING, AT(set), "NAME=VALUE", "give a variable of the plan a value; repeatable", NULL},
    {"schema", ARGUMENT_TEXT, AT(schema), "NAME", "schema that holds pgwinnow's state (default: pgwinnow)", NULL},
    {"json", ARGUMENT_FLAG, AT(json), NULL, "answer in JSON (commands that only read)", NULL},
    {"yes", ARGUMENT_FLAG, AT(yes), NULL, "answer every question with yes", NULL},
    {"quiet", ARGUMENT_FLAG, AT(quiet), NULL, "print only what went wrong or needs attention", NULL},
    {"color", ARGUMENT_CHOICE, AT(colour_choice), NULL, "colours; auto: on a terminal, unless NO_COLOR is set",
     colour_choices},
    {"version", ARGUMENT_FLAG, AT(version), NULL, "print the version", NULL},
    {"help", ARGUMENT_FLAG, AT(help), NULL, "print help, for a command too", NULL},
    {0},
};

const struct command *command_named(const char *name) {
    for (const struct command *const *c = command_table; *c; c++)
        if (strcmp((*c)->name, name) == 0) return *c;
    return NULL;
}
