/* The foreign-key tree of every shape, read from a server. What is expected follows from the schema above it. */
#include <time.h>

#include "server.h"

SERVED(a_chain_of_eleven) {
    struct text script = text_new(world->arena);
    text_add(&script, "CREATE TABLE t0 (id int PRIMARY KEY);\n");
    for (int i = 1; i <= 11; i++)
        text_addf(&script, "CREATE TABLE t%d (id int PRIMARY KEY, up int REFERENCES t%d);\n", i, i - 1);
    sql(world, script.data);
    struct tree *tree = tree_below(world, "t0");
    assert_int_equal(tree->node_count, 12);
    assert_int_equal(tree->edge_count, 11);
    for (int i = 0; i < 11; i++) {
        assert_string_equal(edge_line(world->arena, tree->edges[i]),
                            arena_printf(world->arena, "%d t%d_up_fkey public.t%d(up)>public.t%d(id) a null:up", i + 1,
                                         i + 1, i + 1, i));
        assert_int_equal(tree->nodes[i + 1]->depth, i + 1);
        assert_int_equal(tree->nodes[i]->index, i);
    }
    assert_int_equal(put_policies(world, tree, "*", POLICY_DELETE), 0);
    assert_int_equal(tree->nodes[11]->component, 11);
    assert_int_equal(tree_below(world, "t9")->edge_count, 2);
}

SERVED(a_table_that_nothing_references) {
    sql(world, "CREATE TABLE lonely (id int PRIMARY KEY);");
    struct tree *tree = tree_below(world, "lonely");
    assert_int_equal(tree->node_count, 1);
    assert_int_equal(tree->edge_count, 0);
    assert_int_equal(strlen(tree->fingerprint), 12);
}

SERVED(composite_keys_and_keys_that_are_not_primary) {
    sql(world, "CREATE TABLE p (a int, b text, slug text UNIQUE, code int NOT NULL, PRIMARY KEY (a, b));\n"
               "CREATE TABLE c (x text, y int, CONSTRAINT c_p FOREIGN KEY (x, y) REFERENCES p (b, a));\n"
               "CREATE TABLE d (s text NOT NULL, CONSTRAINT d_slug FOREIGN KEY (s) REFERENCES p (slug));\n"
               "CREATE INDEX ON c (y, x);\n");
    assert_tree("p", "1 c_p public.c(x,y)>public.p(b,a) a +index null:x,y\n"
                     "1 d_slug public.d(s)>public.p(slug) a\n");
    struct tree *tree = tree_below(world, "p");
    assert_string_equal(edge_named(tree, "c_p")->key, "c(x, y)");
    assert_string_equal(edge_named(tree, "c_p")->index_columns, "\"x\", \"y\"");
    assert_string_equal(edge_named(tree, "d_slug")->why_not_null, "column s is NOT NULL");
}

SERVED(other_schemas_and_hostile_names) {
    sql(world,
        "CREATE SCHEMA \"Sch \"\"ema\";\nCREATE SCHEMA app;\n"
        "CREATE TABLE app.\"Größe\" (\"select\" int PRIMARY KEY);\n"
        "CREATE TABLE \"Sch \"\"ema\".\"ta'b\\le\" (\"a,b(c)\" int CONSTRAINT \"fk \"\"1\" REFERENCES app.\"Größe\");\n"
        "CREATE TABLE app.\"user\" (\"ID\" int REFERENCES app.\"Größe\" ON DELETE CASCADE);\n");
    struct tree *tree = tree_below(world, "app.\"Größe\"");
    assert_int_equal(tree->edge_count, 2);
    const struct edge *far = edge_named(tree, "fk \"1"), *near = edge_named(tree, "user_ID_fkey");
    assert_string_equal(far->key, "\"Sch \"\"ema\".\"ta'b\\le\".\"a,b(c)\"");
    assert_string_equal(near->key, "\"user\".\"ID\"");
    assert_string_equal(far->child->table->sql, "\"Sch \"\"ema\".\"ta'b\\le\"");
    assert_string_equal(far->child->table->from, "ONLY \"Sch \"\"ema\".\"ta'b\\le\"");
    assert_string_equal(far->index_columns, "\"a,b(c)\"");
    assert_string_equal(far->parent_columns[0], "select");
    assert_int_equal(put_policies(world, tree, far->key, POLICY_DELETE), 1);
    assert_int_equal(far->policy, POLICY_DELETE);
}

