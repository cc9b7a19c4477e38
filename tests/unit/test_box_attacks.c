/*
 * Attacks on the box. A rule must not reach anything but its rows, not outlive its limits, not remember, and not answer
 * differently from one process to the next. Each attack ends in an error, in time, and leaves the box fit for more.
 */
#include "boxes.h"

#include "base/clock.h"

#define TIME "longer than its 50 ms"
#define MEMORY "more than its 8 MB of memory"

/* It runs into the limit, and not long after it was reached. */
static void ends(struct arena *arena, const char *body, const char *says) {
    struct error error;
    struct rule *rule = keep_rule(arena, body);
    if (strcmp(says, TIME) == 0) rule->time = BOX_SHORT_TIME;
    int64_t start = clock_ms();
    int answer = kept_by(arena, rule, &error);
    int64_t took = clock_ms() - start;
    if (!failed(&error)) COMPLAIN("%s\nkept %d, and should have ended in '%s'", body, answer, says);
    if (!strstr(error.message, says)) COMPLAIN("%s\nraised '%s', not '%s'", body, error.message, says);
    if (took > rule->time + 5000) COMPLAIN("%s\ntook %lld ms", body, (long long)took);
}

static void all_end(struct arena *arena, const char *const *bodies, const char *says) {
    for (; *bodies; bodies++) ends(arena, *bodies, says);
}

/* ---- reach ---- */

UNIT(the_globals_are_a_list_that_was_agreed_on) {
    keeps(
        arena,
        "assert(_G == nil and arg == nil and bit32 == nil and collectgarbage == nil and coroutine == nil)\n"
        "assert(debug == nil and dofile == nil and getfenv == nil and io == nil and jit == nil and load == nil)\n"
        "assert(loadfile == nil and loadstring == nil and module == nil and newproxy == nil and next == nil)\n"
        "assert(os == nil and package == nil and rawset == nil and setfenv == nil and unpack == nil and warn == nil)\n"
        "assert(string.dump == nil and string.pack == nil and string.unpack == nil and string.packsize == nil)\n"
        "assert(math.random == nil and math.randomseed == nil)\n"
        "return 1",
        1);
}

UNIT(everything_that_can_be_walked_to_is_on_the_list) {
    /* Every library is a view whose metatable is hidden; its functions are known by name. */
    keeps(arena,
          "local lists = {\n"
          "  [string] = 'byte char find format gmatch gsub len lower match rep reverse sub upper',\n"
          "  [table] = 'concat insert move pack remove sort unpack',\n"
          "  [utf8] = 'char charpattern codepoint codes len offset',\n"
          "  [pgwinnow] = 'null filled fail' }\n"
          "local function walk(library, names)\n"
          "  assert(getmetatable(library) == false)\n"
          "  for k in pairs(library) do error('seen ' .. k) end\n"
          "  for name in names:gmatch('%S+') do assert(library[name] ~= nil, name) end\n"
          "end\n"
          "for _, l in ipairs { string, table, utf8, pgwinnow } do walk(l, lists[l]) end\n"
          "assert(getmetatable('') == false and getmetatable(rows[1]) == false)\n"
          "assert(getmetatable(print) == nil and getmetatable(1) == nil and getmetatable(pgwinnow.null) == nil)\n"
          "return 1",
          1);
}

UNIT(nothing_of_the_box_can_be_changed) {
    const char *const bodies[] = {
        "string.rep = print",
        "table.insert(string, 'x')",
        "table.remove(math)",
        "table.sort(utf8)",
        "table.move({ 1 }, 1, 1, 1, table)",
        "setmetatable(string, {})",
        "setmetatable(require 'prefer', {})",
        "require 'prefer'.newest = print",
        "local e = _ENV; setmetatable(e, {})",
        "table.insert(_ENV, 1)",
        NULL,
    };
    for (size_t i = 0; bodies[i]; i++) raises(arena, bodies[i], "belongs to the box and cannot be changed");
    raises(arena, "counter = 1", "r.lua:2: the global 'counter' cannot be set while a rule runs");
    raises(arena, "print = nil", "the global 'print' cannot be set");
    raises(arena, "_ENV.x = 1", "the global 'x' cannot be set");
    raises(arena, "getmetatable('').__index = {}", "attempt to index a boolean value");
    raises(arena, "setmetatable('', {})", "bad argument #1");
    raises(arena, "(''):rep(1).x.y = 1", "attempt to index a nil value");
}

