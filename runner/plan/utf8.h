/* UTF-8, strictly: no surrogates, nothing overlong, nothing beyond U+10FFFF. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Length in bytes of the character at the front, 0 when that is no UTF-8; *point is the character. */
size_t utf8_length(const char *text, size_t left, unsigned *point);
bool utf8_valid(const char *text);
