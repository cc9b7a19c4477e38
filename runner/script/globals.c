/*
 * What rules can reach: an allow list. Nothing here reads a file, a clock or an address, and nothing that a rule does
 * to a global or a library lasts, so a group's answer depends on its rows alone.
 */
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "script/inside.h"

/* ---- views that cannot be written ---- */

static int refuse_write(lua_State *lua) {
    return luaL_error(lua, "this table belongs to the box and cannot be changed");
}

void box_protect(lua_State *lua) {
    lua_newtable(lua);
    lua_createtable(lua, 0, 3);
    lua_rotate(lua, -3, -1);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_write);
    lua_setfield(lua, -2, "__newindex");
    lua_pushboolean(lua, false);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
}

void box_check_writable(lua_State *lua, int index) {
    luaL_checktype(lua, index, LUA_TTABLE);
    if (luaL_getmetafield(lua, index, "__metatable") == LUA_TNIL) return;
    lua_pop(lua, 1);
    refuse_write(lua);
}

/* ---- texts ---- */

void *box_null(void) {
    static char null;
    return &null;
}

const char *box_text_of(lua_State *lua, int index, size_t *length) {
    int type = lua_type(lua, index);
    if (luaL_callmeta(lua, index, "__tostring")) {
        if (lua_type(lua, -1) != LUA_TSTRING) luaL_error(lua, "'__tostring' must return a string");
        return lua_tolstring(lua, -1, length);
    }
    if (type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING)
        return luaL_tolstring(lua, index, length);
    bool null = type == LUA_TLIGHTUSERDATA && lua_touserdata(lua, index) == box_null();
    lua_pushstring(lua, null ? "pgwinnow.null" : lua_typename(lua, type));
    return lua_tolstring(lua, -1, length);
}

static int global_tostring(lua_State *lua) {
    luaL_checkany(lua, 1);
    box_text_of(lua, 1, NULL);
    return 1;
}

static int global_print(lua_State *lua) {
    const struct box *box = box_of(lua);
    int count = lua_gettop(lua);
    luaL_Buffer line;
    for (int i = 1; i <= count; i++) {
        box_text_of(lua, i, NULL);
        lua_replace(lua, i);
    }
    luaL_buffinit(lua, &line);
    for (int i = 1; i <= count; i++) {
        size_t length;
        const char *text = lua_tolstring(lua, i, &length);
        if (i > 1) luaL_addchar(&line, '\t');
        luaL_addlstring(&line, text, length);
    }
    luaL_pushresult(&line);
    if (box->around.print) box->around.print(box->around.data, lua_tostring(lua, -1));
    return 0;
}

/* ---- catching errors: all but the box's own ---- */

static void pass_limits_on(lua_State *lua, int status) {
    struct box *box = box_of(lua);
    if (box_out_of_memory(lua, status)) box->limit = LIMIT_MEMORY;
    if (box->limit != LIMIT_NONE) lua_error(lua);
}

static int global_pcall(lua_State *lua) {
    luaL_checkany(lua, 1);
    int status = lua_pcall(lua, lua_gettop(lua) - 1, LUA_MULTRET, 0);
    if (status != LUA_OK) pass_limits_on(lua, status);
    lua_pushboolean(lua, status == LUA_OK);
    lua_insert(lua, 1);
    return lua_gettop(lua);
}

/* The handler runs behind the error, not inside of it: there the clock would not be looked at. */
static int global_xpcall(lua_State *lua) {
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    lua_pushvalue(lua, 1);
    lua_rotate(lua, 3, 1);
    int status = lua_pcall(lua, lua_gettop(lua) - 3, LUA_MULTRET, 0);
    if (status == LUA_OK) {
        lua_pushboolean(lua, true);
        lua_replace(lua, 2);
        return lua_gettop(lua) - 1;
    }
    pass_limits_on(lua, status);
    lua_pushboolean(lua, false);
    lua_pushvalue(lua, 2);
    lua_pushvalue(lua, -3);
    lua_call(lua, 1, 1);
    return 2;
}

/* ---- tables ---- */

/* A finalizer would run without limits, and when it pleases the collector; weak tables show when that was. */
static int global_setmetatable(lua_State *lua) {
    luaL_argexpected(lua, lua_isnil(lua, 2) || lua_istable(lua, 2), 2, "nil or table");
    box_check_writable(lua, 1);
    static const char *const refused[] = {"__gc", "__mode"};
    for (size_t i = 0; i < 2 && lua_istable(lua, 2); i++) {
        lua_pushstring(lua, refused[i]);
        if (lua_rawget(lua, 2) != LUA_TNIL) return luaL_error(lua, "'%s' is not for rules", refused[i]);
        lua_pop(lua, 1);
    }
    lua_settop(lua, 2);
    lua_setmetatable(lua, 1);
    return 1;
}