SERVED(self_references_and_several_between_two_tables) {
    sql(world,
        "CREATE TABLE p (id int PRIMARY KEY, up int CONSTRAINT self REFERENCES p ON DELETE SET NULL);\n"
        "CREATE TABLE c (a int CONSTRAINT one REFERENCES p, b int CONSTRAINT two REFERENCES p ON DELETE RESTRICT,\n"
        "  CONSTRAINT three FOREIGN KEY (a) REFERENCES p ON DELETE CASCADE);\n");
    assert_tree("p", "1 one public.c(a)>public.p(id) a null:a\n"
                     "1 three public.c(a)>public.p(id) c null:a\n"
                     "1 two public.c(b)>public.p(id) r null:b\n"
                     "1 self public.p(up)>public.p(id) n null:up\n");
    struct tree *tree = tree_below(world, "p");
    assert_int_equal(put_policies(world, tree, "c.a", POLICY_STOP), 2);
    assert_int_equal(put_policies(world, tree, "*", POLICY_DELETE), 0);
    assert_true(tree->nodes[0]->cyclic);
    assert_false(tree->nodes[1]->cyclic);
}

SERVED(a_cycle_of_twenty_one_tables) {
    struct text script = text_new(world->arena);
    text_add(&script, "CREATE TABLE root (id int PRIMARY KEY);\n");
    for (int i = 0; i < 21; i++) text_addf(&script, "CREATE TABLE r%d (id int PRIMARY KEY, nxt int, far int);\n", i);
    for (int i = 0; i < 21; i++)
        text_addf(&script,
                  "ALTER TABLE r%d ADD FOREIGN KEY (nxt) REFERENCES r%d, ADD FOREIGN KEY (far) REFERENCES r%d;\n", i,
                  (i + 1) % 21, (i + 8) % 21);
    text_add(&script, "ALTER TABLE r4 ADD COLUMN root int REFERENCES root;\n"
                      "CREATE TABLE leaf (id int PRIMARY KEY, r int REFERENCES r9);\n");
    sql(world, script.data);
    struct tree *tree = tree_below(world, "root");
    assert_int_equal(tree->node_count, 23);
    assert_int_equal(tree->edge_count, 44);
    put_policies(world, tree, "*", POLICY_DELETE);
    for (int i = 0; i < 21; i++) {
        const struct node *node = node_named(tree, arena_printf(world->arena, "public.r%d", i));
        assert_int_equal(node->component, 1);
        assert_true(node->cyclic);
    }
    assert_int_equal(tree->nodes[0]->component, 0);
    assert_false(tree->nodes[0]->cyclic);
    assert_int_equal(node_named(tree, "public.leaf")->component, 2);
}

SERVED(actions_and_when_they_are_checked) {
    sql(world, "CREATE TABLE p (id int PRIMARY KEY);\n"
               "CREATE TABLE c (a int CONSTRAINT f1 REFERENCES p ON DELETE CASCADE DEFERRABLE,\n"
               "  b int CONSTRAINT f2 REFERENCES p ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,\n"
               "  c int CONSTRAINT f3 REFERENCES p ON DELETE SET DEFAULT, d int CONSTRAINT f4 REFERENCES p ON DELETE "
               "RESTRICT,\n"
               "  e int NOT NULL CONSTRAINT f5 REFERENCES p ON DELETE SET NULL, f int);\n"
               "ALTER TABLE c ADD CONSTRAINT f6 FOREIGN KEY (f) REFERENCES p NOT VALID;\n");
    assert_tree("p", "1 f1 public.c(a)>public.p(id) c deferrable null:a\n"
                     "1 f2 public.c(b)>public.p(id) n deferrable deferred null:b\n"
                     "1 f3 public.c(c)>public.p(id) d null:c\n"
                     "1 f4 public.c(d)>public.p(id) r null:d\n"
                     "1 f5 public.c(e)>public.p(id) n\n"
                     "1 f6 public.c(f)>public.p(id) a invalid null:f\n");
}

