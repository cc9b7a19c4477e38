/*
 * The display with a bar, seen through a small terminal: a grid with a cursor that understands what the display sends,
 * and notes a line that ran over the edge or a cursor that left the screen.
 */
#include "listening.h"

#include <locale.h>
#include <stdlib.h>
#include <wchar.h>

enum { MOST_ROWS = 600, MOST_COLUMNS = 200 };

struct grid {
    wchar_t cells[MOST_ROWS][MOST_COLUMNS + 1];
    size_t width, height, row, column, bottom;
    bool overflowed, left, hidden;
};

static void control(struct grid *g, int number, char final) {
    if (final == 'A') {
        size_t top = g->bottom + 1 > g->height ? g->bottom + 1 - g->height : 0;
        g->left |= g->row < top + (size_t)number;
        g->row -= g->row < (size_t)number ? g->row : (size_t)number;
    } else if (final == 'K')
        wmemset(g->cells[g->row] + g->column, 0, MOST_COLUMNS - g->column);
    else if (final == 'J') {
        wmemset(g->cells[g->row] + g->column, 0, MOST_COLUMNS - g->column);
        for (size_t i = g->row + 1; i < MOST_ROWS; i++) wmemset(g->cells[i], 0, MOST_COLUMNS);
    } else if (final == 'h' || final == 'l')
        g->hidden = final == 'l';
    else
        assert_int_equal(final, 'm');
}

static const char *escape(struct grid *g, const char *at) {
    assert_int_equal(at[1], '[');
    at += 2 + (at[2] == '?');
    int number = (int)strtol(at, (char **)&at, 10);
    control(g, number, *at);
    return at + 1;
}

static void put(struct grid *g, wchar_t c) {
    size_t columns = (size_t)wcwidth(c);
    g->overflowed |= g->column + columns > g->width;
    g->cells[g->row][g->column] = c;
    if (columns == 2) g->cells[g->row][g->column + 1] = L'\1';
    g->column += columns;
}

static struct grid *seen(struct arena *arena, const char *bytes, size_t width, size_t height) {
    struct grid *g = arena_alloc(arena, sizeof *g);
    g->width = width;
    g->height = height;
    while (*bytes) {
        wchar_t c;
        int n = 1;
        if (*bytes == '\033') {
            bytes = escape(g, bytes);
            continue;
        }
        if (*bytes == '\r')
            g->column = 0;
        else if (*bytes == '\n') {
            if (++g->row > g->bottom) g->bottom = g->row;
        } else {
            n = mbtowc(&c, bytes, MB_CUR_MAX);
            assert_true(n > 0 && wcwidth(c) >= 0);
            put(g, c);
        }
        bytes += n;
    }
    return g;
}

/* A row as text, blanks at its end cut; "" beyond the last. */
static const char *row(struct arena *arena, const struct grid *g, size_t index) {
    struct text text = text_new(arena);
    size_t end = 0;
    for (size_t i = 0; i < MOST_COLUMNS; i++)
        if (g->cells[index][i] && g->cells[index][i] != L' ') end = i + 1;
    for (size_t i = 0; i < end; i++) {
        char bytes[16];
        if (g->cells[index][i] == L'\1') continue;
        int n = wctomb(bytes, g->cells[index][i] ? g->cells[index][i] : L' ');
        text_add_n(&text, bytes, (size_t)n);
    }
    return text.data;
}

static int find(struct arena *arena, const struct grid *g, const char *what) {
    for (size_t i = 0; i <= g->bottom; i++)
        if (strstr(row(arena, g, i), what)) return (int)i;
    return -1;
}

static int count_rows(struct arena *arena, const struct grid *g, const char *what) {
    int count = 0;
    for (size_t i = 0; i <= g->bottom; i++) count += strstr(row(arena, g, i), what) != NULL;
    return count;
}

static struct listening *display(struct arena *arena, int width, int height) {
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    test_time = 1000;
    return listen_with(arena, "bar", (struct sink_request){.unicode = true, .width = width, .height = height});
}

