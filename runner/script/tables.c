/*
 * The table library, over plain tables: no metamethods, so that their lengths are their own, and the clock looked at in
 * every loop (a table of a few keys can claim a length of 2^62). Sorting is stable and bears any comparison.
 */
#include "script/inside.h"

enum { A_TICK = 1024, MOST_ITEMS = 1 << 26 };

static void tick(lua_State *lua, lua_Integer i) {
    if (i % A_TICK == 0) box_tick(lua);
}

static lua_Integer length_of(lua_State *lua, int index) {
    luaL_checktype(lua, index, LUA_TTABLE);
    lua_Unsigned length = lua_rawlen(lua, index);
    luaL_argcheck(lua, length < LUA_MAXINTEGER / 2, index, "too many items"); /* what follows adds to it */
    return (lua_Integer)length;
}

/* Items from `from` to `to` move by one place; `by` is 1 or -1. */
static void shift(lua_State *lua, lua_Integer from, lua_Integer to, int by) {
    for (lua_Integer i = by > 0 ? to : from; i >= from && i <= to; i -= by) {
        lua_rawgeti(lua, 1, i);
        lua_rawseti(lua, 1, i + by);
        tick(lua, i);
    }
}

static int table_insert(lua_State *lua) {
    box_check_writable(lua, 1);
    lua_Integer end = length_of(lua, 1) + 1, at = end;
    int count = lua_gettop(lua);
    if (count != 2 && count != 3) return luaL_error(lua, "wrong number of arguments to 'insert'");
    if (count == 3) {
        at = luaL_checkinteger(lua, 2);
        luaL_argcheck(lua, at >= 1 && at <= end, 2, "position out of bounds");
        shift(lua, at, end - 1, 1);
    }
    lua_rawseti(lua, 1, at);
    return 0;
}

static int table_remove(lua_State *lua) {
    box_check_writable(lua, 1);
    lua_Integer size = length_of(lua, 1), at = luaL_optinteger(lua, 2, size);
    luaL_argcheck(lua, lua_isnoneornil(lua, 2) || (at >= 1 && at <= size + 1), 2, "position out of bounds");
    lua_rawgeti(lua, 1, at);
    if (at < 1 || at > size) return 1;
    shift(lua, at + 1, size, -1);
    lua_pushnil(lua);
    lua_rawseti(lua, 1, size);
    return 1;
}

static int table_concat(lua_State *lua) {
    lua_Integer size = length_of(lua, 1);
    size_t between_length;
    const char *between = luaL_optlstring(lua, 2, "", &between_length);
    lua_Integer from = luaL_optinteger(lua, 3, 1), to = luaL_optinteger(lua, 4, size);
    luaL_Buffer all;
    luaL_buffinit(lua, &all);
    for (lua_Integer i = from; i <= to; i++) {
        int type = lua_rawgeti(lua, 1, i);
        if (type != LUA_TSTRING && type != LUA_TNUMBER)
            return luaL_error(lua, "the item %I is a %s: 'concat' takes strings and numbers", (LUAI_UACINT)i,
                              lua_typename(lua, type));
        luaL_addvalue(&all);
        if (i == to) break; /* it may be the largest integer */
        luaL_addlstring(&all, between, between_length);
        tick(lua, i);
    }
    luaL_pushresult(&all);
    return 1;
}

static int table_pack(lua_State *lua) {
    int count = lua_gettop(lua);
    lua_createtable(lua, count, 1);
    lua_insert(lua, 1);
    for (int i = count; i >= 1; i--) lua_rawseti(lua, 1, i);
    lua_pushinteger(lua, count);
    lua_setfield(lua, 1, "n");
    return 1;
}

