/* Backtracking over a pattern: one function for each thing that can stand in one. Every loop counts its steps. */
#include "script/pattern.h"

#include <string.h>

enum { MOST_DEPTH = 200, STEPS_A_TICK = 4096, UNCLOSED = -1 };

static void step(struct matching *m) {
    if (++m->steps % STEPS_A_TICK == 0) m->tick(m->data);
}

static const char *complain(struct matching *m, const char *what) {
    if (!m->wrong) m->wrong = what;
    return NULL;
}

static bool between(int c, int low, int high) { return c >= low && c <= high; }

static bool is_letter(int c) { return between(c | 0x20, 'a', 'z'); }

static bool is_digit(int c) { return between(c, '0', '9'); }

static bool in_class(int c, int class) {
    bool in;
    switch (class | 0x20) {
    case 'a': in = is_letter(c); break;
    case 'c': in = c < 0x20 || c == 0x7F; break;
    case 'd': in = is_digit(c); break;
    case 'g': in = between(c, 0x21, 0x7E); break;
    case 'l': in = between(c, 'a', 'z'); break;
    case 'p': in = between(c, 0x21, 0x7E) && !is_letter(c) && !is_digit(c); break;
    case 's': in = c == ' ' || between(c, '\t', '\r'); break;
    case 'u': in = between(c, 'A', 'Z'); break;
    case 'w': in = is_letter(c) || is_digit(c); break;
    case 'x': in = is_digit(c) || between(c | 0x20, 'a', 'f'); break;
    default: return class == c;
    }
    if (!is_letter(class)) return class == c;
    return between(class, 'A', 'Z') ? !in : in;
}

/* Behind one item of the pattern: a character, %x, or a set. */
static const char *item_end(struct matching *m, const char *p) {
    char c = *p++;
    if (c == '%') return p == m->pattern_end ? complain(m, "malformed pattern (ends with '%')") : p + 1;
    if (c != '[') return p;
    if (*p == '^') p++;
    do {
        if (p == m->pattern_end) return complain(m, "malformed pattern (missing ']')");
        if (*p++ == '%' && p < m->pattern_end) p++;
    } while (*p != ']' || p == m->pattern_end);
    return p + 1;
}

/* `set` is at the '[', `close` at its ']'. */
static bool in_set(int c, const char *set, const char *close) {
    bool in = true;
    if (set[1] == '^') {
        in = false;
        set++;
    }
    while (++set < close) {
        if (*set == '%') {
            set++;
            if (in_class(c, (unsigned char)*set)) return in;
        } else if (set[1] == '-' && set + 2 < close) {
            set += 2;
            if (between(c, (unsigned char)set[-2], (unsigned char)*set)) return in;
        } else if ((unsigned char)*set == c) {
            return in;
        }
    }
    return !in;
}

static bool single(struct matching *m, const char *s, const char *p, const char *end) {
    step(m);
    if (s >= m->subject_end) return false;
    int c = (unsigned char)*s;
    switch (*p) {
    case '.': return true;
    case '%': return in_class(c, (unsigned char)p[1]);
    case '[': return in_set(c, p, end - 1);
    default: return (unsigned char)*p == c;
    }
}

static const char *match(struct matching *m, const char *s, const char *p);

static const char *longest(struct matching *m, const char *s, const char *p, const char *end) {
    ptrdiff_t i = 0;
    while (single(m, s + i, p, end)) i++;
    for (; i >= 0 && !m->wrong; i--) {
        step(m);
        const char *found = match(m, s + i, end + 1);
        if (found) return found;
    }
    return NULL;
}

static const char *shortest(struct matching *m, const char *s, const char *p, const char *end) {
    while (!m->wrong) {
        const char *found = match(m, s, end + 1);
        if (found) return found;
        if (!single(m, s, p, end)) return NULL;
        s++;
    }
    return NULL;
}

static const char *open_capture(struct matching *m, const char *s, const char *p, ptrdiff_t what) {
    if (m->level >= PATTERN_CAPTURES) return complain(m, "too many captures");
    m->capture[m->level].start = s;
    m->capture[m->level].length = what;
    m->level++;
    const char *found = match(m, s, p);
    if (!found) m->level--;
    return found;
}

