/* Reports from JSON: nothing breaks out, everything is closed, boxes do not overlap, axes are round, sentences hold. */
#include "base/text.h"
#include "commands/report/layout.h"
#include "commands/report/markup.h"
#include "commands/report/page.h"
#include "commands/report/scale.h"
#include "commands/report/words.h"
#include "unit.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* JSON as a test writes it, with ' for " */
static json_t *run_of(struct arena *arena, const char *text) {
    char *copy = arena_strdup(arena, text);
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    json_error_t why;
    json_t *run = json_loads(copy, 0, &why);
    if (!run) print_error("%s: %s\n", why.text, copy);
    assert_non_null(run);
    arena_defer(arena, (void (*)(void *))json_decref, run);
    return run;
}

static const char *page_of(struct arena *arena, const json_t *run) {
    struct text out = text_new(arena);
    report_page(run, &out);
    return out.data;
}

static const char *markdown_of(struct arena *arena, const json_t *run) {
    struct text out = text_new(arena);
    report_markdown(run, &out);
    return out.data;
}

/* --- markup --- */

static const char *escaped(struct arena *arena, const char *text) {
    struct text out = text_new(arena);
    markup(&out, "%s", text);
    return out.data;
}

UNIT(what_stands_for_markup_is_escaped) {
    assert_string_equal(escaped(arena, "a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c&#39;");
    assert_string_equal(escaped(arena, "a\x01z\x7f"), "a\xe2\x90\x81z\xe2\x90\xa1");
    assert_string_equal(escaped(arena, "\xe2\x80\xae"
                                       "cba"),
                        "‹U+202E›cba");
    assert_string_equal(escaped(arena, "\xe2\x80\x93 عربي 🦄"), "– عربي 🦄");
    struct text out = text_new(arena);
    markup(&out, "<b x=\"%s\">%d%% %lld %zu %.2f</b>", "\"", -1, 1LL << 40, (size_t)7, 1.005);
    assert_string_equal(out.data, "<b x=\"&quot;\">-1% 1099511627776 7 1.00</b>");
}

UNIT(what_is_to_be_typed_is_set_apart) {
    struct text out = text_new(arena);
    markup_sentence(&out, "`a <b` then `c`; an open ` stays");
    assert_string_equal(out.data, "<code>a &lt;b</code> then <code>c</code>; an open ` stays");
}

/* --- the whole page --- */

static const char evil[] = "</style><script>alert(1)</script><img src=x onerror=alert(1)>";

/* A run in which every text is `word`. */
static json_t *run_saying(struct arena *arena, const char *word) {
    static const char shape[] =
        "{'run':7,'plan':'@','environment':'@','table':'@','database':'@','state':'@','role':'@','program':'@','server'"
        ":'@',"
        "'schema':'@','started':'2026-11-21T22:14:43.123Z','finished':'2026-11-21T23:14:43.123Z','seconds':3600,'lane':"
        "'@',"
        "'search_path':'@','error':{'message':'@','detail':'@','hint':'@','sqlstate':'@'},'settings':{'@':'@'},"
        "'definition':{'table':'@','@':['@'],'steps':[{'step':'@','options':{'@':{'@':'@\\n@'}}}]},"
        "'totals':{'removed':1,'children':2,'spared':3,'archived':4,'held':5},'archive':{'until':'2026-12-21T00:00:00Z'"
        "},"
        "'steps':[{'name':'@','kind':'@','state':'@','rows':1,'total':2,'batches':1,'seconds':3,'started':'2026-11-"
        "21T22:14:43Z',"
        "'finished':'2026-11-21T22:54:43Z','note':'@'}],'tree':{'root':'@','edges':[{'constraint':'@','child':'@x','"
        "columns':['@'],"
        "'parent':'@','parent_columns':['@'],'on_delete':'@','policy':'@','rows':1},{'child':'@x','parent':'@x','"
        "columns':['@'],"
        "'policy':'delete','rows':0},{'child':'@','parent':'@x','columns':['@'],'policy':'delete'}]},"
        "'timeline':[{'at':'@','seconds':1,'what':'act','type':'@','step':'@','role':'@','message':'@','hint':'@'}],"
        "'series':{'throughput':[{'at':'@','seconds':1,'width':9,'rows':5,'children':5,'batches':2,'step':'@'}],"
        "'samples':[{'at':'@','seconds':1,'batch_size':4,'lag_seconds':1,'waiting':'@'},{'seconds':2,'batch_size':4,'"
        "lag_seconds':0}]},"
        "'waits':[{'at':'@','seconds':5,'ms':null,'reason':'@'}],'slowest':[{'at':'@','step':'@','first':1,'last':2,'"
        "ms':3}],"
        "'spared':[{'reason':'@','rows':1,'examples':['@']}],'kept':{'survivors':1,'held':1,'contested':1},"
        "'statements':[{'step':'@','name':'@','place':'@','text':'@ -- @'}],"
        "'endpoints':[{'endpoint':'@','delivered':1,'answer':'@','gone':'@'}]}";
    struct text out = text_new(arena);
    for (const char *c = shape; *c; c++) text_add_n(&out, *c == '@' ? word : c, *c == '@' ? strlen(word) : 1);
    return run_of(arena, out.data);
}

/* Every element is closed, in order; only the elements that the page has of its own are there. */
static void assert_well_formed(struct arena *arena, const char *page) {
    const char *open[64];
    size_t depth = 0;
    const char *c = strstr(page, "<html");
    for (; (c = strchr(c, '<')); c++) {
        const char *name = c + 1 + (c[1] == '/');
        size_t length = strcspn(name, " >/\n");
        const char *tag = arena_strndup(arena, name, length), *end = strchr(c, '>');
        if (text_equal(tag, "meta") || text_equal(tag, "link") || end[-1] == '/') continue;
        assert_false(text_equal(tag, "script") || text_equal(tag, "img"));
        if (c[1] != '/') {
            assert_true(depth < 64);
            open[depth++] = tag;
        } else {
            if (!depth || !text_equal(open[depth - 1], tag))
                print_error("</%s> in %s\n", tag, depth ? open[depth - 1] : "nothing");
            assert_true(depth && text_equal(open[--depth], tag));
        }
    }
    assert_int_equal(depth, 0);
}

UNIT(nothing_that_the_data_says_breaks_out) {
    static const char *const words[] = {"word", evil, "a -- /* b", "&quot; &amp;", "\\\\", "$1 $$ x", ""};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *page = page_of(arena, run_saying(arena, words[i]));
        assert_well_formed(arena, page);
        assert_null(strstr(page, "<script"));
        assert_null(strstr(page, "<img"));
        assert_null(strstr(page, "(null)"));
    }
}

