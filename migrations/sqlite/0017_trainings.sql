-- Trainings by the studio itself: which run is made by which job, from which version of a dataset.
CREATE TABLE training (
    run_id BLOB NOT NULL PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
    -- Gone with the dataset, or when old jobs are swept up.
    job_id BLOB REFERENCES job (id) ON DELETE SET NULL,
    version_id BLOB REFERENCES dataset_version (id) ON DELETE SET NULL,
    task TEXT NOT NULL,
    -- How long a step took; tells how long others will take.
    step_micros INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX training_job ON training (job_id);
CREATE INDEX training_version ON training (version_id);
