/* THE table of sinks. */
#include "events/sinks.h"

#include <langinfo.h>
#include <string.h>

extern const struct sink bar_sink, plain_sink, json_sink, metrics_sink;

enum { AUTO, BAR, PLAIN, JSON };

const struct sink *const sink_table[] = {&bar_sink, &plain_sink, &json_sink, NULL};

const struct sink *const sinks_beside[] = {&metrics_sink, NULL};

const char *const sink_choices[] = {[AUTO] = "auto", [BAR] = "bar", [PLAIN] = "plain", [JSON] = "json", NULL};

/* Nothing is drawn for one who wants quiet: what needs attention comes as plain lines. */
const struct sink *sink_choose(int choice, bool terminal, bool quiet) {
    if (choice == AUTO) choice = terminal ? BAR : PLAIN;
    if (choice == BAR && quiet) choice = PLAIN;
    return sink_table[choice - 1];
}

struct listener *sinks_open(struct arena *arena, const struct sink *display, const struct sink_request *request) {
    struct listener *first = display ? display->open(arena, request) : NULL;
    for (const struct sink *const *s = sinks_beside; *s; s++) {
        struct listener *listener = (*s)->open(arena, request);
        if (!listener) continue;
        listener->next = first;
        first = listener;
    }
    return first;
}

bool sink_unicode(void) { return strcmp(nl_langinfo(CODESET), "UTF-8") == 0; }