struct key {
    int type;
    union {
        struct {
            bool whole;
            lua_Integer integer;
            lua_Number number;
        };
        struct {
            const char *text; /* stays: the table holds it, and no code of the rule's runs meanwhile */
            size_t length;
        };
    };
};

static int compare_numbers(const struct key *a, const struct key *b) {
    if (a->whole && b->whole) return a->integer < b->integer ? -1 : a->integer > b->integer;
    lua_Number x = a->whole ? (lua_Number)a->integer : a->number, y = b->whole ? (lua_Number)b->integer : b->number;
    return x < y ? -1 : x > y ? 1 : a->whole - b->whole;
}

/* Numbers, then strings, then false and true. */
static int by_key(const void *left, const void *right) {
    const struct key *a = left, *b = right;
    if (a->type != b->type) {
        static const int rank[] = {[LUA_TNUMBER] = 0, [LUA_TSTRING] = 1, [LUA_TBOOLEAN] = 2};
        return rank[a->type] - rank[b->type];
    }
    if (a->type == LUA_TNUMBER) return compare_numbers(a, b);
    if (a->type == LUA_TBOOLEAN) return (int)(a->integer - b->integer);
    int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order ? order : a->length < b->length ? -1 : a->length > b->length;
}

static struct key key_at(lua_State *lua, int index) {
    struct key key = {.type = lua_type(lua, index)};
    switch (key.type) {
    case LUA_TNUMBER:
        key.whole = lua_isinteger(lua, index);
        if (key.whole)
            key.integer = lua_tointeger(lua, index);
        else
            key.number = lua_tonumber(lua, index);
        break;
    case LUA_TBOOLEAN: key.integer = lua_toboolean(lua, index); break;
    case LUA_TSTRING: key.text = lua_tolstring(lua, index, &key.length); break;
    default: luaL_error(lua, "pairs: a key that is a %s has no place in an order", luaL_typename(lua, index));
    }
    return key;
}

static void push_key(lua_State *lua, const struct key *key) {
    if (key->type == LUA_TBOOLEAN)
        lua_pushboolean(lua, key->integer != 0);
    else if (key->type == LUA_TSTRING)
        lua_pushlstring(lua, key->text, key->length);
    else if (key->whole)
        lua_pushinteger(lua, key->integer);
    else
        lua_pushnumber(lua, key->number);
}

void box_sorted_keys(lua_State *lua, int table) {
    size_t count = 0, n = 0;
    for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1)) count++;
    luaL_argcheck(lua, count < INT32_MAX, table, "too many keys");
    struct key *keys = lua_newuserdatauv(lua, (count + 1) * sizeof *keys, 0);
    for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1)) keys[n++] = key_at(lua, -2);
    qsort(keys, count, sizeof *keys, by_key);
    lua_createtable(lua, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_key(lua, &keys[i]);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    lua_remove(lua, -2);
    box_tick(lua);
}

/* Upvalues: the keys, the place in them. A key that went meanwhile is left out. */
static int next_pair(lua_State *lua) {
    lua_Integer at = lua_tointeger(lua, lua_upvalueindex(2));
    for (;;) {
        if (lua_rawgeti(lua, lua_upvalueindex(1), ++at) == LUA_TNIL) return 1;
        lua_pushvalue(lua, -1);
        if (lua_rawget(lua, 1) != LUA_TNIL) break;
        lua_pop(lua, 2);
    }
    lua_pushinteger(lua, at);
    lua_replace(lua, lua_upvalueindex(2));
    return 2;
}

static int global_pairs(lua_State *lua) {
    luaL_checkany(lua, 1);
    if (luaL_getmetafield(lua, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(lua, 1);
        lua_call(lua, 1, 3);
        return 3;
    }
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 1);
    box_sorted_keys(lua, 1);
    lua_pushinteger(lua, 0);
    lua_pushcclosure(lua, next_pair, 2);
    lua_pushvalue(lua, 1);
    return 2;
}

/* pgwinnow.filled(row): how many of its columns are not NULL. Without an order, so faster than pairs. */
static int filled(lua_State *lua) {
    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_Integer count = 0;
    for (lua_pushnil(lua); lua_next(lua, 1); lua_pop(lua, 1)) count++;
    lua_pushinteger(lua, count);
    return 1;
}

