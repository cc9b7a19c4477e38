/* The fast way: whole families in one statement, where every edge is NO ACTION or RESTRICT. A child that comes
 * meanwhile makes its foreign key object, and the batch goes again the thorough way. */
#include "base/text.h"
#include "database/lists.h"
#include "sql/work/family_fast.sql.h"
#include "work/archive.h"
#include "work/family_job.h"
#include "work/family_text.h"
#include "work/tracking.h"

/* The columns of a node that its edges refer to, each once: what RETURNING must hand on. */
static const char *handed_on(struct batch *batch, const struct node *node, const char *alias) {
    const struct family *f = family_of(batch);
    const char **names = NULL;
    size_t count = 0;
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (e->parent != node || !f->settled[i]) continue;
        for (size_t c = 0; c < e->count; c++) {
            size_t known = 0;
            while (known < count && !text_equal(names[known], e->parent_columns[c])) known++;
            if (known < count) continue;
            names = arena_grow(batch->arena, names, &count, sizeof *names);
            names[count - 1] = e->parent_columns[c];
        }
    }
    return count ? list_names(batch->arena, alias, names, count) : "1";
}

static const char *link_name(struct batch *batch, const struct edge *edge) {
    return arena_printf(batch->arena, "pgwinnow_e%zu", edge->index);
}

/* The rows of a node that the statement has removed so far: by any of the edges that lead to it. */
static const char *removed_rows(struct batch *batch, const struct node *node) {
    const struct family *f = family_of(batch);
    if (node->index == 0) return "pgwinnow_0";
    struct text text = text_new(batch->arena);
    for (size_t i = 0; i < f->tree->edge_count; i++) {
        const struct edge *e = f->tree->edges[i];
        if (e->child == node && f->settled[i] && e->policy == POLICY_DELETE)
            text_addf(&text, "%sSELECT * FROM %s", text.length ? " UNION ALL " : "(", link_name(batch, e));
    }
    text_add(&text, ")");
    return text.data;
}

static void add_link(struct batch *batch, const struct edge *edge, struct text *links, struct text *children) {
    struct bindings b = {0};
    const char *name = link_name(batch, edge);
    bool null = edge->policy == POLICY_SET_NULL;
    bind(&b, "link", name);
    bind(&b, "child", edge->child->table->from);
    bind(&b, "parents", removed_rows(batch, edge->parent));
    bind(&b, "points", edge_points(batch->arena, edge, "p", "c"));
    bind(&b, "nulls", null ? edge_nulls(batch->arena, edge) : "");
    if (null) {
        bind(&b, "returning", archive_changed(batch, edge->child));
        bind(&b, "beside", archive_beside(batch, edge->child->table->from));
        bind(&b, "same_row", archive_same_row(batch));
        bind(&b, "kept", archive_keep_changed(batch, edge->child, name, "set-null"));
    } else {
        bind(&b, "returning",
             arena_printf(batch->arena, "%s%s", handed_on(batch, edge->child, "c"),
                          archive_removed(batch, edge->child, "c")));
        bind(&b, "kept", archive_keep_removed(batch, edge->child, name));
    }
    text_add(links, sql_expand(batch->arena, null ? &sql_link_set_null : &sql_link_delete, b.items, &batch->error));
    text_addf(children, ", (SELECT pg_catalog.count(*) FROM %s)", name);
    struct try *t = family_try(batch);
    t->counted[t->counted_count++] = edge->index;
}

/* Parents before their children: a component's number is smaller than its children's. */
static void add_links(struct batch *batch, struct text *links, struct text *children) {
    const struct family *f = family_of(batch);
    for (size_t component = 0; component < f->tree->node_count; component++)
        for (size_t i = 0; i < f->tree->edge_count; i++)
            if (f->settled[i] && f->tree->edges[i]->parent->component == component)
                add_link(batch, f->tree->edges[i], links, children);
}

void family_fast(struct batch *batch) {
    struct family *f = family_of(batch);
    const char *values[] = {batch_number(batch, batch->range.first), batch_number(batch, batch->range.last)};
    const char *alias = sql_identifier(batch->arena, f->run->table->name);
    struct text links = text_new(batch->arena), children = text_new(batch->arena);
    struct bindings b = {0};
    tracking_bind(&b, f->run, batch->arena, f->round);
    bind(&b, "qualified",
         tracking_qualified(f->run, batch->arena, f->round, "seq BETWEEN $1::bigint AND $2::bigint",
                            tracking_pending(false), false, &batch->error));
    bind(&b, "returning",
         arena_printf(batch->arena, "%s%s", handed_on(batch, f->tree->nodes[0], alias),
                      archive_removed(batch, f->tree->nodes[0], alias)));
    bind(&b, "kept", archive_keep_removed(batch, f->tree->nodes[0], "pgwinnow_0"));
    add_links(batch, &links, &children);
    bind(&b, "links", links.data);
    bind(&b, "children", children.data);
    batch_queue(batch,
                arena_printf(batch->arena, "removing rows %s to %s of %s", values[0], values[1], f->run->table->shown),
                &sql_remove_families, &b, values, 2);
    archive_check(batch);
}

bool family_fast_answer(struct batch *batch, const struct sql *sql, const struct rows *rows) {
    struct try *t = family_try(batch);
    if (sql != &sql_remove_families) return false;
    t->taken = batch->counts.rows = rows_int(rows, 0, 0);
    for (size_t i = 0; i < t->counted_count; i++)
        family_settled(batch, family_of(batch)->tree->edges[t->counted[i]], rows_int(rows, 0, (int)i + 1));
    return true;
}
