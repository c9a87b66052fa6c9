-- Filters over a dataset's files, kept under a name.
CREATE TABLE saved_view (
    id BLOB NOT NULL PRIMARY KEY,
    dataset_id BLOB NOT NULL REFERENCES dataset (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    -- JSON: an explore query.
    query TEXT NOT NULL,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (dataset_id, name_key)
) STRICT;
