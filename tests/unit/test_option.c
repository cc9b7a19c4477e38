/* Options: each kind of value, its bounds, what is said of a wrong one, absent values, and keys misspelt or missing. */
#include "plan/option.h"
#include "reading_plans.h"

static const struct fake_index *index_of(const struct outcome *o) {
    expect_none(o);
    return o->plan->steps[0].options;
}

UNIT(absent_values_are_marked_and_fallbacks_filled_in) {
    struct outcome o = read_plan(arena, "plan: p\ntable: t\nsteps: [index: {name: i}, discover, track: {}]\n");
    const struct fake_index *index = index_of(&o);
    assert_int_equal(index->wait, 120000);
    assert_int_equal(index->parallel, -1);
    assert_false(index->unique);
    assert_null(index->method);
    assert_int_equal(index->tables.count, 0);
    assert_int_equal(index->set.count, 0);
    const struct fake_discover *discover = o.plan->steps[1].options;
    assert_int_equal(discover->missing_index, FAKE_STOP);
    const struct fake_track *track = o.plan->steps[2].options;
    assert_null(track->where.text);
    assert_null(track->keep.first.text);
    assert_int_equal(track->expect.rows, -1);
    assert_int_equal(track->expect.wal, -1);
    assert_true(track->expect.share == -1);
}

UNIT(names_fold_and_know_their_place) {
    struct outcome o = read_index(arena, "  name: 'Public.\"I\"', tables: [A, b.C]");
    const struct fake_index *index = index_of(&o);
    assert_string_equal(index->name.schema, "public");
    assert_string_equal(index->name.name, "I");
    assert_int_equal(index->name.place.line, 6);
    assert_int_equal(index->name.place.column, 9);
    assert_int_equal(index->tables.count, 2);
    assert_string_equal(index->tables.items[0].name, "a");
    assert_string_equal(index->tables.items[1].schema, "b");
    assert_string_equal(index->tables.items[1].name, "c");
    o = read_index(arena, "  name: i, tables: one");
    assert_int_equal(index_of(&o)->tables.count, 1);
    o = read_index(arena, "  name: a.b.c");
    expect_only(&o, 6, 9, "'name' takes a name", "parts");
    o = read_index(arena, "  name: i, tables: []");
    expect_only(&o, 6, 20, "empty list", NULL);
    o = read_index(arena, "  name: i, tables: [a, 1b, [c]]");
    expect(&o, 0, 6, 24, "'1b'", NULL);
    expect(&o, 1, 6, 28, "not a list", NULL);
}

UNIT(capitals_in_quotes_of_yaml_are_not_lost_silently) {
    struct outcome o = read_index(arena, "  name: \"Listings\"");
    expect_only(&o, 6, 9, "the double quotes of 'name' are YAML's", "'\"Name\"'");
    o = read_index(arena, "  name: \"listings\"");
    assert_string_equal(index_of(&o)->name.name, "listings");
    o = read_index(arena, "  name: \"\\\"Listings\\\"\"");
    assert_string_equal(index_of(&o)->name.name, "Listings");
}

UNIT(a_scalar_stands_for_one_member_of_a_group) {
    struct outcome o = read_index(arena, "  name: i, limit: 3, limits: { a: 5, b: { wait: 1s } }");
    const struct fake_index *index = index_of(&o);
    assert_int_equal(index->limit.most, 3);
    assert_int_equal(index->limit.wait, 2000);
    assert_int_equal(index->limits.count, 2);
    const struct fake_limit *a = index->limits.items[0].options, *b = index->limits.items[1].options;
    assert_int_equal(a->most, 5);
    assert_int_equal(a->wait, 2000);
    assert_int_equal(b->most, -1);
    assert_int_equal(b->wait, 1000);
    struct outcome same =
        read_index(arena, "  name: i, limit: { most: 3 }, limits: { a: { most: 5 }, b: { wait: 1s } }");
    assert_true(json_equal(o.plan->definition, same.plan->definition));
    o = read_index(arena, "  name: i, limits: { a: 9 }");
    expect_only(&o, 6, 25, "'a'", NULL);
    o = read_index(arena, "  name: i, limit: [3]");
    expect_only(&o, 6, 19, "not a list", NULL);
}

