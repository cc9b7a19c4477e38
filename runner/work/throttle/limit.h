/*
 * A source of the throttle: one question to the server, and a judgement over the answer. Each lives in a file of its
 * own with its SQL; limit_table.c is THE table.
 *
 * The question goes by itself in a READ ONLY transaction with a statement_timeout of a second. What a source must keep
 * from one look to the next is in its own struct, zeroed at the start; texts of a look live in look->arena, which goes
 * with the next question.
 */
#pragma once
#include "database/sql.h"
#include "work/run.h"

enum { LOOK_MS = 1000 }; /* from one look to the next */

struct look {
    struct arena *arena;
    const struct throttle_settings *settings;
    void *own;      /* of limit->size bytes */
    const char *application; /* how the names of the run's own sessions begin: "pgwinnow: 7 " */
    bool held;      /* by this source, as of its last look */
    /* what judge() says */
    const char *reason, *until; /* reason NULL: go on. "standby a is 5 s behind", "it is less than 1.5 s" */
    double near;                /* the measure as a share of the limit */
    int64_t again;              /* ms to the next look: LOOK_MS unless set */
    int64_t lag_ms;             /* of the standby furthest behind that counts; -1: none */
};

struct limit {
    const char *name; /* the key in the plan */
    size_t size;
    bool (*on)(const struct throttle_settings *);
    /* What keeps the run waiting, as a sentence's second half: "while a standby is more than 1.5 s behind". */
    const char *(*about)(struct arena *, const struct throttle_settings *);
    const char *(*question)(const struct look *, struct error *); /* the whole statement */
    const char *(*value)(const struct look *);                    /* of its $1; NULL: it has none */
    void (*judge)(struct look *, const struct rows *);
    bool measures_lag; /* judge() says lag_ms */
    bool needs_stats; /* sees nothing of other roles' sessions without pg_read_all_stats */
};

extern const struct limit *const limit_table[]; /* NULL-terminated, in the order in which they are asked and told */
extern const struct limit replica_lag_limit, slot_lag_limit, wal_rate_limit, oldest_transaction_limit,
    waiters_limit, query_limit, window_limit;

const char *look_size(struct arena *, int64_t bytes); /* 1,234 -> "1.2 kB" */
