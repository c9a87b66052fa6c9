-- Outlines: labels that are polygons or masks, and projects for them.
ALTER TABLE project DROP CONSTRAINT project_task_check;
ALTER TABLE project ADD CONSTRAINT project_task_check
    CHECK (task IN ('detection', 'segmentation', 'classification', 'multilabel'));

-- JSON of what the bounds do not say: the parts of a polygon, a mask. NULL for the other kinds. It is only ever read
-- whole, so it is text on both databases.
ALTER TABLE annotation ADD COLUMN geometry TEXT;
ALTER TABLE annotation DROP CONSTRAINT annotation_kind_check;
ALTER TABLE annotation ADD CONSTRAINT annotation_kind_check CHECK (kind IN ('whole', 'box', 'polygon', 'mask'));
