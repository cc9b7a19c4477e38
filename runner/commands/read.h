/* Reading the plan that a command names, with the environment and variables of its line. */
#pragma once
#include "commands/command.h"

enum read_needs {
    READ_PLACE = 1,     /* a plan that declares environments needs one, unless --database says where to go */
    READ_ENDPOINTS = 2, /* they will be told: the variables in their urls and secrets must be there */
};

/* NULL and the error set (FAULT_USAGE, all problems in it) when the plan is not valid. `needs`: enum read_needs. */
const struct plan *read_plan(const struct command_line *, struct arena *, unsigned needs, struct problems *,
                             struct error *);
