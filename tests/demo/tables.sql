-- The scraper's tables. psql variable: listings, the number of real ones; each is stored four times.
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;

CREATE TABLE public.listings (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL,
    external_id text,
    title       text NOT NULL,
    price       numeric(10, 2) NOT NULL,
    scraped_at  timestamptz NOT NULL
);
CREATE TABLE public.posts (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    listing_id bigint NOT NULL REFERENCES public.listings,
    body       text NOT NULL
);
CREATE TABLE public.post_likes (
    post_id bigint NOT NULL REFERENCES public.posts,
    user_id int NOT NULL,
    PRIMARY KEY (post_id, user_id)
);
CREATE TABLE public.post_views (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    post_id   bigint NOT NULL REFERENCES public.posts,
    viewed_at timestamptz NOT NULL
);
CREATE TABLE public.audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    listing_id bigint REFERENCES public.listings,
    what       text NOT NULL
);

-- Worker w gets to listing n at about the time n, a little later than the others before it, so the copies lie apart in
-- the table, as they do when they were scraped in turn.
INSERT INTO public.listings (source, external_id, title, price, scraped_at)
SELECT (ARRAY['north', 'south', 'harbour'])[1 + n % 3], 'X' || lpad(n::text, 7, '0'), 'Flat no. ' || n,
       400 + n % 1700 + w,
       timestamptz '2024-05-01 06:00+00' + (n + w * 1700) * interval '1 second' + w * interval '7 ms'
  FROM generate_series(1, :listings) n, generate_series(0, 3) w
 ORDER BY n + w * 1700, w;

-- Entered by hand: without an external id, and alike without being duplicates.
INSERT INTO public.listings (source, external_id, title, price, scraped_at)
SELECT 'by hand', NULL, 'Room to let', 300, timestamptz '2024-05-03 12:00+00' + n * interval '1 minute'
  FROM generate_series(1, 500) n;

-- A post for each copy, but for the first copies of every hundredth listing.
INSERT INTO public.posts (listing_id, body)
SELECT id, 'New: ' || title
  FROM (SELECT *, row_number() OVER (PARTITION BY source, external_id, title ORDER BY scraped_at, id) AS copy
          FROM public.listings) l
 WHERE external_id IS NULL OR NOT (copy = 1 AND right(external_id, 2) = '00')
 ORDER BY id;

INSERT INTO public.post_likes (post_id, user_id) SELECT id, id % 9973 FROM public.posts WHERE id % 2 = 0;
INSERT INTO public.post_views (post_id, viewed_at)
SELECT id, timestamptz '2024-05-04 08:00+00' + id * interval '1 second' FROM public.posts;
INSERT INTO public.audit (listing_id, what) SELECT id, 'price changed' FROM public.listings WHERE id % 10 = 3;

CREATE INDEX ON public.posts (listing_id);
CREATE INDEX ON public.post_views (post_id);
CREATE INDEX ON public.audit (listing_id);
VACUUM ANALYZE public.listings, public.posts, public.post_likes, public.post_views, public.audit;