SERVED(what_set_null_can_set) {
    sql(world, "CREATE DOMAIN must AS int NOT NULL;\nCREATE DOMAIN sure AS must;\n"
               "CREATE TABLE p (a int, b int, PRIMARY KEY (a, b), k int UNIQUE);\n"
               "CREATE TABLE c (a int NOT NULL, b int, g int GENERATED ALWAYS AS (b) STORED, s sure,\n"
               "  CONSTRAINT part FOREIGN KEY (a, b) REFERENCES p,\n"
               "  CONSTRAINT whole FOREIGN KEY (a, b) REFERENCES p MATCH FULL,\n"
               "  CONSTRAINT gen FOREIGN KEY (g) REFERENCES p (k),\n"
               "  CONSTRAINT dom FOREIGN KEY (s) REFERENCES p (k));\n"
               "CREATE TABLE d (a int, b int, CONSTRAINT full_both FOREIGN KEY (a, b) REFERENCES p MATCH FULL);\n");
    assert_tree("p", "1 dom public.c(s)>public.p(k) a\n"
                     "1 gen public.c(g)>public.p(k) a\n"
                     "1 part public.c(a,b)>public.p(a,b) a null:b\n"
                     "1 whole public.c(a,b)>public.p(a,b) a\n"
                     "1 full_both public.d(a,b)>public.p(a,b) a null:a,b\n");
    struct tree *tree = tree_below(world, "p");
    assert_string_equal(edge_named(tree, "whole")->why_not_null, "it is MATCH FULL and column a is NOT NULL");
    assert_string_equal(edge_named(tree, "gen")->why_not_null, "column g is generated");
    assert_string_equal(edge_named(tree, "dom")->why_not_null, "column s is NOT NULL");
    assert_null(edge_named(tree, "part")->why_not_null);
}

SERVED(columns_listed_for_set_null) {
    if (slot_server_version(world->slot) < 150000) return;
    sql(world, "CREATE TABLE p (tenant int, id int, PRIMARY KEY (tenant, id));\n"
               "CREATE TABLE c (tenant int, p int,\n"
               "  CONSTRAINT listed FOREIGN KEY (tenant, p) REFERENCES p ON DELETE SET NULL (p));\n");
    assert_tree("p", "1 listed public.c(tenant,p)>public.p(tenant,id) n null:p\n");
}

SERVED(inheritance_children_are_tables_of_their_own) {
    sql(world, "CREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE p_kid () INHERITS (p);\n"
               "ALTER TABLE p_kid ADD PRIMARY KEY (id);\n"
               "CREATE TABLE c (p int CONSTRAINT to_p REFERENCES p);\nCREATE TABLE c_kid () INHERITS (c);\n"
               "CREATE TABLE k (p int CONSTRAINT to_kid REFERENCES p_kid);\n");
    assert_tree("p", "1 to_p public.c(p)>public.p(id) a null:p\n");
    assert_tree("p_kid", "1 to_kid public.k(p)>public.p_kid(id) a null:p\n");
    assert_string_equal(table_named(world, "p")->from, "ONLY \"public\".\"p\"");
}

