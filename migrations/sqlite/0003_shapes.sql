-- no-transaction
-- Shapes of every kind, the tasks that use them, and the skeletons of categories.
--
-- The tables are made anew as in 0002. Interrupted, it starts over.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS project_next;
CREATE TABLE project_next (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL CHECK (task IN
        ('detection', 'segmentation', 'semantic', 'keypoints', 'objects', 'classification', 'multilabel')),
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
    kind TEXT NOT NULL CHECK (kind IN
        ('whole', 'box', 'polygon', 'mask', 'rotated_box', 'ellipse', 'polyline', 'points', 'keypoints')),
    -- Bounds in image pixels; NULL for labels of the whole item.
    x REAL,
    y REAL,
    w REAL,
    h REAL,
    -- JSON of what the bounds do not say. NULL for boxes and labels of the whole item.
    geometry TEXT,
    z INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('human', 'import', 'prelabel')),
    score REAL,
    created_by BLOB REFERENCES user_account (id) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (item_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO annotation_next SELECT item_id, id, category_id, kind, x, y, w, h, geometry, z, source, score, created_by,
    created_at, updated_at FROM annotation;
DROP TABLE annotation;
ALTER TABLE annotation_next RENAME TO annotation;
CREATE INDEX annotation_category ON annotation (category_id, source, item_id);

-- JSON of the keypoints that objects of the category have; NULL without.
ALTER TABLE category ADD COLUMN skeleton TEXT;
COMMIT;
PRAGMA foreign_keys = ON;
