/*
 * THE table of steps: a new step is a file, a line here and a line in table.c. It is handed to the plan reader, to the
 * engine and to the docs; nobody else names a step.
 */
#pragma once
#include "plan/step.h"

extern const struct step *const step_table[]; /* NULL-terminated, in the order of the docs */

extern const struct step step_discover, step_guard, step_track, step_delete_children, step_delete, step_together,
    step_merge, step_index, step_vacuum, step_backfill, step_check, step_sql, step_approve;
