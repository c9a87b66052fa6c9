-- Projects take files from datasets too.
ALTER TABLE project_source
    -- NULL where it takes from a dataset.
    ALTER COLUMN datastore_id DROP NOT NULL,
    -- NULL again when the dataset was deleted; the name is the one it had then.
    ADD COLUMN dataset_id UUID REFERENCES dataset (id) ON DELETE SET NULL,
    ADD COLUMN dataset_name TEXT,
    -- `latest`, an alias or a number.
    ADD COLUMN version TEXT,
    ADD COLUMN split TEXT CHECK (split IN ('none', 'train', 'val', 'test')),
    ADD COLUMN with_labels BOOLEAN NOT NULL DEFAULT FALSE,
    -- The version that was taken last, whole.
    ADD COLUMN taken_version UUID REFERENCES dataset_version (id) ON DELETE SET NULL,
    -- The one that is being taken and the key of the last file that was. NULL in going_all: none is. False: by what
    -- differs from the one taken last. True: file by file.
    ADD COLUMN going_version UUID REFERENCES dataset_version (id) ON DELETE SET NULL,
    ADD COLUMN going_after TEXT,
    ADD COLUMN going_all BOOLEAN,
    ADD CHECK ((datastore_id IS NULL) <> (dataset_name IS NULL));
CREATE UNIQUE INDEX project_source_dataset ON project_source (dataset_id, project_id, version, coalesce(split, ''), glob);