static int table_unpack(lua_State *lua) {
    lua_Integer size = length_of(lua, 1), from = luaL_optinteger(lua, 2, 1), to = luaL_optinteger(lua, 3, size);
    if (from > to) return 0;
    lua_Unsigned count = (lua_Unsigned)to - (lua_Unsigned)from;
    if (count >= LUAI_MAXSTACK || !lua_checkstack(lua, (int)count + 1))
        return luaL_error(lua, "too many results to unpack");
    for (lua_Unsigned i = 0; i <= count; i++) lua_rawgeti(lua, 1, (lua_Integer)((lua_Unsigned)from + i));
    return (int)count + 1;
}

static int table_move(lua_State *lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_Integer from = luaL_checkinteger(lua, 2), end = luaL_checkinteger(lua, 3), to = luaL_checkinteger(lua, 4);
    int target = lua_isnoneornil(lua, 5) ? 1 : 5;
    box_check_writable(lua, target);
    if (end >= from) {
        luaL_argcheck(lua, from > 0 || end < LUA_MAXINTEGER + from, 3, "too many elements to move");
        lua_Integer count = end - from + 1;
        luaL_argcheck(lua, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
        bool backwards = target == 1 && to > from && to <= end;
        for (lua_Integer i = 0; i < count; i++) {
            lua_Integer at = backwards ? count - 1 - i : i;
            lua_rawgeti(lua, 1, from + at);
            lua_rawseti(lua, target, to + at);
            tick(lua, i);
        }
    }
    lua_pushvalue(lua, target);
    return 1;
}

/* ---- sort: merges runs of doubling width between two tables ---- */

/* Is the second less than the first? Only then they change places. */
static bool less(lua_State *lua, lua_Integer a, lua_Integer b, int source) {
    bool given = !lua_isnil(lua, 2), result;
    if (given) lua_pushvalue(lua, 2);
    lua_rawgeti(lua, source, a);
    lua_rawgeti(lua, source, b);
    if (given) {
        lua_call(lua, 2, 1);
        result = lua_toboolean(lua, -1);
        lua_pop(lua, 1);
    } else {
        result = lua_compare(lua, -2, -1, LUA_OPLT);
        lua_pop(lua, 2);
    }
    return result;
}

static void merge(lua_State *lua, int source, int target, lua_Integer from, lua_Integer middle, lua_Integer end) {
    lua_Integer left = from, right = middle;
    for (lua_Integer i = from; i < end; i++) {
        bool from_right = left >= middle || (right < end && less(lua, right, left, source));
        lua_rawgeti(lua, source, from_right ? right : left);
        lua_rawseti(lua, target, i);
        right += from_right;
        left += !from_right;
        tick(lua, i);
    }
}

static void copy(lua_State *lua, int source, int target, lua_Integer count) {
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(lua, source, i);
        lua_rawseti(lua, target, i);
        tick(lua, i);
    }
}

static lua_Integer at_most(lua_Integer value, lua_Integer most) { return value < most ? value : most; }

static int table_sort(lua_State *lua) {
    enum { FIRST = 3, SECOND };
    box_check_writable(lua, 1);
    lua_Integer count = length_of(lua, 1);
    luaL_argcheck(lua, count < MOST_ITEMS, 1, "too many items to sort");
    if (!lua_isnoneornil(lua, 2)) luaL_checktype(lua, 2, LUA_TFUNCTION);
    lua_settop(lua, 2);
    lua_newtable(lua);
    lua_newtable(lua);
    copy(lua, 1, FIRST, count);
    int source = FIRST, target = SECOND;
    for (lua_Integer width = 1; width < count; width *= 2) {
        for (lua_Integer from = 1; from <= count; from += 2 * width)
            merge(lua, source, target, from, at_most(from + width, count + 1), at_most(from + 2 * width, count + 1));
        source = target;
        target = FIRST + SECOND - source;
    }
    copy(lua, source, 1, count);
    return 0;
}

const luaL_Reg box_table_functions[] = {
    {"concat", table_concat}, {"insert", table_insert}, {"move", table_move},     {"pack", table_pack},
    {"remove", table_remove}, {"sort", table_sort},     {"unpack", table_unpack}, {NULL, NULL},
};
