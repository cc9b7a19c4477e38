/*
 * What the guard must know of the index step that it stands for: its options, and the index as it will be built.
 */
#pragma once
#include "work/index_wish.h"
#include "work/run.h"

struct index_options {
    struct name name, method, constraint, replaces, table;
    struct sql_texts unique, columns;
    struct sql_text where;
    struct names include;
    struct entries settings;
    bool nulls_not_distinct;
};

/* Of an index step of the plan, on this table; nothing is asked. */
struct index_wish index_step_wish(const struct run *, size_t index, const struct table *, struct error *);
