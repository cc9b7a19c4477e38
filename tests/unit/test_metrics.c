/* The metrics file: what stands in it, that it is replaced whole, and that a failure is told once and stops nothing. */
#include "listening.h"

#include <stdlib.h>
#include <sys/stat.h>

struct noted {
    struct listener listener;
    int notices, others;
    char message[512];
};

static void note(struct listener *listener, const struct event *event) {
    struct noted *noted = (struct noted *)listener;
    if (event->type != EVENT_NOTICE) {
        noted->others++;
        return;
    }
    noted->notices++;
    snprintf(noted->message, sizeof noted->message, "%s", event->message);
}

static void remove_folder(void *path) {
    static const char *const inside[] = {"a.prom", "not-there/a.prom", "not-there"};
    char name[256];
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        snprintf(name, sizeof name, "%s/%s", (char *)path, inside[i]);
        remove(name);
    }
    rmdir(path);
}

static const char *folder(struct arena *arena) {
    char *path = arena_strdup(arena, "/tmp/pgwinnow-test.XXXXXX");
    assert_non_null(mkdtemp(path));
    arena_defer(arena, remove_folder, path);
    return path;
}

static const char *contents(struct arena *arena, const char *path) {
    struct text text = text_new(arena);
    char piece[4096];
    size_t n;
    FILE *file = fopen(path, "r");
    if (!file) return NULL;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0) text_add_n(&text, piece, n);
    fclose(file);
    return text.data;
}

/* A run that is heard by the metrics file, and behind it by `noted`. */
static struct listening *metered(struct arena *arena, const char *path, bool undoing, struct noted *noted) {
    struct listening *l = listen_with(arena, "json", (struct sink_request){0});
    struct sink_request request = {.fd = -1, .now = test_now, .metrics = path, .undoing = undoing};
    noted->listener.hear = note;
    l->listener = sinks_open(l->arena, NULL, &request);
    assert_non_null(l->listener);
    l->listener->next = &noted->listener;
    return l;
}

static void has(const char *text, const char *line) {
    const char *found = text ? strstr(text, line) : NULL;
    bool whole = found && (found == text || found[-1] == '\n') && found[strlen(line)] == '\n';
    if (!whole) print_error("no line %s in:\n%s\n", line, text ? text : "(no file)");
    assert_true(whole);
}

static void lacks(const char *text, const char *part) { assert_null(strstr(text, part)); }

#define OF_RUN "{plan=\"dedupe-listings\",environment=\"staging\"}"
#define STATE(name) "pgwinnow_run_state{plan=\"dedupe-listings\",environment=\"staging\",state=\"" name "\"}"
#define STEP_STATE(name) "pgwinnow_step_state{" OF_STEP ",state=\"" name "\"}"
#define OF_STEP "plan=\"dedupe-listings\",environment=\"staging\",step=\"delete\""
#define OF_DELETE "{" OF_STEP "}"

UNIT(nobody_who_did_not_ask_gets_a_file) { assert_null(sinks_open(arena, NULL, &(struct sink_request){.fd = -1})); }

UNIT(it_says_what_the_events_said) {
    struct noted noted = {0};
    const char *path = arena_printf(arena, "%s/a.prom", folder(arena));
    struct listening *l = metered(arena, path, false, &noted);
    tell(l, EVENT_RUN_STARTED);
    start_step(l, 1, 200);
    l->steps[1] = (struct event_step){"delete", STEP_RUNNING, 50, 200, 3, 2, 2500};
    l->event.batch_size = 1000;
    l->event.eta_ms = 7500;
    l->event.lag_ms = 1234;
    test_time += 5000;
    tell(l, EVENT_PROGRESS);
    const char *text = contents(arena, path);
    has(text, "# TYPE pgwinnow_step_rows_total counter");
    has(text, "pgwinnow_step_rows_total" OF_DELETE " 50");
    has(text, "pgwinnow_step_expected_rows" OF_DELETE " 200");
    has(text, "pgwinnow_step_spared_rows_total" OF_DELETE " 3");
    has(text, "pgwinnow_step_batches_total" OF_DELETE " 2");
    has(text, "pgwinnow_step_seconds_total" OF_DELETE " 2.500");
    has(text, "pgwinnow_step_remaining_seconds" OF_DELETE " 7.500");
    has(text, STEP_STATE("running") " 1");
    has(text, STEP_STATE("done") " 0");
    has(text, STATE("running") " 1");
    has(text, "pgwinnow_batch_size_rows" OF_RUN " 1000");
    has(text, "pgwinnow_replica_lag_seconds" OF_RUN " 1.234");
    has(text, "pgwinnow_waiting" OF_RUN " 0");
    lacks(text, "pgwinnow_last_success_timestamp_seconds");
    lacks(text, "pgwinnow_run_exit_code");
    lacks(text, "step=\"track\"} -1");
    assert_int_equal(noted.notices, 0);
    assert_int_equal(noted.others, 3);
}

