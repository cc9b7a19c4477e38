/*
 * Settings that change while a run goes on. A key is written as it is found in a plan, with dots: batch.size,
 * locks.lock_timeout. Which there are, what they take and their bounds is said by the same tables as for plans
 * (settings_options).
 */
#pragma once
#include <jansson.h>

#include "plan/plan.h"

/* Lays one over the settings; FAULT_USAGE when there is no such key, or it does not take this value. */
void retune_one(struct arena *, struct settings *, const char *key, const char *value, struct error *);

/* Lays all of an object (key: text) over the settings of a plan. What this version does not know is left alone; what
 * the plan says gives way where both cannot hold: batch.size above batch.max raises that. */
void retune_all(struct arena *, struct settings *, const json_t *overrides);

/* FAULT_USAGE when two of them cannot both hold. */
void retune_check(struct arena *, const json_t *overrides, struct error *);
