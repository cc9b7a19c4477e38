/* libyaml's events into nodes. The one file that includes <yaml.h>; refuses what YAML allows and plans do not. */
#include "plan/tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/text.h"

/* A plan nests some ten deep. The limit also keeps libyaml's own work linear. */
enum { DEEPEST = 50 };

struct builder {
    struct arena *arena;
    struct problems *problems;
    struct tree *tree;
    yaml_parser_t *parser;
    yaml_event_t event; /* the one at hand */
    bool over;          /* an error of the parser or our limit: nothing more is read */
    size_t index, byte; /* a mark counts characters: the cursor that turns them into bytes */
    int depth;
};

static struct place place_of(const struct builder *b, const yaml_mark_t *mark) {
    return (struct place){b->tree->file, (int)mark->line + 1, (int)mark->column + 1};
}

static bool trails(const struct builder *b, size_t byte) { return (b->tree->source.text[byte] & 0xC0) == 0x80; }

static size_t byte_of(struct builder *b, const yaml_mark_t *mark) {
    for (; b->index < mark->index && b->byte < b->tree->source.length; b->index++) do
            b->byte++;
        while (b->byte < b->tree->source.length && trails(b, b->byte));
    for (; b->index > mark->index && b->byte > 0; b->index--) do
            b->byte--;
        while (b->byte > 0 && trails(b, b->byte));
    return b->byte;
}

static const char *yaml_hint(const char *problem) {
    if (strstr(problem, "mapping values are not allowed"))
        return "quote a value that holds ': ', or check the indentation";
    if (strstr(problem, "cannot start any token"))
        return "indent with spaces, and quote a value that begins with @, `, % or a tab";
    if (strstr(problem, "did not find expected ',' or '"))
        return "inside { } and [ ] quote a value that holds one of , { } [ ]";
    if (strstr(problem, "did not find expected key") || strstr(problem, "block mapping"))
        return "check the indentation and the quotes";
    if (strstr(problem, "quoted scalar")) return "a quote is not closed, or text follows it";
    return "check the indentation and the quotes";
}

static void yaml_problem(struct builder *b) {
    const char *what = b->parser->problem ? b->parser->problem : "out of memory";
    const char *context = b->parser->context ? b->parser->context : "";
    /* A quote that is never closed is found at the end of the file, and looked for where it began. */
    bool at_end = strstr(what, "end of stream") && *context;
    const yaml_mark_t *mark = at_end ? &b->parser->context_mark : &b->parser->problem_mark;
    problem_add(b->problems, place_of(b, mark), yaml_hint(what), "not valid YAML: %s%s%s", what, *context ? " " : "",
                context);
}

/* Steps to the next event; the old one is released. After an error every event is a stream end. */
static void next(struct builder *b) {
    yaml_event_delete(&b->event);
    if (!b->over && yaml_parser_parse(b->parser, &b->event)) return;
    if (!b->over) yaml_problem(b);
    b->over = true;
    memset(&b->event, 0, sizeof b->event);
    b->event.type = YAML_STREAM_END_EVENT;
}

static bool refuse(struct builder *b, const void *given, const char *what, const char *hint) {
    if (given) problem_add(b->problems, place_of(b, &b->event.start_mark), hint, "%s", what);
    return given != NULL;
}

static bool refuse_extras(struct builder *b, const void *anchor, const void *tag) {
    bool anchored = refuse(b, anchor, "YAML anchors (&name) are not used in plans",
                           "write the value where it is needed, or use a variable");
    bool tagged = refuse(b, tag, "YAML tags (!name) are not used in plans", "quote the value if it begins with '!'");
    return anchored || tagged;
}

static struct node *new_node(struct builder *b, enum node_kind kind, const struct node *parent) {
    struct node *node = arena_alloc(b->arena, sizeof *node);
    node->kind = kind;
    node->place = place_of(b, &b->event.start_mark);
    node->flow = parent && parent->flow;
    node->indent = parent ? parent->place.column : 0;
    return node;
}

static enum scalar_style style_of(yaml_scalar_style_t style) {
    switch (style) {
    case YAML_PLAIN_SCALAR_STYLE: return SCALAR_PLAIN;
    case YAML_LITERAL_SCALAR_STYLE: return SCALAR_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE: return SCALAR_FOLDED;
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: return SCALAR_SINGLE;
    default: return SCALAR_DOUBLE;
    }
}

static struct node *scalar(struct builder *b, const struct node *parent) {
    struct node *node = new_node(b, NODE_SCALAR, parent);
    const char *value = (const char *)b->event.data.scalar.value;
    size_t length = b->event.data.scalar.length;
    node->text = arena_strndup(b->arena, value, length);
    node->style = style_of(b->event.data.scalar.style);
    node->start = byte_of(b, &b->event.start_mark);
    node->end = byte_of(b, &b->event.end_mark);
    node->broken = refuse_extras(b, b->event.data.scalar.anchor, b->event.data.scalar.tag);
    if (strlen(node->text) != length) {
        problem_add(b->problems, node->place, NULL, "a NUL character: PostgreSQL's texts cannot hold it");
        node->broken = true;
    }
    next(b);
    return node;
}

static struct node *value(struct builder *, const struct node *parent);

static bool goes_on(const struct builder *b, yaml_event_type_t end) {
    return b->event.type != end && b->event.type != YAML_STREAM_END_EVENT;
}

