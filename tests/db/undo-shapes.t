#!/bin/bash
# undo over shapes of tables: circles, composite and quoted keys, a child whose key is its foreign key, partitions; what
# DDL came meanwhile; triggers; rights.
. "$(dirname "$0")/lib.sh"
export NO_COLOR=1

sums() {
    local t
    for t in "$@"; do sql "SELECT '$t', count(*), md5(string_agg(x::text, '|' ORDER BY x::text COLLATE \"C\")) FROM $t x"; done
}

# there_and_back NAME TABLE...: runs plan.yaml and takes it back; every table must be as it was
there_and_back() {
    local name=$1 before
    shift
    before=$(sums "$@")
    pgw run --yes plan.yaml
    is "$code" 0 "$name: the run" || diag "$all"
    isnt "$(sums "$@")" "$before" "$name: it changed something"
    pgw undo 1 --yes
    is "$code" 0 "$name: the undo" || diag "$all"
    is "$(sums "$@")" "$before" "$name: every table as before"
}

new_database circles
sql 'CREATE TABLE "Odd ""t" ("K 1" int, "k,2" text, "Up 1" int, "Up2" text, v int, best int, PRIMARY KEY ("K 1", "k,2"),
         FOREIGN KEY ("Up 1", "Up2") REFERENCES "Odd ""t");
     CREATE TABLE b (id int PRIMARY KEY, a1 int, a2 text, FOREIGN KEY (a1, a2) REFERENCES "Odd ""t");
     ALTER TABLE "Odd ""t" ADD FOREIGN KEY (best) REFERENCES b;
     CREATE TABLE detail (id int PRIMARY KEY REFERENCES b, t text);
     INSERT INTO "Odd ""t" SELECT n, $$x$$, NULL, NULL, n % 25, NULL FROM generate_series(1, 100) n;
     INSERT INTO b SELECT n, n % 100 + 1, $$x$$ FROM generate_series(1, 150) n;
     UPDATE "Odd ""t" SET best = "K 1", "Up 1" = CASE WHEN "K 1" % 7 = 0 THEN "K 1" ELSE ("K 1" + 50) % 100 + 1 END, "Up2" = $$x$$
      WHERE "K 1" % 3 > 0;
     INSERT INTO detail SELECT n, $$d$$ || n FROM generate_series(1, 150) n;
     CREATE INDEX ON "Odd ""t" ("Up 1", "Up2"); CREATE INDEX ON "Odd ""t" (best); CREATE INDEX ON b (a1, a2)'
plan <<'PLAN'
plan: circles
table: '"Odd ""t"'
batch: { size: 30, min: 5, pause: 0ms, max: 300 }
steps:
  - discover:
      children: { '"Odd ""t"("Up 1","Up2")': set-null, '"Odd ""t".best': delete, 'b(a1,a2)': delete, detail.id: delete }
  - track: { where: 'v > 5 AND "K 1" > 20' }
  - delete-children
  - delete
PLAN
there_and_back 'circle, composite and quoted keys, PK = FK' '"Odd ""t"' b detail

new_database deletes
sql 'CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a, b int);
     CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a);
     INSERT INTO a SELECT n, NULL, n FROM generate_series(1, 60) n; INSERT INTO b SELECT n, n FROM generate_series(1, 60) n;
     ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; UPDATE a SET up = id % 60 + 1 WHERE id % 10 > 0;
     CREATE INDEX ON a (up); CREATE INDEX ON a (b); CREATE INDEX ON b (a)'
plan <<'PLAN'
plan: deletes
table: a
batch: { size: 50, min: 5, pause: 0ms, max: 1000 }
steps:
  - discover: { children: { a.up: delete, a.b: delete, b.a: delete } }
  - track: { where: id % 10 = 5 }
  - delete-children
  - delete
PLAN
there_and_back 'a circle that deletes' a b

