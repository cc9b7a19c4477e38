/* The table of steps, in the order in which most plans use them. */
#include "steps/table.h"

const struct step *const step_table[] = {
    &step_discover, &step_guard,  &step_track,    &step_delete_children, &step_delete, &step_together, &step_merge,
    &step_index,    &step_vacuum, &step_backfill, &step_check,           &step_sql,    &step_approve,  NULL,
};