UNIT(a_page_fetches_nothing_and_runs_nothing) {
    const char *page = page_of(arena, run_saying(arena, "word"));
    assert_non_null(strstr(page, "default-src 'none'"));
    const char *head_end = strstr(page, "<body>");
    for (const char *c = page; (c = strstr(c, "http")); c++) /* the words of a header, and the name space of the icon */
        assert_true(c < head_end && (text_starts(c, "http-equiv") || text_starts(c, "http://www.w3.org/2000/svg'")));
    for (const char *c = page; (c = strstr(c, "href=\"")); c++)
        assert_true(c[6] == '#' || text_starts(c + 6, "data:image/svg+xml,"));
    assert_null(strstr(page, "url("));
    assert_null(strstr(page, "@import"));
    assert_null(strstr(page, " src="));
}

UNIT(every_id_is_there_once_and_every_link_leads_to_one) {
    const char *page = page_of(arena, run_saying(arena, "word"));
    for (const char *c = page; (c = strstr(c, " id=\"")); c++) {
        const char *id = arena_strndup(arena, c, strcspn(c + 5, "\"") + 6);
        assert_null(strstr(c + 1, id));
    }
    for (const char *c = page; (c = strstr(c, "href=\"#")); c++) {
        const char *id = arena_printf(arena, " id=\"%.*s\"", (int)strcspn(c + 7, "\""), c + 7);
        assert_non_null(strstr(page, id));
    }
}

UNIT(little_is_known_of_some_runs) {
    const char *page = page_of(arena, run_of(arena, "{'run':1,'plan':'x','state':'interrupted'}"));
    assert_well_formed(arena, page);
    assert_null(strstr(page, "(null)"));
    assert_null(strstr(page, "<figure"));
    assert_null(strstr(markdown_of(arena, run_of(arena, "{'run':1,'plan':'x','state':'running'}")), "(null)"));
}