new_database partitions
sql 'CREATE TABLE events (id int, day date, k int, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
     CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ($$2020-01-01$$) TO ($$2020-02-01$$);
     CREATE TABLE events_2 (note text, gone int, k int, day date NOT NULL, id int NOT NULL);
     ALTER TABLE events_2 DROP gone;
     ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ($$2020-02-01$$) TO ($$2020-03-01$$);
     CREATE TABLE marks (id int, event int, day date, FOREIGN KEY (event, day) REFERENCES events, PRIMARY KEY (id)) PARTITION BY HASH (id);
     CREATE TABLE marks_0 PARTITION OF marks FOR VALUES WITH (MODULUS 2, REMAINDER 0);
     CREATE TABLE marks_1 PARTITION OF marks FOR VALUES WITH (MODULUS 2, REMAINDER 1);
     CREATE TABLE notes (event int, day date, n int, FOREIGN KEY (event, day) REFERENCES events);
     INSERT INTO events SELECT n, $$2020-01-01$$::date + n % 50, n % 30, $$e$$ FROM generate_series(1, 200) n;
     INSERT INTO marks SELECT n, n, $$2020-01-01$$::date + n % 50 FROM generate_series(1, 200) n;
     INSERT INTO notes SELECT n % 100 + 1, $$2020-01-01$$::date + (n % 100 + 1) % 50, n / 150 FROM generate_series(1, 300) n;
     CREATE INDEX ON marks (event, day); CREATE INDEX ON notes (event, day)'
plan <<'PLAN'
plan: partitioned
table: events
batch: { size: 50, min: 5, pause: 0ms, workers: 2 }
steps:
  - discover: { children: { "marks(event, day)": delete, "notes(event, day)": set-null } }
  - track: { duplicates: [k] }
  - delete-children
  - delete
PLAN
there_and_back 'partitions, a child without a key' events marks notes

# --- DDL since the run

# things NAME: a finished run that took 40 of 60 rows
things() {
    new_database "$1"
    sql 'CREATE TABLE things (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, k int, note varchar(20));
         INSERT INTO things (k, note) SELECT n % 20, n FROM generate_series(1, 60) n'
    plan <<PLAN
plan: things
table: things
batch: { size: ${size:-10}, min: 5, pause: 0ms }
steps:
  - discover
  - track: { duplicates: [k] }
  - delete
PLAN
    before=$(sql 'SELECT id, k, note FROM things ORDER BY id')
    pgw run plan.yaml
    [ "$code" = 0 ] || diag "$all"
}
things ddl
sql "ALTER TABLE things ADD added int DEFAULT 7; CREATE SCHEMA elsewhere; ALTER TABLE things RENAME TO stuff; ALTER TABLE stuff SET SCHEMA elsewhere"
pgw undo 1
is "$code" 0 'a column was added, the table renamed and moved' || diag "$all"
is "$(sql 'SELECT id, k, note FROM elsewhere.stuff ORDER BY id')" "$before" 'its rows are back where it is now'
is_sql 'SELECT count(*) FROM elsewhere.stuff WHERE added = 7' 60 'with the default in the new column'

things dropped
sql 'ALTER TABLE things DROP note; ALTER TABLE things ALTER k TYPE bigint'
pgw undo 1
is "$code" 3 'a column was dropped and one has another type: refused'
like "$err" 'column note of public.things, which was character varying\(20\), is gone' 'the one is named'
like "$err" 'column k of public.things, which was integer, is now bigint' 'and the other'
is_sql 'SELECT count(*) FROM things' 20 'nothing was changed'
is_sql 'SELECT state FROM pgwinnow.runs' finished 'the run neither'

things table_gone
sql 'DROP TABLE things'
pgw undo 1
is "$code" 3 'the table was dropped: refused'
like "$err" 'table public.things is gone' 'it is named'

things undone
pgw status 1
like "$out" 'undo +pgwinnow undo 1 brings back' 'status tells the way back'
pgw undo 1
is "$(sql 'SELECT id, k, note FROM things ORDER BY id')" "$before" 'a run that is undone, all of it'
pgw clean 1
unlike "$out" 'kept the archive' 'nobody needs its archive any more'
is_sql "SELECT count(*) FROM pg_class WHERE relname LIKE 'archive_1%' AND relnamespace = 'pgwinnow'::regnamespace" 0 'it goes with the rest'

