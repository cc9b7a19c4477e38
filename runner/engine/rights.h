/*
 * What a plan needs of the server besides what its steps look at themselves: rights on the state schema, on the tables
 * that several steps share, and that no publication carries what a run creates.
 */
#pragma once
#include "work/run.h"

/* At the end of compile, in its READ ONLY transaction: adds to the run's missing rights (run_lacks), and refuses. */
void rights_look(struct run *, struct error *);
