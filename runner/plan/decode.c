/*
 * One decoder for each kind of option. Owns the wording of what a value should have been. Quantities are read by
 * quantity.c, SQL is looked over by sqlscan.c; which options there are is said by the tables of steps and plan.
 */
#include "plan/decode.h"

#include <string.h>

#include "base/text.h"
#include "plan/quantity.h"
#include "plan/sqlscan.h"

/* One value on its way into one option. */
struct input {
    const struct decoder *decoder;
    const struct option *option;
    const struct node *node;
    const char *text; /* of scalars: variables put in */
    enum use use;
};

static struct arena *arena_of(const struct input *in) { return in->decoder->with.arena; }

static struct problems *problems_of(const struct input *in) { return in->decoder->with.problems; }

const char *option_kind_text(enum option_kind kind) {
    switch (kind) {
    case OPTION_NAME: return "a name as in SQL, like public.listings";
    case OPTION_NAMES: return "a name as in SQL, or a list of them";
    case OPTION_SQL: return "SQL text";
    case OPTION_SQLS: return "a column or an SQL expression, or a list of them";
    case OPTION_TEXT: return "a text";
    case OPTION_TEXTS: return "a text, or a list of them";
    case OPTION_FILE: return "a file, its path relative to the plan";
    case OPTION_COUNT: return "a whole number";
    case OPTION_SHARE: return "a percentage, like 80%";
    case OPTION_DURATION: return "a duration, like 500ms or 2h";
    case OPTION_SIZE: return "a size, like 64MB or 2GB";
    case OPTION_RATE: return "a size a second, like 64MB/s";
    case OPTION_WINDOW: return "a time of the day, like 22:00-06:00 Europe/Berlin";
    case OPTION_FLAG: return "true or false";
    case OPTION_CHOICE: return "one of a few words";
    case OPTION_GROUP: return "a map of keys";
    case OPTION_GROUPS: return "a list of maps of keys";
    case OPTION_MAP: return "a map";
    case OPTION_STEPS: return "a list of steps";
    }
    return "";
}

const char *value_shown(struct arena *arena, const char *text) {
    enum { MOST = 60 };
    size_t length = text_cut(text, MOST);
    char *copy = arena_strndup(arena, text, length);
    for (char *c = copy; *c; c++)
        if (*c == '\n' || *c == '\t' || *c == '\r') *c = ' ';
    return arena_printf(arena, "'%s%s'", copy, text[length] ? "..." : "");
}

/* What stands there, unless it is a secret. */
static const char *but_got(const struct input *in) {
    if (in->option->flags & OPTION_SECRET) return "";
    if (in->node->kind == NODE_MAP) return ", not a map";
    if (in->node->kind == NODE_LIST) return ", not a list";
    return arena_printf(arena_of(in), ", not %s", value_shown(arena_of(in), in->text ? in->text : in->node->text));
}

static json_t *wrong(const struct input *in, const char *what, const char *hint) {
    const char *off = in->option->flags & OPTION_OFF ? ", or off" : "";
    if (in->node->broken) return NULL;
    if (node_empty(in->node))
        problem_add(problems_of(in), in->node->place, NULL, "'%s' has no value: it takes %s%s", in->option->name, what,
                    off);
    else
        problem_add(problems_of(in), in->node->place, hint, "'%s' takes %s%s%s", in->option->name, what, off,
                    but_got(in));
    return NULL;
}

/* The text of a scalar that has one; otherwise a problem was told. */
static bool scalar(struct input *in) {
    if (in->node->broken) return false;
    if (in->node->kind != NODE_SCALAR || node_empty(in->node))
        return wrong(in, option_kind_text(in->option->kind), NULL);
    in->text = variables_put_in(&in->decoder->with, in->node->text, in->node->place, in->use);
    return in->text != NULL;
}

static json_t *decode_text(struct input *in, void *at) {
    if (!scalar(in)) return NULL;
    *(const char **)at = in->text;
    return json_string(in->text);
}

