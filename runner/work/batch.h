/* One batch on one slot: its phases from the cut to the commit. For loop.c only. */
#pragma once
#include "work/loop.h"

void batch_reset(struct batch *);     /* ready for another try: arena, error, counts */
void batch_begin(struct batch *);     /* range is set: round 1 */
void batch_ask_cut(struct batch *);   /* cut() queued a question */
void batch_reconnect(struct batch *); /* in PHASE_LOST, when due */

/* What the loop does when a try is over; the batch is idle, or rests, afterwards. */
void loop_try_failed(struct batch *, bool at_hold);
void loop_try_done(struct batch *);
