/* What endpoints are sent: signatures by known vectors, the CloudEvent, the words for Slack, who wants what. */
#include "events/message.h"

#include <stdlib.h>
#include <string.h>

#include "events/event_json.h"
#include "events/slack.h"
#include "plan/secret.h"
#include "unit.h"

/* The vector that libraries of Standard Webhooks test themselves with. */
#define KNOWN_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define KNOWN_ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define KNOWN_BODY "{\"test\": 2432232314}"
#define KNOWN_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
enum { KNOWN_TIME = 1614265330 };

/* 32 bytes 0x00 to 0x1f; made with: printf ID.TIME.BODY | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001..1f */
#define OTHER_SECRET "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define OTHER_SIGNATURE "v1,O4Gjv1HqPqsMrjmczoggs/sWA8gZD0VyHG+fLh4+ktI="

static struct endpoint endpoint_with(int format, const char **secrets, size_t count) {
    return (struct endpoint){.name = "e", .format = format, .secrets = {secrets, count}};
}

static const char *header(const char *const *headers, const char *name) {
    for (size_t length = strlen(name); *headers; headers++)
        if (strncmp(*headers, name, length) == 0 && strncmp(*headers + length, ": ", 2) == 0)
            return *headers + length + 2;
    return NULL;
}

UNIT(the_published_vector_is_signed_as_published) {
    struct endpoint endpoint = endpoint_with(ENDPOINT_WEBHOOK, (const char *[]){KNOWN_SECRET}, 1);
    const char *const *headers = message_headers(arena, &endpoint, KNOWN_ID, KNOWN_BODY, KNOWN_TIME);
    assert_string_equal(header(headers, "webhook-id"), KNOWN_ID);
    assert_string_equal(header(headers, "webhook-timestamp"), "1614265330");
    assert_string_equal(header(headers, "webhook-signature"), KNOWN_SIGNATURE);
    assert_string_equal(header(headers, "content-type"), "application/cloudevents+json; charset=utf-8");
}

UNIT(several_secrets_sign_the_same_text_in_their_order) {
    struct endpoint endpoint = endpoint_with(ENDPOINT_WEBHOOK, (const char *[]){OTHER_SECRET, KNOWN_SECRET}, 2);
    const char *const *headers = message_headers(arena, &endpoint, KNOWN_ID, KNOWN_BODY, KNOWN_TIME);
    assert_string_equal(header(headers, "webhook-signature"), OTHER_SIGNATURE " " KNOWN_SIGNATURE);
}

UNIT(without_a_secret_nothing_is_signed) {
    struct endpoint endpoint = endpoint_with(ENDPOINT_SLACK, NULL, 0);
    const char *const *headers = message_headers(arena, &endpoint, KNOWN_ID, KNOWN_BODY, KNOWN_TIME);
    assert_null(header(headers, "webhook-signature"));
    assert_string_equal(header(headers, "webhook-id"), KNOWN_ID);
    assert_string_equal(header(headers, "content-type"), "application/json; charset=utf-8");
}

UNIT(secrets_are_base64_of_24_to_64_bytes) {
    struct secret_key key;
    assert_true(secret_key(KNOWN_SECRET, &key));
    assert_int_equal(key.length, 24);
    assert_true(secret_key(OTHER_SECRET, &key));
    assert_int_equal(key.length, 32);
    for (size_t i = 0; i < 32; i++) assert_int_equal(key.bytes[i], i);
    char most[128] = "whsec_";
    memset(most + 6, 'A', 85);
    strcpy(most + 6 + 85, "A=="); /* 88 letters: 64 bytes */
    assert_true(secret_key(most, &key));
    assert_int_equal(key.length, 64);
    static const char *const wrong[] = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", /* 22 bytes */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
        "whsec_ MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", /* no whole group of four */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaL=Sw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw====",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La-_Sw", /* base64 of urls */
        "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", /* 65 */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(secret_key(wrong[i], &key));
}

static bool wants(const struct endpoint *endpoint, const char *event) {
    for (int type = 0; type < EVENT_TYPES; type++)
        if (strcmp(event_name((enum event_type)type), event) == 0)
            return message_wanted(endpoint, (enum event_type)type);
    assert_non_null(NULL);
    return false;
}

UNIT(words_stand_for_families_and_types_for_themselves) {
    struct endpoint endpoint = {.events = {(const char *[]){"run", "step.finished", "progress"}, 3}};
    assert_true(wants(&endpoint, "run.started"));
    assert_true(wants(&endpoint, "run.failed"));
    assert_true(wants(&endpoint, "step.finished"));
    assert_false(wants(&endpoint, "step.started"));
    assert_true(wants(&endpoint, "progress"));
    assert_false(wants(&endpoint, "approval.needed"));
    assert_false(wants(&endpoint, "batch.committed"));
    struct endpoint all = {.events = {(const char *[]){"run", "step", "progress", "throttle", "approval", "batch"}, 6}};
    for (int type = 0; type < EVENT_TYPES; type++)
        assert_int_equal(message_wanted(&all, (enum event_type)type), type != EVENT_NOTICE);
}

