/* notify --flush: what the outbox holds for the endpoints of a plan, sent now. */
#pragma once
#include "commands/command.h"

void notify_flush(const struct command_line *, struct arena *, const struct plan *, struct error *);
