/* Tables, types, keys, expressions and privileges as the catalog of a server has them. */
#include "server.h"

static const struct column *column(const struct table *table, const char *name) {
    const struct column *found = table_column(table, name);
    if (!found) give_up("no column %s", name);
    return found;
}

SERVED(names_resolve_by_the_search_path_and_other_schemas_when_said) {
    sql(world,
        "CREATE SCHEMA app;\nCREATE TABLE app.t (id int);\nCREATE TABLE t (id int);\nCREATE TABLE \"T\" (id int);\n");
    assert_string_equal(table_named(world, "t")->schema, "public");
    assert_string_equal(table_named(world, "app.t")->shown, "app.t");
    assert_string_equal(table_named(world, "\"T\"")->shown, "public.\"T\"");
    sql(world, "ALTER ROLE CURRENT_USER IN DATABASE :\"DBNAME\" SET search_path = app;\n");
    slot_close(world->slot);
    world->slot = open_slot(world, "");
    assert_string_equal(table_named(world, "t")->schema, "app");
}

static void refuse(struct world *world, struct name name, const char *words) {
    name.place = (struct place){"plan.yaml", 3, 8};
    assert_null(catalog_table(world->slot, world->arena, &name, &world->error));
    assert_fault(world, FAULT_USAGE, "plan.yaml:3:8: ");
    assert_null(catalog_table(world->slot, world->arena, &name, &world->error));
    assert_fault(world, FAULT_USAGE, words);
}

SERVED(what_is_no_table_is_refused_with_what_may_be_meant) {
    sql(world, "CREATE SCHEMA app;\nCREATE TABLE app.orders (id int);\nCREATE TABLE listings (id int);\n"
               "CREATE VIEW v AS SELECT 1 AS x;\nCREATE MATERIALIZED VIEW m AS SELECT 1 AS x;\nCREATE SEQUENCE s;\n"
               "CREATE INDEX i ON listings (id);\n");
    refuse(world, (struct name){.name = "listngs"}, "did you mean listings?");
    refuse(world, (struct name){.schema = "public", .name = "listing"}, "did you mean public.listings?");
    refuse(world, (struct name){.name = "orders"}, "did you mean app.orders?");
    refuse(world, (struct name){.name = "zzzzzzzzzzzzzzzzzzz"},
           "there is no table zzzzzzzzzzzzzzzzzzz in database tree_");
    refuse(world, (struct name){.name = "v"}, "public.v is a view, not a table");
    refuse(world, (struct name){.name = "m"}, "a materialized view");
    refuse(world, (struct name){.name = "s"}, "a sequence");
    refuse(world, (struct name){.name = "i"}, "an index");
}

