/* The list of steps: which they are, what they take, and whether their order can work. What they do is steps/'s. */
#include <string.h>

#include "base/text.h"
#include "plan/reading.h"

enum { MOST_STEPS = 1000 };

struct steps {
    struct reading *reading;
    bool *clean;     /* by index in plan->steps: it was read without problems */
    bool unreadable; /* there is one that is no step: what depends on the order is not judged */
};

static const struct step *find(const struct step *const *among, const char *name) {
    for (const struct step *const *s = among; *s; s++)
        if (text_equal((*s)->name, name)) return *s;
    return NULL;
}

static void unknown_step(struct reading *r, const struct node *name, const struct step *const *among) {
    size_t count = 0;
    while (among[count]) count++;
    const char **names = arena_alloc(r->arena, (count + 1) * sizeof *names);
    struct text all = text_new(r->arena);
    for (size_t i = 0; i < count; i++) {
        names[i] = among[i]->name;
        text_addf(&all, "%s%s", i ? ", " : "the steps are ", names[i]);
    }
    const char *near = text_nearest(name->text, names, count);
    problem_add(r->problems, name->place, near ? arena_printf(r->arena, "did you mean '%s'?", near) : all.data,
                "unknown step %s", value_shown(r->arena, name->text));
}

/* The name's node, or NULL when a problem was told. */
static const struct node *name_of(struct reading *r, const struct node *item) {
    if (item->broken) return NULL;
    if (item->kind == NODE_SCALAR && !node_empty(item)) return item;
    if (item->kind == NODE_MAP && item->count == 1) return item->keys[0]->broken ? NULL : item->keys[0];
    const char *hint =
        item->kind == NODE_MAP && item->count > 1 && node_empty(item->items[0])
            ? arena_printf(r->arena, "indent the keys of '%s' further than its name", item->keys[0]->text)
            : "like '- vacuum', or '- vacuum: { truncate: true }'";
    problem_add(r->problems, item->place, hint, "a step is a name, or one name with its keys");
    return NULL;
}

static void check_repeated(struct reading *r, const struct plan_step *step) {
    for (const struct plan_step *other = r->plan->steps; other < step; other++) {
        bool twice = other->step == step->step && !(step->step->needs & REPEATABLE);
        if (twice)
            problem_add(r->problems, step->place, NULL, "the step '%s' can appear only once: it is on line %d already",
                        step->step->name, other->place.line);
        else if (text_equal(other->name, step->name))
            problem_add(r->problems, step->place, "give this one another name by 'as: NAME'",
                        "two steps are called '%s': the other is on line %d", step->name, other->place.line);
        else
            continue;
        return;
    }
}

static void take_archive(struct reading *r, struct plan_step *step, const struct step_keys *keys,
                         const struct node *map) {
    const struct node *archive = map ? node_get(map, "archive") : NULL,
                      *off = archive ? node_get(archive, "off") : NULL;
    if (!archive || !off) return;
    if (!(step->step->needs & USES_FAMILIES))
        problem_add(r->problems, archive->place, "it is for steps that remove rows",
                    "the step '%s' removes nothing that could be archived", step->step->name);
    else if (keys->archive_off && !*keys->archive_off)
        problem_add(r->problems, off->place, "it is shown to whoever wants the rows back", "'off' takes the reason");
    step->archive_off = keys->archive_off;
}

static void take_keys(struct reading *r, struct plan_step *step, const struct step_keys *keys, const struct node *map) {
    step->settings = keys->settings;
    step->when = keys->when;
    step->name = keys->as ? keys->as : step->step->name;
    const struct node *as = map ? node_get(map, "as") : NULL;
    if (keys->as && as && !plain_name_fits(keys->as, "_"))
        problem_add(r->problems, as->place, "small letters, digits, '-' and '_', beginning with a letter",
                    "%s cannot be a step's name", value_shown(r->arena, keys->as));
    if (map) settings_check(r, &keys->settings, map);
    take_archive(r, step, keys, map);
}

/* The step's part of plan.definition; its options are filled in as they are decoded. */
static json_t *define(json_t *all, const char *name, json_t **options) {
    json_t *one = json_object();
    json_array_append_new(all, one);
    json_object_set_new(one, "step", json_string(name));
    json_object_set_new(one, "options", json_object());
    *options = json_object_get(one, "options");
    return one;
}

/* A list alone stands for the steps inside: `- together: [merge, delete]`. */
static const struct node *keys_of(struct reading *r, const struct step *step, const struct node *value) {
    static const char key[] = "steps";
    if (!step->inner || !value || value->kind != NODE_LIST) return value;
    struct node *map = arena_copy(r->arena, value, sizeof *map), *name = arena_alloc(r->arena, sizeof *name);
    *name = (struct node){.kind = NODE_SCALAR, .place = value->place, .text = key};
    map->kind = NODE_MAP;
    map->keys = arena_copy(r->arena, &name, sizeof name);
    map->items = arena_copy(r->arena, &value, sizeof value);
    map->count = 1;
    return map;
}

/* Its own options, and those of every step where it takes them. */
static void decode_options(struct reading *r, struct plan_step *step, const struct node *map, struct target *targets) {
    if (map && map->kind != NODE_MAP && !node_empty(map) && !map->broken)
        problem_add(r->problems, map->place, NULL, "the step '%s' takes a map of keys", step->step->name);
    else
        options_decode(&r->decoder, map, step->place, targets);
}