static void progress(struct listening *l, int64_t rows) {
    test_time += 100;
    l->steps[l->event.step].rows = rows;
    tell(l, EVENT_PROGRESS);
}

UNIT(finished_steps_stay_with_a_tick_rows_and_time) {
    struct listening *l = display(arena, 80, 24);
    tell(l, EVENT_RUN_STARTED);
    start_step(l, 0, -1);
    progress(l, 1000);
    finish_step(l, 1234567, 3100);
    l->event.step = STEPS;
    l->event.ms = 65000;
    tell(l, EVENT_RUN_FINISHED);
    struct grid *g = seen(arena, heard(l, arena), 80, 24);
    assert_string_equal(row(arena, g, 0), "run 7 · dedupe-listings · staging · public.listings");
    assert_true(text_starts(row(arena, g, 1), "  ✓ track"));
    assert_non_null(strstr(row(arena, g, 1), " 1,234,567 rows "));
    assert_non_null(strstr(row(arena, g, 1), " 3.1 s"));
    assert_string_equal(row(arena, g, 2), "run 7 finished in 1 min 5 s");
    assert_string_equal(row(arena, g, 3), "");
    assert_false(g->hidden);
    assert_int_equal(g->row, 3);
}

UNIT(the_step_at_hand_is_drawn_in_place) {
    struct listening *l = display(arena, 80, 24);
    tell(l, EVENT_RUN_STARTED);
    start_step(l, 1, 200000);
    l->event.rate = 2500;
    l->event.eta_ms = 40000;
    l->event.batch_size = 4200;
    for (int64_t rows = 0; rows <= 100000; rows += 10000) progress(l, rows);
    struct grid *g = seen(arena, heard(l, arena), 80, 24);
    assert_int_equal(count_rows(arena, g, "delete"), 1);
    int at = find(arena, g, "delete");
    const char *line = row(arena, g, (size_t)at), *facts = row(arena, g, (size_t)at + 1);
    assert_non_null(strstr(line, " 50 %"));
    assert_non_null(strstr(line, "100,000 of 200,000"));
    assert_non_null(strstr(line, "━━"));
    assert_non_null(strstr(facts, "2,500 rows/s"));
    assert_non_null(strstr(facts, "40.0 s left"));
    assert_non_null(strstr(facts, "batches of 4,200"));
    assert_true(find(arena, g, "· vacuum") > at); /* steps to come stand below */
}

UNIT(half_done_is_half_a_bar) {
    struct listening *l = display(arena, 100, 24);
    start_step(l, 1, 1000);
    progress(l, 500);
    char *all = heard(l, arena);
    struct grid *g = seen(arena, all, 100, 24);
    const wchar_t *cells = g->cells[find(arena, g, "delete")];
    int full = 0, rest = 0;
    for (size_t i = 0; i < MOST_COLUMNS; i++) full += cells[i] == L'━', rest += cells[i] == L'─';
    assert_in_range(full, 10, 50);
    assert_int_equal(full, rest);
}

UNIT(it_says_why_it_waits_and_since_when) {
    struct listening *l = display(arena, 80, 24);
    start_step(l, 1, 200);
    l->event.waiting = "a lock on public.listings held by pid 4711";
    l->event.waiting_ms = 12000;
    progress(l, 100);
    struct grid *g = seen(arena, heard(l, arena), 80, 24);
    assert_true(find(arena, g, "waiting for 12.0 s: a lock on public.listings held by pid 4711") >= 0);
}

UNIT(while_it_waits_it_has_no_speed) {
    struct listening *l = display(arena, 80, 24);
    start_step(l, 1, 200);
    l->event.rate = 20;
    l->event.eta_ms = 5000;
    l->event.waiting = "a lock";
    l->event.waiting_ms = 12000;
    progress(l, 100);
    struct grid *g = seen(arena, heard(l, arena), 80, 24);
    assert_true(find(arena, g, "rows/s") < 0);
    assert_true(find(arena, g, "left") < 0);
}

