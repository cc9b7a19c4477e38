/* The keys of `lua`. The bounds keep a call well under the lease, and a group within what a batch may hold. */
#include "plan/rule.h"

#define AT(member) offsetof(struct rule, member)
const struct option rule_options[] = {
    {"file", OPTION_FILE, AT(file), .about = "the rule file, relative to the plan", .flags = OPTION_REQUIRED},
    {"memory", OPTION_SIZE, AT(memory), .about = "memory that rules may use, the rows of a group included",
     .fallback = "64MB", .least = 1024 * 1024, .most = 4LL * 1024 * 1024 * 1024},
    {"time", OPTION_DURATION, AT(time), .about = "how long a rule may think about a group", .fallback = "2s",
     .least = 1, .most = 30000},
    {"rows", OPTION_COUNT, AT(rows), .about = "rows of the largest group that rules are asked about",
     .fallback = "10000", .least = 2, .most = 1000000},
    {0},
};
#undef AT
