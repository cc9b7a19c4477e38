/* Recording statements for explain. The same text twice (two edges may share one) is kept twice: both are sent. */
#include "work/explanation.h"

#include "database/sql.h"

void explain_statement(struct explanation *explanation, const struct sql *sql, const char *text) {
    explanation->statements =
        arena_grow(explanation->arena, explanation->statements, &explanation->count, sizeof *explanation->statements);
    explanation->statements[explanation->count - 1] =
        (struct explained){sql->name, sql->file, arena_strdup(explanation->arena, text), sql->line};
}
