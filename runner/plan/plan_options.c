/* The keys of a plan that are no step's: tables only. Their defaults are those of the product. */
#include "plan/reading.h"

enum { HOUR = 3600000, DAY = 24 * HOUR, MINUTE = 60000, MOST_ROWS = 1000000 };

#define AT(member) offsetof(struct batch_settings, member)
const struct option batch_options[] = {
    {"size", OPTION_COUNT, AT(size), .about = "rows a transaction changes at first, children included",
     .fallback = "1000", .least = 1, .most = MOST_ROWS},
    {"min", OPTION_COUNT, AT(min), .about = "never fewer rows than this", .fallback = "50", .least = 1,
     .most = MOST_ROWS},
    {"max", OPTION_COUNT, AT(max), .about = "never more rows than this", .fallback = "50000", .least = 1,
     .most = MOST_ROWS},
    {"target", OPTION_DURATION, AT(target), .about = "how long a transaction should take: the size follows it",
     .fallback = "500ms", .least = 1, .most = HOUR},
    {"pause", OPTION_DURATION, AT(pause), .about = "between two transactions of a worker", .fallback = "50ms",
     .least = 0, .most = HOUR},
    {"workers", OPTION_COUNT, AT(workers), .about = "connections that work at once", .fallback = "1", .least = 1,
     .most = 64},
    {0},
};
#undef AT

/* 0 would mean no limit at all to the server: others would queue behind us for as long as it takes. */
#define AT(member) offsetof(struct lock_settings, member)
const struct option lock_options[] = {
    {"lock_timeout", OPTION_DURATION, AT(lock_timeout),
     .about = "how long a batch waits for a row or table that others hold", .fallback = "100ms", .least = 1,
     .most = 10 * MINUTE},
    {"ddl_timeout", OPTION_DURATION, AT(ddl_timeout),
     .about = "the same for statements that change a table's definition", .fallback = "1s", .least = 1,
     .most = 10 * MINUTE},
    {"statement_timeout", OPTION_DURATION, AT(statement_timeout), .about = "how long a statement of a batch may take",
     .fallback = "10min", .least = 1, .most = 7 * DAY},
    {"retries", OPTION_COUNT, AT(retries), .about = "tries after a lost lock, deadlock or connection", .fallback = "10",
     .least = 0, .most = 1000},
    {0},
};
#undef AT

#define AT(member) offsetof(struct lag_settings, member)
static const struct option lag_options[] = {
    {"limit", OPTION_DURATION, AT(limit), .about = "how far a standby may be behind", .fallback = "1500ms",
     .flags = OPTION_OFF, .least = 250, .most = DAY},
    {"ignore", OPTION_TEXTS, AT(ignore),
     .about = "standbys that do not count, by application name or slot: delayed ones"},
    {"expect", OPTION_TEXTS, AT(expect),
     .about = "standbys that must be there, besides those that were seen and those with a slot"},
    {0},
};
#undef AT

#define AT(member) offsetof(struct query_settings, member)
static const struct option query_options[] = {
    {"sql", OPTION_SQL, AT(sql), .about = "a SELECT of one number, asked once a second: it has one second",
     .flags = OPTION_REQUIRED},
    {"above", OPTION_COUNT, AT(above), .about = "the run waits while the answer is more than this, or NULL",
     .flags = OPTION_REQUIRED},
    {0},
};
#undef AT

#define AT(member) offsetof(struct throttle_settings, member)
const struct option throttle_options[] = {
    {"replica_lag", OPTION_GROUP, AT(replica_lag), .about = "no standby may be further behind", .group = lag_options,
     .shorthand = "limit"},
    {"slot_lag", OPTION_SIZE, AT(slot_lag), .about = "most WAL that a replication slot may hold back",
     .flags = OPTION_OFF, .least = 1},
    {"wal_rate", OPTION_RATE, AT(wal_rate), .about = "most WAL that the whole server may write", .flags = OPTION_OFF,
     .least = 1},
    {"oldest_transaction", OPTION_DURATION, AT(oldest_transaction),
     .about = "most age of what keeps dead rows from being vacuumed: transactions, slots, standbys, prepared ones",
     .flags = OPTION_OFF, .least = 1000},
    {"waiters", OPTION_COUNT, AT(waiters), .about = "the run waits while so many sessions wait for locks that it holds",
     .flags = OPTION_OFF, .least = 1},
    {"query", OPTION_GROUP, AT(query), .about = "a question of your own", .flags = OPTION_OFF, .group = query_options,
     .size = sizeof(struct query_settings)},
    {"window", OPTION_WINDOW, AT(window), .about = "when it may work: from, to, and a time zone (the server's)",
     .flags = OPTION_OFF},
    {"give_up", OPTION_DURATION, AT(give_up), .about = "waited that long in one go: the run stops, exit code 75",
     .flags = OPTION_OFF, .least = 1000},
    {0},
};
#undef AT

