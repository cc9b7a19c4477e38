/*
 * Rules in Lua, as a plan names them: the file and its limits. The plan's reader reads the file too, so a missing one
 * is a problem of the plan, and its content counts in plan.definition. Running it is script/box.h's.
 */
#pragma once
#include <stdint.h>

#include "plan/option.h"

struct rule {
    struct file_text file; /* file.text NULL: no rule given */
    int64_t memory;        /* bytes */
    int64_t time;          /* ms, for each call */
    int64_t rows;          /* of the largest group */
};

/* `lua: FILE` or `lua: { file, memory, time, rows }`: a GROUP with these options and the shorthand "file". */
extern const struct option rule_options[];