SERVED(names_for_rows_below_the_root) {
    sql(world, "CREATE TABLE p (id int PRIMARY KEY);\n"
               "CREATE TABLE keyed (p int REFERENCES p, a int, b int, PRIMARY KEY (a, b), c int NOT NULL UNIQUE);\n"
               "CREATE TABLE unique_only (p int REFERENCES p, a int NOT NULL, b int NOT NULL, UNIQUE (a, b));\n"
               "CREATE TABLE nullable (p int REFERENCES p, code text UNIQUE);\n"
               "CREATE TABLE below (code text REFERENCES nullable (code));\n"
               "CREATE TABLE \"nothing\" (p int REFERENCES p, x int UNIQUE);\n"
               "CREATE TABLE partial (p int REFERENCES p, x int NOT NULL);\n"
               "CREATE UNIQUE INDEX ON partial (x) WHERE x > 0;\nCREATE UNIQUE INDEX ON partial ((x + 1));\n"
               "CREATE TABLE late (p int REFERENCES p, x int NOT NULL UNIQUE DEFERRABLE);\n");
    struct tree *tree = tree_below(world, "p");
    struct {
        const char *table, *columns;
        bool nullable;
    } expected[] = {{"public.keyed", "\"a\", \"b\"", false},
                    {"public.unique_only", "\"a\", \"b\"", false},
                    {"public.nullable", "\"code\"", true},
                    {"public.nothing", "", false},
                    {"public.partial", "", false},
                    {"public.late", "", false},
                    {"public.below", "", false}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct node *node = node_named(tree, expected[i].table);
        struct text names = text_new(world->arena);
        for (size_t c = 0; c < node->identity_count; c++)
            text_addf(&names, "%s\"%s\"", c ? ", " : "", node->identity[c].name);
        assert_string_equal(names.data, expected[i].columns);
        assert_int_equal(node->nullable_identity, expected[i].nullable);
    }
}

SERVED(indexes_that_serve_and_those_that_do_not) {
    sql(world,
        "CREATE TABLE p (id int PRIMARY KEY, t text UNIQUE);\n"
        "CREATE TABLE c (plain int, hashed int, first int, second int, partial int, others int, expr int, included "
        "int,\n"
        "  brin int, other_collation text, dropped int, pair int);\n"
        "ALTER TABLE c DROP COLUMN dropped;\n"
        "DO $$ DECLARE n text; BEGIN\n"
        "  FOREACH n IN ARRAY "
        "ARRAY['plain','hashed','first','second','partial','others','expr','included','brin','pair'] LOOP\n"
        "    EXECUTE format('ALTER TABLE c ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES p', n, n); END LOOP; END $$;\n"
        "ALTER TABLE c ADD CONSTRAINT other_collation FOREIGN KEY (other_collation) REFERENCES p (t);\n"
        "CREATE INDEX ON c (plain);\nCREATE INDEX ON c USING hash (hashed);\nCREATE INDEX ON c (first, second);\n"
        "CREATE INDEX ON c (partial) WHERE partial IS NOT NULL;\nCREATE INDEX ON c (others) WHERE others > 5;\n"
        "CREATE INDEX ON c ((expr + 0));\nCREATE INDEX ON c (plain) INCLUDE (included);\n"
        "CREATE INDEX ON c USING brin (brin);\nCREATE INDEX ON c (other_collation COLLATE \"POSIX\");\n"
        "CREATE INDEX ON c (pair, plain) WHERE pair IS NOT NULL AND plain IS NOT NULL;\n");
    struct tree *tree = tree_below(world, "p");
    const char *indexed[] = {"plain", "hashed", "first", "partial"};
    const char *not_indexed[] = {"second", "others", "expr", "included", "brin", "other_collation", "pair"};
    for (size_t i = 0; i < sizeof indexed / sizeof *indexed; i++) assert_true(edge_named(tree, indexed[i])->indexed);
    for (size_t i = 0; i < sizeof not_indexed / sizeof *not_indexed; i++)
        if (edge_named(tree, not_indexed[i])->indexed) give_up("%s", not_indexed[i]);
}

