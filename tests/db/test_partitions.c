/* Partitioned tables on either side of foreign keys: one logical edge, whatever the catalog holds of it. */
#include "server.h"

/* Two levels; the leaves are p1, p22 and p23. */
static const char *const parents =
    "CREATE TABLE p (id int, region int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);\n"
    "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);\n"
    "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2, 3) PARTITION BY LIST (region);\n"
    "CREATE TABLE p22 PARTITION OF p2 FOR VALUES IN (2);\n"
    "CREATE TABLE p23 PARTITION OF p2 FOR VALUES IN (3);\n";

/* Columns of c2 have other numbers than those of c. */
static const char *const children =
    "CREATE TABLE c (x int, p int, region int) PARTITION BY RANGE (x);\n"
    "CREATE TABLE c1 PARTITION OF c FOR VALUES FROM (0) TO (10);\n"
    "CREATE TABLE c2 (region int, gone int, x int, p int);\nALTER TABLE c2 DROP COLUMN gone;\n"
    "ALTER TABLE c ATTACH PARTITION c2 FOR VALUES FROM (10) TO (20);\n"
    "CREATE TABLE c3 PARTITION OF c FOR VALUES FROM (20) TO (30);\n";

SERVED(a_partitioned_parent_and_a_partitioned_child_give_one_edge) {
    sql(world, parents);
    sql(world, children);
    sql(world, "ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p, region) REFERENCES p ON DELETE CASCADE;\n"
               "CREATE TABLE d (p int, region int, CONSTRAINT d_p FOREIGN KEY (p, region) REFERENCES p);\n");
    assert_tree("p", "1 c_p public.c(p,region)>public.p(id,region) c null:p,region\n"
                     "1 d_p public.d(p,region)>public.p(id,region) a null:p,region\n");
    struct tree *tree = tree_below(world, "p");
    assert_true(tree->nodes[0]->table->partitioned);
    assert_string_equal(tree->nodes[0]->table->from, "\"public\".\"p\"");
    size_t count;
    struct leaf *leaves = catalog_leaves(world->slot, world->arena, tree->nodes[0]->table->oid, &count, &world->error);
    assert_ok(world);
    assert_int_equal(count, 3);
    assert_string_equal(leaves[0].shown, "public.p1");
    assert_string_equal(leaves[1].shown, "public.p22");
    assert_string_equal(leaves[2].sql, "\"public\".\"p23\"");
}

SERVED(an_index_must_be_on_every_leaf) {
    sql(world, parents);
    sql(world, children);
    sql(world, "ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p, region) REFERENCES p;\n"
               "CREATE INDEX ON c1 (p, region);\nCREATE INDEX ON c2 (region, p) WHERE p IS NOT NULL;\n"
               "CREATE INDEX ON ONLY c (p, region);\n");
    assert_false(tree_below(world, "p")->edges[0]->indexed);
    sql(world, "CREATE INDEX ON c3 (p, region, x);\n");
    assert_true(tree_below(world, "p")->edges[0]->indexed);
}

SERVED(a_partitioned_index_counts_on_its_leaves) {
    sql(world, parents);
    sql(world, children);
    sql(world,
        "ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p, region) REFERENCES p;\nCREATE INDEX ON c (p, region);\n");
    assert_true(tree_below(world, "p")->edges[0]->indexed);
}

SERVED(a_self_reference_of_a_partitioned_table) {
    sql(world, parents);
    sql(world, "ALTER TABLE p ADD COLUMN up int, ADD CONSTRAINT up FOREIGN KEY (up, region) REFERENCES p;\n");
    assert_tree("p", "1 up public.p(up,region)>public.p(id,region) a null:up\n");
}

SERVED(the_plans_table_may_be_a_partition) {
    sql(world, parents);
    sql(world, children);
    sql(world,
        "ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p, region) REFERENCES p ON DELETE CASCADE;\n"
        "CREATE TABLE only_p1 (p int, region int, CONSTRAINT to_p1 FOREIGN KEY (p, region) REFERENCES p1);\n"
        "CREATE TABLE only_p22 (p int, region int, CONSTRAINT to_p22 FOREIGN KEY (p, region) REFERENCES p22);\n");
    assert_tree("p1", "1 c_p public.c(p,region)>public.p1(id,region) c null:p,region\n"
                      "1 to_p1 public.only_p1(p,region)>public.p1(id,region) a null:p,region\n");
    assert_tree("p2", "1 c_p public.c(p,region)>public.p2(id,region) c null:p,region\n"
                      "1 to_p22 public.only_p22(p,region)>public.p2(id,region) a leaves:1 null:p,region\n");
    assert_tree("p23", "1 c_p public.c(p,region)>public.p23(id,region) c null:p,region\n");
}

