/*
 * A run that is asked to pause. Without --wait that is the end of this session (exit code 75); with it the run stays,
 * with its lease and its lane, begins nothing new, and goes on when it is resumed.
 */
#pragma once
#include "work/run.h"

bool pause_wanted(const struct run *); /* and it is to be waited out */

/* Before anything that may take long, in straight code that has no transaction open on the desk: waits until it may go
 * on, then asks run_check_stop. */
void pause_point(struct run *, struct error *);

/* FAULT_STOPPED, saying what was asked for and by whom. */
void pause_fail(const struct run *, struct error *);
