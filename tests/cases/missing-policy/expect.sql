SELECT id FROM listings ORDER BY id;
SELECT id FROM posts ORDER BY id;
SELECT post_id FROM likes ORDER BY post_id;
