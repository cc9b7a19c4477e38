/* Events as short messages of Slack (mrkdwn): what, where, how far, what it waits for, what to type. */
#pragma once
#include "events/message.h"

const char *slack_text(struct arena *, const struct message *);