static json_t *decode_file(struct input *in, void *at) {
    struct arena *arena = arena_of(in);
    if (!scalar(in)) return NULL;
    struct file_text file = {.name = in->text, .place = in->node->place};
    const char *why;
    file.path = file_path(arena, in->decoder->folder, in->text);
    if (!file_read(arena, &file, &why)) {
        problem_add(problems_of(in), file.place, "paths are relative to the plan's folder", "the file %s %s",
                    value_shown(arena, file.path), why);
        return NULL;
    }
    *(struct file_text *)at = file;
    return json_pack("{ssss}", "name", file.name, "content", file_fingerprint(arena, &file));
}

/* In `table: "Listings"` the quotes are YAML's: the name would fold, and there may be a table of that name too. */
static bool quotes_lost(const struct input *in) {
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    bool lost = in->node->style == SCALAR_DOUBLE && strpbrk(in->text, capitals) && !strchr(in->text, '"');
    if (lost)
        problem_add(problems_of(in), in->node->place,
                    "write '\"Name\"' to keep its capitals, or the name in small letters",
                    "the double quotes of '%s' are YAML's, so its capitals would be lost", in->option->name);
    return lost;
}

static json_t *decode_name(struct input *in, void *at) {
    struct name *name = at, read = {.place = in->node->place};
    const char *why = NULL;
    if (!scalar(in)) return NULL;
    if (!name_parse(arena_of(in), in->text, &read, &why)) return wrong(in, option_kind_text(OPTION_NAME), why);
    if (quotes_lost(in)) return NULL;
    *name = read;
    return json_string(name_text(arena_of(in), name));
}

static void sql_flaw(const struct input *in, size_t offset, const char *what, const char *hint) {
    bool as_written = text_equal(in->text, in->node->text);
    /* [coalesce(a, b)] is a list of two halves. */
    if (!hint && in->node->flow && in->node->style == SCALAR_PLAIN)
        hint = "inside [ ] and { } a comma ends the value: quote it";
    struct place place = as_written ? tree_place(in->decoder->tree, in->node, offset) : in->node->place;
    problem_add(problems_of(in), place, hint, "in '%s': %s", in->option->name, what);
}

/* What YAML would take away from the text without a word. */
static bool cut_by_yaml(const struct input *in) {
    struct place place;
    if (!tree_comment_behind(in->decoder->tree, in->node, &place)) return false;
    problem_add(problems_of(in), place,
                "quote the value if the '#' belongs to it; else put the comment on a line above",
                "a YAML comment behind the SQL of '%s' would silently cut it off", in->option->name);
    return true;
}

static json_t *decode_sql(struct input *in, void *at) {
    if (in->node->kind == NODE_SCALAR && !in->node->broken && cut_by_yaml(in)) return NULL;
    if (!scalar(in)) return NULL;
    struct sql_scan scan = sql_scan(in->text);
    if (scan.flaw) {
        sql_flaw(in, scan.offset, scan.flaw, scan.hint);
        return NULL;
    }
    if (scan.line_comment && tree_lines_joined(in->decoder->tree, in->node)) {
        sql_flaw(in, scan.comment_offset, "YAML joins these lines, so a -- comment would swallow the rest",
                 "write the text as a block with '|', or the comment as /* ... */");
        return NULL;
    }
    *(struct sql_text *)at = (struct sql_text){in->text, in->node->place};
    return json_string(in->text);
}

/* The bound as a plan would write it. */
static const char *bound_text(struct arena *arena, enum option_kind kind, int64_t value) {
    static const struct {
        enum option_kind kind;
        const char *unit;
        int64_t factor;
    } units[] = {{OPTION_DURATION, "d", 86400000},
                 {OPTION_DURATION, "h", 3600000},
                 {OPTION_DURATION, "min", 60000},
                 {OPTION_DURATION, "s", 1000},
                 {OPTION_DURATION, "ms", 1},
                 {OPTION_SIZE, "GB", INT64_C(1) << 30},
                 {OPTION_SIZE, "MB", INT64_C(1) << 20},
                 {OPTION_SIZE, "kB", INT64_C(1) << 10},
                 {0}};
    if (kind != OPTION_DURATION && kind != OPTION_SIZE) return arena_printf(arena, "%lld", (long long)value);
    for (size_t i = 0; units[i].unit; i++)
        if (units[i].kind == kind && value && value % units[i].factor == 0)
            return arena_printf(arena, "%lld%s", (long long)(value / units[i].factor), units[i].unit);
    return arena_printf(arena, "%lld", (long long)value);
}