UNIT(an_environment_of_ones_own_is_no_way_out) {
    keeps(arena, "local _ENV = { rows = rows }; x = 2; return x", 2);
    raises(arena, "local _ENV = setmetatable({}, { __index = function(t, k) return io end }); return #x", "nil value");
}

UNIT(binary_chunks_are_refused) {
    struct error error = error_new(arena);
    box_new(arena, rule_of(arena, "\x1BLua\x54"), &error);
    assert_int_equal(error.fault, FAULT_HOOK);
    assert_non_null(strstr(error.message, "attempt to load a binary chunk"));
}

UNIT(finalizers_and_weak_tables_are_refused) {
    raises(arena, "setmetatable({}, { __gc = function() while true do end end })", "'__gc' is not for rules");
    raises(arena, "setmetatable({}, { __gc = true })", "'__gc' is not for rules");
    raises(arena, "setmetatable({}, { __mode = 'k' })", "'__mode' is not for rules");
    /* Added later, a finalizer is none. */
    keeps(arena,
          "do local m = {}; local t = setmetatable({}, m); m.__gc = function() while true do end end end\n"
          "local waste for i = 1, 20000 do waste = { i } end return 1",
          1);
    raises(arena, "local m = {}; local t = setmetatable({}, m); m.__gc = print; setmetatable(t, m)", "'__gc'");
}

/* ---- time ---- */

UNIT(loops_end) {
    const char *const bodies[] = {
        "while true do end",
        "::again:: goto again",
        "repeat until false",
        "for i = 1, math.huge do end",
        "local function f() return f() end return f()",
        "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) while true do pcall(function() "
        "return t[1] end) end",
        "for _ in ipairs(setmetatable({}, { __index = type })) do end",
        "return #setmetatable({}, { __len = function() while true do end end })",
        "return setmetatable({}, { __eq = function() while true do end end }) == setmetatable({}, {}) and 1",
        "table.sort({ 3, 2, 1 }, function() while true do end end)",
        "local m = { __lt = function() while true do end end }\n"
        "table.sort({ setmetatable({}, m), setmetatable({}, m) })",
        "return tostring(setmetatable({}, { __tostring = function() while true do end end }))",
        "print(setmetatable({}, { __tostring = function() while true do end end }))",
        "return string.format('%s', setmetatable({}, { __tostring = function() while true do end end }))",
        "return ('x'):gsub('x', function() while true do end end)",
        "return ('x'):gsub('x', setmetatable({}, { __index = function() while true do end end }))",
        "for _ in pairs(setmetatable({}, { __pairs = function() while true do end end })) do end",
        "local t <close> = setmetatable({}, { __close = function() while true do end end })",
        "rows[1].id = setmetatable({}, { __index = function() while true do end end }) return rows[1].id.x",
        NULL,
    };
    all_end(arena, bodies, TIME);
}

UNIT(the_deadline_cannot_be_caught) {
    const char *const bodies[] = {
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "xpcall(function() while true do end end, function() return 1 end) return 1",
        "pcall(function() while true do end end) return 1",
        "pcall(pcall, pcall, function() while true do end end) return 1",
        "xpcall(xpcall, print, function() while true do end end, print) return 1",
        "local function f() pcall(f) while true do end end f()",
        "local t <close> = setmetatable({}, { __close = function() while true do end end })\n"
        "pcall(function() while true do end end)",
        "pcall(function()\n"
        "  local a <close> = setmetatable({}, { __close = function() while true do end end })\n"
        "  local b <close> = setmetatable({}, { __close = function() error('mine') end })\n"
        "  while true do end\n"
        "end) return 1",
        "pcall(table.sort, { 2, 1 }, function() while true do end end) return 1",
        "pcall(string.gsub, 'x', 'x', function() while true do end end) return 1",
        "local ok = pcall(error, setmetatable({}, { __tostring = function() while true do end end })) while ok == "
        "false do end",
        NULL,
    };
    all_end(arena, bodies, TIME);
}

UNIT(an_error_that_is_a_table_runs_no_code) {
    raises(arena, "error(setmetatable({}, { __tostring = function() while true do end end }))",
           "an error that is a table");
    raises(arena, "error(setmetatable({}, { __index = function() while true do end end, __name = 'x' }))",
           "that is a table");
    raises(arena, "error(print)", "an error that is a function");
    raises(arena, "error(pgwinnow.null)", "an error that is a ");
}