SERVED(columns_with_types_and_operators) {
    sql(world, "CREATE SCHEMA \"Ext\";\nCREATE EXTENSION citext SCHEMA \"Ext\";\nCREATE TYPE mood AS ENUM ('a', 'b');\n"
               "CREATE DOMAIN short AS varchar(7) COLLATE \"C\";\nCREATE DOMAIN shorter AS short NOT NULL;\n"
               "CREATE TYPE pair AS (a int, b int);\nCREATE TYPE span AS RANGE (subtype = int);\n"
               "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, gone int, v varchar(10), d shorter, e mood, ci "
               "\"Ext\".citext,\n"
               "  a int[], ea mood[], ca \"Ext\".citext[], r int4range, sp span, n numeric(10, 2), c \"char\", ch "
               "char(3), j json,\n"
               "  jb jsonb, p point, b bit(3), u uuid, pr pair, g int GENERATED ALWAYS AS (1) STORED, x text NOT NULL "
               "COLLATE \"C\",\n"
               "  nm name, ip cidr, xm xml, \"Quo\"\"ted\" timestamptz(3));\nALTER TABLE t DROP COLUMN gone;\n");
    struct table *t = table_named(world, "t");
    struct {
        const char *name, *type, *equal, *collation;
    } expected[] = {
        {"id", "integer", "OPERATOR(pg_catalog.=)", NULL},
        {"v", "character varying(10)", "OPERATOR(pg_catalog.=)", "pg_catalog.\"default\""},
        {"d", "character varying(7)", "OPERATOR(pg_catalog.=)", "pg_catalog.\"C\""},
        {"e", "public.mood", "OPERATOR(pg_catalog.=)", NULL},
        {"ci", "\"Ext\".citext", "OPERATOR(\"Ext\".=)", "pg_catalog.\"default\""},
        {"a", "integer[]", "OPERATOR(pg_catalog.=)", NULL},
        {"ea", "public.mood[]", "OPERATOR(pg_catalog.=)", NULL},
        {"ca", "\"Ext\".citext[]", "OPERATOR(pg_catalog.=)", "pg_catalog.\"default\""},
        {"r", "int4range", "OPERATOR(pg_catalog.=)", NULL},
        {"sp", "public.span", "OPERATOR(pg_catalog.=)", NULL},
        {"n", "numeric(10,2)", "OPERATOR(pg_catalog.=)", NULL},
        {"c", "\"char\"", "OPERATOR(pg_catalog.=)", NULL},
        {"ch", "character(3)", "OPERATOR(pg_catalog.=)", "pg_catalog.\"default\""},
        {"j", "json", NULL, NULL},
        {"jb", "jsonb", "OPERATOR(pg_catalog.=)", NULL},
        {"p", "point", NULL, NULL},
        {"b", "bit(3)", "OPERATOR(pg_catalog.=)", NULL},
        {"u", "uuid", "OPERATOR(pg_catalog.=)", NULL},
        {"pr", "public.pair", "OPERATOR(pg_catalog.=)", NULL},
        {"x", "text", "OPERATOR(pg_catalog.=)", "pg_catalog.\"C\""},
        {"nm", "name", "OPERATOR(pg_catalog.=)", "pg_catalog.\"C\""},
        {"ip", "cidr", "OPERATOR(pg_catalog.=)", NULL},
        {"xm", "xml", NULL, NULL},
        {"Quo\"ted", "timestamp(3) with time zone", "OPERATOR(pg_catalog.=)", NULL},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const struct column *c = column(t, expected[i].name);
        assert_string_equal(c->type, expected[i].type);
        if (!text_equal(c->equal, expected[i].equal)) give_up("%s: equal is %s", c->name, c->equal);
        if (!text_equal(c->collation, expected[i].collation)) give_up("%s: collation is %s", c->name, c->collation);
        assert_int_equal(c->less == NULL, c->equal == NULL);
    }
    assert_int_equal(t->column_count, 25);
    assert_true(column(t, "id")->identity_always);
    assert_true(column(t, "g")->generated && !column(t, "v")->generated);
    assert_true(column(t, "d")->not_null && column(t, "x")->not_null && !column(t, "v")->not_null);
    assert_int_equal(column(t, "v")->number, 3);
    assert_int_equal(column(t, "d")->type_oid, 1043); /* varchar */
    assert_string_equal(column(t, "ci")->less, "OPERATOR(\"Ext\".<)");
    assert_null(table_column(t, "gone"));
}

static const char *key_text(struct world *world, const char *table) {
    struct table *t = table_named(world, table);
    struct text text = text_new(world->arena);
    for (size_t i = 0; i < t->key.count; i++) text_addf(&text, "%s ", t->key.columns[i].name);
    if (t->key.count) text_addf(&text, "by %s%s", t->key.index, t->key.primary ? ", primary" : "");
    return text.data;
}

SERVED(the_key_that_names_a_row) {
    sql(world, "CREATE TABLE a (x int, y int, z int NOT NULL CONSTRAINT a_z UNIQUE, CONSTRAINT a_pk PRIMARY KEY (y, x) "
               "INCLUDE (z));\n"
               "CREATE TABLE b (x int NOT NULL, y int NOT NULL, z int NOT NULL, w int UNIQUE);\n"
               "CREATE UNIQUE INDEX b_long ON b (x, y, z);\nCREATE UNIQUE INDEX b_short ON b (z, y);\n"
               "CREATE UNIQUE INDEX b_part ON b (x) WHERE y > 0;\nCREATE UNIQUE INDEX b_expr ON b ((x + y));\n"
               "CREATE TABLE c (x int NOT NULL UNIQUE DEFERRABLE);\nCREATE TABLE d (x int UNIQUE);\n"
               "CREATE TABLE e (x int NOT NULL);\nCREATE UNIQUE INDEX e_x ON e (x);\n"
               "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'e_x'::regclass;\n");
    assert_string_equal(key_text(world, "a"), "y x by a_pk, primary");
    assert_string_equal(key_text(world, "b"), "z y by b_short");
    assert_string_equal(key_text(world, "c"), "");
    assert_string_equal(key_text(world, "d"), "");
    assert_string_equal(key_text(world, "e"), "");
}

