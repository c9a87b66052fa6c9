-- Filters over a project's items, kept under a name.
CREATE TABLE item_view (
    id UUID NOT NULL PRIMARY KEY,
    project_id UUID NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    -- JSON: an explore query.
    query JSONB NOT NULL,
    created_by UUID REFERENCES user_account (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (project_id, name_key)
);