UNIT(functions_in_c_end_too) {
    const char *const bodies[] = {
        "return (('a'):rep(30)):find(('a*'):rep(14) .. 'c')",
        "return (('a'):rep(30)):match(('a?'):rep(30) .. ('a'):rep(31))",
        "return (('a'):rep(5000)):gsub(('.-'):rep(12) .. 'b', '')",
        "for _ in (('a'):rep(40)):gmatch(('a*'):rep(14) .. 'c') do end",
        "return (('('):rep(500000)):find('%b()')",
        "return (('('):rep(500000)):gsub('%b()', '')",
        "return (('a'):rep(200000)):match('.-.-.-b')",
        "return (('x'):rep(300000)):find('(.*)%1y')",
        "local t = {} for i = 0, 61 do t[1 << i] = 1 t[(1 << i) + 1] = 1 end assert(#t > 1 << 40) table.insert(t, 1, "
        "0)",
        "local t = {} for i = 0, 61 do t[1 << i] = 1 t[(1 << i) + 1] = 1 end assert(#t > 1 << 40) table.remove(t, 1)",
        "table.move({}, 1, 1 << 60, 2)",
        "table.move({ 1 }, 1, 1 << 60, 2, {})",
        "while true do table.concat({}, '', 1, 0) end",
        "local s = ('x'):rep(1000000) while true do s:lower() end",
        "local s = ('x'):rep(1000000) while true do local a = s .. 'y' end",
        "local a, b = ('x'):rep(2000000), ('x'):rep(1999999) .. 'x' while true do local c = a == b end",
        "local t = {} for i = 1, 20000 do t[i] = i end while true do table.sort(t, rawequal) end",
        "local t = {} for i = 1, 20000 do t[i] = i end while true do for k in pairs(t) do break end end",
        "local t = {} for i = 1, 20000 do t[i] = i end while true do pgwinnow.filled(t) end",
        NULL,
    };
    all_end(arena, bodies, TIME);
}

UNIT(what_is_too_much_for_c_is_refused_before_it_begins) {
    raises(arena, "return (''):rep(1 << 40) == '' and 4", "returned 4"); /* at once, and empty */
    raises(arena, "return ('x'):rep(1 << 40)", "would be too large");
    raises(arena, "return ('x'):rep(math.maxinteger, 'yy')", "would be too large");
    raises(arena, "return (''):rep(1 << 40, 'y')", "would be too large");
    raises(arena, "return string.format('%99999d', 1)", "invalid conversion");
    raises(arena, "return string.format('%.99999f', 1)", "invalid conversion");
    raises(arena, "return string.format('%p', {})", "invalid conversion '%p'");
    raises(arena, "return string.format('%-20p', {})", "invalid conversion '%p'");
    raises(arena, "return table.unpack({}, 1, 1e8)", "too many results to unpack");
    raises(arena, "return table.unpack({}, math.mininteger, math.maxinteger)", "too many results to unpack");
    raises(arena, "return ('x'):byte(1, -1) and table.unpack({}, 1, 1 << 31)", "too many results to unpack");
    raises(arena,
           "local t = {} for i = 0, 61 do t[1 << i] = 1 t[(1 << i) + 1] = 1 end assert(#t > 1 << 40) table.sort(t)",
           "too many items to sort");
    raises(arena,
           "local t = {} for i = 0, 61 do t[1 << i] = 1 t[(1 << i) + 1] = 1 end assert(#t > 1 << 40) return "
           "table.concat(t)",
           "'concat' takes");
    const char *longest = "local t = {} for i = 0, 62 do t[1 << i] = 1 t[(1 << i) + 1] = 1 end t[math.maxinteger] = 1\n"
                          "assert(#t == math.maxinteger)";
    raises(arena, arena_printf(arena, "%s table.insert(t, 1)", longest), "too many items");
    raises(arena, arena_printf(arena, "%s table.remove(t)", longest), "too many items");
    raises(arena, arena_printf(arena, "%s table.sort(t)", longest), "too many items");
    raises(arena, arena_printf(arena, "%s table.unpack(t)", longest), "too many items");
    raises(arena, "table.move({}, math.mininteger, math.maxinteger, 1)", "too many elements to move");
    raises(arena, "table.move({}, 1, 2, math.maxinteger)", "destination wrap around");
    raises(arena, "return ('x'):find(('()'):rep(40))", "too many captures");
    raises(arena, "return ('x'):rep(300):find(('x?'):rep(300) .. 'y')", "pattern too complex");
    raises(arena, "return ('x'):find('[')", "malformed pattern");
    raises(arena, "return ('x'):find('%')", "malformed pattern");
    raises(arena, "return ('x'):find('%b')", "missing arguments");
    raises(arena, "return ('x'):find('%f')", "missing '['");
    raises(arena, "return ('x'):find('[%')", "malformed pattern");
    raises(arena, "return ('x'):find('%1')", "invalid capture index");
    raises(arena, "return ('x'):find('(')", "unfinished capture");
    raises(arena, "return ('x'):find('.)')", "invalid pattern capture");
    raises(arena, "return ('x'):gsub('x', '%2')", "invalid capture index");
    raises(arena, "return ('x'):gsub('x', '%')", "invalid use of '%'");
}

