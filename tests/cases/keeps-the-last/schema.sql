-- Only rows under the condition count; ties are broken by the key; two columns.
CREATE TABLE readings (id uuid PRIMARY KEY, meter int, hour int, taken timestamptz, flags jsonb);
INSERT INTO readings SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, m, h, t::timestamptz, f::jsonb
  FROM (VALUES (1, 7, 1, '2024-01-01', '{}'), (2, 7, 1, '2024-01-03', '{}'), (3, 7, 1, '2024-01-02', '{}'), -- 2 last
               (4, 7, 2, '2024-01-01', '{}'), (5, 7, 2, '2024-01-01', '{}'), -- a tie: 4 by the key
               (6, 7, 3, '2024-01-01', '{}'), (7, 7, 3, NULL, '{}'), -- NULL never wins
               (8, 7, 1, '2024-01-09', '{"test": 1}'), (9, 8, 1, '2024-01-01', '{}')) v (n, m, h, t, f); -- not 8
