-- no-transaction
-- Outlines: labels that are polygons or masks, and projects for them.
--
-- SQLite cannot change a CHECK; the tables are made anew, as its manual says (lang_altertable, "Making Other Kinds Of
-- Table Schema Changes"): references are not enforced meanwhile, so that dropping the old table takes nothing with it.
-- Interrupted, it starts over.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS project_next;
CREATE TABLE project_next (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL CHECK (task IN ('detection', 'segmentation', 'classification', 'multilabel')),
    status TEXT NOT NULL CHECK (status IN ('running', 'paused')),
    description TEXT NOT NULL,
    instructions TEXT NOT NULL,
    settings TEXT NOT NULL,
    next_category_export_id INTEGER NOT NULL DEFAULT 1,
    next_item_export_id INTEGER NOT NULL DEFAULT 1,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO project_next SELECT id, name, name_key, task, status, description, instructions, settings,
    next_category_export_id, next_item_export_id, created_by, created_at, updated_at FROM project;
DROP TABLE project;
ALTER TABLE project_next RENAME TO project;

DROP TABLE IF EXISTS annotation_next;
CREATE TABLE annotation_next (
    item_id BLOB NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    id BLOB NOT NULL,
    category_id BLOB NOT NULL REFERENCES category (id),
    kind TEXT NOT NULL CHECK (kind IN ('whole', 'box', 'polygon', 'mask')),
    -- Bounds in image pixels; NULL for labels of the whole item.
    x REAL,
    y REAL,
    w REAL,
    h REAL,
    -- JSON of what the bounds do not say: the parts of a polygon, a mask. NULL for the other kinds.
    geometry TEXT,
    z INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('human', 'import', 'prelabel')),
    score REAL,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (item_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO annotation_next SELECT item_id, id, category_id, kind, x, y, w, h, NULL, z, source, score, created_by,
    created_at, updated_at FROM annotation;
DROP TABLE annotation;
ALTER TABLE annotation_next RENAME TO annotation;
CREATE INDEX annotation_category ON annotation (category_id, source, item_id);
COMMIT;
PRAGMA foreign_keys = ON;
