/*
 * What a run was and did, as one JSON object, for `pgwinnow report`: all of one moment, read in one READ ONLY
 * transaction, and bounded however long the run was (300 points a series, 500 of the timeline, 20 examples a reason).
 *
 *   { run, plan, environment, table, database, state, role, program, server, schema, started, finished, seconds, lane,
 *     search_path, error: null|{message, detail, hint, sqlstate}, waiting: null|{since, reason, until}, settings,
 *     definition, totals: {removed, children, spared, archived, held}, archive: null|{until},
 *     steps: [{name, kind, state, rows, total, spared, archived, batches, seconds, started, finished, round, note}],
 *     tree: {root, edges: [{constraint, child, columns, parent, parent_columns, depth, on_delete, policy, cycle,
 *            rows}]},
 *     timeline: [{at, seconds, what: "event"|"act", type, step, role, message, hint}],
 *     series: {throughput: [{at, seconds, width, rows, children, batches, step}],
 *              samples: [{at, seconds, rate, batch_size, lag_seconds, waiting}]},
 *     waits: [{at, seconds, ms, reason}], slowest: [{at, step, first, last, rows, children, ms}],
 *     spared: [{reason, rows, examples}], kept: {survivors, held, contested},
 *     statements: [{step, name, place, text}], endpoints: [{endpoint, delivered, waiting, dropped, gone, answer}] }
 *
 * Times are UTC, ISO 8601; `seconds` in lists counts from the run's start, `width` is the span that a point stands for.
 * What is not known is null: what a state schema of an older version did not write down, a tracking table that is gone,
 * or that this role may not read.
 */
#pragma once
#include <jansson.h>

#include "state/schema.h"

struct overview;

/* Lives as long as the arena. NULL, without an error, when there is no such run. */
json_t *report_data(const struct state *, struct arena *, int64_t run, struct error *);

/* state/report_tracked.c: adds `spared` and `kept`, and totals.held */
void report_tracked(const struct state *, struct arena *, const struct overview *, json_t *report, struct error *);
