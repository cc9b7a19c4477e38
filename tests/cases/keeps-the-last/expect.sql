SELECT right(id::text, 1) FROM readings ORDER BY id;