/* What `pgwinnow set` may change under way: all that does not make it another plan. */
const struct option settings_options[] = {
    {"batch", OPTION_GROUP, offsetof(struct settings, batch), .about = "how much a transaction changes",
     .group = batch_options},
    {"locks", OPTION_GROUP, offsetof(struct settings, locks), .about = "how long statements wait and run",
     .group = lock_options},
    {"throttle", OPTION_GROUP, offsetof(struct settings, throttle), .about = "what the run waits for",
     .group = throttle_options},
    {0},
};

const struct option archive_options[] = {
    {"on", OPTION_FLAG, offsetof(struct archive_settings, on),
     .about = "false: what is removed or changed cannot be undone", .fallback = "true"},
    {"keep", OPTION_DURATION, offsetof(struct archive_settings, keep),
     .about = "how long after the run's end `clean` leaves the archive alone", .fallback = "30d", .least = 0},
    {0},
};

static const char *const published_choices[] = {"refuse", "accept", NULL};

const struct option state_options[] = {
    {"published", OPTION_CHOICE, offsetof(struct state_settings, published),
     .about = "where a publication of all tables would carry pgwinnow's own; accept: subscribers have been given them",
     .fallback = "refuse", .choices = published_choices},
    {0},
};

static const char *const format_choices[] = {"webhook", "slack", NULL};

#define AT(member) offsetof(struct endpoint, member)
const struct option endpoint_options[] = {
    {"url", OPTION_TEXT, AT(url), .about = "where: http or https; from the process environment it stays secret",
     .flags = OPTION_REQUIRED | OPTION_SECRET | OPTION_LATE},
    {"secret", OPTION_TEXTS, AT(secrets),
     .about = "signs the requests: `whsec_` and base64; of several the newest first, while they are rotated",
     .flags = OPTION_SECRET | OPTION_LATE},
    {"events", OPTION_TEXTS, AT(events),
     .about = "run, step, progress, throttle, approval, batch, or types like run.failed; default: all but batch, for "
              "Slack all but batch and step"},
    {"every", OPTION_DURATION, AT(every), .about = "between two of `progress`; default: 30s, for Slack 10min",
     .least = 1000, .most = DAY},
    {"format", OPTION_CHOICE, AT(format), .about = "a signed CloudEvent, or a message for Slack", .fallback = "webhook",
     .choices = format_choices},
    {"timeout", OPTION_DURATION, AT(timeout), .about = "how long a request may take", .fallback = "10s", .least = 100,
     .most = 2 * MINUTE},
    {"as", OPTION_TEXT, AT(name), .about = "its name; default: the beginning of the url, without its path"},
    {0},
};
#undef AT

const struct option variable_options[] = {
    {"default", OPTION_TEXT, offsetof(struct variable_keys, fallback),
     .about = "the value when nothing else gives one"},
    {"about", OPTION_TEXT, offsetof(struct variable_keys, about), .about = "what it is for"},
    {"env", OPTION_FLAG, offsetof(struct variable_keys, env),
     .about = "true: the environment variable of that name gives the value", .fallback = "false"},
    {0},
};

#define AT(member) offsetof(struct environment_keys, member)
const struct option environment_options[] = {
    {"database", OPTION_TEXT, AT(database), .about = "where: a libpq URL or keyword string; may go through PgBouncer",
     .flags = OPTION_SECRET},
    {"database_direct", OPTION_TEXT, AT(database_direct),
     .about = "past the pooler, for what cannot go through one: concurrent indexes, vacuum", .flags = OPTION_SECRET},
    {"confirm", OPTION_FLAG, AT(confirm), .about = "asks for the plan's name before it runs; --yes in a script",
     .fallback = "false"},
    {"batch", OPTION_GROUP, AT(settings.batch), .about = "as in the plan, for this environment",
     .group = batch_options},
    {"locks", OPTION_GROUP, AT(settings.locks), .about = "as in the plan, for this environment", .group = lock_options},
    {"throttle", OPTION_GROUP, AT(settings.throttle), .about = "as in the plan, for this environment",
     .group = throttle_options},
    {"notify", OPTION_GROUPS, AT(notify), .about = "instead of the plan's, for this environment",
     .group = endpoint_options, .size = sizeof(struct endpoint)},
    {0},
};
#undef AT

