/* Tables of one run hold rows of the application, so they are their owner's alone. */
#pragma once
#include "state/schema.h"

/* Takes back what default privileges grant on tables of runs. Call it when one was made, before it holds a row. */
void private_keep(const struct state *, struct arena *, struct error *);
