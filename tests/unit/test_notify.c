/* `notify` of plans: defaults, names, what is wrong with endpoints, and that nothing secret is told. */
#include <stdlib.h>

#include "plan/plan.h"
#include "reading_plans.h"

#define HEAD "plan: p\ntable: t\n"
#define STEPS "steps: [discover]\n"
#define GOOD "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static void expect_events(const struct endpoint *endpoint, const char *const *events, size_t count) {
    assert_int_equal(endpoint->events.count, count);
    for (size_t i = 0; i < count; i++) assert_string_equal(endpoint->events.items[i], events[i]);
}

UNIT(endpoints_have_the_products_defaults) {
    struct outcome o = read_plan(arena, HEAD "notify:\n- url: https://hooks.acme.com/T1/B2\n"
                                             "- { url: http://127.0.0.1:80, format: slack }\n" STEPS);
    expect_none(&o);
    assert_int_equal(o.plan->endpoint_count, 2);
    const struct endpoint *e = o.plan->endpoints;
    assert_string_equal(e[0].name, "https://hooks.acme.com");
    assert_string_equal(e[0].url, "https://hooks.acme.com/T1/B2");
    assert_int_equal(e[0].secrets.count, 0);
    expect_events(&e[0], (const char *[]){"run", "step", "progress", "throttle", "approval"}, 5);
    assert_int_equal(e[0].every, 30000);
    assert_int_equal(e[0].format, ENDPOINT_WEBHOOK);
    assert_int_equal(e[0].timeout, 10000);
    assert_int_equal(e[0].place.line, 4);
    assert_string_equal(e[1].name, "http://127.0.0.1:80");
    expect_events(&e[1], (const char *[]){"run", "progress", "throttle", "approval"}, 4);
    assert_int_equal(e[1].every, 600000);
    assert_int_equal(e[1].format, ENDPOINT_SLACK);
}

UNIT(what_is_given_is_taken) {
    struct outcome o = read_plan(arena, HEAD "notify:\n- { url: https://a.b/c, secret: [" GOOD ", " GOOD "], as: ops,\n"
                                             "    events: [run.failed, batch], every: 1min, timeout: 2s }\n" STEPS);
    expect_none(&o);
    const struct endpoint *e = o.plan->endpoints;
    assert_string_equal(e->name, "ops");
    assert_int_equal(e->secrets.count, 2);
    expect_events(e, (const char *[]){"run.failed", "batch"}, 2);
    assert_int_equal(e->every, 60000);
    assert_int_equal(e->timeout, 2000);
    o = read_plan(arena, HEAD "notify: [ { url: https://a.b/c, secret: " GOOD ", events: run } ]\n" STEPS);
    expect_none(&o);
    assert_int_equal(o.plan->endpoints->secrets.count, 1);
    expect_events(o.plan->endpoints, (const char *[]){"run"}, 1);
}

