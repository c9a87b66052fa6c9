-- Documents: items that are text, labels that are spans, and the tasks for them.
ALTER TABLE project DROP CONSTRAINT project_task_check;
ALTER TABLE project ADD CONSTRAINT project_task_check
    CHECK (task IN ('detection', 'segmentation', 'semantic', 'keypoints', 'objects', 'classification', 'multilabel',
        'text_classification', 'text_multilabel', 'entities'));

ALTER TABLE annotation DROP CONSTRAINT annotation_kind_check;
ALTER TABLE annotation ADD CONSTRAINT annotation_kind_check CHECK (kind IN
    ('whole', 'box', 'polygon', 'mask', 'rotated_box', 'ellipse', 'polyline', 'points', 'keypoints', 'span'));

-- A document has neither width nor height.
ALTER TABLE item DROP CONSTRAINT item_width_check;
ALTER TABLE item ADD CONSTRAINT item_width_check CHECK (width >= 0);
ALTER TABLE item DROP CONSTRAINT item_height_check;
ALTER TABLE item ADD CONSTRAINT item_height_check CHECK (height >= 0);
-- Of a document: its Unicode scalar values, and how it begins.
ALTER TABLE item ADD COLUMN length BIGINT NOT NULL DEFAULT 0;
ALTER TABLE item ADD COLUMN excerpt TEXT NOT NULL DEFAULT '';
