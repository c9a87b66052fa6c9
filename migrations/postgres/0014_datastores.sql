-- Datastores: places where data lives, and what projects take from them.
CREATE TABLE datastore (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('folder', 's3', 'azure', 'gcs', 'http', 'webdav', 'sftp', 'postgres', 'mysql', 'sqlite')),
    description TEXT NOT NULL,
    -- JSON: texts by key. Nothing secret.
    settings JSONB NOT NULL,
    -- JSON: the keys of the credentials that are set.
    secret_keys JSONB NOT NULL,
    -- Encrypted JSON of the credentials.
    sealed BYTEA NOT NULL,
    enabled BOOLEAN NOT NULL,
    health TEXT NOT NULL CHECK (health IN ('unknown', 'ok', 'failing')),
    health_text TEXT NOT NULL,
    -- JSON: a list of texts.
    warnings JSONB NOT NULL,
    checked_at BIGINT,
    created_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- What a project takes from a datastore.
CREATE TABLE project_source (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    datastore_id UUID NOT NULL REFERENCES datastore (id),
    glob TEXT NOT NULL,
    every_minutes BIGINT,
    next_at BIGINT,
    job_id UUID REFERENCES job (id) ON DELETE SET NULL,
    last_at BIGINT,
    -- JSON of what the last refresh found.
    last JSONB,
    created_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, datastore_id, glob)
);
CREATE INDEX project_source_datastore ON project_source (datastore_id);
CREATE INDEX project_source_due ON project_source (next_at);

-- Files of a source that were looked at, so that none is read twice.
CREATE TABLE source_file (
    source_id UUID NOT NULL REFERENCES project_source (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    byte_size BIGINT NOT NULL,
    -- Changes when the content does, as far as the store says.
    tag TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('taken', 'refused', 'changed')),
    -- The refresh that saw it last, by when it began.
    seen BIGINT NOT NULL,
    PRIMARY KEY (source_id, path)
);
CREATE INDEX source_file_seen ON source_file (source_id, seen);

-- Which datasets have a version from a datastore, and what of it.
CREATE TABLE dataset_source (
    dataset_id UUID NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    datastore_id UUID NOT NULL REFERENCES datastore (id) ON DELETE CASCADE,
    what TEXT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (dataset_id, datastore_id, what)
);
CREATE INDEX dataset_source_datastore ON dataset_source (datastore_id);

-- The datastore that an edge of the lineage begins at; stays when that is deleted.
ALTER TABLE lineage ADD COLUMN from_datastore UUID;