static const char *close_capture(struct matching *m, const char *s, const char *p) {
    int level = m->level - 1;
    while (level >= 0 && m->capture[level].length != UNCLOSED) level--;
    if (level < 0) return complain(m, "invalid pattern capture");
    m->capture[level].length = s - m->capture[level].start;
    const char *found = match(m, s, p);
    if (!found) m->capture[level].length = UNCLOSED;
    return found;
}

/* %bxy: `p` is at x. */
static const char *balanced(struct matching *m, const char *s, const char *p) {
    if (p + 1 >= m->pattern_end) return complain(m, "malformed pattern (missing arguments to '%b')");
    if (s >= m->subject_end || *s != *p) return NULL;
    for (size_t open = 1; ++s < m->subject_end; step(m)) {
        if (*s == p[1]) {
            if (--open == 0) return s + 1;
        } else if (*s == p[0]) {
            open++;
        }
    }
    return NULL;
}

/* %f[set], with `p` at the set: between a character out of it and one in it. */
static bool at_frontier(struct matching *m, const char *s, const char *p, const char **behind) {
    if (*p != '[') return complain(m, "missing '[' after '%f' in pattern");
    *behind = item_end(m, p);
    if (!*behind) return false;
    int before = s == m->subject ? '\0' : (unsigned char)s[-1];
    int here = s == m->subject_end ? '\0' : (unsigned char)*s;
    return !in_set(before, p, *behind - 1) && in_set(here, p, *behind - 1);
}

static const char *captured_again(struct matching *m, const char *s, char digit) {
    int level = digit - '1';
    if (level < 0 || level >= m->level || m->capture[level].length == UNCLOSED)
        return complain(m, "invalid capture index in pattern");
    ptrdiff_t length = m->capture[level].length;
    if (length == PATTERN_POSITION || m->subject_end - s < length) return NULL;
    m->steps += (unsigned)(length / 64 % STEPS_A_TICK);
    step(m);
    return memcmp(m->capture[level].start, s, (size_t)length) == 0 ? s + length : NULL;
}

/* What begins with %b, %f or a digit: true, and the place behind it in both texts (s NULL: no match). */
static bool special(struct matching *m, const char **s, const char **p) {
    const char *behind;
    switch ((*p)[1]) {
    case 'b':
        *s = balanced(m, *s, *p + 2);
        *p += 4;
        return true;
    case 'f':
        if (!at_frontier(m, *s, *p + 2, &behind)) *s = NULL;
        if (*s) *p = behind;
        return true;
    default:
        if (!is_digit((unsigned char)(*p)[1])) return false;
        *s = captured_again(m, *s, (*p)[1]);
        *p += 2;
        return true;
    }
}

static const char *match_on(struct matching *m, const char *s, const char *p) {
    while (s && p != m->pattern_end && !m->wrong) {
        if (*p == '(')
            return p[1] == ')' ? open_capture(m, s, p + 2, PATTERN_POSITION) : open_capture(m, s, p + 1, UNCLOSED);
        if (*p == ')') return close_capture(m, s, p + 1);
        if (*p == '$' && p + 1 == m->pattern_end) return s == m->subject_end ? s : NULL;
        if (*p == '%' && p + 1 != m->pattern_end && special(m, &s, &p)) continue;
        const char *end = item_end(m, p);
        if (!end) return NULL;
        char how = end == m->pattern_end ? '\0' : *end;
        if (how == '*') return longest(m, s, p, end);
        if (how == '-') return shortest(m, s, p, end);
        bool first = single(m, s, p, end);
        if (how == '+') return first ? longest(m, s + 1, p, end) : NULL;
        if (how == '?') {
            const char *found = first ? match(m, s + 1, end + 1) : NULL;
            if (found) return found;
            p = end + 1;
        } else {
            s = first ? s + 1 : NULL;
            p = end;
        }
    }
    return m->wrong ? NULL : s;
}

static const char *match(struct matching *m, const char *s, const char *p) {
    if (m->depth >= MOST_DEPTH) return complain(m, "pattern too complex");
    m->depth++;
    const char *found = match_on(m, s, p);
    m->depth--;
    return found;
}

const char *pattern_match(struct matching *m, const char *at, const char *pattern) {
    m->level = m->depth = 0;
    return match(m, at, pattern);
}