SERVED(expressions_are_described_and_never_run) {
    sql(world,
        "CREATE EXTENSION citext;\nCREATE EXTENSION intarray;\n"
        "CREATE FUNCTION boom(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE EXCEPTION ''ran''; END';\n"
        "CREATE FUNCTION boom(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE EXCEPTION ''ran''; END';\n"
        "CREATE TABLE \"My T\" (id int PRIMARY KEY, email text COLLATE \"C\", ci citext, a int[], code char(3));\n"
        "INSERT INTO \"My T\" VALUES (1, 'A', 'b', '{1}', 'x');\n");
    struct sql_text texts[] = {{.text = "lower(email)"},
                               {.text = "ci -- a comment"},
                               {.text = "id % 10"},
                               {.text = "boom(id)"},
                               {.text = "boom(1)"},
                               {.text = "\"My T\".email COLLATE \"POSIX\""},
                               {.text = "a"},
                               {.text = "code"},
                               {.text = "'x'"},
                               {.text = "boom('y'::text)"}};
    struct {
        const char *type, *equal, *collation;
    } expected[] = {{"text", "OPERATOR(pg_catalog.=)", "pg_catalog.\"C\""},
                    {"public.citext", "OPERATOR(public.=)", "pg_catalog.\"default\""},
                    {"integer", "OPERATOR(pg_catalog.=)", NULL},
                    {"integer", "OPERATOR(pg_catalog.=)", NULL},
                    {"integer", "OPERATOR(pg_catalog.=)", NULL},
                    {"text", "OPERATOR(pg_catalog.=)", "pg_catalog.\"POSIX\""},
                    {"integer[]", "OPERATOR(pg_catalog.=)", NULL},
                    {"bpchar", "OPERATOR(pg_catalog.=)", "pg_catalog.\"default\""},
                    {"text", "OPERATOR(pg_catalog.=)", "pg_catalog.\"default\""},
                    {"text", "OPERATOR(pg_catalog.=)", "pg_catalog.\"default\""}};
    enum { COUNT = sizeof texts / sizeof *texts };
    struct table *table = table_named(world, "\"My T\"");
    struct column *columns = catalog_expressions(world->slot, world->arena, table, texts, COUNT, &world->error);
    assert_ok(world);
    for (size_t i = 0; i < COUNT; i++) {
        assert_string_equal(columns[i].name, texts[i].text);
        assert_string_equal(columns[i].type, expected[i].type);
        assert_string_equal(columns[i].equal, expected[i].equal);
        if (!text_equal(columns[i].collation, expected[i].collation))
            give_up("%s: %s", texts[i].text, columns[i].collation);
    }
}

