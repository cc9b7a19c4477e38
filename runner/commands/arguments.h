/* Reading the command line by the option tables. Nothing here knows a command by name. */
#pragma once
#include "commands/command.h"

/* Fills the line. On an error (FAULT_USAGE) what was read so far stands, colours included, so that the error can be
 * told as the user asked for. */
void arguments_parse(struct command_line *, struct arena *, int argc, char **argv, struct error *);

/* Whether to colour: what was asked for, else only on a terminal that is not dumb, and not when NO_COLOR is set. */
bool colour_wanted(int choice, bool terminal, const char *no_color, const char *term);
