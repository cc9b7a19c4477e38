/*
 * `require`: the library that is built in, by name; for tests of rules the rule files beside them too. There is no path
 * to search and no C to load.
 */
#include <string.h>

#include "plan/file.h"
#include "script/inside.h"

struct library_file {
    const char *name, *text;
};

#include "lua/library.h"

/* Modules only for tests. */
static bool for_tests(const char *name) { return strcmp(name, "check") == 0; }

static bool run_built_in(lua_State *lua, const char *name) {
    const struct box *box = box_of(lua);
    if (for_tests(name) && !box->around.folder) return false;
    for (const struct library_file *file = library_files; file->name; file++) {
        if (strcmp(file->name, name) != 0) continue;
        lua_pushfstring(lua, "=%s", name);
        if (luaL_loadbufferx(lua, file->text, strlen(file->text), lua_tostring(lua, -1), "t") != LUA_OK) lua_error(lua);
        lua_remove(lua, -2);
        lua_call(lua, 0, 1);
        box_protect(lua);
        return true;
    }
    return false;
}

/* One folder, no way out of it: a name is letters, digits, '_' and '-'. */
static bool plain(const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return *name && !name[strspn(name, allowed)];
}

static bool run_beside(lua_State *lua, const char *name) {
    struct box *box = box_of(lua);
    if (!box->around.folder || !plain(name)) return false;
    struct file_text file = {.name = name};
    const char *why;
    file.path = file_path(box->arena, box->around.folder, arena_printf(box->arena, "%s.lua", name));
    if (!file_read(box->arena, &file, &why)) luaL_error(lua, "%s %s", file.path, why);
    box_run_chunk(lua, file.text, file.length, box_shown_name(file.path));
    return true;
}

static int complain(lua_State *lua, const char *name) {
    bool testing = box_of(lua)->around.folder != NULL;
    lua_pushfstring(lua, "there is no library '%s': require takes ", name);
    for (const struct library_file *file = library_files; file->name; file++) {
        if (for_tests(file->name) && !testing) continue;
        lua_pushfstring(lua, "%s'%s'", file == library_files ? "" : ", ", file->name);
        lua_concat(lua, 2);
    }
    return luaL_error(lua, "%s%s", lua_tostring(lua, -1), testing ? ", and rule files beside the test" : "");
}

int box_require(lua_State *lua) {
    const char *name = luaL_checkstring(lua, 1);
    lua_settop(lua, 1);
    box_get(lua, SLOT_MODULES);
    if (lua_getfield(lua, 2, name) != LUA_TNIL) return 1;
    if (!run_built_in(lua, name) && !run_beside(lua, name)) return complain(lua, name);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, 2, name);
    return 1;
}
