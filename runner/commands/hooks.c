/*
 * pgwinnow hooks test: runs the tests of Lua rules, without a database. A test file is *_test.lua beside the rules.
 * Prints TAP, so that any harness can read it. The box runs them; which files they are is found out here.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "commands/command.h"
#include "script/tests.h"

struct report {
    size_t run, wrong;
    bool quiet;
};

struct paths {
    const char **items;
    size_t count;
};

static bool is_test(const char *name) {
    static const char ending[] = "_test.lua";
    size_t length = strlen(name), tail = sizeof ending - 1;
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void close_folder(void *folder) { closedir(folder); }

/* The tests of one folder, by name; those of its folders are others'. */
static void add_folder(struct arena *arena, const char *path, struct paths *paths, struct error *error) {
    DIR *folder = opendir(path);
    if (!folder) {
        fail(error, FAULT_USAGE, "%s cannot be read: %s", path, strerror(errno));
        return;
    }
    arena_defer(arena, close_folder, folder);
    size_t before = paths->count;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (!is_test(entry->d_name)) continue;
        paths->items = arena_grow(arena, paths->items, &paths->count, sizeof *paths->items);
        paths->items[paths->count - 1] = file_path(arena, path, entry->d_name);
    }
    if (paths->count == before) {
        fail(error, FAULT_USAGE, "there are no tests in %s", path);
        fail_hint(error, "tests of rules stand in files called *_test.lua");
        return;
    }
    qsort(paths->items + before, paths->count - before, sizeof *paths->items, by_name);
}

static void add_path(struct arena *arena, const char *path, struct paths *paths, struct error *error) {
    struct stat about;
    if (stat(path, &about) != 0) {
        fail(error, FAULT_USAGE, "%s cannot be found: %s", path, strerror(errno));
    } else if (S_ISDIR(about.st_mode)) {
        size_t length = strlen(path);
        while (length > 1 && path[length - 1] == '/') length--;
        add_folder(arena, arena_strndup(arena, path, length), paths, error);
    } else {
        paths->items = arena_grow(arena, paths->items, &paths->count, sizeof *paths->items);
        paths->items[paths->count - 1] = path;
    }
}

static const char *folder_of(struct arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) return ".";
    return slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

/* Every line of a text as a comment of TAP. */
static void comment(const char *text) {
    while (text && *text) {
        size_t length = strcspn(text, "\n");
        printf("#   %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void print_line(void *unused, const char *line) {
    (void)unused;
    comment(line);
}

static void tell(struct report *report, const char *file, const char *test, const struct error *error) {
    bool passed = !failed(error);
    report->run++;
    report->wrong += !passed;
    if (passed && report->quiet) return;
    printf("%s %zu - %s%s%s\n", passed ? "ok" : "not ok", report->run, file, test ? ": " : "", test ? test : "");
    if (passed) return;
    comment(error->message);
    comment(error->detail);
}

static void run_file(struct arena *arena, const char *path, struct report *report) {
    struct error error = error_new(arena);
    struct rule rule = {.file = {.name = path, .path = path}, .memory = 64 << 20, .time = 2000};
    const char *why;
    if (!file_read(arena, &rule.file, &why)) fail(&error, FAULT_USAGE, "%s %s", path, why);
    struct box_tests tests = {0};
    if (!failed(&error)) tests = box_tests_load(arena, &rule, folder_of(arena, path), print_line, NULL, &error);
    if (failed(&error)) {
        tell(report, path, NULL, &error);
        return;
    }
    for (size_t i = 0; i < tests.count; i++) {
        struct error outcome = error_new(arena);
        box_tests_run(&tests, i, &outcome);
        tell(report, path, tests.names[i], &outcome);
    }
}

static void hooks_run(struct command_line *line, struct arena *arena, struct error *error) {
    if (strcmp(line->arguments[0], "test") != 0) {
        fail(error, FAULT_USAGE, "hooks has one thing to do, 'test', and not '%s'", line->arguments[0]);
        fail_hint(error, "pgwinnow hooks test DIR|FILE...");
        return;
    }
    if (line->argument_count == 1) {
        fail(error, FAULT_USAGE, "which tests? Name a folder or files");
        return;
    }
    struct paths paths = {0};
    for (size_t i = 1; i < line->argument_count; i++) add_path(arena, line->arguments[i], &paths, error);
    if (failed(error)) return;
    struct report report = {.quiet = line->quiet};
    for (size_t i = 0; i < paths.count; i++) {
        struct arena *own = arena_new(arena);
        run_file(own, paths.items[i], &report);
        arena_free(own);
    }
    printf("1..%zu\n", report.run);
    if (report.wrong) fail(error, FAULT_HOOK, "%zu of %zu tests of rules failed", report.wrong, report.run);
}

const struct command hooks_command = {
    .name = "hooks",
    .synopsis = "test DIR|FILE...",
    .about = "run the tests of Lua rules, no database needed",
    .more = "Runs every *_test.lua of the folders and files named, and prints TAP. A test may require the rule files\n"
            "beside it by name, and check, which compares. docs/rules.md has an example.",
    .least = 1,
    .most = ANY_NUMBER,
    .run = hooks_run,
};
