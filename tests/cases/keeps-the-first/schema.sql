-- Names that need quotes, a composite key, NULLs in the order (they never win) and in the duplicates' columns (no
-- duplicates).
CREATE SCHEMA "Shop";
CREATE TABLE "Shop"."My Items" (
    region   text,
    no       int,
    "E-Mail" text,
    seen     date,
    PRIMARY KEY (region, no)
);
CREATE TABLE "Shop".notes (
    region text,
    item   int,
    body   text,
    FOREIGN KEY (region, item) REFERENCES "Shop"."My Items"
);
CREATE INDEX ON "Shop".notes (region, item);
INSERT INTO "Shop"."My Items" VALUES
    ('n', 1, 'a@x', '2024-01-02'), ('n', 2, 'A@X', '2024-01-01'), ('s', 1, 'a@x', NULL),    -- n 2 was first
    ('n', 3, 'b@x', '2024-01-01'), ('s', 2, 'b@x', '2024-01-01'),                           -- a tie: n 3 by the key
    ('s', 3, 'ö@x', NULL),         ('s', 4, 'Ö@X', NULL),                                   -- all NULL: s 3 by the key
    ('n', 4, NULL, '2024-01-01'),  ('n', 5, NULL, '2024-01-01'),                            -- NULL is no duplicate
    ('n', 6, 'alone@x', NULL);
INSERT INTO "Shop".notes VALUES
    ('n', 1, 'goes'), ('n', 2, 'stays'), ('s', 1, 'goes'), ('s', 2, 'goes'), ('n', 3, 'stays'), (NULL, 3, 'of nobody');
