-- Tags that people put on files of a dataset. They are on paths, so that they are there in every version that has the path.
CREATE TABLE file_tag (
    id BLOB NOT NULL PRIMARY KEY,
    dataset_id BLOB NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    -- Paths that have it.
    files INTEGER NOT NULL DEFAULT 0,
    -- Another number with every change of what has it.
    revision INTEGER NOT NULL DEFAULT 0,
    changed_at INTEGER NOT NULL,
    UNIQUE (dataset_id, name_key)
) STRICT;

CREATE TABLE file_tagged (
    tag_id BLOB NOT NULL REFERENCES file_tag (id) ON DELETE CASCADE,
    -- The path in small letters, as the trees of versions are sorted.
    file_key TEXT NOT NULL,
    -- The change that it comes from, which can be undone.
    change_id BLOB NOT NULL,
    -- Taken off; kept for a while, so that this can be undone.
    gone INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (tag_id, file_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_tagged_gone ON file_tagged (changed_at) WHERE gone;
