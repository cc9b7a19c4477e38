/*
 * pgwinnow: reads the command line, runs the command, and tells its one error. The exit code is the kind of the fault
 * (docs/exit-codes.md).
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/version.h"
#include "commands/arguments.h"
#include "commands/help.h"
#include "commands/tell.h"

static void dispatch(struct command_line *line, struct arena *arena, struct error *error) {
    if (line->version)
        puts("pgwinnow " PGWINNOW_VERSION);
    else if (line->command && !line->help)
        line->command->run(line, arena, error);
    else if (line->command)
        help_command_text(stdout, line->command, line->colour);
    else if (line->help)
        help_overview(stdout, line->colour);
    else {
        help_overview(stderr, line->colour_errors);
        fputc('\n', stderr);
        fail(error, FAULT_USAGE, "which command?");
    }
}

/* An answer that did not get out (disk full) is no answer. A reader that went away has seen what it wanted. */
static void check_output(struct error *error) {
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE)
        fail(error, FAULT_FAILED, "cannot write to standard output: %s", strerror(errno));
}

int main(int argc, char **argv) {
    setlocale(LC_CTYPE, ""); /* nothing else: numbers and messages of ours stay the same everywhere */
    struct arena *arena = arena_new(NULL), *work = arena_new(arena);
    struct error error = error_new(arena);
    struct command_line line;
    arguments_parse(&line, arena, argc, argv, &error);
    if (!failed(&error)) dispatch(&line, work, &error);
    arena_free(work); /* displays give the terminal back, connections close, before the error is told */
    check_output(&error);
    tell_error(stderr, stdout, &line, &error);
    fflush(stdout);
    int code = failed(&error) ? (int)error.fault : line.passed_on;
    arena_free(arena);
    return code;
}
