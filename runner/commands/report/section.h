/* The parts of a page, in the order in which they stand. Each writes itself whole, or nothing when there is nothing to
 * tell; report_page() then leaves it out of the contents too. */
#pragma once
#include "base/text.h"
#include "commands/report/facts.h"

struct section {
    const char *id, *title;
    void (*write)(const struct report *, struct text *);
};

void section_error(const struct report *, struct text *);
void section_totals(const struct report *, struct text *);
void section_steps(const struct report *, struct text *);
void section_tree(const struct report *, struct text *);
void section_time(const struct report *, struct text *);
void section_timeline(const struct report *, struct text *);
void section_slowest(const struct report *, struct text *);
void section_kept(const struct report *, struct text *);
void section_webhooks(const struct report *, struct text *);
void section_plan(const struct report *, struct text *);
void section_sql(const struct report *, struct text *);
void section_about(const struct report *, struct text *);

/* Parts of section_time(). */
struct chart;
void chart_steps(const struct report *, struct text *);
void chart_breaks(const struct chart *); /* when nobody worked on the run */
