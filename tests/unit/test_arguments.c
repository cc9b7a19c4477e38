/* The command line: options by table, what is wrong with one, colours. */
#include "commands/arguments.h"
#include "events/sinks.h"
#include "unit.h"

#include <string.h>

static struct error wrong;

/* Reads "a b c", split at blanks. */
static struct command_line read_line(struct arena *arena, const char *text) {
    char *words[32], *rest = arena_printf(arena, "pgwinnow %s", text), *word;
    int count = 0;
    while ((word = strtok_r(rest, " ", &rest))) words[count++] = word;
    words[count] = NULL;
    struct command_line line;
    wrong = error_new(arena);
    arguments_parse(&line, arena, count, words, &wrong);
    return line;
}

static void assert_wrong(struct arena *arena, const char *text, const char *message, const char *hint) {
    read_line(arena, text);
    assert_int_equal(wrong.fault, FAULT_USAGE);
    if (!strstr(wrong.message, message) || !strstr(wrong.hint, hint))
        print_error("'%s' gives: %s; hint: %s\n", text, wrong.message, wrong.hint);
    assert_non_null(strstr(wrong.message, message));
    assert_non_null(strstr(wrong.hint, hint));
}

UNIT(options_fill_the_line_before_and_behind_the_command) {
    struct command_line line =
        read_line(arena, "--env staging run --max-rows 5000 plan.yaml --yes --output=json --set=a=b=c");
    assert_false(failed(&wrong));
    assert_string_equal(line.command->name, "run");
    assert_string_equal(line.environment, "staging");
    assert_int_equal(line.max_rows, 5000);
    assert_true(line.yes);
    assert_string_equal(sink_choices[line.output], "json");
    assert_int_equal(line.argument_count, 1);
    assert_string_equal(line.arguments[0], "plan.yaml");
    assert_string_equal(line.set.items[0].name, "a");
    assert_string_equal(line.set.items[0].value, "b=c");
}

UNIT(what_is_not_given_is_absent) {
    struct command_line line = read_line(arena, "run plan.yaml");
    assert_null(line.environment);
    assert_null(line.database);
    assert_null(line.schema);
    assert_int_equal(line.set.count, 0);
    assert_int_equal(line.max_rows, -1);
    assert_int_equal(line.older, -1);
    assert_false(line.json || line.yes || line.quiet || line.fresh || line.print);
    assert_string_equal(sink_choices[line.output], "auto");
}

UNIT(set_is_repeatable_and_its_value_may_be_empty) {
    struct command_line line = read_line(arena, "run p --set a=1 --set b= --set a=2");
    assert_false(failed(&wrong));
    assert_int_equal(line.set.count, 3);
    assert_string_equal(line.set.items[1].value, "");
    assert_string_equal(line.set.items[2].value, "2");
}

UNIT(durations_are_milliseconds) {
    assert_int_equal(read_line(arena, "clean --older 30d").older, INT64_C(2592000000));
    assert_int_equal(read_line(arena, "clean --older 500ms").older, 500);
    assert_wrong(arena, "clean --older 30", "--older takes a duration", "pgwinnow help clean");
    assert_wrong(arena, "clean --older soon", "not 'soon'", "pgwinnow help clean");
}

UNIT(words_behind_two_dashes_are_arguments_and_one_dash_is_a_file) {
    struct command_line line = read_line(arena, "check - -- --env");
    assert_false(failed(&wrong));
    assert_int_equal(line.argument_count, 2);
    assert_string_equal(line.arguments[0], "-");
    assert_string_equal(line.arguments[1], "--env");
}

UNIT(unknown_names_suggest_the_nearest) {
    assert_wrong(arena, "stauts", "no command 'stauts'", "pgwinnow status");
    assert_wrong(arena, "run p --frsh", "pgwinnow run has no option --frsh", "--fresh");
    assert_wrong(arena, "check p --databse=x", "no option --databse", "--database");
    assert_wrong(arena, "plan.yaml", "no command 'plan.yaml'", "pgwinnow check plan.yaml");
}

UNIT(an_option_of_another_command_says_whose_it_is) {
    assert_wrong(arena, "check p --max-rows 5", "pgwinnow check has no option --max-rows", "pgwinnow run");
    assert_wrong(arena, "--until delete run p", "no common option --until", "pgwinnow run");
}

