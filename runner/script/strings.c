/*
 * The string functions that could run for ever, show an address, or follow the locale: made anew. What is left of the
 * standard ones is taken over in globals.c.
 */
#include <string.h>

#include "script/inside.h"
#include "script/pattern.h"

/* ---- simple ones ---- */

static int change_case(lua_State *lua, char from, char to) {
    size_t length;
    const char *text = luaL_checklstring(lua, 1, &length);
    luaL_Buffer buffer;
    char *out = luaL_buffinitsize(lua, &buffer, length);
    for (size_t i = 0; i < length; i++)
        out[i] = text[i] >= from && text[i] <= from + 25 ? (char)(text[i] - from + to) : text[i];
    luaL_pushresultsize(&buffer, length);
    return 1;
}

static int string_lower(lua_State *lua) { return change_case(lua, 'A', 'a'); }

static int string_upper(lua_State *lua) { return change_case(lua, 'a', 'A'); }

/* Refused before it begins: an empty text could be repeated for hours without a byte of memory. */
static int string_rep(lua_State *lua) {
    size_t length, between_length, total;
    const char *text = luaL_checklstring(lua, 1, &length), *between = luaL_optlstring(lua, 3, "", &between_length);
    lua_Integer times = luaL_checkinteger(lua, 2);
    if (times <= 0 || length + between_length == 0) {
        lua_pushliteral(lua, "");
        return 1;
    }
    if (__builtin_mul_overflow((size_t)times, length + between_length, &total) ||
        total > (size_t)box_of(lua)->rule->memory)
        return luaL_error(lua, "the repeated string would be too large");
    luaL_Buffer buffer;
    char *out = luaL_buffinitsize(lua, &buffer, total);
    for (lua_Integer i = 0; i < times; i++) {
        memcpy(out, text, length);
        out += length;
        if (i + 1 == times) break;
        memcpy(out, between, between_length);
        out += between_length;
    }
    luaL_pushresultsize(&buffer, total - between_length);
    return 1;
}

/* The conversion behind a '%' that is not "%%": where it ends. */
static const char *conversion(const char *at) {
    while (*at && strchr("-+ #0123456789.", *at)) at++;
    return at;
}

/* The standard one, with no %p, and nothing that it would name by its address. Upvalue: that one. */
static int string_format(lua_State *lua) {
    int count = lua_gettop(lua);
    for (const char *at = strchr(luaL_checkstring(lua, 1), '%'); at; at = strchr(at, '%')) {
        at = at[1] == '%' ? at + 1 : conversion(at + 1);
        if (*at == 'p') return luaL_error(lua, "invalid conversion '%%p' to 'format': addresses differ every time");
        if (*at) at++;
    }
    for (int i = 2; i <= count; i++) {
        int type = lua_type(lua, i);
        if (type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING) continue;
        box_text_of(lua, i, NULL);
        lua_replace(lua, i);
    }
    lua_pushvalue(lua, lua_upvalueindex(1));
    lua_insert(lua, 1);
    lua_call(lua, count, 1);
    return 1;
}

void box_add_format(lua_State *lua) {
    lua_pushcclosure(lua, string_format, 1);
    lua_setfield(lua, -2, "format");
}

/* ---- patterns ---- */

enum { A_LONG_TEXT = 4096 }; /* bytes: looking at the clock takes as long as matching a short one */

static void tick(void *lua) { box_tick(lua); }

struct texts {
    const char *subject, *pattern;
    size_t subject_length, pattern_length;
};

static struct texts texts_at(lua_State *lua, int subject, int pattern) {
    struct texts t;
    t.subject = luaL_checklstring(lua, subject, &t.subject_length);
    t.pattern = luaL_checklstring(lua, pattern, &t.pattern_length);
    return t;
}

static struct matching matching_of(lua_State *lua, const struct texts *t) {
    if (t->subject_length > A_LONG_TEXT) box_tick(lua);
    return (struct matching){.subject = t->subject,
                             .subject_end = t->subject + t->subject_length,
                             .pattern_end = t->pattern + t->pattern_length,
                             .tick = tick,
                             .data = lua};
}

