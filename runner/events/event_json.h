/*
 * An event as a JSON object: a line of --output json, the `data` of a webhook, a row of the events table.
 * docs/events.md and the schemas beside it say it once more, for users.
 *
 * Every object has the same keys; what is not known or does not apply is null:
 *   type         run.started run.resumed run.finished run.failed run.paused run.cancelled step.started step.finished
 *                batch.committed progress notice throttle.waiting throttle.cleared approval.needed
 *   time         UTC, "2026-11-21T22:14:43.123Z"
 *   run          its number
 *   plan, environment, table
 *   step, state  the step at hand, and waiting running done skipped failed
 *   rows, total, spared, batches, seconds   of that step; seconds over all sessions
 *   rate         rows a second, smoothed
 *   eta_seconds  of that step
 *   batch_size   rows aimed at, children included
 *   lag_seconds  of the standby that is furthest behind
 *   doing        what the step is at, in words
 *   waiting      null, or { since, reason, until }
 *   message, detail, hint
 *   exit_code    of run.failed, run.paused, run.cancelled (and 0 of run.finished)
 *   run_seconds  since this session of the run began
 *   steps        at run.* events: [{ name, state, rows, total, spared, batches, seconds }]
 */
#pragma once
#include <jansson.h>

#include "base/event.h"

struct arena;

json_t *event_object(struct arena *, const struct event *); /* the caller's */
const char *event_time(struct arena *, int64_t ms_ago);     /* UTC, "2026-11-21T22:14:43.123Z" */
