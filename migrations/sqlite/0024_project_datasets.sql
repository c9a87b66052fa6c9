-- no-transaction
-- Projects take files from datasets too.
--
-- The table is made anew as in 0002. Interrupted, it starts over.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS project_source_next;
CREATE TABLE project_source_next (
    id BLOB NOT NULL PRIMARY KEY,
    project_id BLOB NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    -- NULL where it takes from a dataset.
    datastore_id BLOB REFERENCES datastore (id),
    -- NULL again when the dataset was deleted; the name is the one it had then.
    dataset_id BLOB REFERENCES dataset (id) ON DELETE SET NULL,
    dataset_name TEXT,
    -- `latest`, an alias or a number.
    version TEXT,
    split TEXT CHECK (split IN ('none', 'train', 'val', 'test')),
    with_labels INTEGER NOT NULL DEFAULT 0,
    -- The version that was taken last, whole.
    taken_version BLOB REFERENCES dataset_version (id) ON DELETE SET NULL,
    -- The one that is being taken and the key of the last file that was. NULL in going_all: none is. False: by what
    -- differs from the one taken last. True: file by file.
    going_version BLOB REFERENCES dataset_version (id) ON DELETE SET NULL,
    going_after TEXT,
    going_all INTEGER,
    glob TEXT NOT NULL,
    every_minutes INTEGER,
    next_at INTEGER,
    job_id BLOB REFERENCES job (id) ON DELETE SET NULL,
    last_at INTEGER,
    -- JSON of what the last refresh found.
    last TEXT,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (project_id, datastore_id, glob),
    CHECK ((datastore_id IS NULL) <> (dataset_name IS NULL))
) STRICT;
INSERT INTO project_source_next (id, project_id, datastore_id, glob, every_minutes, next_at, job_id, last_at, last,
    created_by, created_at) SELECT id, project_id, datastore_id, glob, every_minutes, next_at, job_id, last_at, last,
    created_by, created_at FROM project_source;
DROP TABLE project_source;
ALTER TABLE project_source_next RENAME TO project_source;
CREATE INDEX project_source_datastore ON project_source (datastore_id);
CREATE INDEX project_source_due ON project_source (next_at);
CREATE UNIQUE INDEX project_source_dataset ON project_source (dataset_id, project_id, version, coalesce(split, ''), glob);
COMMIT;
PRAGMA foreign_keys = ON;
