/*
 * Memory that is given back all at once.
 *
 * Everything above floor 2 allocates from an arena and never frees: a command, a run, a step and a slot each own one,
 * and a slot's is reset after every batch, so the runner's memory does not grow with the table. A child arena goes
 * with its parent. Foreign handles that outlive a call (FILE, DIR) are released by arena_defer. Out of memory ends the
 * process with a message: nothing is half done, since the server rolls back what was not committed.
 */
#pragma once
#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(struct arena *parent); /* parent may be NULL: then arena_free is the caller's */
void arena_reset(struct arena *);              /* frees what it holds (children too), stays usable */
void arena_free(struct arena *);

void *arena_alloc(struct arena *, size_t size); /* zeroed, aligned for anything; never NULL */
void *arena_copy(struct arena *, const void *, size_t size);
char *arena_strdup(struct arena *, const char *);
char *arena_strndup(struct arena *, const char *, size_t length);
char *arena_printf(struct arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *, const char *format, va_list) __attribute__((format(printf, 2, 0)));
void arena_defer(struct arena *, void (*release)(void *), void *handle); /* runs at reset or free, last first */

/* Appends a zeroed item to a growing array: items = arena_grow(a, items, &count, sizeof *items); items[count - 1] is
 * new. */
void *arena_grow(struct arena *, void *items, size_t *count, size_t item_size);
