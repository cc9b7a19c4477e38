/*
 * The tree in twelve digits: the same wherever the same foreign keys are, other when one comes, goes or does something
 * else. No oids, no estimates; names of partitions, which differ from place to place, count only where an edge is
 * theirs.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "database/lists.h"
#include "database/reading.h"

enum { DIGITS = 12 };

static const char *line_of(struct arena *arena, const struct found_edge *found) {
    const struct edge *edge = found->edge;
    return arena_printf(arena, "%s %s (%s) -> %s%s (%s) %c%c%s%s\n", found->whole ? edge->constraint : "*",
                        edge->child->table->sql, list_names(arena, NULL, edge->columns, edge->count),
                        edge->parent_leaves ? "PARTITION OF " : "", edge->parent->table->sql,
                        list_names(arena, NULL, edge->parent_columns, edge->count), edge->on_delete, found->key->match,
                        edge->deferrable ? " deferrable" : "", edge->deferred ? " deferred" : "");
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

const char *reading_fingerprint(struct reading *r) {
    const char **lines = arena_alloc(r->scratch, (r->found_count + 1) * sizeof *lines);
    for (size_t i = 0; i < r->found_count; i++) lines[i] = line_of(r->scratch, &r->found[i]);
    qsort(lines, r->found_count, sizeof *lines, by_text);
    struct text text = text_new(r->scratch);
    text_addf(&text, "%s\n", r->root->sql);
    for (size_t i = 0; i < r->found_count; i++) text_add(&text, lines[i]);
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    EVP_Digest(text.data, text.length, digest, NULL, EVP_sha256(), NULL);
    struct text digits = text_new(r->arena);
    for (size_t i = 0; i < DIGITS / 2; i++) text_addf(&digits, "%02x", digest[i]);
    return digits.data;
}