UNIT(durations_take_a_unit_and_keep_their_bounds) {
    static const struct {
        const char *text;
        int64_t ms;
    } right[] = {{"1000ms", 1000}, {"2s", 2000}, {"10min", 600000}, {"1h", 3600000}};
    for (size_t i = 0; i < 4; i++) {
        struct outcome o = read_index(arena, arena_printf(arena, "  name: i, wait: %s", right[i].text));
        assert_int_equal(index_of(&o)->wait, right[i].ms);
    }
    static const char *const wrong[][2] = {{"5m", "ms s min h d"},
                                           {"5", "unit"},
                                           {"s", NULL},
                                           {"-1s", NULL},
                                           {"1.5s", NULL},
                                           {"5 s", NULL},
                                           {"99999999999999999999s", "large"},
                                           {"9223372036854775807d", "large"}};
    for (size_t i = 0; i < 8; i++) {
        struct outcome o = read_index(arena, arena_printf(arena, "  name: i, wait: %s", wrong[i][0]));
        expect_only(&o, 6, 18, "'wait' takes a duration", wrong[i][1]);
    }
    struct outcome o = read_index(arena, "  name: i, wait: 999ms");
    expect_only(&o, 6, 18, "from 1s to 1h, not '999ms'", NULL);
    o = read_index(arena, "  name: i, wait: 1d");
    expect_only(&o, 6, 18, "from 1s to 1h", NULL);
}

UNIT(counts_are_whole_numbers_within_bounds) {
    struct outcome o = read_index(arena, "  name: i, parallel: 0");
    assert_int_equal(index_of(&o)->parallel, 0);
    static const char *const wrong[] = {"9", "-1", "1.0", "1e3", "0x1", "two", "'1 '", "99999999999999999999"};
    for (size_t i = 0; i < 8; i++) {
        o = read_index(arena, arena_printf(arena, "  name: i, parallel: %s", wrong[i]));
        expect_only(&o, 6, 22, "'parallel' takes a whole number", NULL);
    }
}

UNIT(flags_are_true_or_false) {
    struct outcome o = read_index(arena, "  name: i, unique: true");
    assert_true(index_of(&o)->unique);
    o = read_index(arena, "  name: i, unique: yes");
    expect_only(&o, 6, 20, "'unique' takes true or false, not 'yes'", NULL);
}

static struct outcome read_track(struct arena *arena, const char *lines) {
    return read_plan(arena, arena_printf(arena, "plan: p\ntable: t\nsteps:\n- discover\n- track:\n%s\n", lines));
}

static const struct fake_track *track_of(const struct outcome *o) {
    expect_none(o);
    return o->plan->steps[1].options;
}

UNIT(shares_and_sizes_take_their_units) {
    struct outcome o = read_track(arena, "    expect: { share: 80%, wal: 2GB, rows: 0 }");
    const struct fake_track *track = track_of(&o);
    assert_true(track->expect.share == 0.8);
    assert_int_equal(track->expect.wal, 2147483648);
    assert_int_equal(track->expect.rows, 0);
    o = read_track(arena, "    expect: { share: 12.5%, wal: 3kB }");
    assert_true(track_of(&o)->expect.share == 0.125);
    assert_int_equal(track_of(&o)->expect.wal, 3072);
    o = read_track(arena, "    expect: { share: 0.8, wal: 2G, rows: -1 }");
    expect(&o, 0, 6, 22, "'share' takes a percentage, like 80%", "%");
    expect(&o, 1, 6, 32, "'wal' takes a size", "kB MB GB TB");
    expect(&o, 2, 6, 42, "'rows' takes a whole number of at least 0", NULL);
    o = read_track(arena, "    expect: { share: 101% }");
    expect_only(&o, 6, 22, "percentage", "more than 100%");
}

