-- Datastores: places where data lives, and what projects take from them.
CREATE TABLE datastore (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('folder', 's3', 'azure', 'gcs', 'http', 'webdav', 'sftp', 'postgres', 'mysql', 'sqlite')),
    description TEXT NOT NULL,
    -- JSON: texts by key. Nothing secret.
    settings TEXT NOT NULL,
    -- JSON: the keys of the credentials that are set.
    secret_keys TEXT NOT NULL,
    -- Encrypted JSON of the credentials.
    sealed BLOB NOT NULL,
    enabled INTEGER NOT NULL,
    health TEXT NOT NULL CHECK (health IN ('unknown', 'ok', 'failing')),
    health_text TEXT NOT NULL,
    -- JSON: a list of texts.
    warnings TEXT NOT NULL,
    checked_at INTEGER,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- What a project takes from a datastore.
CREATE TABLE project_source (
    id BLOB NOT NULL PRIMARY KEY,
    project_id BLOB NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    datastore_id BLOB NOT NULL REFERENCES datastore (id),
    glob TEXT NOT NULL,
    every_minutes INTEGER,
    next_at INTEGER,
    job_id BLOB REFERENCES job (id) ON DELETE SET NULL,
    last_at INTEGER,
    -- JSON of what the last refresh found.
    last TEXT,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (project_id, datastore_id, glob)
) STRICT;
CREATE INDEX project_source_datastore ON project_source (datastore_id);
CREATE INDEX project_source_due ON project_source (next_at);

-- Files of a source that were looked at, so that none is read twice.
CREATE TABLE source_file (
    source_id BLOB NOT NULL REFERENCES project_source (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    byte_size INTEGER NOT NULL,
    -- Changes when the content does, as far as the store says.
    tag TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('taken', 'refused', 'changed')),
    -- The refresh that saw it last, by when it began.
    seen INTEGER NOT NULL,
    PRIMARY KEY (source_id, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX source_file_seen ON source_file (source_id, seen);

-- Which datasets have a version from a datastore, and what of it.
CREATE TABLE dataset_source (
    dataset_id BLOB NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    datastore_id BLOB NOT NULL REFERENCES datastore (id) ON DELETE CASCADE,
    what TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (dataset_id, datastore_id, what)
) STRICT, WITHOUT ROWID;
CREATE INDEX dataset_source_datastore ON dataset_source (datastore_id);

-- The datastore that an edge of the lineage begins at; stays when that is deleted.
ALTER TABLE lineage ADD COLUMN from_datastore BLOB;