static json_t *within_bounds(struct input *in, int64_t value, void *at) {
    const struct option *option = in->option;
    struct arena *arena = arena_of(in);
    const char *kind = option_kind_text(option->kind), *least = bound_text(arena, option->kind, option->least);
    if (option->most && (value < option->least || value > option->most))
        return wrong(
            in, arena_printf(arena, "%s from %s to %s", kind, least, bound_text(arena, option->kind, option->most)),
            NULL);
    if (value < option->least) return wrong(in, arena_printf(arena, "%s of at least %s", kind, least), NULL);
    *(int64_t *)at = value;
    return json_integer(value);
}

static json_t *decode_quantity(struct input *in, void *at, bool (*read)(const char *, int64_t *, const char **),
                               const char *units) {
    int64_t value;
    const char *why = NULL;
    if (!scalar(in)) return NULL;
    if (read(in->text, &value, &why)) return within_bounds(in, value, at);
    const char *hint = why && units ? arena_printf(arena_of(in), "%s; units are %s", why, units) : why;
    return wrong(in, option_kind_text(in->option->kind), hint);
}

static json_t *decode_count(struct input *in, void *at) { return decode_quantity(in, at, quantity_count, NULL); }

static json_t *decode_duration(struct input *in, void *at) {
    return decode_quantity(in, at, quantity_duration, "ms s min h d");
}

static json_t *decode_size(struct input *in, void *at) { return decode_quantity(in, at, quantity_size, "kB MB GB TB"); }

static json_t *decode_rate(struct input *in, void *at) {
    return decode_quantity(in, at, quantity_rate, "kB/s MB/s GB/s");
}

static json_t *decode_window(struct input *in, void *at) {
    struct window window = {.place = in->node->place};
    const char *why;
    if (!scalar(in)) return NULL;
    window.text = in->text;
    if (!quantity_window(in->text, &window, &why)) return wrong(in, option_kind_text(OPTION_WINDOW), why);
    *(struct window *)at = window;
    return json_string(in->text);
}

static json_t *decode_share(struct input *in, void *at) {
    double value;
    const char *why = NULL;
    if (!scalar(in)) return NULL;
    if (!quantity_share(in->text, &value, &why)) return wrong(in, option_kind_text(OPTION_SHARE), why);
    *(double *)at = value;
    return json_real(value);
}

static json_t *decode_flag(struct input *in, void *at) {
    if (!scalar(in)) return NULL;
    bool yes = text_equal(in->text, "true");
    if (!yes && !text_equal(in->text, "false")) return wrong(in, option_kind_text(OPTION_FLAG), NULL);
    *(bool *)at = yes;
    return json_boolean(yes);
}