/* pgwinnow.fail(message): an error at the line of the rule, however deep in the library it is found. */
static int fail_at_rule(lua_State *lua) {
    box_where(lua);
    lua_pushvalue(lua, 1);
    luaL_checkstring(lua, -1);
    lua_concat(lua, 2);
    return lua_error(lua);
}

/* ---- the list ---- */

static const luaL_Reg own[] = {
    {"pairs", global_pairs},   {"tostring", global_tostring},         {"print", global_print},  {"pcall", global_pcall},
    {"xpcall", global_xpcall}, {"setmetatable", global_setmetatable}, {"require", box_require}, {NULL, NULL},
};

static const char *const from_base[] = {"assert", "error",  "getmetatable", "ipairs", "rawequal", "rawget",
                                        "rawlen", "select", "tonumber",     "type",   NULL};

static const char *const from_math[] = {"abs",  "ceil", "cos",  "deg",        "exp", "floor",      "fmod",
                                        "huge", "log",  "max",  "maxinteger", "min", "mininteger", "modf",
                                        "pi",   "rad",  "sin",  "sqrt",       "tan", "tointeger",  "type",
                                        "ult",  "acos", "asin", "atan",       NULL};

static const char *const from_utf8[] = {"char", "charpattern", "codepoint", "codes", "len", "offset", NULL};

static const char *const from_string[] = {"byte", "char", "format", "len", "reverse", "sub", NULL};

/* From the table on top into the one below it. */
static void take(lua_State *lua, const char *const *names) {
    for (; *names; names++) {
        lua_getfield(lua, -1, *names);
        lua_setfield(lua, -3, *names);
    }
}

static void take_library(lua_State *lua, lua_CFunction open, const char *const *names) {
    lua_newtable(lua);
    luaL_requiref(lua, "opened", open, 0);
    take(lua, names);
    lua_pop(lua, 1);
    lua_pushnil(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
}

/* Methods of strings go by their metatable, which nobody gets to see. */
static void guard_strings(lua_State *lua) {
    lua_pushliteral(lua, "");
    lua_getmetatable(lua, -1);
    lua_pushvalue(lua, -3);
    lua_setfield(lua, -2, "__index");
    lua_pushboolean(lua, false);
    lua_setfield(lua, -2, "__metatable");
    lua_pop(lua, 2);
}

static void add_libraries(lua_State *lua, int globals) {
    take_library(lua, luaopen_string, from_string);
    luaL_setfuncs(lua, box_string_functions, 0);
    lua_getfield(lua, -1, "format");
    box_add_format(lua);
    guard_strings(lua);
    box_protect(lua);
    lua_setfield(lua, globals, "string");
    take_library(lua, luaopen_math, from_math);
    box_protect(lua);
    lua_setfield(lua, globals, "math");
    take_library(lua, luaopen_utf8, from_utf8);
    box_protect(lua);
    lua_setfield(lua, globals, "utf8");
    lua_newtable(lua);
    luaL_setfuncs(lua, box_table_functions, 0);
    box_protect(lua);
    lua_setfield(lua, globals, "table");
    lua_newtable(lua);
    lua_pushlightuserdata(lua, box_null());
    lua_setfield(lua, -2, "null");
    lua_pushcfunction(lua, filled);
    lua_setfield(lua, -2, "filled");
    lua_pushcfunction(lua, fail_at_rule);
    lua_setfield(lua, -2, "fail");
    box_protect(lua);
    lua_setfield(lua, globals, "pgwinnow");
}

/* Upvalue: the globals behind the view. */
static int set_global(lua_State *lua) {
    const char *name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?";
    if (!box_of(lua)->loading)
        return luaL_error(lua, "the global '%s' cannot be set while a rule runs: declare it 'local'", name);
    lua_pushvalue(lua, 2);
    if (lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNIL)
        return luaL_error(lua, "the global '%s' is there already: choose another name, or declare it 'local'", name);
    lua_settop(lua, 3);
    lua_rawset(lua, lua_upvalueindex(1));
    return 0;
}

void box_globals(lua_State *lua) {
    lua_newtable(lua);
    int globals = lua_gettop(lua);
    take_library(lua, luaopen_base, from_base);
    lua_replace(lua, globals);
    luaL_setfuncs(lua, own, 0);
    add_libraries(lua, globals);
    lua_newtable(lua);
    lua_createtable(lua, 0, 3);
    lua_pushvalue(lua, globals);
    lua_setfield(lua, -2, "__index");
    lua_pushvalue(lua, globals);
    lua_pushcclosure(lua, set_global, 1);
    lua_setfield(lua, -2, "__newindex");
    lua_pushboolean(lua, false);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
}