UNIT(progress_is_written_every_five_seconds_and_the_end_at_once) {
    struct noted noted = {0};
    const char *path = arena_printf(arena, "%s/a.prom", folder(arena));
    struct listening *l = metered(arena, path, false, &noted);
    start_step(l, 1, 200);
    test_time += 4999;
    l->steps[1].rows = 1;
    tell(l, EVENT_PROGRESS);
    has(contents(arena, path), "pgwinnow_step_rows_total" OF_DELETE " 0");
    test_time += 1;
    tell(l, EVENT_PROGRESS);
    has(contents(arena, path), "pgwinnow_step_rows_total" OF_DELETE " 1");
    l->steps[1].rows = 2;
    l->event.exit_code = 3;
    tell(l, EVENT_RUN_FAILED);
    const char *text = contents(arena, path);
    has(text, "pgwinnow_step_rows_total" OF_DELETE " 2");
    has(text, STATE("refused") " 1");
    has(text, "pgwinnow_run_exit_code" OF_RUN " 3");
}

UNIT(waiting_adds_up) {
    struct noted noted = {0};
    const char *path = arena_printf(arena, "%s/a.prom", folder(arena));
    struct listening *l = metered(arena, path, false, &noted);
    start_step(l, 1, 200);
    l->event.waiting = "the standby";
    tell(l, EVENT_THROTTLE_WAITING);
    test_time += 6500;
    tell(l, EVENT_PROGRESS);
    has(contents(arena, path), "pgwinnow_waiting" OF_RUN " 1");
    has(contents(arena, path), STATE("waiting") " 1");
    test_time += 500;
    l->event.waiting = NULL;
    tell(l, EVENT_THROTTLE_CLEARED);
    test_time += 9000;
    tell(l, EVENT_PROGRESS);
    has(contents(arena, path), "pgwinnow_waiting" OF_RUN " 0");
    has(contents(arena, path), "pgwinnow_waiting_seconds_total" OF_RUN " 7");
}

UNIT(an_approval_stays_needed_over_the_pause) {
    struct noted noted = {0};
    const char *path = arena_printf(arena, "%s/a.prom", folder(arena));
    struct listening *l = metered(arena, path, false, &noted);
    start_step(l, 1, -1);
    tell(l, EVENT_APPROVAL_NEEDED);
    tell(l, EVENT_RUN_PAUSED);
    has(contents(arena, path), "pgwinnow_approval_needed" OF_RUN " 1");
    tell(l, EVENT_RUN_RESUMED);
    has(contents(arena, path), "pgwinnow_approval_needed" OF_RUN " 0");
}

static const char *success_line(struct arena *arena, const char *path) {
    const char *line = strstr(contents(arena, path), "\npgwinnow_last_success_timestamp_seconds" OF_RUN " ");
    return line ? arena_strndup(arena, line + 1, strcspn(line + 1, "\n")) : NULL;
}

