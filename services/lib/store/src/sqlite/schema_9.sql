-- When the sender says that a document was published or updated. Absent in events of earlier versions.
ALTER TABLE arrival ADD COLUMN event_time INTEGER;
-- The arrival that ranks highest among those of its content. Computed as the rest of the row.
ALTER TABLE report ADD COLUMN newest_sequence INTEGER NOT NULL DEFAULT 0;
