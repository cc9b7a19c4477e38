/* HTML, escaped by default. */
#include "commands/report/markup.h"

#include <string.h>

static const char *entity(char c) {
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* U+2400 and up picture the control characters, which HTML does not allow; DEL is U+2421. */
static void add_picture(struct text *out, unsigned char c) {
    char picture[] = {(char)0xe2, (char)0x90, (char)(0x80 + (c == 0x7f ? 0x21 : c)), 0};
    text_add(out, picture);
}

/*
 * Marks that turn the direction of all that follows: a name with one of them would set the sentence around it, or the
 * rest of the page, backwards. U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069; 0: none. All take three bytes.
 */
unsigned markup_turning(const char *text) {
    const unsigned char *c = (const unsigned char *)text;
    if (c[0] != 0xe2 || (c[1] != 0x80 && c[1] != 0x81)) return 0;
    unsigned point = 0x2000u + (c[1] - 0x80u) * 64 + (c[2] & 0x3fu);
    bool turns = point == 0x200e || point == 0x200f || (point >= 0x202a && point <= 0x202e) ||
                 (point >= 0x2066 && point <= 0x2069);
    return turns ? point : 0;
}

static bool is_control(unsigned char c) { return (c < ' ' && c != '\n' && c != '\t') || c == 0x7f; }

void markup_escape(struct text *out, const char *text, size_t length) {
    size_t plain = 0;
    for (size_t i = 0; i < length; i++) {
        const char *replaced = entity(text[i]);
        bool control = is_control((unsigned char)text[i]);
        unsigned turns = markup_turning(text + i);
        if (!replaced && !control && !turns) continue;
        text_add_n(out, text + plain, i - plain);
        if (turns)
            text_addf(out, "‹U+%04X›", turns);
        else if (replaced)
            text_add(out, replaced);
        else
            add_picture(out, (unsigned char)text[i]);
        if (turns) i += 2;
        plain = i + 1;
    }
    text_add_n(out, text + plain, length - plain);
}

void markup_raw(struct text *out, const char *text) {
    if (text) text_add(out, text);
}

/* One conversion, from behind its '%'; where the format goes on. */
static const char *convert(struct text *out, const char *format, va_list arguments) {
    size_t length = strspn(format, "0123456789.lz");
    const char *text;
    switch (format[length]) {
    case 's':
        if ((text = va_arg(arguments, const char *))) markup_escape(out, text, strlen(text));
        break;
    case 'd':
        if (length)
            text_addf(out, "%lld", va_arg(arguments, long long));
        else
            text_addf(out, "%d", va_arg(arguments, int));
        break;
    case 'u': text_addf(out, "%zu", va_arg(arguments, size_t)); break;
    case 'f': text_addf(out, "%.*f", length > 1 ? format[1] - '0' : 0, va_arg(arguments, double)); break;
    default: text_add(out, "%"); break;
    }
    return format + length + 1;
}

void markup(struct text *out, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    for (const char *sign; (sign = strchr(format, '%'));) {
        text_add_n(out, format, (size_t)(sign - format));
        format = convert(out, sign + 1, arguments);
    }
    text_add(out, format);
    va_end(arguments);
}

void markup_sentence(struct text *out, const char *text) {
    for (const char *close; (close = strchr(text, '`')) && (close = strchr(close + 1, '`')); text = close + 1) {
        const char *open = strchr(text, '`');
        markup_escape(out, text, (size_t)(open - text));
        text_add(out, "<code>");
        markup_escape(out, open + 1, (size_t)(close - open - 1));
        text_add(out, "</code>");
    }
    markup_escape(out, text, strlen(text));
}