SERVED(composite_partial_and_invalid_indexes) {
    sql(world, "CREATE TABLE p (a int, b int, PRIMARY KEY (a, b));\n"
               "CREATE TABLE c (\"A b\" int, b int, CONSTRAINT c FOREIGN KEY (\"A b\", b) REFERENCES p);\n"
               "CREATE TABLE d (a int, b int, CONSTRAINT d FOREIGN KEY (a, b) REFERENCES p);\n"
               "CREATE INDEX ON c (b, \"A b\") WHERE \"A b\" IS NOT NULL AND b IS NOT NULL;\n"
               "CREATE INDEX broken ON d (a, b);\nCREATE INDEX ON d (a);\n"
               "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;\n");
    assert_tree("p", "1 c public.c(A b,b)>public.p(a,b) a +index null:A b,b\n"
                     "1 d public.d(a,b)>public.p(a,b) a null:a,b\n");
}

SERVED(triggers_and_rules) {
    sql(world, "CREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE c (p int REFERENCES p);\n"
               "CREATE TABLE d (p int REFERENCES p);\n"
               "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';\n"
               "CREATE TRIGGER after_del AFTER DELETE ON p FOR EACH ROW EXECUTE FUNCTION f();\n"
               "CREATE TRIGGER on_ins BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();\n"
               "CREATE TRIGGER stat BEFORE DELETE ON p EXECUTE FUNCTION f();\n"
               "CREATE TRIGGER off BEFORE DELETE ON p FOR EACH ROW EXECUTE FUNCTION f();\n"
               "ALTER TABLE p DISABLE TRIGGER off;\n"
               "CREATE TRIGGER before_upd BEFORE UPDATE ON c FOR EACH ROW EXECUTE FUNCTION f();\n"
               "CREATE CONSTRAINT TRIGGER late AFTER DELETE ON c DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f();\n"
               "CREATE RULE soft AS ON DELETE TO d DO INSTEAD NOTHING;\n");
    struct tree *tree = tree_below(world, "p");
    const struct node *p = node_named(tree, "public.p"), *c = node_named(tree, "public.c"),
                      *d = node_named(tree, "public.d");
    assert_int_equal(p->trigger_count, 2);
    assert_string_equal(p->triggers[0], "after_del");
    assert_string_equal(p->triggers[1], "stat");
    assert_false(p->before_triggers);
    assert_int_equal(c->trigger_count, 2);
    assert_true(c->before_triggers);
    assert_int_equal(d->trigger_count, 0);
    assert_true(d->rules);
    assert_false(c->rules);
}

SERVED(operators_are_the_constraints_and_collations_are_told) {
    sql(world, "CREATE SCHEMA \"Ext\";\nCREATE EXTENSION citext SCHEMA \"Ext\";\n"
               "CREATE TABLE p (id bigint PRIMARY KEY, v varchar(10) UNIQUE, ci \"Ext\".citext UNIQUE, t text COLLATE "
               "\"C\" UNIQUE);\n"
               "CREATE TABLE c (i int CONSTRAINT small REFERENCES p, v text CONSTRAINT txt REFERENCES p (v),\n"
               "  ci \"Ext\".citext CONSTRAINT ci REFERENCES p (ci), t text COLLATE \"POSIX\" CONSTRAINT other "
               "REFERENCES p (t));\n");
    struct tree *tree = tree_below(world, "p");
    assert_string_equal(edge_named(tree, "small")->equal[0], "OPERATOR(pg_catalog.=)");
    assert_string_equal(edge_named(tree, "small")->collate[0], "");
    assert_string_equal(edge_named(tree, "txt")->collate[0], "");
    assert_string_equal(edge_named(tree, "ci")->equal[0], "OPERATOR(\"Ext\".=)");
    assert_string_equal(edge_named(tree, "other")->collate[0], " COLLATE pg_catalog.\"POSIX\"");
    /* the comparison as statements will make it must be one the server takes, index and all */
    sql(world, "SELECT FROM p JOIN c ON p.t OPERATOR(pg_catalog.=) c.t COLLATE pg_catalog.\"POSIX\"\n"
               "  AND p.id OPERATOR(pg_catalog.=) c.i AND p.v OPERATOR(pg_catalog.=) c.v AND p.ci OPERATOR(\"Ext\".=) "
               "c.ci;\n");
}

