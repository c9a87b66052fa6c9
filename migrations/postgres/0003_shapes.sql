-- Shapes of every kind, the tasks that use them, and the skeletons of categories.
ALTER TABLE project DROP CONSTRAINT project_task_check;
ALTER TABLE project ADD CONSTRAINT project_task_check
    CHECK (task IN ('detection', 'segmentation', 'semantic', 'keypoints', 'objects', 'classification', 'multilabel'));

ALTER TABLE annotation DROP CONSTRAINT annotation_kind_check;
ALTER TABLE annotation ADD CONSTRAINT annotation_kind_check CHECK (kind IN
    ('whole', 'box', 'polygon', 'mask', 'rotated_box', 'ellipse', 'polyline', 'points', 'keypoints'));

-- JSON of the keypoints that objects of the category have; NULL without.
ALTER TABLE category ADD COLUMN skeleton TEXT;