SERVED(a_partition_of_a_table_that_references_itself) {
    sql(world, parents);
    sql(world, "ALTER TABLE p ADD COLUMN up int, ADD CONSTRAINT up FOREIGN KEY (up, region) REFERENCES p;\n");
    assert_tree("p1", "1 up public.p(up,region)>public.p1(id,region) a null:up\n"
                      "2 up public.p(up,region)>public.p(id,region) a null:up\n");
}

SERVED(a_foreign_key_of_one_partition_of_the_parent_names_its_leaves) {
    sql(world, parents);
    sql(world, "CREATE TABLE one (p int, r int, CONSTRAINT one FOREIGN KEY (p, r) REFERENCES p1);\n"
               "CREATE TABLE two (p int, r int, CONSTRAINT two FOREIGN KEY (p, r) REFERENCES p2);\n"
               "CREATE TABLE all_of_it (p int, r int, CONSTRAINT three FOREIGN KEY (p, r) REFERENCES p);\n");
    assert_tree("p", "1 three public.all_of_it(p,r)>public.p(id,region) a null:p,r\n"
                     "1 one public.one(p,r)>public.p(id,region) a leaves:1 null:p,r\n"
                     "1 two public.two(p,r)>public.p(id,region) a leaves:2 null:p,r\n");
    struct tree *tree = tree_below(world, "p");
    assert_int_equal(edge_named(tree, "one")->parent_leaves[0], table_named(world, "p1")->oid);
    assert_int_equal(edge_named(tree, "two")->parent_leaves[0], table_named(world, "p22")->oid);
    assert_int_equal(edge_named(tree, "two")->parent_leaves[1], table_named(world, "p23")->oid);
}

/* The rows of c3 must not be orphaned, though nothing says that they reference p. */
SERVED(foreign_keys_of_some_partitions_are_one_edge_of_the_whole_table) {
    sql(world, parents);
    sql(world, children);
    sql(world, "ALTER TABLE c1 ADD CONSTRAINT z_first FOREIGN KEY (p, region) REFERENCES p;\n"
               "ALTER TABLE c2 ADD CONSTRAINT a_second FOREIGN KEY (region, p) REFERENCES p (region, id) ON DELETE "
               "CASCADE NOT VALID;\n");
    assert_tree("p", "1 a_second public.c(region,p)>public.p(region,id) c invalid null:region,p\n");
}

SERVED(what_the_whole_table_declares_is_not_repeated_by_its_partitions) {
    sql(world, parents);
    sql(world, children);
    sql(world, "ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p, region) REFERENCES p;\n"
               "ALTER TABLE c2 ADD CONSTRAINT again FOREIGN KEY (p, region) REFERENCES p ON DELETE CASCADE;\n");
    assert_tree("p", "1 c_p public.c(p,region)>public.p(id,region) c null:p,region\n");
}

/* A table per kind: target 5 of a photo is another thing than target 5 of a post. */
SERVED(partitions_that_reference_different_tables_by_the_same_column_stay_apart) {
    sql(world,
        "CREATE TABLE post (id int PRIMARY KEY);\nCREATE TABLE photo (id int PRIMARY KEY);\n"
        "CREATE TABLE comment (id int, kind text, target int, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);\n"
        "CREATE TABLE comment_post PARTITION OF comment FOR VALUES IN ('post');\n"
        "CREATE TABLE comment_photo PARTITION OF comment FOR VALUES IN ('photo');\n"
        "ALTER TABLE comment_post ADD CONSTRAINT to_post FOREIGN KEY (target) REFERENCES post;\n"
        "ALTER TABLE comment_photo ADD CONSTRAINT to_photo FOREIGN KEY (target) REFERENCES photo;\n"
        "CREATE TABLE vote (comment int, kind text, CONSTRAINT vote FOREIGN KEY (comment, kind) REFERENCES "
        "comment);\n");
    assert_tree("post", "1 to_post public.comment_post(target)>public.post(id) a null:target\n"
                        "2 vote public.vote(comment,kind)>public.comment_post(id,kind) a null:comment,kind\n");
    assert_string_equal(tree_below(world, "post")->edges[0]->key, "comment_post.target");
}

/* Partition by partition: ids are unique in a region only. */
SERVED(partitions_paired_with_partitions_stay_apart) {
    sql(world, parents);
    sql(world, children);
    sql(world, "CREATE UNIQUE INDEX ON p1 (id);\nCREATE UNIQUE INDEX ON p22 (id);\n"
               "ALTER TABLE c1 ADD CONSTRAINT one FOREIGN KEY (p) REFERENCES p1 (id);\n"
               "ALTER TABLE c2 ADD CONSTRAINT two FOREIGN KEY (p) REFERENCES p22 (id);\n");
    assert_tree("p", "1 one public.c1(p)>public.p(id) a leaves:1 null:p\n"
                     "1 two public.c2(p)>public.p(id) a leaves:1 null:p\n");
}