static struct node *list(struct builder *b, const struct node *parent) {
    struct node *node = new_node(b, NODE_LIST, parent);
    node->flow |= b->event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    node->broken = refuse_extras(b, b->event.data.sequence_start.anchor, b->event.data.sequence_start.tag);
    next(b);
    while (goes_on(b, YAML_SEQUENCE_END_EVENT)) {
        struct node *item = value(b, node);
        node->items = arena_grow(b->arena, node->items, &node->count, sizeof *node->items);
        node->items[node->count - 1] = item;
    }
    next(b);
    return node;
}

static int by_text(const void *a, const void *b) {
    const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->start > y->start) - (x->start < y->start);
}

/* YAML keeps the last of two equal keys without a word: half of a condition could be lost that way. */
static void refuse_duplicates(struct builder *b, struct node *map) {
    if (map->count < 2) return;
    struct node **sorted = arena_copy(b->arena, map->keys, map->count * sizeof *sorted);
    qsort(sorted, map->count, sizeof *sorted, by_text);
    for (size_t i = 1; i < map->count; i++) {
        if (!text_equal(sorted[i - 1]->text, sorted[i]->text)) continue;
        problem_add(b->problems, sorted[i]->place, NULL, "the key '%.*s' is there already, on line %d",
                    (int)text_cut(sorted[i]->text, 80), sorted[i]->text, sorted[i - 1]->place.line);
        sorted[i]->broken = true;
    }
}

static void pair(struct builder *b, struct node *map) {
    struct node *key = value(b, map);
    struct node *behind = b->event.type == YAML_STREAM_END_EVENT ? NULL : value(b, map);
    if (key->kind != NODE_SCALAR) {
        problem_add(b->problems, key->place, "quote a value that begins with { or [",
                    "a list or a map cannot be a key");
        map->broken = true;
    }
    if (!behind || key->kind != NODE_SCALAR) return;
    size_t count = map->count;
    map->keys = arena_grow(b->arena, map->keys, &count, sizeof *map->keys);
    map->items = arena_grow(b->arena, map->items, &map->count, sizeof *map->items);
    map->keys[count - 1] = key;
    map->items[count - 1] = behind;
}

static struct node *map(struct builder *b, const struct node *parent) {
    struct node *node = new_node(b, NODE_MAP, parent);
    node->flow |= b->event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    node->broken = refuse_extras(b, b->event.data.mapping_start.anchor, b->event.data.mapping_start.tag);
    next(b);
    while (goes_on(b, YAML_MAPPING_END_EVENT)) pair(b, node);
    next(b);
    refuse_duplicates(b, node);
    return node;
}

/* A stand-in for what cannot be read; problems about it were told. */
static struct node *nothing(struct builder *b, const struct node *parent) {
    struct node *node = new_node(b, NODE_SCALAR, parent);
    node->text = "";
    node->broken = true;
    return node;
}

static struct node *alias(struct builder *b, const struct node *parent) {
    struct node *node = nothing(b, parent);
    refuse(b, node, "YAML aliases (*name) are not used in plans", "quote the value if it begins with '*'");
    next(b);
    return node;
}

static struct node *too_deep(struct builder *b, const struct node *parent) {
    struct node *node = nothing(b, parent);
    refuse(b, node, "nested too deeply for a plan", NULL);
    b->over = true;
    next(b);
    return node;
}

static struct node *value(struct builder *b, const struct node *parent) {
    if (b->depth == DEEPEST) return too_deep(b, parent);
    struct node *node = NULL;
    b->depth++;
    switch (b->event.type) {
    case YAML_SCALAR_EVENT: node = scalar(b, parent); break;
    case YAML_SEQUENCE_START_EVENT: node = list(b, parent); break;
    case YAML_MAPPING_START_EVENT: node = map(b, parent); break;
    case YAML_ALIAS_EVENT: node = alias(b, parent); break;
    default: node = nothing(b, parent); break;
    }
    b->depth--;
    return node;
}

static void read_stream(struct builder *b) {
    next(b); /* stream start */
    next(b);
    if (b->event.type == YAML_DOCUMENT_START_EVENT) {
        next(b);
        b->tree->root = value(b, NULL);
        next(b); /* behind the document's end */
    } else if (!b->over) {
        problem_add(b->problems, (struct place){b->tree->file, 1, 1}, NULL, "the plan is empty");
    }
    if (b->event.type == YAML_DOCUMENT_START_EVENT)
        refuse(b, b, "a second YAML document", "a file holds one plan: put the other into its own file");
}

struct tree tree_parse(struct arena *arena, const char *file, struct source_text source, struct problems *problems) {
    struct tree tree = {.file = file, .source = source};
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        problem_add(problems, (struct place){.file = file}, NULL, "out of memory while reading it");
        return tree;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)source.text, source.length);
    struct builder builder = {.arena = arena, .problems = problems, .tree = &tree, .parser = &parser};
    read_stream(&builder);
    tree.cut = builder.over;
    yaml_event_delete(&builder.event);
    yaml_parser_delete(&parser);
    return tree;
}

const struct node *node_get(const struct node *node, const char *key) {
    for (size_t i = 0; node->kind == NODE_MAP && i < node->count; i++)
        if (text_equal(node->keys[i]->text, key)) return node->items[i];
    return NULL;
}

bool node_empty(const struct node *node) {
    return node->kind == NODE_SCALAR && node->style == SCALAR_PLAIN && !*node->text && !node->broken;
}
