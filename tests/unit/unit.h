/*
 * What unit tests share: cmocka with the headers it wants, and an arena as the state of a test.
 *
 * UNIT(name) { ... arena ... } defines a test; RUN(UNIT_TEST(a), UNIT_TEST(b)) is the program.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail /* base/error.h has one too, and it is the one under test */

#include "base/arena.h"

#define UNIT(name)                                                                                                     \
    static void name##_body(struct arena *arena);                                                                      \
    static void name(void **state) { name##_body(*state); }                                                            \
    static void name##_body(struct arena *arena __attribute__((unused)))

static inline int unit_set_up(void **state) {
    *state = arena_new(NULL);
    return 0;
}

static inline int unit_tear_down(void **state) {
    arena_free(*state);
    return 0;
}

#define UNIT_TEST(name) cmocka_unit_test_setup_teardown(name, unit_set_up, unit_tear_down)
#define RUN(...)                                                                                                       \
    int main(void) {                                                                                                   \
        const struct CMUnitTest tests[] = {__VA_ARGS__};                                                               \
        return cmocka_run_group_tests(tests, NULL, NULL);                                                              \
    }
