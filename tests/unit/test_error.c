/* The sticky error: the first stays, later ones and their details are dropped, promotion copies. */
#include "base/error.h"
#include "unit.h"

#include <string.h>

UNIT(a_new_error_is_none) {
    struct error error = error_new(arena);
    assert_false(failed(&error));
    assert_int_equal(error.fault, FAULT_NONE);
    assert_string_equal(error.sqlstate, "");
}

UNIT(the_first_error_stays) {
    struct error error = error_new(arena);
    fail(&error, FAULT_REFUSED, "table %s is guarded", "public.listings");
    fail_hint(&error, "wait for run %d", 7);
    fail(&error, FAULT_FAILED, "something else");
    fail_detail(&error, "detail of something else");
    fail_hint(&error, "hint for something else");
    assert_int_equal(error.fault, FAULT_REFUSED);
    assert_string_equal(error.message, "table public.listings is guarded");
    assert_string_equal(error.hint, "wait for run 7");
    assert_null(error.detail);
}

UNIT(detail_and_hint_without_an_error_are_dropped) {
    struct error error = error_new(arena);
    fail_detail(&error, "nothing");
    fail_hint(&error, "nothing");
    assert_null(error.detail);
    assert_null(error.hint);
}

UNIT(a_cleared_error_takes_the_next) {
    struct error error = error_new(arena);
    fail(&error, FAULT_FAILED, "first");
    fail_detail(&error, "of the first");
    strcpy(error.sqlstate, "23505");
    error_clear(&error);
    assert_false(failed(&error));
    assert_string_equal(error.sqlstate, "");
    fail(&error, FAULT_HELD, "second");
    assert_string_equal(error.message, "second");
    assert_null(error.detail);
}

UNIT(promotion_outlives_the_arena_it_came_from) {
    struct arena *batch = arena_new(NULL);
    struct error from = error_new(batch), to = error_new(arena);
    fail(&from, FAULT_FAILED, "removing the batch %d-%d", 1, 1000);
    fail_detail(&from, "the server's words");
    fail_hint(&from, "run again");
    strcpy(from.sqlstate, "40P01");
    error_promote(&to, &from);
    arena_free(batch);
    assert_int_equal(to.fault, FAULT_FAILED);
    assert_string_equal(to.message, "removing the batch 1-1000");
    assert_string_equal(to.detail, "the server's words");
    assert_string_equal(to.hint, "run again");
    assert_string_equal(to.sqlstate, "40P01");
}

UNIT(promotion_neither_replaces_nor_invents) {
    struct error none = error_new(arena), first = error_new(arena), second = error_new(arena);
    error_promote(&first, &none);
    assert_false(failed(&first));
    fail(&first, FAULT_USAGE, "first");
    fail(&second, FAULT_FAILED, "second");
    error_promote(&first, &second);
    assert_string_equal(first.message, "first");
    assert_int_equal(first.fault, FAULT_USAGE);
}

UNIT(every_fault_is_an_exit_code_with_a_meaning) {
    const int codes[] = {0, 1, 2, 3, 4, 5, 6, 75}; /* product: exit codes */
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) assert_non_null(fault_about(codes[i]));
    assert_null(fault_about(42));
    assert_int_equal(FAULT_FAILED, 1);
    assert_int_equal(FAULT_USAGE, 2);
    assert_int_equal(FAULT_REFUSED, 3);
    assert_int_equal(FAULT_HELD, 4);
    assert_int_equal(FAULT_CONNECTION, 5);
    assert_int_equal(FAULT_HOOK, 6);
    assert_int_equal(FAULT_STOPPED, 75);
}

RUN(UNIT_TEST(a_new_error_is_none), UNIT_TEST(the_first_error_stays),
    UNIT_TEST(detail_and_hint_without_an_error_are_dropped), UNIT_TEST(a_cleared_error_takes_the_next),
    UNIT_TEST(promotion_outlives_the_arena_it_came_from), UNIT_TEST(promotion_neither_replaces_nor_invents),
    UNIT_TEST(every_fault_is_an_exit_code_with_a_meaning))