static const char *choices_text(struct arena *arena, const char *const *choices, size_t count) {
    struct text text = text_new(arena);
    for (size_t i = 0; i < count; i++)
        text_addf(&text, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", choices[i]);
    return text.data;
}

static json_t *decode_choice(struct input *in, void *at) {
    const char *const *choices = in->option->choices;
    size_t count = 0;
    while (choices[count]) count++;
    const char *all = choices_text(arena_of(in), choices, count);
    if (in->node->kind != NODE_SCALAR || node_empty(in->node)) return wrong(in, all, NULL);
    if (!scalar(in)) return NULL;
    for (size_t i = 0; i < count; i++)
        if (text_equal(in->text, choices[i])) {
            *(int *)at = (int)i;
            return json_string(choices[i]);
        }
    const char *near = text_nearest(in->text, choices, count);
    return wrong(in, all, near ? arena_printf(arena_of(in), "did you mean '%s'?", near) : NULL);
}

/* One value, or a list of them, alike. `add` decodes the next item into its own growing array. */
static json_t *one_or_list(struct input *in, void *at, json_t *(*add)(struct input *, void *at)) {
    json_t *all = json_array();
    const struct node *node = in->node;
    bool list = node->kind == NODE_LIST;
    if (list && !node->count && !node->broken)
        problem_add(problems_of(in), node->place, NULL, "'%s' is an empty list", in->option->name);
    for (size_t i = 0; i < (list ? node->count : 1); i++) {
        struct input item = *in;
        item.node = list ? node->items[i] : node;
        json_t *value = add(&item, at);
        if (value) json_array_append_new(all, value);
    }
    return all;
}

static json_t *add_name(struct input *in, void *at) {
    struct names *names = at;
    struct name name;
    json_t *value = decode_name(in, &name);
    if (!value) return NULL;
    names->items = arena_grow(arena_of(in), names->items, &names->count, sizeof *names->items);
    names->items[names->count - 1] = name;
    return value;
}

static json_t *add_sql(struct input *in, void *at) {
    struct sql_texts *texts = at;
    struct sql_text text;
    json_t *value = decode_sql(in, &text);
    if (!value) return NULL;
    texts->items = arena_grow(arena_of(in), texts->items, &texts->count, sizeof *texts->items);
    texts->items[texts->count - 1] = text;
    return value;
}

static json_t *add_text(struct input *in, void *at) {
    struct text_list *texts = at;
    if (!scalar(in)) return NULL;
    texts->items = arena_grow(arena_of(in), texts->items, &texts->count, sizeof *texts->items);
    texts->items[texts->count - 1] = in->text;
    return json_string(in->text);
}

static json_t *decode_texts(struct input *in, void *at) {
    *(struct text_list *)at = (struct text_list){0};
    return one_or_list(in, at, add_text);
}

static json_t *decode_names(struct input *in, void *at) {
    *(struct names *)at = (struct names){0};
    return one_or_list(in, at, add_name);
}

static json_t *decode_sqls(struct input *in, void *at) {
    *(struct sql_texts *)at = (struct sql_texts){0};
    return one_or_list(in, at, add_sql);
}

static json_t *decode(struct input *in, void *at);

/* One scalar for the whole group: the member that most people mean. */
static json_t *decode_shorthand(struct input *in, void *at) {
    json_t *given = json_object();
    for (const struct option *o = in->option->group; o->name; o++) {
        if (!text_equal(o->name, in->option->shorthand)) continue;
        struct option named = *o;
        named.name = in->option->name; /* what the plan wrote */
        struct input member = {in->decoder, &named, in->node, NULL, in->use};
        json_t *value = decode(&member, (char *)at + o->offset);
        if (value) json_object_set_new(given, o->name, value);
    }
    return given;
}

static json_t *decode_group(struct input *in, void *at) {
    bool scalar = in->node->kind == NODE_SCALAR && !node_empty(in->node);
    if (scalar && in->option->shorthand) return decode_shorthand(in, at);
    if (in->node->kind != NODE_MAP && !node_empty(in->node)) return wrong(in, option_kind_text(OPTION_GROUP), NULL);
    json_t *given = json_object();
    struct target targets[] = {{in->option->group, at, in->use == USE_COUNTS ? given : NULL}, {0}};
    options_decode(in->decoder, in->node, in->node->place, targets);
    return given;
}

static json_t *decode_groups(struct input *in, void *at) {
    const struct node *list = in->node;
    if (list->kind != NODE_LIST) return wrong(in, option_kind_text(OPTION_GROUPS), "begin each with '- '");
    struct groups *groups = at;
    size_t size = in->option->size;
    char *items = arena_alloc(arena_of(in), list->count * size);
    *groups = (struct groups){items, arena_alloc(arena_of(in), list->count * sizeof *groups->places), list->count};
    json_t *all = json_array();
    for (size_t i = 0; i < list->count; i++, items += size) {
        struct input item = *in;
        item.node = list->items[i];
        groups->places[i] = item.node->place;
        options_fill(in->decoder, in->option->group, items);
        json_t *value = decode_group(&item, items);
        if (value) json_array_append_new(all, value);
    }
    return all;
}

static json_t *decode_item(struct input *in, struct entry *entry) {
    switch (in->option->kind) {
    case OPTION_SQL: return decode_sql(in, &entry->value);
    case OPTION_CHOICE: return decode_choice(in, &entry->choice);
    case OPTION_GROUP:
        entry->value.place = in->node->place;
        entry->options = arena_alloc(arena_of(in), in->option->size);
        options_fill(in->decoder, in->option->group, entry->options);
        return decode_group(in, entry->options);
    default: entry->value.place = in->node->place; return decode_text(in, &entry->value.text);
    }
}

static void add_entry(struct input *in, const struct node *key, const struct node *value, struct entries *entries,
                      json_t *all) {
    struct entry entry = {.key_place = key->place};
    entry.key = variables_put_in(&in->decoder->with, key->text, key->place, in->use);
    if (key->broken || !entry.key) return;
    if (json_object_get(all, entry.key)) {
        problem_add(problems_of(in), key->place, NULL, "the key %s is there already",
                    value_shown(arena_of(in), entry.key));
        return;
    }
    struct option option = *in->option;
    option.kind = in->option->item;
    option.name = key->text;
    struct input item = {in->decoder, &option, value, NULL, in->use};
    json_t *read = decode_item(&item, &entry);
    if (!read) return;
    json_object_set_new(all, entry.key, read);
    entries->items = arena_grow(arena_of(in), entries->items, &entries->count, sizeof *entries->items);
    entries->items[entries->count - 1] = entry;
}

static json_t *decode_map(struct input *in, void *at) {
    if (in->node->kind != NODE_MAP) return wrong(in, option_kind_text(OPTION_MAP), NULL);
    if (in->option->item == OPTION_GROUP && !in->option->size) return json_null();
    struct entries *entries = at;
    *entries = (struct entries){0};
    json_t *all = json_object();
    for (size_t i = 0; i < in->node->count; i++) add_entry(in, in->node->keys[i], in->node->items[i], entries, all);
    return all;
}

static json_t *decode_steps(struct input *in, void *at) {
    (void)at;
    return in->node->kind == NODE_LIST ? json_null()
                                       : wrong(in, option_kind_text(OPTION_STEPS), "begin each with '- '");
}

/* Numbers are -1; the rest was zeroed. */
static void absent(const struct option *option, void *at) {
    switch (option->kind) {
    case OPTION_COUNT:
    case OPTION_DURATION:
    case OPTION_SIZE:
    case OPTION_RATE: *(int64_t *)at = -1; break;
    case OPTION_SHARE: *(double *)at = -1; break;
    default: break;
    }
}

static bool is_off(const struct input *in) {
    const struct node *node = in->node;
    return in->option->flags & OPTION_OFF && node->kind == NODE_SCALAR && !node->broken &&
           text_equal(node->text, "off");
}

static json_t *switch_off(const struct option *option, void *at) {
    if (option->kind == OPTION_WINDOW) *(struct window *)at = (struct window){0};
    if (option->kind == OPTION_GROUP) {
        memset(at, 0, option->size);
        for (const struct option *o = option->group; o->name; o++) absent(o, (char *)at + o->offset);
    }
    absent(option, at);
    return json_string("off");
}

static json_t *decode(struct input *in, void *at) {
    static json_t *(*const decoders[])(struct input *, void *) = {
        [OPTION_NAME] = decode_name,         [OPTION_NAMES] = decode_names, [OPTION_SQL] = decode_sql,
        [OPTION_SQLS] = decode_sqls,         [OPTION_TEXT] = decode_text,   [OPTION_COUNT] = decode_count,
        [OPTION_SHARE] = decode_share,       [OPTION_SIZE] = decode_size,   [OPTION_FLAG] = decode_flag,
        [OPTION_DURATION] = decode_duration, [OPTION_GROUP] = decode_group, [OPTION_CHOICE] = decode_choice,
        [OPTION_MAP] = decode_map,           [OPTION_STEPS] = decode_steps, [OPTION_FILE] = decode_file,
        [OPTION_TEXTS] = decode_texts,       [OPTION_RATE] = decode_rate,   [OPTION_WINDOW] = decode_window,
        [OPTION_GROUPS] = decode_groups,
    };
    if (is_off(in)) return switch_off(in->option, at);
    return decoders[in->option->kind](in, at);
}

static void fill_one(const struct decoder *decoder, const struct option *option, void *at) {
    if (option->kind == OPTION_GROUP) options_fill(decoder, option->group, at);
    absent(option, at);
    if (!option->fallback) return;
    struct node node = {.kind = NODE_SCALAR, .text = option->fallback, .style = SCALAR_SINGLE};
    struct input in = {.decoder = decoder, .option = option, .node = &node, .use = USE_PLAIN};
    json_decref(decode(&in, at));
}

void options_fill(const struct decoder *decoder, const struct option *options, void *base) {
    for (const struct option *o = options; o && o->name; o++) fill_one(decoder, o, (char *)base + o->offset);
}

static enum use use_of(const struct decoder *decoder, const struct option *option, const struct target *target) {
    bool later = decoder->elsewhere || (option->flags & OPTION_LATE && !decoder->late);
    if (option->flags & OPTION_SECRET) return later ? USE_SECRET_ELSEWHERE : USE_SECRET;
    return target->given && !(option->flags & OPTION_UNCOUNTED) ? USE_COUNTS : USE_PLAIN;
}

static const struct option *find(const struct target **target, const char *name) {
    for (; (*target)->options || (*target)->base; ++*target)
        for (const struct option *o = (*target)->options; o && o->name; o++)
            if (text_equal(o->name, name)) return o;
    return NULL;
}

static void unknown_key(const struct decoder *decoder, const struct node *key, const struct target *targets) {
    struct arena *arena = decoder->with.arena;
    const char **names = NULL;
    size_t count = 0;
    for (const struct target *t = targets; t->options || t->base; t++)
        for (const struct option *o = t->options; o && o->name; o++) {
            names = arena_grow(arena, names, &count, sizeof *names);
            names[count - 1] = o->name;
        }
    const char *near = text_nearest(key->text, names, count);
    const char *hint = near ? arena_printf(arena, "did you mean '%s'?", near)
                            : arena_printf(arena, "the keys here are %s", choices_text(arena, names, count));
    problem_add(decoder->with.problems, key->place, hint, "unknown key %s", value_shown(arena, key->text));
}

static void decode_pair(const struct decoder *decoder, const struct node *key, const struct node *value,
                        const struct target *targets) {
    if (key->broken) return;
    const struct target *target = targets;
    const struct option *option = find(&target, key->text);
    if (!option) {
        unknown_key(decoder, key, targets);
        return;
    }
    struct input in = {decoder, option, value, NULL, use_of(decoder, option, target)};
    json_t *read = decode(&in, (char *)target->base + option->offset);
    if (read && in.use == USE_COUNTS)
        json_object_set_new(target->given, option->name, read);
    else
        json_decref(read);
}

static void missing_keys(const struct decoder *decoder, const struct node *map, struct place place,
                         const struct target *targets) {
    for (const struct target *t = targets; t->options || t->base; t++)
        for (const struct option *o = t->options; o && o->name; o++)
            if ((o->flags & OPTION_REQUIRED) && !(map && node_get(map, o->name)))
                problem_add(decoder->with.problems, place,
                            arena_printf(decoder->with.arena, "%s: %s", o->name, o->about), "the key '%s' is missing",
                            o->name);
}

void options_decode(const struct decoder *decoder, const struct node *map, struct place place,
                    const struct target *targets) {
    if (map && map->broken) return;
    for (size_t i = 0; map && map->kind == NODE_MAP && i < map->count; i++)
        decode_pair(decoder, map->keys[i], map->items[i], targets);
    if (!decoder->tree->cut) missing_keys(decoder, map, place, targets);
}
