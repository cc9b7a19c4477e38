/* Telling events: a walk over the listeners. */
#include "base/event.h"

void event_tell(struct listener *first, const struct event *event) {
    for (struct listener *l = first; l; l = l->next) l->hear(l, event);
}

const char *event_name(enum event_type type) {
    static const char *const names[EVENT_TYPES] = {
        [EVENT_RUN_STARTED] = "run.started",
        [EVENT_RUN_RESUMED] = "run.resumed",
        [EVENT_RUN_FINISHED] = "run.finished",
        [EVENT_RUN_FAILED] = "run.failed",
        [EVENT_RUN_PAUSED] = "run.paused",
        [EVENT_RUN_CANCELLED] = "run.cancelled",
        [EVENT_STEP_STARTED] = "step.started",
        [EVENT_STEP_FINISHED] = "step.finished",
        [EVENT_BATCH_COMMITTED] = "batch.committed",
        [EVENT_PROGRESS] = "progress",
        [EVENT_NOTICE] = "notice",
        [EVENT_THROTTLE_WAITING] = "throttle.waiting",
        [EVENT_THROTTLE_CLEARED] = "throttle.cleared",
        [EVENT_APPROVAL_NEEDED] = "approval.needed",
    };
    return names[type];
}

bool event_ends(enum event_type type) {
    return type == EVENT_RUN_FINISHED || type == EVENT_RUN_FAILED || type == EVENT_RUN_PAUSED ||
           type == EVENT_RUN_CANCELLED;
}