UNIT(lengths_that_lie_are_not_asked) {
    const char *lying = "local t = setmetatable({ 2, 1 }, { __len = function() return 1 << 40 end,\n"
                        "  __index = function() return 0 end, __newindex = function() end })\n";
    keeps(arena, arena_printf(arena, "%s table.sort(t) return rawlen(t) + t[1] - 1", lying), 2);
    keeps(arena, arena_printf(arena, "%s return #table.concat(t)", lying), 2);
    keeps(arena, arena_printf(arena, "%s table.insert(t, 1, 9) return rawlen(t)", lying), 3);
}

/* ---- memory ---- */

UNIT(memory_ends) {
    const char *const bodies[] = {
        "local t = {} while true do t[#t + 1] = {} end",
        "local t = {} for i = 1, math.huge do t[i * 7] = i end",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
        "local t = {} for i = 1, 100 do t[i] = ('x'):rep(1000000) end return table.concat(t)",
        "return (('x'):rep(1000000)):gsub('x', ('y'):rep(100))",
        "return string.format('%s%s%s%s%s', ('x'):rep(4000000), ('y'):rep(4000000), ('x'):rep(4000000), 1, 2)",
        "local f = function() end while true do local g = f f = function() return g() end end",
        "local t = setmetatable({}, {}) while true do t = setmetatable({ t }, { __index = t }) end",
        "local t = {} while true do t[#t + 1] = function() return t end end",
        "while true do pcall(function() local t = {} while true do t[#t + 1] = {} end end) end",
        "pcall(function() local t = {} while true do t[#t + 1] = {} end end) return 1",
        "pcall(string.rep, 'x', 7900000) local s = pcall(table.concat, { ('x'):rep(3900000), ('x'):rep(3900000) }) "
        "return 1",
        NULL,
    };
    all_end(arena, bodies, MEMORY);
}

UNIT(a_row_that_is_made_large_harms_nobody) {
    ends(arena, "for i = 1, math.huge do rows[1][i] = i end", MEMORY);
    ends(arena, "for i = 1, math.huge do rows[i] = i end", MEMORY);
    keeps(arena, "rows[1][math.maxinteger] = 1; rows[1][math.mininteger] = 1; rows[1][2^53] = 1; return 1", 1);
}

UNIT(deep_calls_end) {
    const char *const bodies[][2] = {
        {"local function f() return 1 + f() end return f()", "stack overflow"},
        {"local m = {} m.__index = function(_, k) return m.t[k] end m.t = setmetatable({}, m) return m.t.x",
         "overflow"},
        {"local m = {} m.__index = setmetatable({}, m) return m.__index.x", "'__index' chain too long"},
        {"local function f() return pcall(f) end error(tostring(f()))", "true"},
        {"local function f(x) return (x:gsub('.', f)) end return f('x')", "overflow"},
        {"local function f() table.sort({ 2, 1 }, f) end f()", "overflow"},
        {"local t = setmetatable({}, { __tostring = function(t) return tostring(t) end }) return tostring(t)",
         "overflow"},
        {"local function e() error(e) end xpcall(e, e)", "an error that is a function"},
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct error error;
        struct rule *rule = keep_rule(arena, bodies[i][0]);
        rule->memory = 256 << 20;
        assert_int_equal(kept_by(arena, rule, &error), -1);
        if (!strstr(error.message, bodies[i][1])) COMPLAIN("%s: %s", bodies[i][0], error.message);
    }
}