SERVED(a_collation_that_makes_different_texts_equal_is_the_parents) {
    if (slot_server_version(world->slot) >= 180000) return; /* refuses such foreign keys */
    sql(world, "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);\n"
               "CREATE TABLE p (t text COLLATE loose UNIQUE);\n"
               "CREATE TABLE c (t text COLLATE \"C\" CONSTRAINT c REFERENCES p (t));\n");
    assert_string_equal(tree_below(world, "p")->edges[0]->collate[0], " COLLATE public.loose");
}

SERVED(extensions_that_add_operators_do_no_harm) {
    sql(world,
        "CREATE EXTENSION intarray;\nCREATE EXTENSION citext;\nCREATE EXTENSION hstore;\n"
        "CREATE TABLE p (a int[] PRIMARY KEY, id int UNIQUE);\nCREATE TABLE c (a int[] CONSTRAINT arr REFERENCES p, i "
        "int REFERENCES p (id));\n"
        "CREATE INDEX ON c (a);\nCREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';\n"
        "CREATE TRIGGER watch BEFORE DELETE ON c FOR EACH ROW EXECUTE FUNCTION f();\n"
        "DO $$ DECLARE l text; r text; n int := 0; BEGIN\n"
        "  FOREACH l IN ARRAY ARRAY['oid','name','text','\"char\"','int2','int4','int8','regproc','bool'] LOOP\n"
        "    FOREACH r IN ARRAY ARRAY['oid','name','text','\"char\"','int2','int4','int8','regclass','regtype'] LOOP\n"
        "      n := n + 1;\n"
        "      EXECUTE format('CREATE FUNCTION lie%s(%s, %s) RETURNS bool LANGUAGE sql AS $f$SELECT false$f$', n, l, "
        "r);\n"
        "      EXECUTE format('CREATE OPERATOR public.= (LEFTARG = %s, RIGHTARG = %s, FUNCTION = lie%s)', l, r, n);\n"
        "      EXECUTE format('CREATE OPERATOR public.<> (LEFTARG = %s, RIGHTARG = %s, FUNCTION = lie%s)', l, r, n);\n"
        "      EXECUTE format('CREATE OPERATOR public.> (LEFTARG = %s, RIGHTARG = %s, FUNCTION = lie%s)', l, r, n);\n"
        "    END LOOP; END LOOP; END $$;\n"
        "ALTER ROLE CURRENT_USER IN DATABASE :\"DBNAME\" SET search_path = public, pg_catalog;\n");
    slot_close(world->slot);
    world->slot = open_slot(world, "");
    struct tree *tree = tree_below(world, "p");
    assert_int_equal(tree->edge_count, 2);
    assert_string_equal(edge_named(tree, "arr")->equal[0], "OPERATOR(pg_catalog.=)");
    assert_true(edge_named(tree, "arr")->indexed);
    assert_true(tree->nodes[1]->before_triggers);
    assert_string_equal(tree->nodes[0]->table->key.columns[0].less, "OPERATOR(pg_catalog.<)");
    put_policies(world, tree, "*", POLICY_DELETE);
    assert_string_equal(tree_grants(world->slot, world->arena, tree, &world->error), "");
    assert_ok(world);
}

