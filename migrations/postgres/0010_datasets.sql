-- Datasets: immutable versions, each the root of a Merkle search tree over its files.
CREATE TABLE dataset (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('images', 'tabular', 'text', 'files')),
    description TEXT NOT NULL,
    -- JSON: a list of texts.
    tags JSONB NOT NULL,
    licence TEXT NOT NULL,
    visibility TEXT NOT NULL CHECK (visibility IN ('private', 'studio')),
    next_number BIGINT NOT NULL DEFAULT 1,
    created_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX dataset_updated ON dataset (updated_at, id);

CREATE TABLE dataset_member (
    dataset_id UUID NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('manager', 'viewer')),
    added_at BIGINT NOT NULL,
    PRIMARY KEY (dataset_id, user_id)
);
CREATE INDEX dataset_member_user ON dataset_member (user_id);

-- Nodes of trees and the small objects they name, by BLAKE3 digest (32 bytes). An object is kept while one that names it
-- is kept, or a version; whatever it names was kept before it.
CREATE TABLE version_object (
    digest BYTEA NOT NULL PRIMARY KEY,
    bytes BYTEA NOT NULL,
    -- When it was put last; a clean-up leaves young ones alone.
    created_at BIGINT NOT NULL
);

CREATE TABLE version_edge (
    parent BYTEA NOT NULL REFERENCES version_object (digest) ON DELETE CASCADE,
    child BYTEA NOT NULL REFERENCES version_object (digest),
    PRIMARY KEY (parent, child)
);
CREATE INDEX version_edge_child ON version_edge (child);

-- Files that an object names.
CREATE TABLE version_blob (
    parent BYTEA NOT NULL REFERENCES version_object (digest) ON DELETE CASCADE,
    digest TEXT NOT NULL REFERENCES blob (digest),
    PRIMARY KEY (parent, digest)
);
CREATE INDEX version_blob_digest ON version_blob (digest);

CREATE TABLE dataset_version (
    id UUID NOT NULL PRIMARY KEY,
    dataset_id UUID NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    number BIGINT NOT NULL CHECK (number >= 1),
    -- The object that says what the version is.
    digest BYTEA NOT NULL REFERENCES version_object (digest),
    note TEXT NOT NULL,
    task TEXT,
    files BIGINT NOT NULL,
    byte_size BIGINT NOT NULL,
    -- JSON of what was counted.
    counts JSONB NOT NULL,
    created_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (dataset_id, number),
    UNIQUE (dataset_id, digest)
);
CREATE INDEX dataset_version_digest ON dataset_version (digest);

CREATE TABLE dataset_alias (
    dataset_id UUID NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    version_id UUID NOT NULL REFERENCES dataset_version (id) ON DELETE CASCADE,
    PRIMARY KEY (dataset_id, name)
);
CREATE INDEX dataset_alias_version ON dataset_alias (version_id);

-- Every move of an alias; a number that is NULL is its removal.
CREATE TABLE dataset_alias_move (
    id UUID NOT NULL PRIMARY KEY,
    dataset_id UUID NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    number BIGINT,
    by_name TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX dataset_alias_move_dataset ON dataset_alias_move (dataset_id, at);

-- What was made from what. Rows outlive both ends, which then go by the name they had.
CREATE TABLE lineage (
    id UUID NOT NULL PRIMARY KEY,
    from_version UUID REFERENCES dataset_version (id) ON DELETE SET NULL,
    from_project UUID REFERENCES project (id) ON DELETE SET NULL,
    from_kind TEXT NOT NULL CHECK (from_kind IN ('version', 'project', 'upload')),
    from_name TEXT NOT NULL,
    to_version UUID REFERENCES dataset_version (id) ON DELETE SET NULL,
    to_project UUID REFERENCES project (id) ON DELETE SET NULL,
    to_kind TEXT NOT NULL CHECK (to_kind IN ('version', 'project')),
    to_name TEXT NOT NULL,
    how TEXT NOT NULL,
    by_name TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX lineage_from_version ON lineage (from_version);
CREATE INDEX lineage_from_project ON lineage (from_project);
CREATE INDEX lineage_to_version ON lineage (to_version);
CREATE INDEX lineage_to_project ON lineage (to_project);

-- The dataset a job works on; who may see that may see the job.
ALTER TABLE job ADD COLUMN dataset_id UUID REFERENCES dataset (id) ON DELETE CASCADE;
CREATE INDEX job_dataset ON job (dataset_id, created_at);
