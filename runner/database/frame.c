/* The settings of transactions that hold a statement of ours alone. What batches and steps need is work/session's. */
#include "database/frame.h"

#include "sql/database/frame.sql.h"

static void fill(struct arena *arena, const struct sql *begin, const char *search_path, struct statement out[3]) {
    const char *const *values = arena_copy(arena, &search_path, sizeof search_path);
    out[0] = (struct statement){.about = "beginning a transaction", .text = begin->text};
    out[1] = (struct statement){.about = "setting up a transaction", .text = sql_frame_no_timeout.text};
    out[2] = (struct statement){"setting up a transaction", sql_frame_settings.text, values, 1};
}

void frame_set(struct slot *slot, struct arena *arena, const char *search_path) {
    struct statement before[3];
    fill(arena, &sql_frame_begin, search_path, before);
    slot_frame(slot, before, 3);
}

void frame_set_reading(struct slot *slot, struct arena *arena) {
    struct statement before[3];
    fill(arena, &sql_frame_begin_read, NULL, before);
    slot_frame(slot, before, 3);
}

void frame_begin(struct slot *slot, struct arena *arena, struct error *error) {
    struct statement statements[3];
    fill(arena, &sql_frame_begin, NULL, statements);
    ask_all(slot, arena, statements, 3, error);
}

void frame_end(struct slot *slot, struct arena *arena, struct error *error) {
    if (!failed(error)) {
        ask(slot, arena, &(struct statement){.about = "committing", .text = "COMMIT"}, error);
    } else if (!slot_lost(slot) && slot_in_transaction(slot)) {
        struct error ignored = error_new(arena);
        ask(slot, arena, &(struct statement){.about = "rolling back", .text = "ROLLBACK"}, &ignored);
    }
}
