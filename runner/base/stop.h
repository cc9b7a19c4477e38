/*
 * Signals: the wish to stop, as a number that the one wait looks at.
 *
 * The first Ctrl-C finishes the batches at hand, saves and ends with 75; the second cancels the statements. SIGTERM
 * counts as the first Ctrl-C, but also cancels a single long statement, since orchestrators kill after 30 s.
 */
#pragma once
#include <stdbool.h>

void stop_install(void);    /* handlers for SIGINT, SIGTERM, SIGHUP (unless nohup ignores it); SIGPIPE ignored */
void stop_hear_children(void); /* SIGCHLD wakes the one wait, too */
int stop_next_signal(void);    /* for who passes them on: the signals that came, one a call; 0: no more */
int stop_fd(void);          /* readable when a signal came: for the one wait */
void stop_drain(void);      /* empties it */
int stop_level(void);       /* 0 go on, 1 stop after the batches at hand, 2 cancel them */
bool stop_terminated(void); /* SIGTERM or SIGHUP was among the signals */
