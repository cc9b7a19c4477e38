/* The sticky error value. Texts are copied into its arena. */
#include "base/error.h"

#include <string.h>

struct error error_new(struct arena *arena) {
    return (struct error){.arena = arena};
}

bool failed(const struct error *error) { return error->fault != FAULT_NONE; }

void fail(struct error *error, enum fault fault, const char *format, ...) {
    error->open = !failed(error);
    if (!error->open) return;
    va_list arguments;
    va_start(arguments, format);
    error->fault = fault;
    error->message = arena_vprintf(error->arena, format, arguments);
    va_end(arguments);
}

void fail_detail(struct error *error, const char *format, ...) {
    if (!error->open) return;
    va_list arguments;
    va_start(arguments, format);
    error->detail = arena_vprintf(error->arena, format, arguments);
    va_end(arguments);
}

void fail_hint(struct error *error, const char *format, ...) {
    if (!error->open) return;
    va_list arguments;
    va_start(arguments, format);
    error->hint = arena_vprintf(error->arena, format, arguments);
    va_end(arguments);
}

void error_promote(struct error *to, const struct error *from) {
    if (failed(to) || !failed(from)) return;
    to->fault = from->fault;
    memcpy(to->sqlstate, from->sqlstate, sizeof to->sqlstate);
    to->final = from->final;
    to->message = from->message ? arena_strdup(to->arena, from->message) : NULL;
    to->detail = from->detail ? arena_strdup(to->arena, from->detail) : NULL;
    to->hint = from->hint ? arena_strdup(to->arena, from->hint) : NULL;
}

void error_clear(struct error *error) { *error = (struct error){.arena = error->arena}; }

const char *fault_about(int code) {
    switch (code) {
    case FAULT_NONE: return "done";
    case FAULT_FAILED: return "failed in the database or outside";
    case FAULT_USAGE: return "the command line or the plan is wrong";
    case FAULT_REFUSED: return "refused: an expectation, a missing policy or right";
    case FAULT_HELD: return "somebody else holds the plan";
    case FAULT_CONNECTION: return "no connection";
    case FAULT_HOOK: return "a hook failed";
    case FAULT_STOPPED: return "stopped before the end, can be resumed";
    default: return NULL;
    }
}
