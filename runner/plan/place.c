/* Places inside scalars: from bytes of the decoded text back to lines and columns of the file. */
#include <string.h>

#include "plan/tree.h"

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* Line and column of a byte, counted on from a place that is known. */
static struct place walk(const struct tree *tree, struct place from, size_t at, size_t to) {
    for (; at < to; at++) {
        char c = tree->source.text[at];
        if (c == '\n')
            from = (struct place){from.file, from.line + 1, 1};
        else if ((c & 0xC0) != 0x80)
            from.column++;
    }
    if (to < tree->source.length && (tree->source.text[to] & 0xC0) == 0x80) from.column--;
    return from;
}

/*
 * Text and source side by side up to a byte of the text: equal bytes pass, and any white space matches any other, since
 * YAML folds lines and cuts indentation. An escape or a doubled quote fits neither way: false.
 */
static bool align(const struct tree *tree, const struct node *node, size_t *at, size_t offset) {
    const char *source = tree->source.text, *text = node->text;
    for (size_t i = 0; *at < node->end;) {
        if (blank(source[*at])) {
            while (*at < node->end && blank(source[*at])) ++*at;
            while (i < offset && blank(text[i])) i++;
        } else if (i == offset) {
            return source[*at] == text[i];
        } else if (source[*at] == text[i]) {
            i++;
            ++*at;
        } else {
            return false;
        }
    }
    return false;
}

/* Where the text begins: behind the quote, or behind the line of a block scalar's '|' or '>'. */
static size_t text_start(const struct tree *tree, const struct node *node) {
    if (node->style == SCALAR_PLAIN) return node->start;
    if (node->style == SCALAR_SINGLE || node->style == SCALAR_DOUBLE) return node->start + 1;
    size_t at = node->start;
    while (at < node->end && tree->source.text[at] != '\n') at++;
    return at;
}

struct place tree_place(const struct tree *tree, const struct node *node, size_t offset) {
    size_t at = text_start(tree, node);
    if (!align(tree, node, &at, offset)) return node->place;
    return walk(tree, node->place, node->start, at);
}

bool tree_comment_behind(const struct tree *tree, const struct node *node, struct place *place) {
    if (node->kind != NODE_SCALAR || node->style != SCALAR_PLAIN || !*node->text) return false;
    const char *source = tree->source.text;
    size_t at = node->end;
    bool same_line = true;
    for (; at < tree->source.length && blank(source[at]); at++) same_line &= source[at] != '\n';
    if (source[at] != '#') return false;
    *place = walk(tree, node->place, node->start, at);
    /* On a later line it is a comment of its own unless it stands where the value would go on. */
    return same_line || node->flow || place->column > node->indent;
}

bool tree_lines_joined(const struct tree *tree, const struct node *node) {
    if (node->style == SCALAR_LITERAL) return false;
    size_t end = node->end;
    while (end > node->start && blank(tree->source.text[end - 1])) end--;
    size_t start = node->style == SCALAR_FOLDED ? text_start(tree, node) + 1 : node->start;
    return start < end && memchr(tree->source.text + start, '\n', end - start) != NULL;
}
