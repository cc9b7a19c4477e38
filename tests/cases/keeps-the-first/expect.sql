SELECT region, no, "E-Mail" FROM "Shop"."My Items" ORDER BY region, no;
SELECT region, item, body FROM "Shop".notes ORDER BY body, region;
SELECT indisunique, indisvalid FROM pg_index WHERE indexrelid = '"Shop"."One Mail"'::regclass;
