/* Drawing in place by relative cursor movement. Owns the live part; leaves its contents to terminal.c. */
#include "events/screen.h"

#include <sys/ioctl.h>

enum { LEAST_WIDTH = 10, LEAST_HEIGHT = 2, USUAL_WIDTH = 80, USUAL_HEIGHT = 24 };

static size_t size_of(size_t fixed, size_t asked, size_t usual, size_t least) {
    size_t size = fixed ? fixed : asked ? asked : usual;
    return size < least ? least : size;
}

void screen_measure(struct screen *screen) {
    struct winsize size = {0};
    if (!screen->fixed_width && ioctl(screen->fd, TIOCGWINSZ, &size) < 0) size = (struct winsize){0};
    screen->width = size_of(screen->fixed_width, size.ws_col, USUAL_WIDTH, LEAST_WIDTH);
    screen->height = size_of(screen->fixed_height, size.ws_row, USUAL_HEIGHT, LEAST_HEIGHT);
}

/* A terminal that became narrower has wrapped what stood there: the live part is then higher than it was drawn. */
static size_t rows_standing(const struct screen *screen) {
    size_t rows = 0;
    for (size_t i = 0; i < screen->count; i++)
        rows += screen->columns[i] ? (screen->columns[i] + screen->width - 1) / screen->width : 1;
    return rows < screen->height ? rows : screen->height - 1;
}

static void add_lines(struct text *text, const struct lines *lines, size_t count) {
    for (size_t i = 0; i < count; i++) {
        text_add(text, lines->items[i].text.data);
        text_add(text, "\033[K\r\n");
    }
}

bool screen_draw(struct screen *screen, struct arena *arena, const struct lines *stay, const struct lines *live) {
    struct text text = text_new(arena);
    size_t up = rows_standing(screen), most = screen->height - 1, count = live->count;
    if (count > most) count = most;
    if (count > MOST_LIVE_LINES) count = MOST_LIVE_LINES;
    text_add(&text, "\033[?25l\r");
    if (up) text_addf(&text, "\033[%zuA", up);
    add_lines(&text, stay, stay->count);
    add_lines(&text, live, count);
    text_add(&text, "\033[J\033[?25h");
    bool drawn = stay->count ? output_line(screen->output, text.data, text.length)
                             : output_frame(screen->output, text.data, text.length);
    if (!drawn) return false;
    for (size_t i = 0; i < count; i++) screen->columns[i] = live->items[i].used;
    screen->count = count;
    return true;
}
