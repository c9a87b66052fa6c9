-- When somebody deleted the project. Nobody sees it from then on; its items go in pieces, also after a restart.
ALTER TABLE project ADD COLUMN deleted_at INTEGER;
