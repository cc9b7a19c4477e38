/* Arenas: chunks of memory chained to their owner. Owns the chunks; leaves what they mean to others. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 8192 - 64, ALIGNMENT = 16 };

struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(ALIGNMENT) char data[];
};

struct deferred {
    struct deferred *next;
    void (*release)(void *);
    void *handle;
};

struct arena {
    struct arena *parent, *first_child, *next_sibling;
    struct chunk *chunks;
    struct deferred *deferred;
};

static void *must(void *memory) {
    if (!memory) {
        fputs("pgwinnow: out of memory; what was not committed is rolled back, run again to go on\n", stderr);
        exit(1);
    }
    return memory;
}

struct arena *arena_new(struct arena *parent) {
    struct arena *arena = must(calloc(1, sizeof *arena));
    arena->parent = parent;
    if (parent) {
        arena->next_sibling = parent->first_child;
        parent->first_child = arena;
    }
    return arena;
}

/* Takes the chunks away; foreign handles go first since they may point into them. */
static void release(struct arena *arena) {
    while (arena->first_child) arena_free(arena->first_child);
    for (struct deferred *d = arena->deferred; d; d = d->next) d->release(d->handle);
    arena->deferred = NULL;
    while (arena->chunks) {
        struct chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
}

/* Keeps one chunk of the usual size: a slot's arena is reset after every batch, and must not go to malloc for each. */
void arena_reset(struct arena *arena) {
    struct chunk *keep = NULL, **link = &arena->chunks;
    for (; *link; link = &(*link)->next)
        if ((*link)->size == CHUNK_SIZE) {
            keep = *link;
            *link = keep->next;
            break;
        }
    release(arena);
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
        arena->chunks = keep;
    }
}

void arena_free(struct arena *arena) {
    if (!arena) return;
    release(arena);
    if (arena->parent) {
        struct arena **link = &arena->parent->first_child;
        while (*link != arena) link = &(*link)->next_sibling;
        *link = arena->next_sibling;
    }
    free(arena);
}

static void *bytes(struct arena *arena, size_t size) {
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < size) {
        size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        chunk = must(malloc(sizeof *chunk + room));
        *chunk = (struct chunk){.size = room};
        /* A large piece goes behind the current chunk, whose rest stays in use. */
        if (size > CHUNK_SIZE / 2 && arena->chunks) {
            chunk->next = arena->chunks->next;
            arena->chunks->next = chunk;
        } else {
            chunk->next = arena->chunks;
            arena->chunks = chunk;
        }
    }
    void *memory = chunk->data + chunk->used;
    chunk->used += size;
    return memory;
}

void *arena_alloc(struct arena *arena, size_t size) { return memset(bytes(arena, size), 0, size); }

void *arena_copy(struct arena *arena, const void *from, size_t size) { return memcpy(bytes(arena, size), from, size); }

char *arena_strndup(struct arena *arena, const char *text, size_t length) {
    char *copy = bytes(arena, length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text) { return arena_strndup(arena, text, strlen(text)); }

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *text = bytes(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}

void arena_defer(struct arena *arena, void (*release_it)(void *), void *handle) {
    struct deferred *d = arena_alloc(arena, sizeof *d);
    *d = (struct deferred){arena->deferred, release_it, handle};
    arena->deferred = d;
}

/* Doubles at powers of two, so the count alone tells the room. */
void *arena_grow(struct arena *arena, void *items, size_t *count, size_t item_size) {
    size_t n = (*count)++;
    if (n && (n & (n - 1))) {
        memset((char *)items + n * item_size, 0, item_size);
        return items;
    }
    size_t room = n ? 2 * n : 1;
    char *larger = bytes(arena, room * item_size);
    if (n) memcpy(larger, items, n * item_size);
    memset(larger + n * item_size, 0, item_size);
    return larger;
}