static const char *match_at(lua_State *lua, struct matching *m, const char *at, const char *pattern) {
    const char *end = pattern_match(m, at, pattern);
    if (m->wrong) luaL_error(lua, "%s", m->wrong);
    return end;
}

/* The n-th capture from 0; without any the whole match is the first. */
static void push_capture(lua_State *lua, const struct matching *m, int n, const char *start, const char *end) {
    if (n >= m->level) {
        if (n) luaL_error(lua, "invalid capture index %%%d", n + 1);
        lua_pushlstring(lua, start, (size_t)(end - start));
    } else if (m->capture[n].length == PATTERN_POSITION) {
        lua_pushinteger(lua, m->capture[n].start - m->subject + 1);
    } else if (m->capture[n].length < 0) {
        luaL_error(lua, "unfinished capture");
    } else {
        lua_pushlstring(lua, m->capture[n].start, (size_t)m->capture[n].length);
    }
}

static int push_captures(lua_State *lua, const struct matching *m, const char *start, const char *end) {
    int count = m->level == 0 && start ? 1 : m->level;
    luaL_checkstack(lua, count, "too many captures");
    for (int i = 0; i < count; i++) push_capture(lua, m, i, start, end);
    return count;
}

/* Where to begin, from 0; beyond the end: one more than that. */
static size_t start_at(lua_State *lua, int index, size_t length) {
    lua_Integer start = luaL_optinteger(lua, index, 1);
    if (start > 0) return (lua_Unsigned)start - 1 > length ? length + 1 : (size_t)start - 1;
    if (start == 0 || start < -(lua_Integer)length) return 0;
    return length - (size_t)-start;
}

static bool has_specials(const struct texts *t) {
    for (size_t i = 0; i < t->pattern_length; i++)
        if (t->pattern[i] && strchr("^$*+?.([%-", t->pattern[i])) return true;
    return false;
}

static int find_plain(lua_State *lua, const struct texts *t, size_t start) {
    const char *at = memmem(t->subject + start, t->subject_length - start, t->pattern, t->pattern_length);
    if (!at) {
        lua_pushnil(lua);
        return 1;
    }
    lua_pushinteger(lua, at - t->subject + 1);
    lua_pushinteger(lua, at - t->subject + (lua_Integer)t->pattern_length);
    return 2;
}

static int search(lua_State *lua, bool find) {
    struct texts t = texts_at(lua, 1, 2);
    size_t start = start_at(lua, 3, t.subject_length);
    if (start > t.subject_length) {
        lua_pushnil(lua);
        return 1;
    }
    if (find && (lua_toboolean(lua, 4) || !has_specials(&t))) return find_plain(lua, &t, start);
    struct matching m = matching_of(lua, &t);
    const char *pattern = t.pattern + (*t.pattern == '^'), *at = t.subject + start;
    do {
        const char *end = match_at(lua, &m, at, pattern);
        if (!end) continue;
        if (!find) return push_captures(lua, &m, at, end);
        lua_pushinteger(lua, at - t.subject + 1);
        lua_pushinteger(lua, end - t.subject);
        return push_captures(lua, &m, NULL, NULL) + 2;
    } while (at++ < m.subject_end && *t.pattern != '^');
    lua_pushnil(lua);
    return 1;
}

static int string_find(lua_State *lua) { return search(lua, true); }

static int string_match(lua_State *lua) { return search(lua, false); }

