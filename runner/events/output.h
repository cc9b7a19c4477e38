/*
 * A bounded writer that never blocks: a reader that stops (Ctrl-S, a pager, a full pipe) must never stop the runner,
 * or the heartbeat would stand still and batches would stay open.
 *
 * Lines are kept in a buffer until the reader takes them; frames are dropped unless everything before them is out. What
 * was accepted goes out whole and in order. Once the reader is gone everything is accepted and thrown away.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct output;

/* `fd` stays the caller's. What is still held when the arena goes gets two seconds to leave. */
struct output *output_new(struct arena *, int fd);

/* Both false when not accepted: a line because the buffer is full (it counts as lost), a frame because the reader is
 * behind. */
bool output_line(struct output *, const char *text, size_t length);
bool output_frame(struct output *, const char *text, size_t length);

void output_flush(struct output *);        /* what goes without waiting */
size_t output_lost(const struct output *); /* lines lost so far */
bool output_behind(const struct output *); /* something is still held */