UNIT(values_are_checked) {
    assert_wrong(arena, "run p --max-rows 0", "whole number from 1", "help run");
    assert_wrong(arena, "run p --max-rows 5k", "not '5k'", "help run");
    assert_wrong(arena, "run p --max-rows 99999999999999999999", "whole number", "help run");
    assert_wrong(arena, "run p --output fancy", "auto, bar, plain or json, not 'fancy'", "help run");
    assert_wrong(arena, "run p --set a", "NAME=VALUE", "help run");
    assert_wrong(arena, "run p --set =a", "NAME=VALUE", "help run");
    assert_wrong(arena, "run p --env", "--env needs a value", "help run");
    assert_wrong(arena, "run p --env=", "--env takes a value", "help run");
    assert_wrong(arena, "run p --yes=no", "--yes takes no value", "help run");
    assert_wrong(arena, "run p --env a --env b", "--env is given twice", "help run");
    assert_wrong(arena, "run p --max-rows 1 --max-rows 2", "given twice", "help run");
    assert_wrong(arena, "run p -x", "two dashes", "help run");
}

UNIT(arguments_are_counted) {
    assert_wrong(arena, "run", "pgwinnow run needs: PLAN", "pgwinnow help run");
    assert_wrong(arena, "run a b", "'b' is one argument too many", "pgwinnow help run");
    assert_wrong(arena, "init here", "takes no argument 'here'", "pgwinnow help init");
    struct command_line line = read_line(arena, "check a b c");
    assert_false(failed(&wrong));
    assert_int_equal(line.argument_count, 3);
}

UNIT(json_is_for_commands_that_read) {
    assert_true(read_line(arena, "status --json").json);
    assert_false(failed(&wrong));
    assert_wrong(arena, "run p --json", "pgwinnow run has no answer in JSON", "--output json");
}

UNIT(help_and_version_need_no_arguments) {
    assert_true(read_line(arena, "run --help").help);
    assert_false(failed(&wrong));
    assert_true(read_line(arena, "-h").help);
    assert_true(read_line(arena, "--version").version);
    assert_false(failed(&wrong));
}

UNIT(colours_only_where_they_are_wanted) {
    enum { AUTO, ALWAYS, NEVER };
    assert_true(colour_wanted(AUTO, true, NULL, "xterm"));
    assert_true(colour_wanted(AUTO, true, "", "xterm"));
    assert_false(colour_wanted(AUTO, false, NULL, "xterm"));
    assert_false(colour_wanted(AUTO, true, "1", "xterm"));
    assert_false(colour_wanted(AUTO, true, NULL, "dumb"));
    assert_false(colour_wanted(AUTO, true, NULL, NULL));
    assert_true(colour_wanted(ALWAYS, false, "1", "dumb"));
    assert_false(colour_wanted(NEVER, true, NULL, "xterm"));
    assert_true(read_line(arena, "run p --color always").colour);
    assert_true(read_line(arena, "run --color=always --frsh").colour_errors);
}

UNIT(output_choices_are_the_table_of_sinks) {
    assert_string_equal(sink_choices[0], "auto");
    for (size_t i = 0; sink_table[i] || sink_choices[i + 1]; i++)
        assert_string_equal(sink_table[i]->name, sink_choices[i + 1]);
    assert_string_equal(sink_choose(0, true, false)->name, "bar");
    assert_string_equal(sink_choose(0, false, false)->name, "plain");
    assert_string_equal(sink_choose(0, true, true)->name, "plain");
    assert_string_equal(sink_choose(3, true, true)->name, "json");
}

RUN(UNIT_TEST(options_fill_the_line_before_and_behind_the_command), UNIT_TEST(what_is_not_given_is_absent),
    UNIT_TEST(set_is_repeatable_and_its_value_may_be_empty), UNIT_TEST(durations_are_milliseconds),
    UNIT_TEST(words_behind_two_dashes_are_arguments_and_one_dash_is_a_file),
    UNIT_TEST(unknown_names_suggest_the_nearest), UNIT_TEST(an_option_of_another_command_says_whose_it_is),
    UNIT_TEST(values_are_checked), UNIT_TEST(arguments_are_counted), UNIT_TEST(json_is_for_commands_that_read),
    UNIT_TEST(help_and_version_need_no_arguments), UNIT_TEST(colours_only_where_they_are_wanted),
    UNIT_TEST(output_choices_are_the_table_of_sinks))
