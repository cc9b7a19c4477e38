/*
 * Rows in, answers out. Everything that can raise runs inside a protected call, the building of the rows too: a group
 * that does not fit is an error like any other.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "plan/utf8.h"
#include "script/inside.h"

enum box_kind box_kind_of(unsigned type) {
    switch (type) {
    case 16: return BOX_BOOLEAN;
    case 20: /* bigint */
    case 21: /* smallint */
    case 23: return BOX_INTEGER;
    case 700: /* real */
    case 701: return BOX_FLOAT;
    default: return BOX_TEXT;
    }
}

/* ---- the rule file ---- */

/* Leaves the function, or nil, in its slot. */
static bool take_function(lua_State *lua, int table, const char *name, enum slot slot) {
    int type = lua_getfield(lua, table, name);
    if (type != LUA_TNIL && type != LUA_TFUNCTION)
        luaL_error(lua, "%s: '%s' is a function, and here it is a %s", box_of(lua)->shown, name,
                   lua_typename(lua, type));
    box_set(lua, slot);
    return type == LUA_TFUNCTION;
}

static void take_children(lua_State *lua, int table) {
    struct box *box = box_of(lua);
    box->children = arena_alloc(box->arena, sizeof *box->children);
    if (lua_getfield(lua, table, "children") == LUA_TNIL) return;
    size_t count = lua_istable(lua, -1) ? lua_rawlen(lua, -1) : 0;
    if (!count || count > 1000)
        luaL_error(lua, "%s: 'children' is a list of edges, like { \"posts.listing_id\" }", box->shown);
    box->children = arena_alloc(box->arena, (count + 1) * sizeof *box->children);
    for (size_t i = 0; i < count; i++) {
        if (lua_rawgeti(lua, -1, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(lua,
                       "%s: 'children' has a %s in it; edges are written as in the plan, like \"posts.listing_id\"",
                       box->shown, luaL_typename(lua, -1));
        box->children[i] = arena_strdup(box->arena, lua_tostring(lua, -1));
        lua_pop(lua, 1);
    }
    box->child_count = count;
}

static int load(lua_State *lua) {
    struct box *box = box_of(lua);
    box_run_chunk(lua, box->rule->file.text, box->rule->file.length, box->shown);
    int table = lua_gettop(lua);
    if (!lua_istable(lua, table))
        return luaL_error(lua, "%s: a rule file returns a table with 'keep' or 'merge', and this one returns a %s",
                          box->shown, luaL_typename(lua, table));
    box->has_keep = take_function(lua, table, "keep", SLOT_KEEP);
    box->has_merge = take_function(lua, table, "merge", SLOT_MERGE);
    if (!box->has_keep && !box->has_merge)
        return luaL_error(lua, "%s: the table that it returns has neither 'keep' nor 'merge'", box->shown);
    take_children(lua, table);
    return 0;
}

struct box *box_new(struct arena *arena, const struct rule *rule, struct error *error) {
    struct box *box = box_open(arena, rule, &(struct surroundings){0}, error);
    box_call(box, load, error);
    box->loading = false;
    return box;
}

void box_check(const struct rule *rule, const char *function, struct problems *problems) {
    if (!rule->file.text) return;
    struct arena *scratch = arena_new(problems->arena);
    struct error error = error_new(scratch);
    const struct box *box = box_new(scratch, rule, &error);
    if (failed(&error))
        problem_add(problems, rule->file.place, error.hint, "%s", error.message);
    else if (!box_has(box, function))
        problem_add(problems, rule->file.place,
                    arena_printf(scratch, "return { %s = function(...) ... end }", function), "%s has no function %s",
                    rule->file.path, function);
    problems->of_rules += failed(&error);
    arena_free(scratch);
}

bool box_has(const struct box *box, const char *function) {
    return text_equal(function, "keep") ? box->has_keep : text_equal(function, "merge") && box->has_merge;
}

const char *const *box_children(const struct box *box) {
    static const char *const none[] = {NULL};
    return box->children ? box->children : none;
}

/* ---- in ---- */

static bool is_column(const struct box *box, const char *name) {
    for (size_t i = 0; i < box->column_count; i++)
        if (box->columns[i].kind != BOX_CHILDREN && strcmp(box->columns[i].name, name) == 0) return true;
    return false;
}

/* A name that is not in the row: NULL, or no column at all, which would make a rule always wrong in silence. */
static int missing_field(lua_State *lua) {
    const struct box *box = box_of(lua);
    if (lua_type(lua, 2) != LUA_TSTRING) return 0;
    const char *name = lua_tostring(lua, 2), **names;
    if (is_column(box, name)) return 0;
    box_where(lua);
    if (strcmp(name, "children") == 0) {
        lua_pushliteral(lua,
                        "counts of children come with children = { \"table.column\" } in what the rule file returns");
    } else {
        names = lua_newuserdatauv(lua, (box->column_count + 1) * sizeof *names, 0);
        for (size_t i = 0; i < box->column_count; i++) names[i] = box->columns[i].name;
        const char *near = text_nearest(name, names, box->column_count);
        lua_pop(lua, 1);
        lua_pushfstring(lua, "the table has no column '%s'%s%s%s", name, near ? ": did you mean '" : "",
                        near ? near : "", near ? "'?" : "");
    }
    lua_concat(lua, 2);
    return lua_error(lua);
}

static void make_row_meta(lua_State *lua) {
    lua_createtable(lua, 0, 2);
    lua_pushcfunction(lua, missing_field);
    lua_setfield(lua, -2, "__index");
    lua_pushboolean(lua, false);
    lua_setfield(lua, -2, "__metatable");
    box_set(lua, SLOT_ROW_META);
}

static int take_columns(lua_State *lua) {
    const struct box *box = box_of(lua);
    make_row_meta(lua);
    lua_createtable(lua, (int)box->column_count, 0);
    for (size_t i = 0; i < box->column_count; i++) {
        lua_pushstring(lua, box->columns[i].name);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    box_set(lua, SLOT_NAMES);
    return 0;
}

void box_columns(struct box *box, const struct box_column *columns, size_t count, struct error *error) {
    box->columns = arena_alloc(box->arena, (count + 1) * sizeof *columns);
    box->column_count = count;
    bool counts = false;
    for (size_t i = 0; i < count; i++) {
        box->columns[i] = (struct box_column){arena_strdup(box->arena, columns[i].name), columns[i].kind};
        counts |= columns[i].kind == BOX_CHILDREN;
    }
    for (size_t i = 0; i < count && counts; i++)
        if (columns[i].kind != BOX_CHILDREN && text_equal(columns[i].name, "children")) {
            fail(error, FAULT_HOOK, "%s: the rule asks for counts of children, but the table has a column 'children'",
                 box->shown);
            fail_hint(error, "take 'children' out of the rule, or rename the column");
        }
    box_call(box, take_columns, error);
}

void box_group(struct box *box, const char *key) {
    arena_reset(box->group);
    box->key = arena_strdup(box->group, key);
    box->row_count = 0;
}

static void push_value(lua_State *lua, enum box_kind kind, const char *text) {
    char *end;
    errno = 0;
    switch (kind) {
    case BOX_BOOLEAN: lua_pushboolean(lua, *text == 't'); return;
    case BOX_FLOAT: lua_pushnumber(lua, strtod(text, &end)); break;
    case BOX_INTEGER:
    case BOX_CHILDREN: lua_pushinteger(lua, strtoll(text, &end, 10)); break;
    default: lua_pushstring(lua, text); return;
    }
    if (end == text || *end || (errno && kind != BOX_FLOAT)) luaL_error(lua, "the server sent '%s' for a number", text);
}

/* Builds one row at the end of both lists: the rule's, and ours, by which we see that it left the rule's alone. */
static int add_row(lua_State *lua) {
    enum { NAMES = 1, ROW, CHILDREN };
    struct box *box = box_of(lua);
    bool first = box->row_count == 0;
    for (int list = SLOT_ROWS; list <= SLOT_FED && first; list++) {
        lua_newtable(lua);
        box_set(lua, (enum slot)list);
    }
    lua_settop(lua, 0);
    box_get(lua, SLOT_NAMES);
    lua_createtable(lua, 0, (int)box->column_count);
    lua_pushnil(lua);
    for (size_t i = 0; i < box->column_count; i++) {
        bool child = box->columns[i].kind == BOX_CHILDREN;
        if (!box->values[i]) continue;
        if (child && lua_isnil(lua, CHILDREN)) {
            lua_newtable(lua);
            lua_replace(lua, CHILDREN);
        }
        lua_rawgeti(lua, NAMES, (lua_Integer)i + 1);
        push_value(lua, box->columns[i].kind, box->values[i]);
        lua_rawset(lua, child ? CHILDREN : ROW);
    }
    if (!lua_isnil(lua, CHILDREN)) lua_setfield(lua, ROW, "children");
    lua_settop(lua, ROW);
    box_get(lua, SLOT_ROW_META);
    lua_setmetatable(lua, ROW);
    box_get(lua, SLOT_ROWS);
    box_get(lua, SLOT_FED);
    for (int list = ROW + 1; list <= ROW + 2; list++) {
        lua_pushvalue(lua, ROW);
        lua_rawseti(lua, list, (lua_Integer)box->row_count + 1);
    }
    return 0;
}

void box_row(struct box *box, const char *const *values, struct error *error) {
    if (failed(error)) return;
    if ((int64_t)box->row_count >= box->rule->rows) {
        fail(error, FAULT_HOOK, "%s: the group %s has more than %lld rows", box->shown, box->key,
             (long long)box->rule->rows);
        fail_hint(error, "allow more in the plan, with lua: { file: %s, rows: %lld }, or leave the group out of track",
                  box->rule->file.name, (long long)box->rule->rows * 2);
        return;
    }
    box->values = values;
    if (box_call(box, add_row, error)) box->row_count++;
}

/* ---- keep ---- */

static int wrong_answer(lua_State *lua, enum slot function, const char *what) {
    box_get(lua, function);
    box_where_defined(lua, lua_gettop(lua));
    lua_pushstring(lua, what);
    lua_concat(lua, 2);
    return lua_error(lua);
}

/* An index means the row that was fed in that place: a rule that sorted `rows` would name another one. */
static void check_order(lua_State *lua, size_t count) {
    box_get(lua, SLOT_ROWS);
    box_get(lua, SLOT_FED);
    for (size_t i = 1; i <= count + 1; i++) {
        lua_rawgeti(lua, -2, (lua_Integer)i);
        lua_rawgeti(lua, -2, (lua_Integer)i);
        if (!lua_rawequal(lua, -1, -2))
            wrong_answer(lua, SLOT_KEEP,
                         "'keep' changed the list of rows, so its answer could mean any of them: work on a copy");
        lua_pop(lua, 2);
    }
    lua_pop(lua, 2);
}

static int call_keep(lua_State *lua) {
    struct box *box = box_of(lua);
    box_get(lua, box->calling = SLOT_KEEP);
    box_get(lua, SLOT_ROWS);
    lua_call(lua, 1, 1);
    int whole;
    lua_Integer answer = lua_tointegerx(lua, -1, &whole);
    bool number = lua_type(lua, -1) == LUA_TNUMBER;
    check_order(lua, box->row_count);
    box->answer = 0;
    if (lua_isnil(lua, -1)) return 0;
    if (!number || !whole || answer < 1 || answer > (lua_Integer)box->row_count) {
        const char *got = number ? lua_tostring(lua, -1) : luaL_typename(lua, -1);
        lua_pushfstring(lua, "'keep' returned %s%s: it returns the index of a row, 1 to %d, or nil", number ? "" : "a ",
                        got, (int)box->row_count);
        return wrong_answer(lua, SLOT_KEEP, lua_tostring(lua, -1));
    }
    box->answer = (size_t)answer;
    return 0;
}

size_t box_keep(struct box *box, struct error *error) {
    if (!box->row_count) return 0;
    return box_call(box, call_keep, error) ? box->answer : 0;
}

/* ---- merge ---- */

/* The shortest form that reads back as the same number. */
static const char *float_text(struct arena *arena, double number) {
    if (isnan(number)) return "NaN";
    if (isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    for (int digits = 15; digits < 17; digits++) {
        const char *text = arena_printf(arena, "%.*g", digits, number);
        if (strtod(text, NULL) == number) return text;
    }
    return arena_printf(arena, "%.17g", number);
}

static int wrong_value(lua_State *lua, const char *column, const char *what) {
    lua_pushfstring(lua, "'merge' gave the column '%s' %s", column, what);
    return wrong_answer(lua, SLOT_MERGE, lua_tostring(lua, -1));
}

/* The value on top, as the server reads it. */
static const char *value_text(lua_State *lua, const char *column) {
    struct box *box = box_of(lua);
    size_t length;
    const char *text;
    switch (lua_type(lua, -1)) {
    case LUA_TBOOLEAN: return lua_toboolean(lua, -1) ? "true" : "false";
    case LUA_TNUMBER:
        if (!lua_isinteger(lua, -1)) return float_text(box->results, lua_tonumber(lua, -1));
        return arena_printf(box->results, "%lld", lua_tointeger(lua, -1));
    case LUA_TSTRING:
        text = lua_tolstring(lua, -1, &length);
        if (strlen(text) != length) wrong_value(lua, column, "a text with a NUL byte in it");
        if (!utf8_valid(text)) wrong_value(lua, column, "a text that is not UTF-8: a character was cut in two");
        box->answer += length; /* one string may stand in many columns */
        if (box->answer > (size_t)box->rule->memory) wrong_value(lua, column, "more than the rule's memory in all");
        return arena_strdup(box->results, text);
    case LUA_TLIGHTUSERDATA: return NULL;
    default:
        lua_pushfstring(lua, "a %s; values are texts, numbers, booleans and pgwinnow.null", luaL_typename(lua, -1));
        wrong_value(lua, column, lua_tostring(lua, -1));
        return NULL;
    }
}

/* The first key of the answer at the top that names no column. */
static void tell_unknown(lua_State *lua) {
    const struct box *box = box_of(lua);
    int answer = lua_gettop(lua);
    box_sorted_keys(lua, answer);
    for (lua_Integer i = 1; lua_rawgeti(lua, -1, i) != LUA_TNIL; i++, lua_pop(lua, 1)) {
        const char *name = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : NULL;
        if (name && is_column(box, name)) continue;
        lua_pushfstring(lua, "'merge' returned %s%s%s, and the table has no such column",
                        name ? "'" : "a key that is a ", name ? name : luaL_typename(lua, -1), name ? "'" : "");
        wrong_answer(lua, SLOT_MERGE, lua_tostring(lua, -1));
    }
}

static void take_answer(lua_State *lua) {
    struct box *box = box_of(lua);
    size_t count = 0, found = 0;
    int answer = lua_gettop(lua);
    for (lua_pushnil(lua); lua_next(lua, answer); lua_pop(lua, 1)) count++;
    box->merged.items = arena_alloc(box->results, (count + 1) * sizeof *box->merged.items);
    for (size_t i = 0; i < box->column_count && found < count; i++) {
        const char *name = box->columns[i].name;
        lua_pushstring(lua, name);
        if (box->columns[i].kind != BOX_CHILDREN && lua_rawget(lua, answer) != LUA_TNIL)
            box->merged.items[found++] = (struct box_value){name, value_text(lua, name)};
        lua_pop(lua, 1);
    }
    if (found != count) tell_unknown(lua);
    box->merged.count = found;
}

static int call_merge(lua_State *lua) {
    struct box *box = box_of(lua);
    box_get(lua, box->calling = SLOT_MERGE);
    box_get(lua, SLOT_FED);
    lua_rawgeti(lua, -1, 1);
    lua_createtable(lua, (int)box->row_count, 0);
    for (size_t i = 2; i <= box->row_count; i++) {
        lua_rawgeti(lua, -3, (lua_Integer)i);
        lua_rawseti(lua, -2, (lua_Integer)i - 1);
    }
    lua_remove(lua, -3);
    lua_call(lua, 2, 1);
    if (lua_isnil(lua, -1)) return 0;
    if (!lua_istable(lua, -1)) {
        lua_pushfstring(lua, "'merge' returned a %s: it returns a table, column to value", luaL_typename(lua, -1));
        return wrong_answer(lua, SLOT_MERGE, lua_tostring(lua, -1));
    }
    take_answer(lua);
    return 0;
}

struct box_values box_merge(struct box *box, struct arena *arena, struct error *error) {
    box->merged = (struct box_values){0};
    box->results = arena;
    box->answer = 0;
    if (!box->row_count) return box->merged;
    return box_call(box, call_merge, error) ? box->merged : (struct box_values){0};
}
