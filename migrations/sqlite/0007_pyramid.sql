-- Which job cuts a picture into tiles, or did so last. The tiles themselves are a cache beside the database.
CREATE TABLE pyramid (
    digest TEXT NOT NULL PRIMARY KEY REFERENCES blob (digest) ON DELETE CASCADE,
    job_id BLOB REFERENCES job (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX pyramid_job ON pyramid (job_id);
