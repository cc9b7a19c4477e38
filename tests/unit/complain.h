/* Fails a test with a sentence: unit.h takes cmocka's fail() away, which fail_msg() needs. */
#pragma once
#include "unit.h"

#define COMPLAIN(...)                                                                                                  \
    do {                                                                                                               \
        print_error(__VA_ARGS__);                                                                                      \
        print_error("\n");                                                                                             \
        _fail(__FILE__, __LINE__);                                                                                     \
    } while (0)
