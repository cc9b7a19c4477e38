/* Reading the plan that a command names, with the environment and variables of its line. */
#pragma once
#include "commands/command.h"

/* NULL and the error set (FAULT_USAGE, all problems in it) when the plan is not valid. for_run: a plan that declares
 * environments needs one, unless --database says where to go. */
const struct plan *read_plan(const struct command_line *, struct arena *, bool for_run, struct problems *,
                             struct error *);