UNIT(the_last_success_outlives_a_run_that_fails) {
    struct noted noted = {0};
    const char *path = arena_printf(arena, "%s/a.prom", folder(arena));
    tell(metered(arena, path, false, &noted), EVENT_RUN_FINISHED);
    const char *line = success_line(arena, path);
    assert_non_null(line);
    struct listening *l = metered(arena, path, false, &noted);
    l->event.exit_code = 1;
    tell(l, EVENT_RUN_FAILED);
    assert_string_equal(success_line(arena, path), line);
    l = metered(arena, path, false, &noted);
    l->event.plan = "another";
    tell(l, EVENT_RUN_STARTED);
    assert_null(strstr(contents(arena, path), "last_success"));
}

UNIT(an_undo_is_no_success_of_the_plan) {
    struct noted noted = {0};
    const char *path = arena_printf(arena, "%s/a.prom", folder(arena));
    struct listening *l = metered(arena, path, true, &noted);
    tell(l, EVENT_RUN_STARTED);
    has(contents(arena, path), STATE("undoing") " 1");
    tell(l, EVENT_RUN_FINISHED);
    has(contents(arena, path), STATE("undone") " 1");
    lacks(contents(arena, path), "last_success");
}

UNIT(labels_are_escaped_and_stay_utf8) {
    struct noted noted = {0};
    const char *path = arena_printf(arena, "%s/a.prom", folder(arena));
    struct listening *l = metered(arena, path, false, &noted);
    l->event.environment = NULL;
    l->event.table = "public.\"a\\b\"\"c\nd é\"";
    tell(l, EVENT_RUN_STARTED);
    const char *text = contents(arena, path);
    assert_non_null(strstr(text, "table=\"public.\\\"a\\\\b\\\"\\\"c\\nd é\\\"\""));
    has(text, "pgwinnow_waiting{plan=\"dedupe-listings\",environment=\"\"} 0");
    l->event.table = "t\xff\xfe";
    tell(l, EVENT_RUN_RESUMED);
    assert_non_null(strstr(contents(arena, path), "table=\"t??\""));
}

UNIT(everybody_may_read_it_and_nothing_else_is_left) {
    struct noted noted = {0};
    const char *path = arena_printf(arena, "%s/a.prom", folder(arena));
    mode_t before = umask(077);
    tell(metered(arena, path, false, &noted), EVENT_RUN_STARTED);
    umask(before);
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0644);
    assert_int_equal(stat(arena_printf(arena, "%s.new", path), &about), -1);
}

UNIT(a_failure_is_told_once_and_ends_when_it_ends) {
    struct noted noted = {0};
    const char *in = arena_printf(arena, "%s/not-there", folder(arena)), *path = arena_printf(arena, "%s/a.prom", in);
    struct listening *l = metered(arena, path, false, &noted);
    tell(l, EVENT_RUN_STARTED);
    test_time += 5000;
    tell(l, EVENT_PROGRESS);
    assert_int_equal(noted.notices, 1);
    assert_non_null(strstr(noted.message, path));
    assert_int_equal(mkdir(in, 0755), 0);
    test_time += 5000;
    tell(l, EVENT_PROGRESS);
    assert_non_null(contents(arena, path));
    assert_int_equal(noted.others, 3);
}

UNIT(a_link_is_not_replaced) {
    struct noted noted = {0};
    const char *path = arena_printf(arena, "%s/a.prom", folder(arena));
    assert_int_equal(symlink("/dev/null", path), 0);
    tell(metered(arena, path, false, &noted), EVENT_RUN_STARTED);
    assert_int_equal(noted.notices, 1);
    struct stat about;
    assert_int_equal(lstat(path, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
}

RUN(UNIT_TEST(nobody_who_did_not_ask_gets_a_file), UNIT_TEST(it_says_what_the_events_said),
    UNIT_TEST(progress_is_written_every_five_seconds_and_the_end_at_once), UNIT_TEST(waiting_adds_up),
    UNIT_TEST(an_approval_stays_needed_over_the_pause), UNIT_TEST(the_last_success_outlives_a_run_that_fails),
    UNIT_TEST(an_undo_is_no_success_of_the_plan), UNIT_TEST(labels_are_escaped_and_stay_utf8),
    UNIT_TEST(everybody_may_read_it_and_nothing_else_is_left), UNIT_TEST(a_failure_is_told_once_and_ends_when_it_ends),
    UNIT_TEST(a_link_is_not_replaced))