things archive_gone
pgw clean 1
is "$code" 0 'clean of the run'
like "$out" 'kept the archive of run 1 until .*--archive' 'keeps its archive'
is_sql "SELECT count(*) FROM pgwinnow.archives WHERE dropped IS NULL AND to_regclass('pgwinnow.' || name) IS NOT NULL" 1 'it is there'
sql "UPDATE pgwinnow.runs SET finished = now() - interval '29 days'"
pgw clean --yes
is_sql "SELECT count(*) FROM pgwinnow.archives WHERE dropped IS NULL" 1 'after 29 days too'
sql "UPDATE pgwinnow.runs SET finished = now() - interval '31 days'"
pgw clean --yes
like "$out" 'the archive of public.things' 'after 31 days it goes'
is_sql "SELECT count(*) FROM pg_class WHERE relname LIKE 'archive_1%' AND relnamespace = 'pgwinnow'::regnamespace" 0 'with its sequence'
pgw undo 1
is "$code" 3 'then undo refuses'
like "$err" 'the archive of public.things was dropped at .*clean' 'and says why'

things early
pgw clean --archive 1
is_sql "SELECT dropped IS NOT NULL FROM pgwinnow.archives" t 'clean --archive drops it before its time'

things gone_by_hand
sql 'DO $$ BEGIN EXECUTE (SELECT format($f$DROP TABLE pgwinnow.%I$f$, name) FROM pgwinnow.archives); END $$'
pgw undo 1
is "$code" 3 'an archive that somebody dropped'
like "$err" 'archive of public.things, "pgwinnow"."archive_1_[0-9]+", is gone' 'it is named'

things kept_out
sql 'CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN CASE WHEN NEW.id <> 45 THEN NEW END; END$$;
     CREATE TRIGGER keep_out BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION keep_out()'
pgw undo 1
is "$code" 1 'a trigger that keeps a row out'
like "$err" '9 of 10 rows came back|[0-9]+ of [0-9]+ rows came back' 'is noticed'
like "$err" 'hint: a trigger may keep rows out' 'and told'

# --- rules that came since, and what is in the way only in the middle

for what in domain partition; do
    new_database "since_$what"
    sql "CREATE DOMAIN short AS text; CREATE TABLE things (id int PRIMARY KEY, k int, s short) PARTITION BY RANGE (id);
         CREATE TABLE things_1 PARTITION OF things FOR VALUES FROM (0) TO (50); CREATE TABLE things_2 PARTITION OF things FOR VALUES FROM (50) TO (100);
         INSERT INTO things SELECT n, n % 20, 's' || n % 20 || '-' || n FROM generate_series(1, 60) n"
    plan <<'PLAN'
plan: since
table: things
steps:
  - discover
  - track: { duplicates: [k] }
  - delete
PLAN
    pgw run plan.yaml
    case $what in
    domain) sql "ALTER DOMAIN short ADD CONSTRAINT not_that CHECK (VALUE <> 's7-27') NOT VALID"
        row=27 reason='the constraint not_that of the domain short' ;;
    partition) sql 'DROP TABLE things_2; CREATE TABLE things_3 PARTITION OF things FOR VALUES FROM (50) TO (55); CREATE TABLE things_4 PARTITION OF things FOR VALUES FROM (56) TO (100)'
        row=55 reason='there is no partition that takes it' ;;
    esac
    pgw undo 1
    is "$code" 3 "$what: refused"
    like "$err" "1 row cannot .*public.things \(id\) = \($row\): $reason" "$what: the row and the reason are told"
    is_sql 'SELECT count(*) FROM things' 20 "$what: nothing was changed"
    pgw undo 1 --on-conflict skip
    is "$code" 0 "$what: skip" || diag "$all"
    is_sql "SELECT count(*), count(*) FILTER (WHERE id = $row) FROM things" '59|0' "$what: all others are back"
done

