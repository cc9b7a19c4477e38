/* Arenas: zeroed and aligned memory, children and foreign handles that go with their owner, arrays that grow. */
#include "unit.h"

#include <string.h>

static int calls, order[4];

static void note(void *handle) { order[calls++] = *(int *)handle; }

UNIT(memory_is_zeroed_and_aligned_after_a_reset_too) {
    for (int turn = 0; turn < 2; turn++) {
        for (size_t size = 1; size < 20000; size = size * 2 + 1) {
            char *memory = arena_alloc(arena, size);
            assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++) assert_int_equal(memory[i], 0);
            memset(memory, 'x', size);
        }
        arena_reset(arena);
    }
}

UNIT(pieces_of_any_size_do_not_overlap) {
    enum { PIECES = 200 };
    unsigned char *pieces[PIECES];
    for (int i = 0; i < PIECES; i++) {
        size_t size = (size_t)i * 97 % 9001 + 1;
        pieces[i] = arena_alloc(arena, size);
        memset(pieces[i], i, size);
    }
    for (int i = 0; i < PIECES; i++)
        for (size_t at = 0; at < (size_t)i * 97 % 9001 + 1; at++) assert_int_equal(pieces[i][at], i);
}

UNIT(copies_are_their_own) {
    char text[] = "pgwinnow";
    char *copy = arena_strdup(arena, text), *part = arena_strndup(arena, text, 2), *raw = arena_copy(arena, text, 3);
    text[0] = 'X';
    assert_string_equal(copy, "pgwinnow");
    assert_string_equal(part, "pg");
    assert_memory_equal(raw, "pgw", 3);
    assert_string_equal(arena_printf(arena, "%s-%d", copy, 7), "pgwinnow-7");
}

UNIT(a_long_printf_is_whole) {
    char *text = arena_printf(arena, "%0*d", 30000, 1);
    assert_int_equal(strlen(text), 30000);
    assert_int_equal(text[29999], '1');
}

UNIT(handles_are_released_last_first_and_once) {
    int numbers[] = {0, 1, 2};
    calls = 0;
    for (int i = 0; i < 3; i++) arena_defer(arena, note, &numbers[i]);
    arena_reset(arena);
    arena_reset(arena);
    assert_int_equal(calls, 3);
    for (int i = 0; i < 3; i++) assert_int_equal(order[i], 2 - i);
}

UNIT(children_go_with_their_parent) {
    int one = 1, two = 2;
    calls = 0;
    struct arena *child = arena_new(arena), *grandchild = arena_new(child);
    arena_defer(child, note, &one);
    arena_defer(grandchild, note, &two);
    arena_reset(arena);
    assert_int_equal(calls, 2);
}

UNIT(a_freed_child_is_forgotten_by_its_parent) {
    struct arena *first = arena_new(arena), *second = arena_new(arena), *third = arena_new(arena);
    int one = 1;
    calls = 0;
    arena_defer(second, note, &one);
    arena_free(second);
    assert_int_equal(calls, 1);
    arena_alloc(first, 10);
    arena_alloc(third, 10);
    arena_reset(arena);
    assert_int_equal(calls, 1);
}

UNIT(an_array_keeps_its_items_as_it_grows_and_new_ones_are_zero) {
    int *items = NULL;
    size_t count = 0;
    for (int i = 0; i < 1000; i++) {
        items = arena_grow(arena, items, &count, sizeof *items);
        assert_int_equal(count, (size_t)i + 1);
        assert_int_equal(items[i], 0);
        items[i] = i * 3 + 1;
        memset(arena_alloc(arena, 8), 0xff, 8);
    }
    for (int i = 0; i < 1000; i++) assert_int_equal(items[i], i * 3 + 1);
}

RUN(UNIT_TEST(memory_is_zeroed_and_aligned_after_a_reset_too), UNIT_TEST(pieces_of_any_size_do_not_overlap),
    UNIT_TEST(copies_are_their_own), UNIT_TEST(a_long_printf_is_whole),
    UNIT_TEST(handles_are_released_last_first_and_once), UNIT_TEST(children_go_with_their_parent),
    UNIT_TEST(a_freed_child_is_forgotten_by_its_parent),
    UNIT_TEST(an_array_keeps_its_items_as_it_grows_and_new_ones_are_zero))