UNIT(what_lasts_a_moment_does_not_flicker) {
    struct listening *l = display(arena, 80, 24);
    start_step(l, 1, 200);
    l->event.rate = 20;
    l->event.waiting = "a lock";
    l->event.waiting_ms = 100;
    progress(l, 100);
    struct grid *g = seen(arena, heard(l, arena), 80, 24);
    assert_true(find(arena, g, "waiting") < 0);
    assert_true(find(arena, g, "20 rows/s") >= 0);
}

UNIT(a_frame_is_drawn_ten_times_a_second_at_most) {
    struct listening *l = display(arena, 80, 24);
    start_step(l, 1, 1000);
    for (int i = 0; i < 500; i++) { /* 5 s */
        test_time += 10;
        tell(l, EVENT_PROGRESS);
    }
    int frames = 0;
    for (const char *at = heard(l, arena); (at = strstr(at, "\033[J")); at++) frames++;
    assert_in_range(frames, 40, 51);
}

UNIT(a_notice_stands_above_the_live_part) {
    struct listening *l = display(arena, 80, 24);
    tell(l, EVENT_RUN_STARTED);
    start_step(l, 1, 200);
    progress(l, 10);
    l->event.message = "autovacuum works on public.posts";
    tell(l, EVENT_NOTICE);
    l->event.message = NULL;
    progress(l, 20);
    struct grid *g = seen(arena, heard(l, arena), 80, 24);
    int notice = find(arena, g, "autovacuum works on public.posts");
    assert_int_equal(notice, 1);
    assert_true(find(arena, g, "20 of 200") > notice);
    assert_int_equal(count_rows(arena, g, "autovacuum"), 1);
    assert_int_equal(count_rows(arena, g, "delete"), 1);
}

UNIT(a_failed_run_marks_its_step_and_leaves_the_reason_to_the_error) {
    struct listening *l = display(arena, 80, 24);
    start_step(l, 1, 200);
    progress(l, 10);
    l->steps[1].state = STEP_FAILED;
    l->event.message = "cannot remove the batch";
    l->event.exit_code = 1;
    tell(l, EVENT_RUN_FAILED);
    struct grid *g = seen(arena, heard(l, arena), 80, 24);
    assert_true(find(arena, g, "✗ delete") >= 0);
    assert_int_equal(find(arena, g, "cannot remove"), -1);
    assert_int_equal(find(arena, g, "vacuum"), -1); /* no live part is left */
    assert_true(find(arena, g, "run 7 failed") >= 0);
}

UNIT(a_resumed_run_shows_what_was_done_before) {
    struct listening *l = display(arena, 80, 24);
    l->steps[0] = (struct event_step){"track", STEP_DONE, 500, 500, 0, 5, 900};
    tell(l, EVENT_RUN_RESUMED);
    struct grid *g = seen(arena, heard(l, arena), 80, 24);
    assert_true(text_starts(row(arena, g, 0), "run 7 goes on"));
    assert_true(text_starts(row(arena, g, 1), "  ✓ track"));
    assert_int_equal(find(arena, g, "delete"), -1);
}

/* Everything long, everything at once, on every size. */
static void busy_run(struct listening *l) {
    l->steps[0].name = "delete-children-of-the-very-long-name";
    l->steps[1].name = "削除する手順";
    l->event.table = "public.\"一覧の表でとても長い名前\"";
    tell(l, EVENT_RUN_STARTED);
    for (size_t step = 0; step < 2; step++) {
        start_step(l, step, 1000000000000);
        l->event.rate = 123456.7;
        l->event.eta_ms = 98765432;
        l->event.batch_size = 50000;
        l->event.doing = "removing public.post_likes below public.posts below public.listings";
        l->event.waiting = "a lock on public.\"一覧の表\" held by pid 4711 (psql, idle in transaction) of user app";
        l->event.waiting_ms = 192000;
        progress(l, 123456789012);
        l->event.message = "autovacuum works on public.posts; batches are made smaller";
        l->event.hint = "averyveryverylongwordwithoutanyblankthatmustbebrokensomewhereinthemiddle";
        tell(l, EVENT_NOTICE);
        l->steps[step].spared = 1234;
        progress(l, 999999999999);
        l->event.doing = l->event.waiting = NULL;
        progress(l, 1000000000000);
        finish_step(l, 1000000000000, 98765432);
    }
    tell(l, EVENT_RUN_PAUSED);
}

