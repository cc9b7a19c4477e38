/* What the files of the box share: the state behind a box, and the functions that its libraries are made of. */
#pragma once
#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

#include "script/box.h"

/* In the registry, by number. */
enum slot {
    SLOT_NONE,
    SLOT_NAMES,    /* of the columns */
    SLOT_ROW_META, /* of every row */
    SLOT_ROWS,     /* the group, as the rule gets it */
    SLOT_FED,      /* the same rows in a list of our own */
    SLOT_KEEP,     /* the rule's functions */
    SLOT_MERGE,
    SLOT_MODULES,  /* what `require` gave, by name */
    SLOT_TESTS,
};

enum limit { LIMIT_NONE, LIMIT_TIME, LIMIT_MEMORY };

/* What surrounds a rule file that is tested; all NULL in a run. */
struct surroundings {
    const char *folder;                       /* where `require` finds rule files */
    void (*print)(void *data, const char *line);
    void *data;
};

struct box {
    lua_State *lua;
    struct arena *arena, *group; /* `group` is emptied with each group */
    const struct rule *rule;
    const char *shown; /* the rule file in errors */
    struct surroundings around;
    size_t used;
    bool refused;     /* memory was, since the call began */
    enum limit limit; /* that was hit in this call; it cannot be caught */
    int64_t deadline; /* clock_ms() */
    bool loading;     /* globals may be set */
    bool has_keep, has_merge;
    const char **children;
    size_t child_count;
    struct box_column *columns;
    size_t column_count;
    enum slot calling; /* the function of the rule's that runs */
    const char *key;
    size_t row_count;
    const char **test_names;
    size_t test_count;
    /* Arguments and results of protected calls. */
    const char *const *values;
    size_t answer; /* keep: a row; merge: bytes of texts so far */
    struct arena *results;
    struct box_values merged;
};

struct box *box_of(lua_State *);

/* A box with the file not yet run. */
struct box *box_open(struct arena *, const struct rule *, const struct surroundings *, struct error *);

/* Runs a C function under all limits; what it raises becomes the error. */
bool box_call(struct box *, lua_CFunction, struct error *);

/* Was the error on top the end of the box's memory? */
bool box_out_of_memory(lua_State *, int status);

/* Loads a chunk of text and calls it: one result. */
void box_run_chunk(lua_State *, const char *text, size_t length, const char *shown);

void box_tick(lua_State *);           /* raises when the time is over; for loops in C */
void box_get(lua_State *, enum slot); /* pushes */
void box_set(lua_State *, enum slot); /* pops */

/* Pushes "file:line: " of the rule, however deep in a library we are. */
void box_where(lua_State *);

/* "file:line: " of the function at stack place `function`, pushed. */
void box_where_defined(lua_State *, int function);

/* The table on top is replaced by a view of it that nobody can write to. */
void box_protect(lua_State *);
void box_check_writable(lua_State *, int index); /* raises on such a view */

void *box_null(void);                                       /* pgwinnow.null, a light userdata */
const char *box_text_of(lua_State *, int index, size_t *length); /* tostring without addresses; pushes it */
void box_sorted_keys(lua_State *, int table);               /* pushes an array of the table's keys, in order */

/* The globals of rules, all libraries included: pushes the table. */
void box_globals(lua_State *);
extern const luaL_Reg box_string_functions[], box_table_functions[];
void box_add_format(lua_State *); /* pops the standard string.format; the string table is below it */

int box_require(lua_State *); /* the global `require` */

/* A path, or only its last name when Lua would cut it in its messages. */
const char *box_shown_name(const char *path);
