/* The smoothed rate: rows and time fade by the same factor, so there is no start to correct for. */
#include "work/rate.h"

enum { MEMORY_MS = 30000, LONGEST_MS = 5000 };

struct rate rate_new(int64_t now) {
    return (struct rate){.at = now};
}

void rate_add(struct rate *rate, int64_t rows, int64_t now) {
    int64_t ms = now - rate->at < LONGEST_MS ? now - rate->at : LONGEST_MS;
    double kept = (double)MEMORY_MS / (double)(MEMORY_MS + ms);
    rate->rows = rate->rows * kept + (double)rows;
    rate->ms = rate->ms * kept + (double)ms;
    rate->at = now;
}

double rate_of(const struct rate *rate) { return rate->ms > 0 ? rate->rows / rate->ms * 1000 : 0; }