UNIT(deep_sources_end) {
    const char *const parts[][2] = {{"(", ")"}, {"{", "}"}, {"function() return ", " end"}, {"-", ""}, {"not ", ""}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct text text = text_new(arena);
        struct error error = error_new(arena);
        text_add(&text, "return ");
        for (int n = 0; n < 10000; n++) text_add(&text, parts[i][0]);
        text_add(&text, "1");
        for (int n = 0; n < 10000; n++) text_add(&text, parts[i][1]);
        box_new(arena, rule_of(arena, text.data), &error);
        assert_int_equal(error.fault, FAULT_HOOK);
    }
}

/* ---- answers ---- */

UNIT(a_rule_that_moves_the_rows_is_told) {
    const char *const bodies[] = {
        "table.sort(rows, function(a, b) return a.id > b.id end) return 1",
        "rows[1], rows[2] = rows[2], rows[1] return 1",
        "table.remove(rows, 1) return 1",
        "rows[1] = { id = 1 } return 1",
        "rows[4] = rows[1] return 1",
        "rows[2] = nil return 1",
        NULL,
    };
    for (size_t i = 0; bodies[i]; i++) raises(arena, bodies[i], "'keep' changed the list of rows");
    keeps(arena,
          "local own = table.move(rows, 1, #rows, 1, {}) table.sort(own, function(a, b) return a.id > b.id end) return "
          "own[1].id",
          3);
}

UNIT(sorting_bears_any_comparison) {
    keeps(arena, "local t = { 3, 1, 2, 1 } table.sort(t, function() return true end) return #t - 1", 3);
    keeps(arena, "local t = { 3, 1, 2 } table.sort(t) return t[1] * 100 + t[2] * 10 + t[3] == 123 and 1", 1);
    keeps(arena,
          "local t = { 'b', 'a', 'c' } table.sort(t, function(a, b) return a > b end) return table.concat(t) == 'cba' "
          "and 1",
          1);
    keeps(arena,
          "local t = {} for i = 1, 1000 do t[i] = { i % 7, i } end\n"
          "table.sort(t, function(a, b) return a[1] < b[1] end)\n"
          "for i = 2, 1000 do local a, b = t[i - 1], t[i]\n"
          "  assert(a[1] < b[1] or (a[1] == b[1] and a[2] < b[2])) end return 1",
          1);
    raises(arena, "table.sort { 1, 'x' }", "attempt to compare");
    raises(arena, "local t = { 2, 1 } pcall(table.sort, t, function() error('x') end) return t[1] == 2 and 7",
           "returned 7");
}

UNIT(nothing_differs_from_process_to_process) {
    keeps(arena, "return tostring({}) == 'table' and tostring(print) == 'function' and 1", 1);
    keeps(arena, "return ('%s|%s'):format({}, print) == 'table|function' and 1", 1);
    keeps(arena, "return tostring(pgwinnow.null) == 'pgwinnow.null' and 1", 1);
    keeps(arena,
          "local t, seen = { z = 1, a = 2, [10] = 3, [2] = 4, [1] = 5, [2.5] = 6, [true] = 7, [false] = 8, [-1] = 9 }, "
          "{}\n"
          "for k in pairs(t) do seen[#seen + 1] = tostring(k) end\n"
          "local order = table.concat(seen, ' ')\n"
          "assert(order == '-1 1 2 2.5 10 a z false true', order) return 1",
          1);
    keeps(arena, "local n = 0 local t = { a = 1, b = 2, c = 3 } for k in pairs(t) do t.b = nil n = n + 1 end return n",
          2);
    raises(arena, "for k in pairs { [{}] = 1 } do end", "a key that is a table has no place in an order");
    raises(arena, "for k in pairs { [print] = 1 } do end", "a key that is a function");
}

