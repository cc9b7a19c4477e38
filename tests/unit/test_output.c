/* The bounded writer: a reader that stops or goes away never stops us. */
#include "events/output.h"
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

static const char *line_of(struct arena *arena, int number) {
    return arena_printf(arena, "line %06d .................\n", number);
}

static bool put_line(struct output *output, const char *line) { return output_line(output, line, strlen(line)); }

/* What the pipe holds now. */
static struct text drained(struct arena *arena, int fd) {
    struct text text = text_new(arena);
    char piece[4096];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (poll(&ready, 1, 0) > 0) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n <= 0) break;
        text_add_n(&text, piece, (size_t)n);
    }
    return text;
}

UNIT(a_full_pipe_does_not_block_and_keeps_lines_in_order) {
    enum { LINES = 8000 }; /* 248 KB: more than a pipe of 64 KB takes, less than pipe and buffer */
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct arena *own = arena_new(arena);
    struct output *output = output_new(own, ends[1]);
    struct text expected = text_new(arena), got = text_new(arena);
    int64_t start = clock_ms();
    for (int i = 0; i < LINES; i++) {
        assert_true(put_line(output, line_of(arena, i)));
        text_add(&expected, line_of(arena, i));
    }
    assert_true(clock_ms() - start < 1000);
    assert_true(output_behind(output));
    while (got.length < expected.length) {
        struct text more = drained(arena, ends[0]);
        if (!more.length && !output_behind(output)) break;
        text_add(&got, more.data);
        output_flush(output);
    }
    assert_string_equal(got.data, expected.data);
    arena_free(own);
    close(ends[0]);
    close(ends[1]);
}

UNIT(a_frame_is_dropped_while_the_reader_is_behind) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct arena *own = arena_new(arena);
    struct output *output = output_new(own, ends[1]);
    assert_true(output_frame(output, "frame\n", 6));
    while (!output_behind(output)) put_line(output, line_of(arena, 1));
    assert_false(output_frame(output, "late\n", 5));
    struct text got = drained(arena, ends[0]);
    assert_true(text_starts(got.data, "frame\n"));
    assert_null(strstr(got.data, "late"));
    assert_true(output_frame(output, "again\n", 6));
    arena_free(own);
    close(ends[0]);
    close(ends[1]);
}

UNIT(lines_beyond_the_buffer_are_counted) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct arena *own = arena_new(arena);
    struct output *output = output_new(own, ends[1]);
    size_t refused = 0;
    signal(SIGPIPE, SIG_IGN); /* as the runner does */
    for (int i = 0; i < 20000; i++) refused += !put_line(output, line_of(arena, i));
    assert_true(refused > 0);
    assert_int_equal(output_lost(output), refused);
    close(ends[0]);
    arena_free(own);
    close(ends[1]);
}

UNIT(closing_waits_two_seconds_for_a_reader_and_no_longer) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct arena *own = arena_new(arena);
    struct output *output = output_new(own, ends[1]);
    while (!output_behind(output)) put_line(output, line_of(arena, 1));
    int64_t start = clock_ms();
    arena_free(own);
    assert_in_range(clock_ms() - start, 1900, 4000);
    close(ends[0]);
    close(ends[1]);
}

UNIT(a_reader_that_went_away_is_no_matter) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    signal(SIGPIPE, SIG_IGN);
    struct output *output = output_new(arena, ends[1]);
    close(ends[0]);
    for (int i = 0; i < 100000; i++) assert_true(put_line(output, "x\n"));
    assert_false(output_behind(output));
    close(ends[1]);
}

UNIT(the_flags_of_the_shared_description_stay_as_they_were) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct arena *own = arena_new(arena);
    put_line(output_new(own, ends[1]), "x\n");
    assert_false(fcntl(ends[1], F_GETFL) & O_NONBLOCK);
    arena_free(own);
    assert_int_equal(write(ends[1], "y\n", 2), 2);
    assert_string_equal(drained(arena, ends[0]).data, "x\ny\n");
    close(ends[0]);
    close(ends[1]);
}

RUN(UNIT_TEST(a_full_pipe_does_not_block_and_keeps_lines_in_order),
    UNIT_TEST(a_frame_is_dropped_while_the_reader_is_behind), UNIT_TEST(lines_beyond_the_buffer_are_counted),
    UNIT_TEST(closing_waits_two_seconds_for_a_reader_and_no_longer), UNIT_TEST(a_reader_that_went_away_is_no_matter),
    UNIT_TEST(the_flags_of_the_shared_description_stay_as_they_were))
