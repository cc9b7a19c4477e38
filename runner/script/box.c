/*
 * The box itself: its state, its limits, and how errors leave it. What rules can reach is in globals.c, strings.c,
 * tables.c and require.c; how rows go in and answers come out in rows.c.
 */
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "plan/utf8.h"
#include "script/inside.h"

/* Instructions between two looks at the clock: few, since one may be the concatenation of two long strings. */
enum { INSTRUCTIONS = 100 };

struct box *box_of(lua_State *lua) {
    return *(struct box **)lua_getextraspace(lua);
}

void box_get(lua_State *lua, enum slot slot) { lua_rawgeti(lua, LUA_REGISTRYINDEX, LUA_RIDX_LAST + slot); }

void box_set(lua_State *lua, enum slot slot) { lua_rawseti(lua, LUA_REGISTRYINDEX, LUA_RIDX_LAST + slot); }

/* ---- limits ---- */

static void *allocate(void *data, void *old, size_t old_size, size_t size) {
    struct box *box = data;
    size_t before = old ? old_size : 0;
    if (!size) {
        free(old);
        box->used -= before;
        return NULL;
    }
    bool fits = size <= before || box->used - before + size <= (size_t)box->rule->memory;
    void *new = fits ? realloc(old, size) : NULL;
    if (new)
        box->used += size - before;
    else
        box->refused = true;
    return new;
}

void box_where_defined(lua_State *lua, int function) {
    lua_Debug at;
    lua_pushvalue(lua, function);
    lua_getinfo(lua, ">S", &at);
    if (*at.source == '@')
        lua_pushfstring(lua, "%s:%d: ", at.short_src, at.linedefined);
    else
        lua_pushfstring(lua, "%s: ", box_of(lua)->shown);
}

/* A tail call leaves nothing of its caller: then it is the line where the rule begins. */
void box_where(lua_State *lua) {
    lua_Debug at;
    for (int level = 0; lua_getstack(lua, level, &at); level++) {
        lua_getinfo(lua, "Sl", &at);
        if (at.currentline <= 0 || *at.source != '@') continue;
        lua_pushfstring(lua, "%s:%d: ", at.short_src, at.currentline);
        return;
    }
    box_get(lua, box_of(lua)->calling);
    if (lua_isfunction(lua, -1))
        box_where_defined(lua, lua_gettop(lua));
    else
        lua_pushfstring(lua, "%s: ", box_of(lua)->shown);
    lua_remove(lua, -2);
}

static void look_at_the_clock(lua_State *lua, lua_Debug *unused);

/* Once over time every further instruction raises again, so that nothing can catch it and go on. */
static void out_of_time(lua_State *lua) {
    box_of(lua)->limit = LIMIT_TIME;
    lua_sethook(lua, look_at_the_clock, LUA_MASKCOUNT, 1);
    box_where(lua);
    lua_pushliteral(lua, "out of time");
    lua_concat(lua, 2);
    lua_error(lua);
}

void box_tick(lua_State *lua) {
    struct box *box = box_of(lua);
    if (box->limit == LIMIT_TIME || clock_ms() >= box->deadline) out_of_time(lua);
}

static void look_at_the_clock(lua_State *lua, lua_Debug *unused) {
    (void)unused;
    box_tick(lua);
}

/* ---- errors ---- */

/* Lua's buffers report a refusal as an error like any other. */
bool box_out_of_memory(lua_State *lua, int status) {
    static const char words[] = "not enough memory";
    const struct box *box = box_of(lua);
    if (status == LUA_ERRMEM || box->limit == LIMIT_MEMORY) return true;
    return box->refused && lua_type(lua, -1) == LUA_TSTRING && strcmp(lua_tostring(lua, -1), words) == 0;
}

static const char *in_group(const struct box *box, struct arena *arena) {
    return box->key ? arena_printf(arena, ", in the group %s", box->key) : "";
}

static void tell_memory(const struct box *box, struct error *error) {
    fail(error, FAULT_HOOK, "%s: the rule used more than its %lld MB of memory%s", box->shown,
         (long long)(box->rule->memory >> 20), in_group(box, error->arena));
    fail_hint(error, "allow more in the plan, with lua: { file: %s, memory: %lldMB }, or let the rule build less",
              box->rule->file.name, (long long)(box->rule->memory >> 20) * 2);
}