/* Each is the beginning of the url as the plan writes it, without what may be secret. */
UNIT(names_are_the_beginnings_of_urls) {
    static const struct {
        const char *url, *name;
    } cases[] = {
        {"https://hooks.slack.com/services/T0/B0/XXXX", "https://hooks.slack.com"},
        {"https://a.b:8443?token=1", "https://a.b:8443"},
        {"https://${HOST}/secret", "https://${HOST}"},
        {"${SLACK_URL}", "${SLACK_URL}"},
        {"${BASE}/secret", "${BASE}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o =
            read_plan(arena, arena_printf(arena, HEAD "notify: [ { url: \"%s\" } ]\n" STEPS, cases[i].url));
        expect_none(&o);
        assert_string_equal(o.plan->endpoints->name, cases[i].name);
    }
}

UNIT(urls_that_cannot_work_are_told_without_showing_them) {
    static const struct {
        const char *url, *flaw;
    } cases[] = {
        {"", "is empty"},
        {"ftp://hidden.example/", "begins neither"},
        {"hidden.example", "begins neither"},
        {"file:///hidden", "begins neither"},
        {"https://user:hidden@a.b/c", "user or password"},
        {"https://hidden@a.b/c", "user or password"},
        {"https:///hidden", "names no host"},
        {"https://", "names no host"},
        {"https://:443/hidden", "names no host"},
        {"https://a.b:/hidden", "names no host"},
        {"https://a:b/hidden", "names no host"},
        {"https://[]/hidden", "names no host"},
        {"https://a.b/hidden part", "blanks"},
        {"https://a.b/hidden\tpart", "blanks"},
        {"https://a.b/hidden\r\nX-Evil: 1", "blanks"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("PGW_HOOK", cases[i].url, 1);
        struct outcome o = read_request(arena, HEAD "notify: [ { url: \"${PGW_HOOK}\" } ]\n" STEPS,
                                        (struct plan_request){.notifies = true});
        expect_only(&o, 3, 18, cases[i].flaw, NULL);
        assert_non_null(strstr(o.problems.items[0].message, "${PGW_HOOK}"));
        assert_null(strstr(o.problems.items[0].message, "hidden"));
        assert_null(strstr(o.problems.items[0].hint, "hidden"));
    }
    unsetenv("PGW_HOOK");
    static const char *const good[] = {"HTTPS://a.b", "http://[::1]:8080/x", "http://localhost", "https://a.b?x#y",
                                       "https://a.b/~user@c"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct outcome o = read_plan(arena, arena_printf(arena, HEAD "notify: [ { url: \"%s\" } ]\n" STEPS, good[i]));
        expect_none(&o);
    }
}

UNIT(secrets_that_are_none_are_told_without_showing_them) {
    setenv("PGW_SECRET", "whsec_hidden", 1);
    struct outcome o =
        read_request(arena, HEAD "notify: [ { url: https://a.b, secret: [" GOOD ", \"${PGW_SECRET}\"] } ]\n" STEPS,
                     (struct plan_request){.notifies = true});
    expect_only(&o, 3, 80, "one of the secrets of https://a.b is no secret", "openssl rand");
    assert_null(strstr(o.problems.items[0].message, "hidden"));
    o = read_request(arena, HEAD "notify: [ { url: https://a.b, secret: hidden } ]\n" STEPS,
                     (struct plan_request){.notifies = true});
    expect_only(&o, 3, 39, "the secret of https://a.b is no secret", NULL);
    assert_null(strstr(o.problems.items[0].message, "hidden"));
    unsetenv("PGW_SECRET");
}

UNIT(variables_of_endpoints_are_needed_when_somebody_is_told) {
    const char *text = HEAD "notify: [ { url: \"${PGW_NOT_SET}/x\", secret: \"${PGW_NOT_SET_EITHER}\" } ]\n" STEPS;
    struct outcome o = read_plan(arena, text);
    expect_none(&o);
    assert_null(o.plan->endpoints->url);
    assert_string_equal(o.plan->endpoints->name, "${PGW_NOT_SET}");
    o = read_request(arena, text, (struct plan_request){.notifies = true});
    assert_int_equal(o.problems.count, 2);
    expect(&o, 0, 3, 18, "the environment variable 'PGW_NOT_SET' is not set", NULL);
    expect(&o, 1, 3, 46, "the environment variable 'PGW_NOT_SET_EITHER' is not set", NULL);
}

UNIT(misspelt_events_suggest_the_nearest) {
    static const struct {
        const char *word, *hint;
    } cases[] = {
        {"stpe", "'step'"}, {"run.fialed", "'run.failed'"}, {"notice", "or a type like"}, {"run.", NULL}, {"ru", NULL},
        {"commited", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o =
            read_plan(arena, arena_printf(arena, HEAD "notify: [ { url: https://a.b, events: [run, %s] } ]\n" STEPS,
                                          cases[i].word));
        expect_only(&o, 3, 45, arena_printf(arena, "there is no event '%s'", cases[i].word), cases[i].hint);
    }
}

UNIT(two_of_one_name_are_told_apart_by_as) {
    struct outcome o = read_plan(arena, HEAD "notify:\n- url: https://a.b/c\n- url: https://a.b/d\n" STEPS);
    expect_only(&o, 5, 3, "two endpoints go by the name 'https://a.b'", "as: other-name");
    o = read_plan(arena, HEAD "notify:\n- url: https://a.b/c\n- { url: https://a.b/d, as: other }\n" STEPS);
    expect_none(&o);
    o = read_plan(arena, HEAD "notify:\n- { url: https://a.b/d, as: Not Plain }\n" STEPS);
    expect_only(&o, 4, 29, "'Not Plain' cannot be an endpoint's name", NULL);
}

UNIT(an_endpoint_is_a_map_with_a_url) {
    struct outcome o = read_plan(arena, HEAD "notify: https://a.b/c\n" STEPS);
    expect_only(&o, 3, 9, "'notify' takes a list of maps of keys", "begin each with");
    o = read_plan(arena, HEAD "notify: [ https://a.b/c, https://a.b/d ]\n" STEPS);
    assert_int_equal(o.problems.count, 2);
    expect(&o, 0, 3, 11, "'notify' takes a map of keys", NULL);
    o = read_plan(arena, HEAD "notify: [ { format: slakc } ]\n" STEPS);
    assert_int_equal(o.problems.count, 2);
    expect(&o, 0, 3, 11, "the key 'url' is missing", NULL);
    expect(&o, 1, 3, 21, "'format' takes webhook or slack", "did you mean 'slack'");
}

UNIT(an_environment_has_its_own) {
    const char *text = HEAD "notify: [ { url: https://a.b } ]\nenvironments:\n  same: { confirm: true }\n"
                            "  other: { notify: [ { url: \"${PGW_NOT_SET}\" }, { url: https://e.f } ] }\n"
                            "  none: { notify: [] }\n" STEPS;
    struct outcome o = read_request(arena, text, (struct plan_request){.environment = "same", .notifies = true});
    expect_none(&o);
    assert_int_equal(o.plan->endpoint_count, 1);
    assert_string_equal(o.plan->endpoints->name, "https://a.b");
    o = read_request(arena, text, (struct plan_request){.environment = "none", .notifies = true});
    expect_none(&o);
    assert_int_equal(o.plan->endpoint_count, 0);
    o = read_request(arena, text, (struct plan_request){.environment = "other"});
    expect_none(&o);
    assert_int_equal(o.plan->endpoint_count, 2);
    assert_string_equal(o.plan->endpoints[1].url, "https://e.f");
    o = read_request(arena, text, (struct plan_request){.environment = "other", .notifies = true});
    expect_only(&o, 6, 29, "'PGW_NOT_SET' is not set", NULL);
}

UNIT(who_is_told_makes_no_other_plan) {
    struct outcome o = read_plan(arena, HEAD STEPS);
    struct outcome other = read_plan(arena, HEAD "notify: [ { url: https://a.b } ]\n" STEPS);
    expect_none(&other);
    assert_string_equal(definition(arena, o.plan), definition(arena, other.plan));
}

RUN(UNIT_TEST(endpoints_have_the_products_defaults), UNIT_TEST(what_is_given_is_taken),
    UNIT_TEST(names_are_the_beginnings_of_urls), UNIT_TEST(urls_that_cannot_work_are_told_without_showing_them),
    UNIT_TEST(secrets_that_are_none_are_told_without_showing_them),
    UNIT_TEST(variables_of_endpoints_are_needed_when_somebody_is_told), UNIT_TEST(misspelt_events_suggest_the_nearest),
    UNIT_TEST(two_of_one_name_are_told_apart_by_as), UNIT_TEST(an_endpoint_is_a_map_with_a_url),
    UNIT_TEST(an_environment_has_its_own), UNIT_TEST(who_is_told_makes_no_other_plan))
