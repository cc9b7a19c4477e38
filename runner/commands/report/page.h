/*
 * A run as a document, from what report_data() knows of it.
 *
 * The page is one file: no script, nothing to fetch, light and dark, for screens of any width and for paper. The
 * markdown is for a pull request: short, with the tree as a mermaid flowchart. Nothing of what the data says can break
 * out of either.
 */
#pragma once
#include <jansson.h>

#include "base/text.h"

void report_page(const json_t *run, struct text *out);
void report_markdown(const json_t *run, struct text *out);