/* Upvalues: subject, pattern, where to go on, where the last match ended (-1: there was none). */
static int next_match(lua_State *lua) {
    struct texts t = texts_at(lua, lua_upvalueindex(1), lua_upvalueindex(2));
    lua_Integer start = lua_tointeger(lua, lua_upvalueindex(3)), last = lua_tointeger(lua, lua_upvalueindex(4));
    struct matching m = matching_of(lua, &t);
    for (const char *at = t.subject + start; at <= m.subject_end; at++) {
        const char *end = match_at(lua, &m, at, t.pattern);
        if (!end || end - t.subject == last) continue;
        lua_pushinteger(lua, end - t.subject);
        lua_copy(lua, -1, lua_upvalueindex(3));
        lua_replace(lua, lua_upvalueindex(4));
        return push_captures(lua, &m, at, end);
    }
    return 0;
}

static int string_gmatch(lua_State *lua) {
    struct texts t = texts_at(lua, 1, 2);
    size_t start = start_at(lua, 3, t.subject_length);
    lua_settop(lua, 2);
    lua_pushinteger(lua, (lua_Integer)start);
    lua_pushinteger(lua, -1);
    lua_pushcclosure(lua, next_match, 4);
    return 1;
}

/* A replacement text: %0 to %9 and %%. */
static void add_text(lua_State *lua, luaL_Buffer *out, const struct matching *m, const char *start, const char *end) {
    size_t length;
    const char *text = lua_tolstring(lua, 3, &length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            luaL_addchar(out, text[i]);
            continue;
        }
        char c = text[++i]; /* the NUL behind the end, at the last */
        if (c == '%') {
            luaL_addchar(out, '%');
        } else if (c == '0') {
            luaL_addlstring(out, start, (size_t)(end - start));
        } else if (c >= '1' && c <= '9') {
            push_capture(lua, m, c - '1', start, end);
            luaL_addvalue(out);
        } else {
            luaL_error(lua, "invalid use of '%%' in replacement string");
        }
    }
}

/* What a table or a function gives for the match; nil or false leave it as it is. */
static void add_value(lua_State *lua, luaL_Buffer *out, const struct matching *m, const char *start, const char *end) {
    if (lua_isfunction(lua, 3)) {
        lua_pushvalue(lua, 3);
        lua_call(lua, push_captures(lua, m, start, end), 1);
    } else {
        push_capture(lua, m, 0, start, end);
        lua_gettable(lua, 3);
    }
    if (!lua_toboolean(lua, -1)) {
        lua_pop(lua, 1);
        luaL_addlstring(out, start, (size_t)(end - start));
        return;
    }
    if (!lua_isstring(lua, -1)) luaL_error(lua, "invalid replacement value (a %s)", luaL_typename(lua, -1));
    luaL_addvalue(out);
}

static int string_gsub(lua_State *lua) {
    struct texts t = texts_at(lua, 1, 2);
    int type = lua_type(lua, 3);
    bool text = type == LUA_TSTRING || type == LUA_TNUMBER;
    luaL_argexpected(lua, text || type == LUA_TTABLE || type == LUA_TFUNCTION, 3, "string/function/table");
    lua_Integer most = luaL_optinteger(lua, 4, (lua_Integer)t.subject_length + 1), count = 0;
    struct matching m = matching_of(lua, &t);
    const char *pattern = t.pattern + (*t.pattern == '^'), *at = t.subject, *last = NULL;
    luaL_Buffer out;
    luaL_buffinit(lua, &out);
    while (count < most) {
        const char *end = match_at(lua, &m, at, pattern);
        if (end && end != last) {
            count++;
            if (text)
                add_text(lua, &out, &m, at, end);
            else
                add_value(lua, &out, &m, at, end);
            at = last = end;
        } else if (at < m.subject_end) {
            luaL_addchar(&out, *at++);
        } else {
            break;
        }
        if (*t.pattern == '^') break;
    }
    luaL_addlstring(&out, at, (size_t)(m.subject_end - at));
    luaL_pushresult(&out);
    lua_pushinteger(lua, count);
    return 2;
}

const luaL_Reg box_string_functions[] = {
    {"find", string_find},   {"gmatch", string_gmatch}, {"gsub", string_gsub},   {"lower", string_lower},
    {"match", string_match}, {"rep", string_rep},       {"upper", string_upper}, {NULL, NULL},
};
