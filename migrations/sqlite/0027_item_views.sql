-- Filters over a project's items, kept under a name.
CREATE TABLE item_view (
    id BLOB NOT NULL PRIMARY KEY,
    project_id BLOB NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    -- JSON: an explore query.
    query TEXT NOT NULL,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (project_id, name_key)
) STRICT;
