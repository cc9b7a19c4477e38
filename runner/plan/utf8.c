/* Decodes one character at a time. */
#include "plan/utf8.h"

#include <string.h>

size_t utf8_length(const char *text, size_t left, unsigned *point) {
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text[0];
    size_t length = first < 0x80             ? 1
                    : (first & 0xE0) == 0xC0 ? 2
                    : (first & 0xF0) == 0xE0 ? 3
                    : (first & 0xF8) == 0xF0 ? 4
                                             : 0;
    if (!length || length > left) return 0;
    unsigned value = length == 1 ? first : first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xC0) != 0x80) return 0;
        value = value << 6 | (next & 0x3F);
    }
    *point = value;
    bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    return value < least[length] || surrogate || value > 0x10FFFF ? 0 : length;
}

bool utf8_valid(const char *text) {
    unsigned point;
    for (size_t left = strlen(text), n; left; text += n, left -= n)
        if (!(n = utf8_length(text, left, &point))) return false;
    return true;
}
