/* Asking for publications of all tables. */
#include "state/published.h"

#include "base/text.h"
#include "sql/state/published.sql.h"

enum { SCHEMAS_VERSION = 150000 };

void published_refuse(const struct state *state, struct arena *arena, const char *way_on, struct error *error) {
    if (failed(error)) return;
    bool schemas = slot_server_version(state->slot) >= SCHEMAS_VERSION;
    const char *values[] = {state->schema};
    struct rows *rows =
        state_ask(state, arena, "looking for publications of all tables",
                  schemas ? &sql_for_all_tables_or_schema : &sql_for_all_tables, values, schemas ? 1 : 0, error);
    if (!rows || !rows_count(rows)) return;
    struct text names = text_new(arena);
    for (int i = 0; i < rows_count(rows); i++) text_addf(&names, "%s%s", i ? ", " : "", rows_text(rows, i, 0));
    fail(error, FAULT_REFUSED, "publication%s %s would carry the tables that pgwinnow makes in schema %s",
         rows_count(rows) == 1 ? "" : "s", names.data, state->schema);
    fail_detail(error, "A subscriber without those tables stops at the first row in one of them.");
    fail_hint(error,
              "publish schemas or tables by name instead; or give subscribers the tables (docs/security.md) and "
              "say %s",
              way_on);
}
