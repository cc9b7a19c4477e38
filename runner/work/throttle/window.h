/* A time of the day, for tests. */
#pragma once
#include "plan/option.h"

bool window_open(const struct window *, int64_t second); /* seconds since midnight, in the window's zone */
