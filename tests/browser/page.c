/* A report from JSON on standard input, without a database: page html|markdown <run.json */
#include <stdio.h>
#include <string.h>

#include "commands/report/page.h"

int main(int argc, char **argv) {
    struct arena *arena = arena_new(NULL);
    struct text out = text_new(arena);
    json_error_t why;
    json_t *run = json_loadf(stdin, 0, &why);
    if (!run || argc != 2) {
        fprintf(stderr, "usage: page html|markdown <run.json; %s\n", run ? "" : why.text);
        return 2;
    }
    if (strcmp(argv[1], "markdown") == 0)
        report_markdown(run, &out);
    else
        report_page(run, &out);
    fputs(out.data, stdout);
    json_decref(run);
    arena_free(arena);
    return 0;
}