/* ---- bodies */

static const struct event_step steps[] = {{"track", STEP_DONE, 84880, 84880, -1, -1, 2000},
                                          {"delete", STEP_RUNNING, 45000, 84880, 3, 45, 40000},
                                          {"vacuum", STEP_WAITING, 0, -1, -1, -1, -1}};

static struct event an_event(enum event_type type) {
    return (struct event){.type = type,
                          .run = 7,
                          .plan = "dedupe",
                          .environment = "production",
                          .table = "public.t",
                          .steps = steps,
                          .step_count = 3,
                          .step = 1,
                          .rate = 1200,
                          .eta_ms = 33000,
                          .batch_size = 1000,
                          .lag_ms = -1,
                          .waiting_ms = -1,
                          .ms = 192000};
}

static const char *body_of(struct arena *arena, int format, const struct event *event, const char *database) {
    struct endpoint endpoint = endpoint_with(format, NULL, 0);
    json_t *data = event_object(arena, event);
    struct message message = {"evt_1", database, event, data};
    const char *body = message_body(arena, &endpoint, &message);
    json_decref(data);
    return body;
}

static const char *at(const json_t *object, const char *key) { return json_string_value(json_object_get(object, key)); }

UNIT(a_webhook_is_a_cloud_event) {
    struct event event = an_event(EVENT_RUN_STARTED);
    json_t *body = json_loads(body_of(arena, ENDPOINT_WEBHOOK, &event, "shop"), JSON_REJECT_DUPLICATES, NULL);
    json_t *data = json_object_get(body, "data");
    assert_string_equal(at(body, "specversion"), "1.0");
    assert_string_equal(at(body, "id"), "evt_1");
    assert_string_equal(at(body, "source"), "pgwinnow/shop/7");
    assert_string_equal(at(body, "type"), "pgwinnow.run.started");
    assert_string_equal(at(body, "subject"), "dedupe");
    assert_string_equal(at(body, "datacontenttype"), "application/json");
    assert_string_equal(at(data, "type"), "run.started");
    assert_string_equal(at(body, "time"), at(data, "time"));
    assert_string_equal(at(body, "timestamp"), at(data, "time"));
    assert_int_equal(json_array_size(json_object_get(data, "steps")), 3);
    assert_int_equal(json_object_size(body), 9);
    json_decref(body);
}

UNIT(a_database_of_any_name_makes_a_valid_source) {
    struct event event = an_event(EVENT_PROGRESS);
    json_t *body = json_loads(body_of(arena, ENDPOINT_WEBHOOK, &event, "my shop/\xc3\xa9?#%"), 0, NULL);
    assert_string_equal(at(body, "source"), "pgwinnow/my%20shop%2F%C3%A9%3F%23%25/7");
    json_decref(body);
}

UNIT(slack_gets_a_text_and_nothing_else) {
    struct event event = an_event(EVENT_PROGRESS);
    event.waiting = "a standby is <5 s> behind & \"slow\"";
    json_t *body = json_loads(body_of(arena, ENDPOINT_SLACK, &event, "shop"), 0, NULL);
    assert_int_equal(json_object_size(body), 1);
    assert_string_equal(at(body, "text"), ":hourglass_flowing_sand: *dedupe* (production) is under way\n"
                                          "`delete`: 45,000 of 84,880 rows (53 %), 1,200 rows/s, about 33 s left\n"
                                          ":hourglass: waits: a standby is &lt;5 s&gt; behind &amp; \"slow\"");
    json_decref(body);
}

UNIT(numbers_read_as_they_were_written) {
    struct event event = an_event(EVENT_PROGRESS);
    event.ms = 945946;
    assert_non_null(strstr(body_of(arena, ENDPOINT_WEBHOOK, &event, "shop"), "\"run_seconds\":945.946,"));
}

static const char *slack_of(struct arena *arena, const struct event *event) {
    return slack_text(arena, &(struct message){"evt_1", "shop", event, NULL});
}

