/* Reads the plan of a look-up: does an index find the key, and how much would it read? */
#include "steps/guard_probe.h"

#include <jansson.h>
#include <string.h>

/* About 250 pages read at random: an index on a column of few values finds, but only after reading much. */
static const double MOST_COST = 1000;

struct probe {
    size_t scans;
    bool blind; /* one of them goes through all there is */
};

static bool by_condition(json_t *node) {
    json_t *below = json_object_get(node, "Plans");
    if (json_object_get(node, "Index Cond")) return true;
    for (size_t i = 0; i < json_array_size(below); i++)
        if (by_condition(json_array_get(below, i))) return true;
    return false;
}

static void look(json_t *node, struct probe *probe) {
    json_t *below = json_object_get(node, "Plans");
    if (json_object_get(node, "Relation Name")) {
        probe->scans++;
        probe->blind = probe->blind || !by_condition(node);
        return;
    }
    for (size_t i = 0; i < json_array_size(below); i++) look(json_array_get(below, i), probe);
}

bool guard_probe_serves(const char *plan) {
    json_t *root = json_loads(plan ? plan : "", 0, NULL);
    json_t *top = json_object_get(json_array_get(root, 0), "Plan");
    struct probe probe = {0};
    look(top, &probe);
    double cost = json_number_value(json_object_get(top, "Total Cost"));
    bool serves = top && !probe.blind && (!probe.scans || cost / (double)probe.scans <= MOST_COST);
    json_decref(root);
    return serves;
}