/* --- the strip of steps --- */

/* The bars of a page, as "name 25%-50%". */
static const char *bars_of(struct arena *arena, const char *events) {
    const char *page = page_of(
        arena,
        run_of(arena, arena_printf(arena,
                                   "{'run':1,'plan':'x','state':'paused','started':'2026-11-21T22:14:43Z',"
                                   "'seconds':100,'steps':[{'name':'a'},{'name':'b'},{'name':'c'}],'timeline':[%s]}",
                                   events)));
    struct text out = text_new(arena);
    for (const char *c = page; (c = strstr(c, "<svg x=\"")); c++) {
        double x, width;
        int y, height;
        char name[8];
        assert_int_equal(sscanf(c, "<svg x=\"%lf%%\" y=\"%d\" width=\"%lf%%\" height=\"%d\"><title>%7[^:]", &x, &y,
                                &width, &height, name),
                         5);
        text_addf(&out, "%s%s %.0f-%.0f", out.length ? ", " : "", name, x, x + width);
    }
    return out.data;
}

UNIT(a_bar_for_each_time_that_a_step_worked) {
    assert_string_equal(
        bars_of(arena,
                "{'type':'step.started','step':'a','seconds':0},{'type':'step.finished','step':'a','seconds':10},"
                "{'type':'step.started','step':'b','seconds':10},{'type':'step.started','step':'c','seconds':20},"
                "{'type':'step.finished','step':'b','seconds':40},{'type':'step.started','step':'a','seconds':50},"
                "{'type':'step.finished','step':'a','seconds':60},{'type':'step.started','step':'b','seconds':60},"
                "{'type':'run.paused','seconds':70}"),
        "a 0-10, b 10-40, c 20-50, a 50-60, b 60-70");
    assert_string_equal(bars_of(arena,
                                "{'type':'step.started','step':'a','seconds':0},{'type':'run.paused','seconds':10},"
                                "{'type':'run.resumed','seconds':60}"),
                        "a 0-100");
}

/* --- the tree --- */

static const char *edges_of_all_kinds(struct arena *arena, int tables) {
    struct text out = text_new(arena);
    text_add(&out, "{'tree':{'root':'t0','edges':[{'child':'t0','parent':'t0','columns':['up'],'rows':3}");
    for (int i = 1; i <= tables; i++)
        text_addf(
            &out,
            ",{'child':'t%d','parent':'t%d','columns':['c'],'rows':%d},{'child':'t%d','parent':'t%d','columns':['d']}",
            i, (i - 1) / 3, i % 7 * 1000 / i, i / 2, i);
    text_add(&out, "]}}");
    return out.data;
}

static void assert_apart(const struct layout *l) {
    for (size_t i = 0; i < l->box_count; i++) {
        const struct layout_box *a = &l->boxes[i];
        if (!a->shown) continue;
        assert_true(a->x >= 0 && a->y >= 0 && a->x + BOX_WIDTH <= l->width && a->y + a->height <= l->height);
        for (size_t k = 0; k < i; k++) {
            const struct layout_box *b = &l->boxes[k];
            if (b->shown && a->x == b->x) assert_true(a->y >= b->y + b->height || b->y >= a->y + a->height);
        }
    }
}

UNIT(boxes_do_not_overlap) {
    static const int sizes[] = {0, 1, 5, 40, 300};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct report r = report_new(arena, run_of(arena, edges_of_all_kinds(arena, sizes[i])));
        for (size_t most = 1; most <= 1000; most *= 10) {
            struct layout l = layout_new(&r, most);
            assert_apart(&l);
            assert_int_equal(l.box_count, sizes[i] + 1);
            assert_int_equal(l.edge_count, 2 * sizes[i] + 1);
        }
    }
}

