/* Telling the one error of a command, at the top and nowhere else. */
#pragma once
#include <stdio.h>

#include "commands/command.h"

/* "pgwinnow: message", the detail indented, "hint: ..." to `errors` (standard error); for a reading command with --json
 * that has not answered yet also {"error": {...}} to `answers` (standard output). Nothing when there is no error. */
void tell_error(FILE *errors, FILE *answers, const struct command_line *, const struct error *);