SERVED(a_key_of_one_partition_names_no_rows_of_the_whole) {
    sql(world, "CREATE TABLE root (id int PRIMARY KEY);\n"
               "CREATE TABLE c (id int NOT NULL, x int, root int REFERENCES root) PARTITION BY LIST (x);\n"
               "CREATE TABLE c1 PARTITION OF c FOR VALUES IN (1);\nCREATE TABLE c2 PARTITION OF c FOR VALUES IN (2);\n"
               "ALTER TABLE c1 ADD UNIQUE (id);\n"
               "CREATE TABLE d (c int CONSTRAINT d_c REFERENCES c1 (id));\n");
    struct tree *tree = tree_below(world, "root");
    assert_int_equal(node_named(tree, "public.c")->identity_count, 0);
    assert_int_equal(edge_named(tree, "d_c")->parent_leaf_count, 1);
}

SERVED(triggers_of_partitions_count) {
    sql(world, parents);
    sql(world, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';\n"
               "CREATE TRIGGER everywhere AFTER DELETE ON p FOR EACH ROW EXECUTE FUNCTION f();\n"
               "CREATE TRIGGER here BEFORE DELETE ON p23 FOR EACH ROW EXECUTE FUNCTION f();\n"
               "CREATE TABLE c (p int, region int, CONSTRAINT c_p FOREIGN KEY (p, region) REFERENCES p);\n");
    const struct node *p = tree_below(world, "p")->nodes[0], *p1 = tree_below(world, "p1")->nodes[0];
    assert_int_equal(p->trigger_count, 2);
    assert_true(p->before_triggers);
    assert_int_equal(p1->trigger_count, 1);
    assert_string_equal(p1->triggers[0], "everywhere");
    assert_false(p1->before_triggers);
}

SERVED(estimates_are_summed_over_partitions) {
    sql(world, parents);
    assert_int_equal(table_named(world, "p")->rows, 0);
    sql(world, "INSERT INTO p SELECT i, 1 + i % 3 FROM generate_series(1, 30000) i;\nVACUUM ANALYZE p;\n");
    assert_int_equal(table_named(world, "p")->rows, 30000);
    assert_int_equal(table_named(world, "p2")->rows, 20000);
    assert_int_equal(table_named(world, "p1")->rows, 10000);
    struct table *whole = table_named(world, "p"), *half = table_named(world, "p2"), *one = table_named(world, "p1");
    assert_true(one->bytes > 10000 * 28 && one->bytes < 10000 * 60);
    assert_int_equal(whole->bytes, half->bytes + one->bytes);
}

SERVED(the_fingerprint_does_not_count_partitions) {
    sql(world, parents);
    sql(world, children);
    sql(world, "ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p, region) REFERENCES p;\n");
    const char *before = tree_below(world, "p")->fingerprint;
    sql(world, "CREATE TABLE p9 PARTITION OF p FOR VALUES IN (9);\nCREATE TABLE c9 PARTITION OF c DEFAULT;\n");
    assert_string_equal(tree_below(world, "p")->fingerprint, before);
}

SERVED(a_partition_that_is_taken_off_is_a_table_of_its_own) {
    if (slot_server_version(world->slot) < 150000) return; /* drops its foreign keys to partitioned tables */
    sql(world, parents);
    sql(world, children);
    sql(world,
        "ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p, region) REFERENCES p;\nALTER TABLE c DETACH PARTITION c1;\n");
    assert_int_equal(tree_below(world, "p")->edge_count, 2);
    assert_string_equal(tree_below(world, "p")->edges[1]->child->table->shown, "public.c1");
}

RUN(SERVED_TEST(a_partitioned_parent_and_a_partitioned_child_give_one_edge),
    SERVED_TEST(an_index_must_be_on_every_leaf), SERVED_TEST(a_partitioned_index_counts_on_its_leaves),
    SERVED_TEST(a_self_reference_of_a_partitioned_table), SERVED_TEST(the_plans_table_may_be_a_partition),
    SERVED_TEST(a_partition_of_a_table_that_references_itself),
    SERVED_TEST(a_foreign_key_of_one_partition_of_the_parent_names_its_leaves),
    SERVED_TEST(foreign_keys_of_some_partitions_are_one_edge_of_the_whole_table),
    SERVED_TEST(what_the_whole_table_declares_is_not_repeated_by_its_partitions),
    SERVED_TEST(partitions_that_reference_different_tables_by_the_same_column_stay_apart),
    SERVED_TEST(partitions_paired_with_partitions_stay_apart),
    SERVED_TEST(a_key_of_one_partition_names_no_rows_of_the_whole), SERVED_TEST(triggers_of_partitions_count),
    SERVED_TEST(estimates_are_summed_over_partitions), SERVED_TEST(the_fingerprint_does_not_count_partitions),
    SERVED_TEST(a_partition_that_is_taken_off_is_a_table_of_its_own))
