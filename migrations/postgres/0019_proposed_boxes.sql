-- Boxes that models proposed, in image pixels, to tell those that people took as they were; NULL for categories of whole items.
ALTER TABLE assist_proposal ADD COLUMN x DOUBLE PRECISION;
ALTER TABLE assist_proposal ADD COLUMN y DOUBLE PRECISION;
ALTER TABLE assist_proposal ADD COLUMN w DOUBLE PRECISION;
ALTER TABLE assist_proposal ADD COLUMN h DOUBLE PRECISION;

-- The run and the version of a registered model that a model became, as JSON; NULL where it became none.
ALTER TABLE assist_model ADD COLUMN registered JSONB;