UNIT(choices_suggest_what_was_meant) {
    struct outcome o = read_plan(arena, "plan: p\ntable: t\nsteps: [discover: { missing_index: create }]\n");
    expect_none(&o);
    assert_int_equal(((struct fake_discover *)o.plan->steps[0].options)->missing_index, FAKE_CREATE);
    o = read_plan(arena, "plan: p\ntable: t\nsteps: [discover: { missing_index: crate }]\n");
    expect_only(&o, 3, 36, "'missing_index' takes create, ignore or stop, not 'crate'", "'create'");
}

UNIT(maps_keep_keys_with_their_places) {
    struct outcome o = read_plan(arena, "plan: p\ntable: t\nsteps:\n- discover:\n    children:\n"
                                        "      posts.id: set-null\n      \"*\": stop\n      a.b: drop\n");
    expect_only(&o, 8, 12, "'a.b' takes delete, set-null or stop, not 'drop'", NULL);
    const struct fake_discover *discover = o.plan->steps[0].options;
    assert_int_equal(discover->children.count, 2);
    assert_string_equal(discover->children.items[0].key, "posts.id");
    assert_int_equal(discover->children.items[0].choice, 1);
    assert_int_equal(discover->children.items[0].key_place.line, 6);
    assert_string_equal(discover->children.items[1].key, "*");
    o = read_index(arena, "  name: i, set: { a: now() }, settings: { fillfactor: 90 }");
    const struct fake_index *index = index_of(&o);
    assert_string_equal(index->set.items[0].value.text, "now()");
    assert_string_equal(index->settings.items[0].value.text, "90");
    o = read_index(arena, "  name: i, set: { a: (1 }, settings: x");
    expect(&o, 0, 6, 22, "'(' is never closed", NULL);
    expect(&o, 1, 6, 38, "'settings' takes a map", NULL);
}

UNIT(keys_of_a_map_made_equal_by_variables_are_refused) {
    struct outcome o = read_index(arena, "  name: i, settings: { five: 1, \"${v}\": 2 }");
    expect_only(&o, 6, 33, "'five' is there already", NULL);
}

UNIT(sql_is_looked_over_and_the_place_is_inside) {
    struct outcome o = read_track(arena, "    where: a = 1 AND (b\n    duplicates: [source, lower(email)]");
    expect_only(&o, 6, 22, "'(' is never closed", NULL);
    o = read_track(arena, "    where: \"a; DROP TABLE b\"");
    expect_only(&o, 6, 14, "';'", NULL);
    o = read_track(arena, "    duplicates: [coalesce(a, b)]");
    expect(&o, 0, 6, 26, "'(' is never closed", "quote it");
    expect(&o, 1, 6, 31, "')' closes nothing", "quote it");
    o = read_track(arena, "    duplicates: lower(email)\n    where: |\n      a -- why\n      AND b\n");
    const struct fake_track *track = track_of(&o);
    assert_int_equal(track->duplicates.count, 1);
    assert_string_equal(track->duplicates.items[0].text, "lower(email)");
    assert_string_equal(track->where.text, "a -- why\nAND b\n");
}

UNIT(a_yaml_comment_cannot_cut_sql) {
    struct outcome o = read_track(arena, "    where: a AND flags #> '{x}' IS NULL");
    expect_only(&o, 6, 24, "comment behind the SQL of 'where'", "quote");
    o = read_track(arena, "    duplicates:\n    - a # b");
    expect_only(&o, 7, 9, "comment behind the SQL of 'duplicates'", NULL);
    o = read_track(arena, "    keep: { first: a #> b\n }");
    expect_only(&o, 6, 22, "comment behind the SQL of 'first'", NULL);
    o = read_track(arena, "    where: 'a' # fine: the quote ends it\n    expect: { rows: 5 } # fine\n");
    expect_none(&o);
}