UNIT(a_large_tree_is_folded_to_where_most_rows_went) {
    struct report r = report_new(
        arena,
        run_of(
            arena,
            "{'tree':{'root':'a','edges':["
            "{'child':'b','parent':'a','columns':['x'],'rows':0},{'child':'c','parent':'b','columns':['x'],'rows':9},"
            "{'child':'d','parent':'a','columns':['x'],'rows':1},{'child':'e','parent':'a','columns':['x'],'rows':0}]}"
            "}"));
    struct layout l = layout_new(&r, 2);
    assert_int_equal(l.shown, 2); /* a-b leads to b-c */
    assert_true(l.edges[0].shown && l.edges[1].shown && !l.edges[2].shown && !l.edges[3].shown);
    assert_int_equal(l.boxes[0].folded, 2);
}

UNIT(a_foreign_key_from_nowhere_is_left_to_the_table) {
    struct report r = report_new(arena, run_of(arena, "{'tree':{'root':'a','edges':["
                                                      "{'child':'c','parent':'nowhere','columns':['x'],'rows':9},{'"
                                                      "child':'b','parent':'a','columns':['x'],'rows':1}]}}"));
    struct layout l = layout_new(&r, 10);
    assert_false(l.edges[0].shown);
    assert_true(l.edges[1].shown);
    assert_apart(&l);
}

/* --- axes --- */

UNIT(axes_have_round_marks_above_the_largest_value) {
    static const struct {
        double most, least, step, top;
    } expected[] = {{0, 0, 0.5, 0.5},   {7, 0, 2, 8}, {5729, 0, 2000, 6000}, {4000, 0, 1000, 4000},
                    {0.3, 0, 0.1, 0.3}, {2, 1, 1, 2}, {0, 1, 1, 1},          {1e12, 0, 5e11, 1e12}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct scale scale = scale_numbers(expected[i].most, 4, expected[i].least);
        assert_true(fabs(scale.step - expected[i].step) <= expected[i].step * 1e-9);
        assert_true(fabs(scale.top - expected[i].top) <= expected[i].top * 1e-9);
    }
    assert_true(scale_times(2532, 7) == 600);
    assert_true(scale_times(3 * 86400, 7) == 43200);
    assert_true(scale_times(0.412, 7) == 0.1);
}

UNIT(marks_are_short_and_differ_from_their_neighbours) {
    assert_string_equal(scale_text(arena, 0, 5), "0");
    assert_string_equal(scale_text(arena, 2500, 500), "2,500");
    assert_string_equal(scale_text(arena, 0.25, 0.05), "0.25");
    assert_string_equal(scale_text(arena, 20000, 10000), "20k");
    assert_string_equal(scale_text(arena, 1200000, 200000), "1.2M");
    assert_string_equal(scale_clock(arena, 1795305600, 3600), "22 Nov");
    assert_string_equal(scale_clock(arena, 1795305600 + 14.5 * 3600, 1800), "14:30");
    assert_string_equal(scale_clock(arena, 1795305600 + 75, 5), "00:01:15");
    assert_string_equal(scale_clock(arena, 1795305600.25, 0.05), "00:00:00.250");
}

/* --- sentences --- */

static const char *summary(struct arena *arena, const char *text) {
    struct report r = report_new(arena, run_of(arena, text));
    return words_summary(&r);
}