things twice
sql 'DELETE FROM things WHERE k = 7; CREATE UNIQUE INDEX one_seven ON things (k) WHERE k = 7'
pgw undo 1
is "$code" 3 'rows that collide with each other, by an index that somebody made since'
like "$err" 'public.things, \(id\) = \((27|47)\), cannot come back: the unique index one_seven' 'are found'
pgw undo 1 --on-conflict skip
is "$code" 0 'skip' || diag "$all"
is_sql 'SELECT count(*), count(*) FILTER (WHERE k = 7) FROM things' '58|1' 'one of the two comes back, and all others'
size=1000 things twice_in_one
sql 'DELETE FROM things WHERE k = 7; CREATE UNIQUE INDEX one_seven ON things (k) WHERE k = 7'
pgw undo 1
is "$code" 3 'the same in one batch'
like "$err" 'things \(id\) = \(47\): the unique index one_seven: another row that comes back' 'is found before anything is changed'
is_sql 'SELECT count(*) FROM things' 19 'indeed'
pgw undo 1 --on-conflict skip
is "$code" 0 'skip' || diag "$all"
is_sql 'SELECT count(*), count(*) FILTER (WHERE k = 7) FROM things' '58|1' 'one of the two comes back, and all others'

new_database newcomers
sql "CREATE TABLE people (id int PRIMARY KEY, email text);
     CREATE TABLE profile (person int PRIMARY KEY REFERENCES people, bio text);
     CREATE TABLE photo (id int PRIMARY KEY, profile int REFERENCES profile);
     INSERT INTO people VALUES (1, 'a'), (2, 'a'); INSERT INTO profile VALUES (2, 'x'); INSERT INTO photo VALUES (1, 2)"
plan <<'PLAN'
plan: newcomers
table: people
steps:
  - discover: { children: { profile.person: move, photo.profile: move }, missing_index: ignore }
  - track: { duplicates: [email] }
  - delete-children
  - delete
PLAN
pgw run plan.yaml
sql 'INSERT INTO photo VALUES (2, 1)'
pgw undo 1
is "$code" 3 'a row that points at a key which the undo takes back'
like "$err" 'public.profile \(person\) = \(1\): rows that came since point at it by the foreign key photo_profile_fkey' 'the key and the constraint are told'
is_sql 'SELECT (SELECT count(*) FROM people), person, (SELECT count(*) FROM photo) FROM profile' '1|1|2' 'nothing is lost'
sql 'DELETE FROM photo WHERE id = 2'
pgw undo 1
is "$code" 0 'that row out of the way, it goes on' || diag "$all"
is_sql 'SELECT (SELECT count(*) FROM people), person, p.profile FROM profile, photo p' '2|2|2' 'to the end'

# --- what was never kept

new_database off
sql 'CREATE TABLE things (id int PRIMARY KEY, k int); INSERT INTO things SELECT n, n % 20 FROM generate_series(1, 60) n'
plan <<'PLAN'
plan: off
table: things
steps:
  - discover
  - track: { duplicates: [k] }
  - delete: { archive: { off: worth nothing } }
PLAN
pgw run plan.yaml
is "$code" 0 'a step that keeps nothing' || diag "$all"
pgw undo 1
is "$code" 3 'undo refuses'
like "$err" 'its step delete kept nothing.*worth nothing' 'names the step and the reason'
sql 'INSERT INTO things SELECT n, n % 20 FROM generate_series(101, 160) n'
sed -i 's/: { archive: .*//; s/^table/archive: false\ntable/' "$work/plan.yaml"
pgw run plan.yaml
is "$code" 0 'a plan that keeps nothing' || diag "$all"
pgw undo 2
is "$code" 3 'undo refuses'
like "$err" 'archive: false' 'and says why'
sed -i '/^archive/d' "$work/plan.yaml"
pgw run plan.yaml
pgw undo 3
is "$code" 0 'a run that found nothing to do'
like "$out" 'nothing to undo|0 rows' 'is soon undone'

# --- triggers

