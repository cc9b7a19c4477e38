/* SQLSTATEs and pauses. */
#include "work/retry.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum verdict retry_verdict(const struct error *error, bool at_hold) {
    static const struct {
        const char *state;
        enum verdict verdict;
    } table[] = {
        {"40P01", VERDICT_LATER},   /* deadlock_detected */
        {"40001", VERDICT_LATER},   /* serialization_failure */
        {"55P03", VERDICT_LATER},   /* lock_not_available: our lock_timeout */
        {"57014", VERDICT_SMALLER}, /* query_canceled: our statement_timeout */
        {"25P03", VERDICT_CONNECT}, /* idle_in_transaction_session_timeout */
        {"57P01", VERDICT_CONNECT}, /* admin_shutdown */
        {"57P02", VERDICT_CONNECT}, /* crash_shutdown */
        {"57P03", VERDICT_CONNECT}, /* cannot_connect_now */
        {"57P05", VERDICT_CONNECT}, /* idle_session_timeout */
        {"23503", VERDICT_RACE},    /* foreign_key_violation: a child came late */
        {"23001", VERDICT_RACE}, /* restrict_violation: the same from PostgreSQL 18 on, where ON DELETE is RESTRICT */
        {"23505", VERDICT_RACE}, /* unique_violation */
        {"23P01", VERDICT_RACE}, /* exclusion_violation */
    };
    if (at_hold && text_equal(error->sqlstate, "23505")) return VERDICT_DONE;
    if (error->fault == FAULT_CONNECTION || strncmp(error->sqlstate, "08", 2) == 0) return VERDICT_CONNECT;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (text_equal(error->sqlstate, table[i].state)) return table[i].verdict;
    return VERDICT_FAIL;
}

const char *retry_hint(const struct error *error) {
    static const struct {
        const char *state, *hint;
    } table[] = {
        {"53100", "free some room on the server, or move the tablespace; what was committed is saved, and the same "
                  "command goes on"},
        {"42P01", "a table that the plan needs was dropped or renamed; what was committed is saved: bring it back and "
                  "run again, or start anew with --fresh"},
        {"42703", "a column that the plan needs was dropped or renamed; what was committed is saved: bring it back and "
                  "run again, or start anew with --fresh"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (text_equal(error->sqlstate, table[i].state)) return table[i].hint;
    return NULL;
}

int64_t retry_pause(int tries) {
    int64_t pause = 50;
    for (int i = 1; i < tries && pause < 60000; i++) pause *= 2;
    return clock_jitter(pause < 60000 ? pause : 60000, 0.2);
}