UNIT(slack_says_how_steps_and_runs_end) {
    struct event event = an_event(EVENT_STEP_FINISHED);
    assert_non_null(strstr(slack_of(arena, &event), " ended a step\n`delete`: 45,000 rows in 40.0 s, 3 spared"));
    event.type = EVENT_RUN_FINISHED;
    assert_non_null(strstr(slack_of(arena, &event), " is done after 3 min 12 s\n`track` 84,880, `delete` 45,000"));
    event.type = EVENT_RUN_PAUSED;
    event.exit_code = 75;
    event.hint = "`pgwinnow run p.yaml` goes on";
    const char *text = slack_of(arena, &event);
    assert_non_null(strstr(text, " has stopped after 3 min 12 s, before the end\n"));
    assert_non_null(strstr(text, "\n`pgwinnow run p.yaml` goes on"));
    event.exit_code = 0; /* its runner stays, so nothing has stopped */
    assert_non_null(strstr(slack_of(arena, &event), "*dedupe* (production) is paused\n"));
    event.type = EVENT_RUN_FAILED;
    event.exit_code = 3; /* docs/exit-codes.md: refused */
    event.message = "expected 5";
    event.hint = "the query was: SELECT 1\n      run again when it holds";
    text = slack_of(arena, &event);
    assert_non_null(strstr(text, " was refused after 3 min 12 s at step `delete`\nexpected 5\nthe query was: SELECT 1\n"
                                 "run again when it holds"));
    event.type = EVENT_THROTTLE_WAITING;
    event.message = "a standby is behind";
    event.hint = "that is less than 1.5 s";
    assert_non_null(strstr(slack_of(arena, &event), " waits\na standby is behind\nuntil that is less than 1.5 s"));
}

UNIT(slack_is_told_what_to_type) {
    struct event event = an_event(EVENT_APPROVAL_NEEDED);
    event.message = "Look at the counts.";
    event.hint = "pgwinnow approve 7";
    const char *text = slack_of(arena, &event);
    assert_non_null(strstr(text, "needs an approval\nLook at the counts.\n`pgwinnow approve 7`"));
    event.hint = "go on with `pgwinnow run plan.yaml`";
    assert_non_null(strstr(slack_of(arena, &event), "\ngo on with `pgwinnow run plan.yaml`"));
}

/* A step that has no rows, and waits for a person. */
UNIT(slack_says_how_long_it_has_waited) {
    static const struct event_step approve[] = {{.name = "approve", .state = STEP_RUNNING, .rows = -1, .total = -1}};
    struct event event = an_event(EVENT_PROGRESS);
    event.steps = approve;
    event.step_count = 1;
    event.step = 0;
    event.rate = event.eta_ms = -1;
    event.waiting = "an approval: Look.";
    event.waiting_ms = 4000;
    event.until = "pgwinnow approve 7";
    assert_non_null(strstr(slack_of(arena, &event), " is under way\n`approve`\n"
                                                    ":hourglass: has waited for 4.0 s: an approval: Look.\n"
                                                    "until pgwinnow approve 7"));
}

UNIT(nobody_is_mentioned_from_outside) {
    struct event event = an_event(EVENT_RUN_FAILED);
    event.message = "<!channel> <https://evil|click>\n*all*";
    event.table = "`<!here>`";
    const char *text = slack_of(arena, &event);
    assert_null(strchr(text, '<'));
    assert_null(strchr(text, '>'));
    assert_non_null(strstr(text, "&lt;!channel&gt;"));
    event.type = EVENT_RUN_STARTED;
    assert_non_null(strstr(slack_of(arena, &event), "table `'&lt;!here&gt;'` of database `shop`"));
}

/* What a server says can quote a row; a message of 100 kB would be refused. */
UNIT(slack_is_short) {
    struct event event = an_event(EVENT_RUN_FAILED);
    char *long_one = arena_alloc(arena, 100001);
    memset(long_one, '&', 100000);
    event.message = event.hint = long_one;
    event.detail = "Key (mail)=(a@b) already exists.";
    const char *text = slack_of(arena, &event);
    assert_true(strlen(text) < 10000);
    assert_null(strstr(text, "a@b"));
}

RUN(UNIT_TEST(the_published_vector_is_signed_as_published),
    UNIT_TEST(several_secrets_sign_the_same_text_in_their_order), UNIT_TEST(without_a_secret_nothing_is_signed),
    UNIT_TEST(secrets_are_base64_of_24_to_64_bytes), UNIT_TEST(words_stand_for_families_and_types_for_themselves),
    UNIT_TEST(a_webhook_is_a_cloud_event), UNIT_TEST(a_database_of_any_name_makes_a_valid_source),
    UNIT_TEST(slack_gets_a_text_and_nothing_else), UNIT_TEST(numbers_read_as_they_were_written),
    UNIT_TEST(slack_says_how_long_it_has_waited), UNIT_TEST(slack_says_how_steps_and_runs_end),
    UNIT_TEST(slack_is_told_what_to_type), UNIT_TEST(nobody_is_mentioned_from_outside), UNIT_TEST(slack_is_short))