static void decode_step(struct reading *r, struct plan_step *step, const struct node *map, json_t *options,
                        json_t *definition) {
    struct step_keys keys = {0};
    struct target targets[] = {
        {step->step->options, step->options, options}, {step_common_options, &keys, definition}, {0}};
    options_fill(&r->decoder, step->step->options, step->options);
    options_fill(&r->decoder, step_common_options, &keys);
    keys.settings = r->plan->settings;
    decode_options(r, step, map, targets);
    take_keys(r, step, &keys, map);
}

static void check_inner(struct reading *r, const struct plan_step *outer, const struct plan_step *step) {
    for (const struct plan_step *other = outer->inner; other < step; other++)
        if (other->step == step->step)
            problem_add(r->problems, step->place, NULL,
                        "'%s' can stand only once inside '%s': it is on line %d already", step->step->name,
                        outer->step->name, other->place.line);
}

static void read_inner(struct reading *r, struct plan_step *outer, const struct node *item, json_t *all) {
    const struct node *name = name_of(r, item);
    const struct step *found = name ? find(outer->step->inner, name->text) : NULL;
    if (name && !found && find(r->request->steps, name->text))
        problem_add(r->problems, name->place, NULL, "'%s' cannot stand inside '%s'", name->text, outer->step->name);
    else if (name && !found)
        unknown_step(r, name, outer->step->inner);
    if (!found) return;
    size_t problems = r->problems->count;
    struct plan_step *step = &outer->inner[outer->inner_count++];
    *step = (struct plan_step){
        .step = found, .name = found->name, .place = name->place, .options = arena_alloc(r->arena, found->size + 1)};
    json_t *options;
    define(all, found->name, &options);
    struct target targets[] = {{found->options, step->options, options}, {0}};
    options_fill(&r->decoder, found->options, step->options);
    decode_options(r, step, item->kind == NODE_MAP ? item->items[0] : NULL, targets);
    check_inner(r, outer, step);
    if (found->check_inside && r->problems->count == problems) found->check_inside(step, r->problems);
}

static void read_inners(struct reading *r, struct plan_step *outer, const struct node *map, json_t *options) {
    const struct node *list = map && map->kind == NODE_MAP ? node_get(map, "steps") : NULL;
    if (!outer->step->inner || !list || list->kind != NODE_LIST || list->broken) return;
    json_t *all = json_array();
    json_object_set_new(options, "steps", all);
    outer->inner = arena_alloc(r->arena, (list->count + 1) * sizeof *outer->inner);
    for (size_t i = 0; i < list->count; i++) read_inner(r, outer, list->items[i], all);
}

/* Where a step that cannot stand alone may stand. */
static void inside_only(struct reading *r, const struct step *step, struct place place) {
    for (const struct step *const *s = r->request->steps; *s; s++)
        if ((*s)->inner && find((*s)->inner, step->name))
            problem_add(r->problems, place, arena_printf(r->arena, "- %s: [%s, delete]", (*s)->name, step->name),
                        "'%s' stands inside '%s' only", step->name, (*s)->name);
}

static const struct step *outer_step(struct reading *r, const struct node *item, const struct node **name) {
    *name = name_of(r, item);
    const struct step *found = *name ? find(r->request->steps, (*name)->text) : NULL;
    if (*name && !found) unknown_step(r, *name, r->request->steps);
    if (!found || !(found->needs & INSIDE_ONLY)) return found;
    inside_only(r, found, (*name)->place);
    return NULL;
}

static void read_step(struct steps *s, const struct node *item) {
    struct reading *r = s->reading;
    struct plan *plan = r->plan;
    const struct node *name;
    const struct step *found = outer_step(r, item, &name);
    if (!found) {
        s->unreadable = true;
        return;
    }
    size_t problems = r->problems->count, index = plan->step_count++;
    struct plan_step *step = &plan->steps[index];
    *step = (struct plan_step){.step = found, .name = found->name, .place = name->place};
    step->options = arena_alloc(r->arena, found->size + 1);
    const struct node *map = item->kind == NODE_MAP ? keys_of(r, found, item->items[0]) : NULL;
    json_t *options, *definition = define(json_object_get(r->definition, "steps"), found->name, &options);
    decode_step(r, step, map, options, definition);
    read_inners(r, step, map, options);
    check_repeated(r, step);
    s->clean[index] = r->problems->count == problems;
}

static void check_need(struct reading *r, size_t index, unsigned need, const char *provider) {
    const struct plan_step *step = &r->plan->steps[index];
    if (!(step->step->needs & need) || plan_step_before(r->plan, index, provider)) return;
    problem_add(r->problems, step->place, NULL, "the step '%s' needs a '%s' step before it", step->name, provider);
}

static void check_order(struct steps *s) {
    struct reading *r = s->reading;
    for (size_t i = 0; i < r->plan->step_count; i++) {
        const struct step *step = r->plan->steps[i].step;
        check_need(r, i, NEEDS_TREE, "discover");
        check_need(r, i, NEEDS_TRACKED_ROWS, "track");
        if (s->clean[i] && step->check) step->check(r->plan, i, r->problems);
    }
}

void steps_read(struct reading *r, const struct node *list) {
    if (!list || list->kind != NODE_LIST || list->broken || (r->tree.cut && !list->count)) return;
    if (list->count == 0 || list->count > MOST_STEPS) {
        problem_add(r->problems, list->place, NULL,
                    list->count ? "there are more steps than %d" : "a plan needs at least one step", MOST_STEPS);
        return;
    }
    r->plan->steps = arena_alloc(r->arena, list->count * sizeof *r->plan->steps);
    struct steps steps = {.reading = r, .clean = arena_alloc(r->arena, list->count * sizeof *steps.clean)};
    for (size_t i = 0; i < list->count; i++) read_step(&steps, list->items[i]);
    if (!steps.unreadable && !r->tree.cut) check_order(&steps);
}
