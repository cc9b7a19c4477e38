/*
 * What people ask of a run from anywhere: pause, resume, cancel, approve. Each is one statement that changes what is
 * wanted of the run and writes down who asked, in `acts`; none takes the lease, so that a role that may only steer can
 * do it (pgwinnow_operator). The runner hears it with its next beat.
 */
#pragma once
#include "state/runs.h"

/* False when there was nothing to change: the run is over by now, or is as it was asked to be. */
bool control_pause(const struct state *, struct arena *, int64_t run, bool hold, struct error *);
bool control_resume(const struct state *, struct arena *, int64_t run, struct error *);
bool control_cancel(const struct state *, struct arena *, int64_t run, struct error *);

/* The name of the step that was waiting and is approved now; NULL when none is. */
const char *control_approve(const struct state *, struct arena *, int64_t run, struct error *);

/* The step that waits for an approval that nobody gave yet; NULL: none does. */
const char *control_unapproved(const struct state *, struct arena *, int64_t run, struct error *);

struct approval {
    const char *role, *at; /* at: for people */
};
/* Of the step in its round; NULL: nobody gave it yet. */
struct approval *control_approval(const struct state *, struct arena *, int64_t run, size_t step, int round,
                                  struct error *);

/* For status: the run waits, for what, and what would end it. Ended by the next runs_set_state. */
void control_wait(const struct state *, struct arena *, const struct holder *, const char *reason, const char *until,
                  struct error *);