UNIT(the_summary_says_what_was_done_and_how_it_ended) {
    assert_string_equal(
        summary(
            arena,
            "{'run':7,'state':'finished','table':'public.t','started':'2026-11-21T22:14:43Z',"
            "'finished':'2026-11-21T22:56:55.523Z','seconds':2532.5,'totals':{'removed':1,'children':3210,'spared':1},"
            "'archive':{'until':'2026-12-21T22:56:55Z'}}"),
        "Run 7 removed 1 row from public.t and settled 3,210 rows below it. It finished on 21 Nov 2026, 22:56:55 UTC, "
        "after 42 min 12 s. 1 row was spared, since it no longer qualified when its turn came. All of it can be "
        "brought back until 21 Dec 2026.");
    assert_string_equal(
        summary(arena,
                "{'run':7,'state':'finished','table':'t','finished':'2026-11-21T22:56:55Z','seconds':0.08,"
                "'steps':[{'kind':'delete','name':'delete','state':'done'}],'totals':{'removed':0,'children':0}}"),
        "Run 7 found nothing to remove in t. It finished on 21 Nov 2026, 22:56:55 UTC, after 80 ms.");
    assert_string_equal(
        summary(arena, "{'run':7,'state':'failed','table':'t','seconds':61,"
                       "'steps':[{'kind':'track','name':'track','state':'done'},{'kind':'delete','name':'wipe','state':"
                       "'running'}],"
                       "'totals':{'removed':20,'children':0}}"),
        "Run 7 failed in step wipe, 1 min 1 s after it began. Until then it had removed 20 rows from t. "
        "The same command goes on where it stopped.");
    assert_string_equal(
        summary(arena,
                "{'run':7,'state':'cancelled','table':'t','seconds':61,"
                "'steps':[{'kind':'delete','name':'wipe','state':'running'}],"
                "'totals':{'removed':20,'children':0},'archive':{'until':'2026-12-21T22:56:55Z','without':'wipe'}}"),
        "Run 7 was cancelled, 1 min 1 s after it began. Until then it had removed 20 rows from t. "
        "It cannot be undone: step wipe kept nothing.");
    assert_string_equal(
        summary(arena,
                "{'run':7,'state':'undone','table':'t','seconds':61,"
                "'steps':[{'kind':'delete','name':'wipe','state':'done'},"
                "{'kind':'sql','name':'sql','state':'done'},{'kind':'undo','name':'undo','state':'done','spared':2}],"
                "'totals':{'removed':20,'children':0}}"),
        "Run 7 was taken back, 1 min 1 s after it began. It had removed 20 rows from t. What it removed or changed is "
        "as it was, except for 2 rows that undo left alone; what its SQL steps did stays.");
}

/* --- markdown --- */

UNIT(a_table_of_markdown_keeps_its_cells) {
    const char *text = markdown_of(arena, run_saying(arena, "a|b `c` <d>"));
    const char *row = strstr(text, "\n| a\\|b \\`c\\` \\<d\\> |");
    assert_non_null(row);
    size_t bars = 0;
    for (const char *c = row + 1; *c != '\n'; c++) bars += *c == '|' && c[-1] != '\\';
    assert_int_equal(bars, 8); /* seven columns */
}

UNIT(mermaid_takes_any_name) {
    const char *text = markdown_of(arena, run_saying(arena, "x]; --> `#\\\" %% {y} (z) end")),
               *chart = strstr(text, "```mermaid\n");
    assert_non_null(chart);
    const char *end = strstr(chart + 3, "```");
    for (const char *c = chart + strlen("```mermaid\n"); c < end; c++) {
        size_t length = strcspn(c, "\n"), quotes = 0;
        for (size_t i = 0; i < length; i++) quotes += c[i] == '"';
        assert_true(quotes == 0 || quotes == 2);
        const char *quoted = quotes ? strchr(c, '"') + 1 : c;
        for (size_t i = 0; quotes && quoted[i] != '"'; i++) assert_null(strchr("`\\[]{}<>&|", quoted[i]));
        c += length;
    }
}

UNIT(sql_with_backticks_stays_in_its_fence) {
    const char *text = markdown_of(arena, run_saying(arena, "````"));
    assert_non_null(strstr(text, "\n`````sql\n"));
}

RUN(UNIT_TEST(what_stands_for_markup_is_escaped), UNIT_TEST(what_is_to_be_typed_is_set_apart),
    UNIT_TEST(nothing_that_the_data_says_breaks_out), UNIT_TEST(a_page_fetches_nothing_and_runs_nothing),
    UNIT_TEST(every_id_is_there_once_and_every_link_leads_to_one), UNIT_TEST(little_is_known_of_some_runs),
    UNIT_TEST(a_bar_for_each_time_that_a_step_worked), UNIT_TEST(boxes_do_not_overlap),
    UNIT_TEST(a_large_tree_is_folded_to_where_most_rows_went),
    UNIT_TEST(a_foreign_key_from_nowhere_is_left_to_the_table),
    UNIT_TEST(axes_have_round_marks_above_the_largest_value),
    UNIT_TEST(marks_are_short_and_differ_from_their_neighbours),
    UNIT_TEST(the_summary_says_what_was_done_and_how_it_ended), UNIT_TEST(a_table_of_markdown_keeps_its_cells),
    UNIT_TEST(mermaid_takes_any_name), UNIT_TEST(sql_with_backticks_stays_in_its_fence))
