-- What is said of objects beyond their category: JSON of the definitions and of the values; NULL without any. Both are
-- only ever read whole, so they are text on both databases.
ALTER TABLE category ADD COLUMN attributes TEXT;
ALTER TABLE annotation ADD COLUMN attributes TEXT;
