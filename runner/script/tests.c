/* Finds the tests of a file and calls them. */
#include "script/tests.h"

#include <stdlib.h>
#include <string.h>

#include "script/inside.h"

struct found {
    const char *name;
    int line;
};

static int by_line(const void *left, const void *right) {
    const struct found *a = left, *b = right;
    return a->line != b->line ? (a->line > b->line) - (a->line < b->line) : strcmp(a->name, b->name);
}

static int line_of(lua_State *lua) {
    lua_Debug at;
    lua_pushvalue(lua, -1);
    lua_getinfo(lua, ">S", &at);
    return at.linedefined;
}

/* The table of tests is on top. */
static void list(lua_State *lua, struct box *box) {
    int table = lua_gettop(lua);
    struct found *all = NULL;
    size_t count = 0;
    for (lua_pushnil(lua); lua_next(lua, table); lua_pop(lua, 1)) {
        if (lua_type(lua, -2) != LUA_TSTRING || !lua_isfunction(lua, -1))
            luaL_error(lua,
                       "%s: a file of tests returns a table of names and functions; a %s is no name, or a %s no test",
                       box->shown, luaL_typename(lua, -2), luaL_typename(lua, -1));
        all = arena_grow(box->arena, all, &count, sizeof *all);
        all[count - 1] = (struct found){arena_strdup(box->arena, lua_tostring(lua, -2)), line_of(lua)};
    }
    if (count) qsort(all, count, sizeof *all, by_line);
    box->test_names = arena_alloc(box->arena, (count + 1) * sizeof *box->test_names);
    box->test_count = count;
    for (size_t i = 0; i < count; i++) box->test_names[i] = all[i].name;
}

static int load(lua_State *lua) {
    struct box *box = box_of(lua);
    box_run_chunk(lua, box->rule->file.text, box->rule->file.length, box->shown);
    if (!lua_istable(lua, -1))
        return luaL_error(lua, "%s: a file of tests returns a table, name to function, and this one returns a %s",
                          box->shown, luaL_typename(lua, -1));
    list(lua, box);
    box_set(lua, SLOT_TESTS);
    return 0;
}

struct box_tests box_tests_load(struct arena *arena, const struct rule *rule, const char *folder,
                                void (*print)(void *data, const char *line), void *data, struct error *error) {
    struct box *box = box_open(arena, rule, &(struct surroundings){folder, print, data}, error);
    box_call(box, load, error);
    box->loading = false;
    return (struct box_tests){box, box->test_names, box->test_count};
}

static int call_test(lua_State *lua) {
    struct box *box = box_of(lua);
    box_get(lua, SLOT_TESTS);
    lua_getfield(lua, -1, box->test_names[box->answer]);
    lua_pushvalue(lua, -1);
    box_set(lua, box->calling = SLOT_KEEP);
    lua_call(lua, 0, 0);
    return 0;
}

void box_tests_run(const struct box_tests *tests, size_t n, struct error *error) {
    tests->box->answer = n;
    box_call(tests->box, call_test, error);
}
