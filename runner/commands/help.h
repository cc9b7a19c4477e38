/* Help, printed from the tables. */
#pragma once
#include <stdio.h>

#include "commands/command.h"

void help_overview(FILE *, bool colour);
void help_command_text(FILE *, const struct command *, bool colour);

/* "--env NAME", "--color auto|always|never" */
const char *option_usage(struct arena *, const struct command_option *);