UNIT(no_size_of_terminal_breaks_it) {
    static const int heights[] = {2, 3, 5, 10, 24};
    for (int width = 12; width <= 130; width += width < 70 ? 1 : 20)
        for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
            struct arena *own = arena_new(arena);
            struct listening *l = display(own, width, heights[i]);
            busy_run(l);
            struct grid *g = seen(own, heard(l, own), (size_t)width, (size_t)heights[i]);
            if (g->overflowed || g->left) print_error("%d x %d\n", width, heights[i]);
            assert_false(g->overflowed);
            assert_false(g->left);
            assert_int_equal(count_rows(own, g, "removing"), 0); /* nothing of the live part is left behind */
            arena_free(own);
        }
}

UNIT(twenty_columns_still_tell_the_essentials) {
    struct listening *l = display(arena, 20, 5);
    start_step(l, 1, 200000);
    progress(l, 50000);
    struct grid *g = seen(arena, heard(l, arena), 20, 5);
    assert_true(find(arena, g, "delete") >= 0);
    assert_true(find(arena, g, "25 %") >= 0);
    assert_true(find(arena, g, "50,000 of 200,000") >= 0);
}

UNIT(messages_cannot_steer_the_terminal) {
    struct listening *l = display(arena, 80, 24);
    l->event.table = "evil\033]0;title\007\033[2Jtable";
    tell(l, EVENT_RUN_STARTED);
    l->event.message = "first\nsecond\033[31m\xff";
    tell(l, EVENT_NOTICE);
    struct grid *g = seen(arena, heard(l, arena), 80, 24); /* fails on any other sequence */
    assert_true(find(arena, g, "evil?]0;title??[2Jtable") >= 0);
    assert_true(find(arena, g, "second?[31m?") > find(arena, g, "first"));
}

UNIT(colours_and_unicode_only_where_they_are_allowed) {
    struct listening *l = display(arena, 80, 24);
    start_step(l, 1, 200);
    progress(l, 10);
    const char *plain = heard(l, arena);
    assert_null(strstr(plain, "0m"));
    l = listen_with(arena, "bar", (struct sink_request){.colour = true, .width = 80, .height = 24});
    tell(l, EVENT_RUN_STARTED);
    start_step(l, 1, 200);
    progress(l, 10);
    finish_step(l, 200, 10);
    const char *ascii = heard(l, arena);
    assert_non_null(strstr(ascii, "\033[32m"));
    for (const char *c = ascii; *c; c++) assert_true((unsigned char)*c < 128);
}

RUN(UNIT_TEST(finished_steps_stay_with_a_tick_rows_and_time), UNIT_TEST(the_step_at_hand_is_drawn_in_place),
    UNIT_TEST(half_done_is_half_a_bar), UNIT_TEST(it_says_why_it_waits_and_since_when),
    UNIT_TEST(while_it_waits_it_has_no_speed), UNIT_TEST(what_lasts_a_moment_does_not_flicker),
    UNIT_TEST(a_frame_is_drawn_ten_times_a_second_at_most), UNIT_TEST(a_notice_stands_above_the_live_part),
    UNIT_TEST(a_failed_run_marks_its_step_and_leaves_the_reason_to_the_error),
    UNIT_TEST(a_resumed_run_shows_what_was_done_before), UNIT_TEST(no_size_of_terminal_breaks_it),
    UNIT_TEST(twenty_columns_still_tell_the_essentials), UNIT_TEST(messages_cannot_steer_the_terminal),
    UNIT_TEST(colours_and_unicode_only_where_they_are_allowed))