UNIT(patterns_match_as_in_standard_lua) {
    /* Expected values: the reference manual, 6.4.1, and its examples. */
    keeps(arena,
          "assert(('hello world'):find('wor') == 7 and ('hello'):find('l', 1, true) == 3 and ('hello'):find('xyz') == "
          "nil)\n"
          "assert(('a.b'):find('.', 2, true) == 2 and ('hello'):find('') == 1 and ('hello'):find('', 10) == nil)\n"
          "assert(('hello'):find('', 6) == 6 and ('hello'):find('l', -2) == 4)\n"
          "assert(('  trim me '):match('^%s*(.-)%s*$') == 'trim me')\n"
          "assert(('key = value'):match('(%w+)%s*=%s*(%w+)') == 'key')\n"
          "assert(select(2, ('key = value'):match('(%w+)%s*=%s*(%w+)')) == 'value')\n"
          "assert(('hello world'):gsub('o', '0') == 'hell0 w0rld')\n"
          "assert(('hello world'):gsub('(%w+)', '<%1>') == '<hello> <world>')\n"
          "assert(('hello'):gsub('', '-') == '-h-e-l-l-o-')\n"
          "assert(('abc'):gsub('%w', '%0%0', 2) == 'aabbc')\n"
          "assert(('$name'):gsub('%$(%w+)', { name = 'lua' }) == 'lua')\n"
          "assert(('abc'):gsub('b', function() return false end) == 'abc')\n"
          "assert(('THE (quick) fox'):find('%((%a+)%)') == 5 and ('f(a(b)c)d'):match('%b()') == '(a(b)c)')\n"
          "assert(('THE (quick) fox'):gsub('%f[%a]%a+', string.lower) == 'the (quick) fox')\n"
          "assert(('x'):match('()') == 1 and ('=='):match('^()=()=()$') == 1)\n"
          "assert(('\"it\\'s\"'):match('([\"\\'])(.-)%1') == '\"')\n"
          "assert(('a-b_c9'):match('[%a_-]+') == 'a-b_c' and ('a]b'):match('[]]') == ']' and ('a^b'):match('[b^]') == "
          "'^')\n"
          "assert(('abc'):match('[^a-b]') == 'c' and ('a\\0b'):find('\\0') == 2 and ('ab\\0c'):match('%z') == nil)\n"
          "local words = {} for w in ('one two  three'):gmatch('%a+') do words[#words + 1] = w end\n"
          "assert(table.concat(words, ',') == 'one,two,three')\n"
          "local n = 0 for _ in ('abc'):gmatch('') do n = n + 1 end assert(n == 4)\n"
          "return 1",
          1);
}

UNIT(a_limit_that_was_hit_is_forgotten_by_the_next_group) {
    struct rule *rule = rule_of(arena, "return { keep = function(rows) if #rows == 2 then while true do end end\n"
                                       "if #rows == 4 then local t = {} while true do t[#t + 1] = {} end end\n"
                                       "return pcall(function() for i = 1, 1e4 do end end) and #rows end }");
    rule->time = 500;
    struct box *box = box_of_rule(arena, rule);
    for (int rows = 2; rows <= 5; rows++) {
        struct error error = error_new(arena);
        fill(box, rows, &error);
        size_t answer = box_keep(box, &error);
        if ((rows % 2 == 0) != failed(&error))
            COMPLAIN("%d rows: %s", rows, failed(&error) ? error.message : "no error");
        if (!failed(&error)) assert_int_equal(answer, rows);
    }
}

RUN(UNIT_TEST(the_globals_are_a_list_that_was_agreed_on), UNIT_TEST(everything_that_can_be_walked_to_is_on_the_list),
    UNIT_TEST(nothing_of_the_box_can_be_changed), UNIT_TEST(an_environment_of_ones_own_is_no_way_out),
    UNIT_TEST(binary_chunks_are_refused), UNIT_TEST(finalizers_and_weak_tables_are_refused), UNIT_TEST(loops_end),
    UNIT_TEST(the_deadline_cannot_be_caught), UNIT_TEST(an_error_that_is_a_table_runs_no_code),
    UNIT_TEST(functions_in_c_end_too), UNIT_TEST(what_is_too_much_for_c_is_refused_before_it_begins),
    UNIT_TEST(lengths_that_lie_are_not_asked), UNIT_TEST(memory_ends), UNIT_TEST(a_row_that_is_made_large_harms_nobody),
    UNIT_TEST(deep_calls_end), UNIT_TEST(deep_sources_end), UNIT_TEST(a_rule_that_moves_the_rows_is_told),
    UNIT_TEST(sorting_bears_any_comparison), UNIT_TEST(nothing_differs_from_process_to_process),
    UNIT_TEST(patterns_match_as_in_standard_lua), UNIT_TEST(a_limit_that_was_hit_is_forgotten_by_the_next_group))
