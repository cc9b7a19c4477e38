/* expand NAME=VALUE...: reads a statement from standard input and prints it expanded; for sql-expander.t. */
#include "database/sql.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 64 };

int main(int count, char **arguments) {
    static char statement[1 << 16];
    statement[fread(statement, 1, sizeof statement - 1, stdin)] = '\0';
    struct arena *arena = arena_new(NULL);
    struct binding bindings[MOST + 1] = {{NULL, NULL}};
    for (int i = 1; i < count && i <= MOST; i++) {
        const char *value = strchr(arguments[i], '=');
        if (value)
            bindings[i - 1] =
                (struct binding){arena_strndup(arena, arguments[i], (size_t)(value - arguments[i])), value + 1};
    }
    struct error error = error_new(arena);
    struct sql sql = {"statement", "standard input", 1, statement};
    fputs(sql_expand(arena, &sql, bindings, &error), stdout);
    if (failed(&error)) fprintf(stderr, "%s\n", error.message);
    int status = error.fault;
    arena_free(arena);
    return status;
}
