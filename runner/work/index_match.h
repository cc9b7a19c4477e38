/*
 * Is an index of the catalog the one that is wished for? By definition, not by name: method, uniqueness, NULL rules,
 * expressions, collations, operator classes, order, INCLUDE and condition. Reads only, so explain can ask too.
 */
#pragma once
#include "work/index_wish.h"

/* The same definition, whether valid or not. */
bool index_same(struct slot *, struct arena *, const struct index_wish *, unsigned index, struct error *);

/* The name of a valid index of the same definition, whatever its name; NULL: there is none. For the wish of a
 * partition only one that no other parent has. */
const char *index_twin(struct slot *, struct arena *, const struct index_wish *, struct error *);

/* Two wishes on one table keep the same rows apart: the expressions, the condition and the NULL rule are the same, in
 * any writing and order. Directions, operator classes and INCLUDE do not matter for that. */
bool index_wishes_agree(struct slot *, struct arena *, const struct index_wish *, const struct index_wish *,
                        struct error *);

/* What stands behind USING in the server's own text of an index. Lives as long as the arena. */
const char *index_definition_text(struct slot *, struct arena *, unsigned index, struct error *);
