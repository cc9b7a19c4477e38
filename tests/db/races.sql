-- The tables of races.t and what its clients do to them. 1,200 groups of four: survivors first (id 1 to 1,200), then
-- the three losers of each group, in the order in which a run removes them.
--
-- Clients write down what they did in `told`, in the transaction that did it. None of them ever empties a group: each
-- locks the row that it is about to take out as its UPDATE or DELETE would, and then looks, by a new statement, whether
-- another row of the group is there. So a group without a row was emptied by the runner.
SET client_min_messages = warning;

CREATE TABLE listings (
    id int PRIMARY KEY, source text NOT NULL, external_id text NOT NULL, scraped_at timestamptz NOT NULL
);
INSERT INTO listings SELECT g, 's', 'x' || g, '2020-01-01' FROM generate_series(1, 1200) AS g;
INSERT INTO listings SELECT 1200 + (g - 1) * 3 + c, 's', 'x' || g, '2020-01-01'::timestamptz + make_interval(hours => c)
  FROM generate_series(1, 1200) AS g, generate_series(1, 3) AS c ORDER BY g, c;
CREATE INDEX ON listings (external_id);
ANALYZE listings;

CREATE TABLE told (what text NOT NULL, id int, at timestamptz NOT NULL DEFAULT clock_timestamp());

-- A batch stays a while between its DELETE's snapshot and the DELETE, and between that and its commit: races that need
-- luck otherwise happen all the time. Clients can see these moments. What isolation a batch has is written down.
CREATE TABLE isolation (name text PRIMARY KEY);
CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO isolation VALUES (current_setting('transaction_isolation')) ON CONFLICT DO NOTHING;
    PERFORM pg_advisory_lock_shared(7);
    PERFORM pg_sleep(0.015);
    PERFORM pg_advisory_unlock_shared(7);
    RETURN NULL;
END $$;
CREATE TRIGGER nap_before BEFORE DELETE ON listings FOR EACH STATEMENT EXECUTE FUNCTION nap();
CREATE TRIGGER nap_after AFTER DELETE ON listings FOR EACH STATEMENT EXECUTE FUNCTION nap();

CREATE FUNCTION is_napping() RETURNS boolean LANGUAGE sql AS
    $$ SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND granted
                         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) $$;

-- Groups that the next batches are about to take; NULL as long as nothing is tracked.
CREATE FUNCTION next_group() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    done bigint;
BEGIN
    IF to_regclass('pgwinnow.track_1') IS NULL THEN RETURN NULL; END IF;
    SELECT COALESCE(max(last), 0) INTO done FROM pgwinnow.batches WHERE pass = 1;
    RETURN 1 + (done / 3 + (random() * 120)::int) % 1200;
END $$;

CREATE FUNCTION a_loser(g int) RETURNS int LANGUAGE sql AS
    $$ SELECT 1200 + (g - 1) * 3 + 1 + floor(random() * 3)::int $$;

CREATE FUNCTION move_survivor(g int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM listings WHERE id = g FOR NO KEY UPDATE;
    UPDATE listings AS l SET external_id = 'moved ' || g
     WHERE id = g AND external_id = 'x' || g
       AND EXISTS (SELECT FROM listings AS o WHERE o.external_id = l.external_id AND o.id <> l.id);
    IF FOUND THEN INSERT INTO told VALUES ('moved', g); END IF;
END $$;

CREATE FUNCTION delete_survivor(g int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM listings WHERE id = g FOR UPDATE;
    DELETE FROM listings AS l
     WHERE id = g AND EXISTS (SELECT FROM listings AS o WHERE o.external_id = l.external_id AND o.id <> l.id);
    IF FOUND THEN INSERT INTO told VALUES ('deleted', g); END IF;
END $$;

-- The loser becomes a row of its own: it must stay.
CREATE FUNCTION change_loser(g int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    loser int := a_loser(g);
BEGIN
    UPDATE listings SET external_id = 'own ' || loser WHERE id = loser AND external_id = 'x' || g;
    IF FOUND THEN INSERT INTO told VALUES ('own', loser); END IF;
END $$;

-- The loser is now the one that was scraped first: it must stay.
CREATE FUNCTION favour_loser(g int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    loser int := a_loser(g);
BEGIN
    UPDATE listings SET scraped_at = '2000-01-01' WHERE id = loser AND scraped_at > '2000-01-01';
    IF FOUND THEN INSERT INTO told VALUES ('first', loser); END IF;
END $$;

-- The survivor is now the one that was scraped last: what is there of its group at that moment must stay.
CREATE FUNCTION disfavour_survivor(g int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM listings WHERE id = g FOR NO KEY UPDATE;
    UPDATE listings SET scraped_at = 'infinity' WHERE id = g AND scraped_at < 'infinity';
    IF FOUND THEN
        INSERT INTO told VALUES ('last', g);
        INSERT INTO told SELECT 'before last', id FROM listings WHERE external_id = 'x' || g AND id <> g;
    END IF;
END $$;

-- Each group has one kind of client, so that what became of it has one reason.
CREATE FUNCTION rewrite(g int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CASE g % 5
    WHEN 0 THEN PERFORM move_survivor(g);
    WHEN 1 THEN PERFORM delete_survivor(g);
    WHEN 2 THEN PERFORM change_loser(g);
    WHEN 3 THEN PERFORM favour_loser(g);
    WHEN 4 THEN PERFORM disfavour_survivor(g);
    ELSE NULL;
    END CASE;
END $$;

-- Rows below listings. `born` has every one that was ever committed. The parent may be gone: that is the client's
-- error and nobody's loss.
CREATE TABLE born (child text NOT NULL, id int NOT NULL, parent int NOT NULL, PRIMARY KEY (child, id));
CREATE SEQUENCE child_id;

CREATE FUNCTION add_child(child text, parent int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    new int := nextval('child_id');
BEGIN
    EXECUTE format('INSERT INTO %I (id, parent) VALUES ($1, $2)', child) USING new, parent;
    INSERT INTO born VALUES (child, new, parent);
EXCEPTION WHEN foreign_key_violation THEN
    NULL;
END $$;

-- Most come at the moment when a batch has looked for children and is about to delete; some at any time.
CREATE FUNCTION add_children(g int, VARIADIC children text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF g IS NOT NULL AND (is_napping() OR random() < 0.02) THEN
        PERFORM add_child(children[1 + floor(random() * cardinality(children))::int], a_loser(g));
    END IF;
END $$;

-- A child of a child that points at one of the group's losers.
CREATE FUNCTION add_grandchild(g int, child text, grandchild text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent int;
BEGIN
    IF g IS NULL OR NOT (is_napping() OR random() < 0.02) THEN RETURN; END IF;
    EXECUTE format('SELECT id FROM %I WHERE parent BETWEEN $1 AND $2 LIMIT 1', child) INTO parent
      USING 1200 + (g - 1) * 3 + 1, 1200 + g * 3;
    IF parent IS NOT NULL THEN PERFORM add_child(grandchild, parent); END IF;
END $$;

-- Two losers that a batch takes in this order, locked in the other one. Who is the victim of a deadlock tells.
CREATE FUNCTION lock_backwards(g int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF g IS NULL THEN RETURN; END IF;
    INSERT INTO told VALUES ('tried', g);
    UPDATE listings SET scraped_at = scraped_at WHERE id = 1200 + g * 3;
    PERFORM pg_sleep(0.02);
    UPDATE listings SET scraped_at = scraped_at WHERE id = 1200 + g * 3 - 8;
EXCEPTION WHEN deadlock_detected THEN
    INSERT INTO told VALUES ('victim', g);
END $$;
