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

static const struct step *find(const struct reading *r, const char *name) {
    for (const struct step *const *s = r->request->steps; *s; s++)
        if (text_equal((*s)->name, name)) return *s;
    return NULL;
}

static void unknown_step(struct reading *r, const struct node *name) {
    size_t count = 0;
    while (r->request->steps[count]) count++;
    const char **names = arena_alloc(r->arena, (count + 1) * sizeof *names);
    struct text all = text_new(r->arena);
    for (size_t i = 0; i < count; i++) {
        names[i] = r->request->steps[i]->name;
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
static json_t *define(struct reading *r, const char *name, json_t **options) {
    json_t *all = json_object_get(r->definition, "steps"), *one = json_object();
    json_array_append_new(all, one);
    json_object_set_new(one, "step", json_string(name));
    json_object_set_new(one, "options", json_object());
    *options = json_object_get(one, "options");
    return one;
}

static void decode_step(struct reading *r, struct plan_step *step, const struct node *map) {
    struct step_keys keys = {0};
    json_t *options, *definition = define(r, step->step->name, &options);
    options_fill(&r->decoder, step->step->options, step->options);
    options_fill(&r->decoder, step_common_options, &keys);
    keys.settings = r->plan->settings;
    if (map && map->kind != NODE_MAP && !node_empty(map) && !map->broken) {
        problem_add(r->problems, map->place, NULL, "the step '%s' takes a map of keys", step->step->name);
    } else {
        struct target targets[] = {
            {step->step->options, step->options, options}, {step_common_options, &keys, definition}, {0}};
        options_decode(&r->decoder, map, step->place, targets);
    }
    take_keys(r, step, &keys, map);
}

static void read_step(struct steps *s, const struct node *item) {
    struct reading *r = s->reading;
    struct plan *plan = r->plan;
    const struct node *name = name_of(r, item);
    const struct step *found = name ? find(r, name->text) : NULL;
    if (name && !found) unknown_step(r, name);
    if (!found) {
        s->unreadable = true;
        return;
    }
    size_t problems = r->problems->count, index = plan->step_count++;
    struct plan_step *step = &plan->steps[index];
    *step = (struct plan_step){.step = found, .name = found->name, .place = name->place};
    step->options = arena_alloc(r->arena, found->size + 1);
    decode_step(r, step, item->kind == NODE_MAP ? item->items[0] : NULL);
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