static const struct option when_options[] = {
    {"query", OPTION_SQL, offsetof(struct when, query), .about = "a SELECT of one value", .flags = OPTION_REQUIRED},
    {"is", OPTION_TEXT, offsetof(struct when, is), .about = "the step runs only when the value is this",
     .flags = OPTION_REQUIRED},
    {0},
};

static const struct option step_archive_options[] = {
    {"off", OPTION_TEXT, 0, .about = "why: nothing that this step removes is kept, and undo refuses",
     .flags = OPTION_REQUIRED},
    {0},
};

#define AT(member) offsetof(struct step_keys, member)
const struct option step_common_options[] = {
    {"as", OPTION_TEXT, AT(as), .about = "another name for the step: needed when it appears twice"},
    {"batch", OPTION_GROUP, AT(settings.batch), .about = "as in the plan, for this step", .flags = OPTION_UNCOUNTED,
     .group = batch_options},
    {"locks", OPTION_GROUP, AT(settings.locks), .about = "as in the plan, for this step", .flags = OPTION_UNCOUNTED,
     .group = lock_options},
    {"throttle", OPTION_GROUP, AT(settings.throttle), .about = "as in the plan, for this step",
     .flags = OPTION_UNCOUNTED, .group = throttle_options},
    {"when", OPTION_GROUP, AT(when), .about = "runs the step only when a query says so", .group = when_options},
    {"archive", OPTION_GROUP, AT(archive_off), .about = "for steps that remove rows: keeps nothing of them",
     .group = step_archive_options},
    {0},
};
#undef AT

#define AT(member) offsetof(struct plan, member)
const struct option plan_options[] = {
    {"plan", OPTION_TEXT, AT(name), .about = "the plan's name: small letters, digits and '-'",
     .flags = OPTION_REQUIRED | OPTION_UNCOUNTED},
    {"about", OPTION_TEXT, AT(about), .about = "what it is for, in a line", .flags = OPTION_UNCOUNTED},
    {"table", OPTION_NAME, AT(table), .about = "the table that is cleaned", .flags = OPTION_REQUIRED},
    {"variables", OPTION_MAP, 0, .about = "names that ${NAME} in any value stands for", .flags = OPTION_UNCOUNTED,
     .group = variable_options, .item = OPTION_GROUP},
    {"environments", OPTION_MAP, 0, .about = "where it runs, chosen by --env", .flags = OPTION_UNCOUNTED,
     .group = environment_options, .item = OPTION_GROUP},
    {"batch", OPTION_GROUP, AT(settings.batch), .about = "how much a transaction changes", .flags = OPTION_UNCOUNTED,
     .group = batch_options},
    {"locks", OPTION_GROUP, AT(settings.locks), .about = "how long statements wait and run", .flags = OPTION_UNCOUNTED,
     .group = lock_options},
    {"throttle", OPTION_GROUP, AT(settings.throttle), .about = "what makes it wait", .flags = OPTION_UNCOUNTED,
     .group = throttle_options},
    {"notify", OPTION_GROUPS, AT(notify), .about = "who is told what happens", .flags = OPTION_UNCOUNTED,
     .group = endpoint_options, .size = sizeof(struct endpoint)},
    {"archive", OPTION_GROUP, AT(archive), .about = "keeps what is removed or changed, for undo",
     .group = archive_options, .shorthand = "on"},
    {"lane", OPTION_TEXT, AT(lane), .about = "where it queues: of the plans in a lane of a database one runs at a time",
     .fallback = "default", .flags = OPTION_UNCOUNTED},
    {"state", OPTION_GROUP, AT(state), .about = "the tables in which runs are recorded", .flags = OPTION_UNCOUNTED,
     .group = state_options},
    {"search_path", OPTION_NAMES, AT(search_path),
     .about = "for the SQL texts of the plan; default: the role's, recorded at the first run"},
    {"steps", OPTION_STEPS, 0, .about = "what is done, in this order", .flags = OPTION_REQUIRED | OPTION_UNCOUNTED},
    {0},
};
#undef AT