SERVED(the_fingerprint_is_of_what_the_schema_says) {
    const char *schema = "CREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE m (id int PRIMARY KEY, p int CONSTRAINT "
                         "m_p REFERENCES p);\n"
                         "CREATE TABLE c (m int CONSTRAINT c_m REFERENCES m);\n";
    sql(world, schema);
    const char *first = tree_below(world, "p")->fingerprint;
    assert_int_equal(strspn(first, "0123456789abcdef"), 12);
    sql(world, "CREATE INDEX ON m (p);\nINSERT INTO p VALUES (1);\nANALYZE;\nCREATE TABLE aside (id int);\n");
    assert_string_equal(tree_below(world, "p")->fingerprint, first);
    sql(world, "DROP TABLE c, m, p;\nCREATE TABLE filler (id int);\n");
    sql(world, schema);
    assert_string_equal(tree_below(world, "p")->fingerprint, first);
    const char *changes[] = {
        "ALTER TABLE c DROP CONSTRAINT c_m, ADD CONSTRAINT c_m FOREIGN KEY (m) REFERENCES m ON DELETE CASCADE;\n",
        "ALTER TABLE m ALTER CONSTRAINT m_p DEFERRABLE;\n", "ALTER TABLE m RENAME CONSTRAINT m_p TO other;\n",
        "CREATE TABLE e (c int REFERENCES m);\n", "ALTER TABLE m RENAME COLUMN p TO q;\n"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const char *before = tree_below(world, "p")->fingerprint;
        sql(world, changes[i]);
        assert_string_not_equal(tree_below(world, "p")->fingerprint, before);
    }
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

SERVED(three_hundred_tables_and_a_thousand_foreign_keys_in_two_seconds) {
    struct text script = text_new(world->arena);
    text_add(&script, "BEGIN;\n");
    for (int i = 0; i < 300; i++)
        text_addf(&script,
                  "CREATE TABLE t%d (id int PRIMARY KEY, a int, b int, c int, d int, e text, f timestamptz);\n"
                  "CREATE INDEX ON t%d (a);\n",
                  i, i);
    int keys = 0;
    for (int i = 1; i < 300; i++, keys++)
        text_addf(&script, "ALTER TABLE t%d ADD FOREIGN KEY (a) REFERENCES t%d;\n", i, i / 3);
    for (unsigned x = 7; keys < 1000; keys++) {
        x = x * 1103515245u + 12345u;
        text_addf(&script, "ALTER TABLE t%u ADD FOREIGN KEY (%c) REFERENCES t%u;\n", (x >> 8) % 300, "bcd"[keys % 3],
                  (x >> 18) % 300);
    }
    text_add(&script, "COMMIT;\n");
    sql(world, script.data);
    struct table *root = table_named(world, "t0");
    double start = seconds();
    struct tree *tree = tree_read(world->slot, world->arena, root, &world->error);
    assert_ok(world);
    assert_int_equal(tree->node_count, 300);
    assert_int_equal(tree->edge_count, 1000);
    put_policies(world, tree, "*", POLICY_DELETE);
    assert_string_equal(tree_grants(world->slot, world->arena, tree, &world->error), "");
    double took = seconds() - start;
    print_message("# took %.3f s\n", took);
    assert_true(took < 2);
}

RUN(SERVED_TEST(a_chain_of_eleven), SERVED_TEST(a_table_that_nothing_references),
    SERVED_TEST(composite_keys_and_keys_that_are_not_primary), SERVED_TEST(other_schemas_and_hostile_names),
    SERVED_TEST(self_references_and_several_between_two_tables), SERVED_TEST(a_cycle_of_twenty_one_tables),
    SERVED_TEST(actions_and_when_they_are_checked), SERVED_TEST(what_set_null_can_set),
    SERVED_TEST(columns_listed_for_set_null), SERVED_TEST(inheritance_children_are_tables_of_their_own),
    SERVED_TEST(names_for_rows_below_the_root), SERVED_TEST(indexes_that_serve_and_those_that_do_not),
    SERVED_TEST(composite_partial_and_invalid_indexes), SERVED_TEST(triggers_and_rules),
    SERVED_TEST(operators_are_the_constraints_and_collations_are_told),
    SERVED_TEST(a_collation_that_makes_different_texts_equal_is_the_parents),
    SERVED_TEST(extensions_that_add_operators_do_no_harm), SERVED_TEST(the_fingerprint_is_of_what_the_schema_says),
    SERVED_TEST(three_hundred_tables_and_a_thousand_foreign_keys_in_two_seconds))