new_database triggers
sql 'CREATE TABLE a (id int PRIMARY KEY, k int, at timestamptz DEFAULT $$2020-01-01$$);
     CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, at timestamptz DEFAULT $$2020-01-01$$);
     CREATE TABLE log (what text);
     INSERT INTO a SELECT n, n % 20 FROM generate_series(1, 60) n; INSERT INTO b SELECT n, n FROM generate_series(1, 60) n; CREATE INDEX ON b (a);
     CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.at := clock_timestamp(); RETURN NEW; END$$;
     CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON b FOR EACH ROW EXECUTE FUNCTION touch();
     CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO log VALUES (TG_OP); RETURN NULL; END$$;
     CREATE TRIGGER log AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION log();
     CREATE TABLE aa AS TABLE a; CREATE TABLE bb AS TABLE b'
plan <<'PLAN'
plan: triggers
table: a
batch: { size: 10, min: 5, pause: 0ms }
steps:
  - discover: { children: { b.a: set-null } }
  - track: { duplicates: [k] }
  - delete-children
  - delete
PLAN
pgw run plan.yaml
weak=weak_$$
sql "CREATE ROLE $weak LOGIN; GRANT USAGE, CREATE ON SCHEMA pgwinnow TO $weak; GRANT ALL ON ALL TABLES IN SCHEMA pgwinnow, public TO $weak;
     GRANT USAGE ON ALL SEQUENCES IN SCHEMA pgwinnow TO $weak"
PGUSER=$weak pgw undo 1 --triggers off
is "$code" 3 '--triggers off by a role that may not'
like "$err" "GRANT SET ON PARAMETER session_replication_role TO \"?$weak" 'says what is missing'
sql 'REVOKE INSERT ON b FROM '"$weak"
PGUSER=$weak pgw undo 1
is "$code" 3 'a role without INSERT'
like "$err" "GRANT INSERT ON public.b TO $weak" 'says what is missing'
is_sql 'SELECT state FROM pgwinnow.runs' finished 'nothing was begun'
pgw undo 1 --triggers off
is "$code" 0 '--triggers off by one that may' || diag "$all"
is_sql '(SELECT * FROM a EXCEPT SELECT * FROM aa) UNION ALL (SELECT * FROM aa EXCEPT SELECT * FROM a)' '' 'the one table is as before'
is_sql '(SELECT * FROM b EXCEPT SELECT * FROM bb) UNION ALL (SELECT * FROM bb EXCEPT SELECT * FROM b)' '' 'the other too, updated_at included'
is_sql 'SELECT count(*) FROM log' 0 'no trigger fired'
pgw run plan.yaml
pgw undo 2
is "$code" 0 'and with triggers' || diag "$all"
is_sql 'SELECT count(*) FROM log' 40 'they fire'
is_sql 'SELECT count(*) FROM b JOIN bb USING (id, a)' 60 'the foreign key columns are back'
is_sql "SELECT count(*) FROM b WHERE at <> '2020-01-01'" 40 'and what triggers write is new'
pgw run plan.yaml
sql 'ALTER TABLE b DROP CONSTRAINT b_a_fkey; ALTER TABLE b ADD CONSTRAINT b_a_fkey FOREIGN KEY (a) REFERENCES a NOT VALID;
     CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN CASE WHEN NEW.id <> 45 THEN NEW END; END$$;
     CREATE TRIGGER keep_out BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION keep_out()'
pgw undo 3
is "$code" 1 'a trigger that keeps a row out'
like "$err" 'b_a_fkey' 'is noticed: its child cannot come back'
is_sql 'SELECT state FROM pgwinnow.runs WHERE run = 3' undoing 'the undo is not over'
pgw run plan.yaml
is "$code" 3 'the plan does not run in the middle of that'
like "$err" 'run 3 .*is being undone' 'it says so'
pgw run --fresh plan.yaml
is "$code" 3 '--fresh neither'
pgw status 3
like "$out" 'state +undoing' 'status knows'
like "$out" 'go on +pgwinnow undo 3' 'and how to go on'
pgw clean 3
is "$code" 3 'clean leaves it alone'
sql 'DROP TRIGGER keep_out ON a'
pgw undo 3
is "$code" 0 'once it is gone the undo ends' || diag "$all"
is_sql 'SELECT count(*) FROM a' 60 'with all rows'
sql "DROP OWNED BY $weak; DROP ROLE $weak"
done_testing
