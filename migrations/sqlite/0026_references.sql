-- Files of versions that were left in their datastores.

-- Whether the bytes are in this server's store.
ALTER TABLE blob ADD COLUMN is_here INTEGER NOT NULL DEFAULT 1;

-- Where bytes lie that are not.
CREATE TABLE blob_place (
    digest TEXT NOT NULL REFERENCES blob (digest) ON DELETE CASCADE,
    datastore_id BLOB NOT NULL REFERENCES datastore (id),
    path TEXT NOT NULL,
    -- What the datastore says of the file when it is asked for it; changes when the content does, and is empty where it says nothing.
    tag TEXT NOT NULL,
    noted_at INTEGER NOT NULL,
    PRIMARY KEY (digest, datastore_id, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_place_datastore ON blob_place (datastore_id);

-- Files that registrations have read for a dataset, so that none is read twice: by the same after a stop, or by the next.
CREATE TABLE dataset_file (
    dataset_id BLOB NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    datastore_id BLOB NOT NULL REFERENCES datastore (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    -- As the list of the datastore says; -1 where it does not.
    byte_size INTEGER NOT NULL,
    tag TEXT NOT NULL,
    digest TEXT NOT NULL REFERENCES blob (digest) ON DELETE CASCADE,
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    orientation INTEGER NOT NULL,
    length INTEGER NOT NULL,
    -- The registration; its files are kept for a while though no version names them yet.
    job_id BLOB REFERENCES job (id) ON DELETE SET NULL,
    noted_at INTEGER NOT NULL,
    PRIMARY KEY (dataset_id, datastore_id, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX dataset_file_digest ON dataset_file (digest);
CREATE INDEX dataset_file_datastore ON dataset_file (datastore_id);
CREATE INDEX dataset_file_job ON dataset_file (job_id);

-- The job that last looked whether the files of a version are still what they were.
CREATE TABLE version_check (
    version_id BLOB NOT NULL PRIMARY KEY REFERENCES dataset_version (id) ON DELETE CASCADE,
    job_id BLOB REFERENCES job (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX version_check_job ON version_check (job_id);
