-- Boxes that models proposed, in image pixels, to tell those that people took as they were; NULL for categories of whole items.
ALTER TABLE assist_proposal ADD COLUMN x REAL;
ALTER TABLE assist_proposal ADD COLUMN y REAL;
ALTER TABLE assist_proposal ADD COLUMN w REAL;
ALTER TABLE assist_proposal ADD COLUMN h REAL;

-- The run and the version of a registered model that a model became, as JSON; NULL where it became none.
ALTER TABLE assist_model ADD COLUMN registered TEXT;