/* A message may hold any bytes of the data: what no terminal or JSON reader should see becomes '?'. */
static const char *clean(struct arena *arena, const char *text) {
    enum { MOST = 4000 };
    char *copy = arena_strndup(arena, text, text_cut(text, MOST));
    size_t length = strlen(copy);
    unsigned point;
    for (size_t i = 0, n; i < length; i += n ? n : 1) {
        n = utf8_length(copy + i, length - i, &point);
        if (!n || point == 0x7F || (point < 0x20 && point != '\n' && point != '\t')) copy[i] = '?';
    }
    return copy;
}

/* Only texts and numbers are shown: making a text of anything else would run code of the rule's. */
static const char *message_of(lua_State *lua, struct arena *arena, const char *shown) {
    if (lua_type(lua, -1) == LUA_TSTRING) return clean(arena, lua_tostring(lua, -1));
    if (lua_type(lua, -1) == LUA_TNUMBER)
        return lua_isinteger(lua, -1) ? arena_printf(arena, "%s: error %lld", shown, lua_tointeger(lua, -1))
                                      : arena_printf(arena, "%s: error %g", shown, lua_tonumber(lua, -1));
    return arena_printf(arena, "%s: the rule raised an error that is a %s, not a text", shown, luaL_typename(lua, -1));
}

static void tell(struct box *box, int status, struct error *error) {
    struct arena *arena = error->arena;
    if (box_out_of_memory(box->lua, status)) {
        tell_memory(box, error);
        return;
    }
    const char *message = message_of(box->lua, arena, box->shown), *line_end = strchr(message, '\n');
    size_t length = line_end ? (size_t)(line_end - message) : strlen(message);
    if (box->limit == LIMIT_TIME) {
        fail(error, FAULT_HOOK, "%.*s: the rule took longer than its %s%s", (int)length, message,
             clock_text(arena, box->rule->time), in_group(box, arena));
        fail_hint(error, "allow more in the plan, with lua: { file: %s, time: %lldms } (at most 30s)",
                  box->rule->file.name, (long long)box->rule->time * 2);
        return;
    }
    fail(error, FAULT_HOOK, "%.*s%s", (int)length, message, in_group(box, arena));
    if (line_end) fail_detail(error, "%s", line_end + 1);
}

bool box_call(struct box *box, lua_CFunction function, struct error *error) {
    if (failed(error)) return false;
    box->limit = LIMIT_NONE;
    box->refused = false;
    box->deadline = clock_ms() + box->rule->time;
    lua_sethook(box->lua, look_at_the_clock, LUA_MASKCOUNT, INSTRUCTIONS);
    lua_settop(box->lua, 0);
    lua_pushcfunction(box->lua, function);
    int status = lua_pcall(box->lua, 0, 0, 0);
    if (status != LUA_OK) tell(box, status, error);
    lua_settop(box->lua, 0);
    return status == LUA_OK;
}

/* ---- opening ---- */

void box_run_chunk(lua_State *lua, const char *text, size_t length, const char *shown) {
    const char *name = lua_pushfstring(lua, "@%s", shown);
    if (luaL_loadbufferx(lua, text, length, name, "t") != LUA_OK) lua_error(lua);
    lua_remove(lua, -2);
    lua_call(lua, 0, 1);
}

static int set_up(lua_State *lua) {
    lua_newtable(lua);
    box_set(lua, SLOT_MODULES);
    box_globals(lua);
    lua_rawseti(lua, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    return 0;
}

/* Lua shortens long names in its messages to 60 bytes: the file's own name says more than the folders' ends. */
const char *box_shown_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && strlen(path) >= LUA_IDSIZE - 1 ? slash + 1 : path;
}

static void close_state(void *lua) { lua_close(lua); }

struct box *box_open(struct arena *arena, const struct rule *rule, const struct surroundings *around,
                     struct error *error) {
    struct box *box = arena_alloc(arena, sizeof *box);
    *box = (struct box){.arena = arena, .group = arena_new(arena), .rule = rule, .around = *around, .loading = true};
    box->shown = box_shown_name(rule->file.path);
    box->lua = lua_newstate(allocate, box);
    if (!box->lua) {
        tell_memory(box, error);
        return box;
    }
    arena_defer(arena, close_state, box->lua);
    *(struct box **)lua_getextraspace(box->lua) = box;
    box_call(box, set_up, error);
    return box;
}