UNIT(an_sql_comment_cannot_swallow_joined_lines) {
    struct outcome o = read_track(arena, "    where: a -- why\n      AND b");
    expect_only(&o, 6, 14, "swallow", NULL);
    o = read_track(arena, "    where: >\n      a -- why\n      AND b\n");
    expect_only(&o, 7, 9, "joins these lines", "'|'");
}

UNIT(values_that_are_not_there_are_told) {
    struct outcome o = read_track(arena, "    where:\n    duplicates: {a: b}\n    keep: x");
    expect(&o, 0, 6, 11, "'where' has no value", NULL);
    expect(&o, 1, 7, 17, "'duplicates' takes", NULL);
    expect(&o, 2, 8, 11, "'keep' takes a map of keys, not 'x'", NULL);
    assert_int_equal(o.problems.count, 3);
}

UNIT(unknown_keys_suggest_the_nearest) {
    struct outcome o = read_track(arena, "    wher: a\n    keep: { frist: a }\n    notify: {}");
    expect(&o, 0, 6, 5, "unknown key 'wher'", "did you mean 'where'?");
    expect(&o, 1, 7, 13, "unknown key 'frist'", "did you mean 'first'?");
    expect(&o, 2, 8, 5, "unknown key 'notify'", "duplicates, where, keep, expect, as");
}

UNIT(missing_keys_are_told_where_they_belong) {
    struct outcome o = read_plan(arena, "plan: p\ntable: t\nsteps:\n- index: {}\n- index\n");
    expect(&o, 0, 4, 3, "'name' is missing", NULL);
    expect(&o, 1, 5, 3, "'name' is missing", NULL);
}

UNIT(every_kind_has_a_text) {
    for (int kind = OPTION_NAME; kind <= OPTION_STEPS; kind++) assert_true(strlen(option_kind_text(kind)) > 3);
    assert_string_equal(option_kind_text(OPTION_DURATION), "a duration, like 500ms or 2h");
}

UNIT(a_long_wrong_value_is_shown_short_and_whole_in_its_characters) {
    char value[400] = "";
    for (int i = 0; i < 150; i++) strcat(value, "\xC3\xA9");
    struct outcome o = read_index(arena, arena_printf(arena, "  name: i, unique: x%s", value));
    assert_int_equal(o.problems.count, 1);
    assert_true(strlen(o.problems.items[0].message) < 120);
    json_t *message = json_string(o.problems.items[0].message); /* NULL when it is no UTF-8 */
    assert_non_null(message);
    json_decref(message);
}

RUN(UNIT_TEST(absent_values_are_marked_and_fallbacks_filled_in), UNIT_TEST(names_fold_and_know_their_place),
    UNIT_TEST(capitals_in_quotes_of_yaml_are_not_lost_silently), UNIT_TEST(a_scalar_stands_for_one_member_of_a_group),
    UNIT_TEST(durations_take_a_unit_and_keep_their_bounds), UNIT_TEST(counts_are_whole_numbers_within_bounds),
    UNIT_TEST(flags_are_true_or_false), UNIT_TEST(shares_and_sizes_take_their_units),
    UNIT_TEST(choices_suggest_what_was_meant), UNIT_TEST(maps_keep_keys_with_their_places),
    UNIT_TEST(keys_of_a_map_made_equal_by_variables_are_refused), UNIT_TEST(sql_is_looked_over_and_the_place_is_inside),
    UNIT_TEST(a_yaml_comment_cannot_cut_sql), UNIT_TEST(an_sql_comment_cannot_swallow_joined_lines),
    UNIT_TEST(values_that_are_not_there_are_told), UNIT_TEST(unknown_keys_suggest_the_nearest),
    UNIT_TEST(missing_keys_are_told_where_they_belong), UNIT_TEST(every_kind_has_a_text),
    UNIT_TEST(a_long_wrong_value_is_shown_short_and_whole_in_its_characters))
