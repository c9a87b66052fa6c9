-- The group of an annotation and its relations to others of the item: JSON that is only ever read whole; NULL without any.
ALTER TABLE annotation ADD COLUMN links TEXT;
