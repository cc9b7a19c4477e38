/*
 * The error value: passed down, set once, printed once at the top.
 *
 * The first error sticks: fail() on an error that is set does nothing, and helpers return at once when failed(), so
 * callers read as straight lines. There is one for a command and one for each try of a batch; clean-up runs with a
 * fresh one. A fault kind is the program's exit code (docs/exit-codes.md is printed from fault_about()).
 */
#pragma once
#include <stdbool.h>

#include "base/arena.h"

enum fault {
    FAULT_NONE = 0,
    FAULT_FAILED = 1,     /* in the database or outside */
    FAULT_USAGE = 2,      /* the command line or the plan is wrong */
    FAULT_REFUSED = 3,    /* an expectation, a missing policy or right */
    FAULT_HELD = 4,       /* somebody else holds the plan */
    FAULT_CONNECTION = 5, /* no connection */
    FAULT_HOOK = 6,       /* a rule of the plan failed */
    FAULT_STOPPED = 75,   /* stopped before the end, can be resumed */
};

struct error {
    struct arena *arena; /* holds the texts */
    enum fault fault;
    char sqlstate[6];    /* "" unless a server spoke */
    const char *message; /* one line: the thing and what is wrong with it */
    const char *detail;  /* what the server said, or more lines; may be NULL */
    const char *hint;    /* what to do next; may be NULL */
    bool final;          /* it was tried often enough: no retry further up */
    bool open;           /* the last fail() was taken: fail_detail and fail_hint may add to it */
};

struct error error_new(struct arena *);
bool failed(const struct error *);

void fail(struct error *, enum fault, const char *format, ...) __attribute__((format(printf, 3, 4)));
void fail_detail(struct error *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fail_hint(struct error *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Copies an error into another arena (a batch's into the command's); no-op when `to` is set or `from` is not. */
void error_promote(struct error *to, const struct error *from);
void error_clear(struct error *);

/* For docs and help: what an exit code means; NULL when there is none of that number. */
const char *fault_about(int code);