SERVED(expressions_that_are_wrong) {
    sql(world, "CREATE TABLE t (id int PRIMARY KEY, email text);\n");
    struct table *table = table_named(world, "t");
    struct {
        const char *text, *words;
    } wrong[] = {{"emial", "emial"},         {"lower(id, 3)", "lower"},   {"email +", "syntax"},
                 {"nosuch.email", "nosuch"}, {"id), (email", "2 values"}, {"(id, email)", "record"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sql_text text = {.text = wrong[i].text, .place = {"plan.yaml", 12, 5}};
        assert_null(catalog_expressions(world->slot, world->arena, table, &text, 1, &world->error));
        assert_int_equal(world->error.fault, FAULT_USAGE);
        assert_fault(world, FAULT_USAGE, wrong[i].words);
        assert_null(catalog_expressions(world->slot, world->arena, table, &text, 1, &world->error));
        assert_fault(world, FAULT_USAGE, "plan.yaml:12:5");
    }
}

SERVED(ownership_and_row_security) {
    sql(world, "CREATE ROLE \"tree Owner\";\nCREATE ROLE tree_user LOGIN;\n"
               "CREATE TABLE t (id int PRIMARY KEY);\nALTER TABLE t OWNER TO \"tree Owner\";\n"
               "CREATE TABLE r (id int PRIMARY KEY);\nALTER TABLE r ENABLE ROW LEVEL SECURITY;\n");
    struct slot *own = world->slot;
    assert_true(table_named(world, "t")->owned);
    assert_string_equal(table_named(world, "t")->owner, "tree Owner");
    assert_false(table_named(world, "r")->row_security);
    world->slot = open_slot(world, "user=tree_user");
    assert_false(table_named(world, "t")->owned);
    assert_true(table_named(world, "r")->row_security);
    sql(world, "GRANT \"tree Owner\" TO tree_user;\n");
    assert_true(table_named(world, "t")->owned);
    slot_close(world->slot);
    world->slot = own;
    sql(world, "DROP OWNED BY \"tree Owner\" CASCADE;\nDROP ROLE \"tree Owner\", tree_user;\n");
}

/* What it prints is run by the owner, and then nothing is missing. */
SERVED(grants_that_are_missing_and_enough) {
    sql(world,
        "CREATE ROLE \"Tree's user\" LOGIN;\nCREATE SCHEMA \"App\";\n"
        "CREATE TABLE \"App\".p (id int PRIMARY KEY);\nCREATE TABLE \"App\".\"Kid\" (p int REFERENCES \"App\".p);\n"
        "CREATE TABLE nulled (\"P\" int REFERENCES \"App\".p, other int);\nCREATE TABLE stopped (p int REFERENCES "
        "\"App\".p);\n"
        "CREATE TABLE beyond (s int);\nALTER TABLE stopped ADD PRIMARY KEY (p);\n"
        "ALTER TABLE beyond ADD FOREIGN KEY (s) REFERENCES stopped;\n"
        "CREATE TABLE leaves (p int REFERENCES \"App\".p) PARTITION BY HASH (p);\n"
        "CREATE TABLE leaf PARTITION OF leaves FOR VALUES WITH (MODULUS 1, REMAINDER 0);\n"
        "GRANT SELECT, UPDATE (id) ON \"App\".p TO \"Tree's user\";\n");
    struct slot *own = world->slot;
    world->slot = open_slot(world, "user='Tree\\'s user'");
    struct tree *tree = tree_below(world, "\"App\".p");
    struct policy_options deletes = {.policy = POLICY_DELETE - 1}, nulls = {.policy = POLICY_SET_NULL - 1},
                          stops = {.policy = POLICY_STOP - 1};
    struct entry items[] = {{.key = "\"Kid\".p", .options = &deletes},
                            {.key = "public.nulled.\"P\"", .options = &nulls},
                            {.key = "public.stopped.p", .options = &stops},
                            {.key = "public.leaves.p", .options = &deletes}};
    struct entries children = {items, 4};
    struct problems problems = problems_new(world->arena);
    assert_int_equal(tree_policies(tree, world->arena, &children, &problems), 0);
    assert_int_equal(problems.count, 0);
    const char *grants = tree_grants(world->slot, world->arena, tree, &world->error);
    assert_ok(world);
    assert_string_equal(grants, "GRANT USAGE ON SCHEMA \"App\" TO \"Tree's user\";\n"
                                "GRANT DELETE ON \"App\".p TO \"Tree's user\";\n"
                                "GRANT SELECT, DELETE, UPDATE ON \"App\".\"Kid\" TO \"Tree's user\";\n"
                                "GRANT SELECT, DELETE, UPDATE ON public.leaves TO \"Tree's user\";\n"
                                "GRANT SELECT, DELETE, UPDATE ON public.leaf TO \"Tree's user\";\n"
                                "GRANT SELECT ON public.nulled TO \"Tree's user\";\n"
                                "GRANT SELECT ON public.stopped TO \"Tree's user\";\n"
                                "GRANT UPDATE (\"P\") ON public.nulled TO \"Tree's user\";\n");
    sql(world, grants);
    assert_string_equal(tree_grants(world->slot, world->arena, tree, &world->error), "");
    assert_ok(world);
    slot_close(world->slot);
    world->slot = own;
    sql(world, "DROP OWNED BY \"Tree's user\";\nDROP ROLE \"Tree's user\";\n");
}

RUN(SERVED_TEST(names_resolve_by_the_search_path_and_other_schemas_when_said),
    SERVED_TEST(what_is_no_table_is_refused_with_what_may_be_meant), SERVED_TEST(columns_with_types_and_operators),
    SERVED_TEST(the_key_that_names_a_row), SERVED_TEST(expressions_are_described_and_never_run),
    SERVED_TEST(expressions_that_are_wrong), SERVED_TEST(ownership_and_row_security),
    SERVED_TEST(grants_that_are_missing_and_enough))
