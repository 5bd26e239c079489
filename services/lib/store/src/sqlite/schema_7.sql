-- The attachment that a source stands in.
ALTER TABLE fact ADD COLUMN source_part TEXT;
ALTER TABLE candidate ADD COLUMN source_part TEXT;
ALTER TABLE finding ADD COLUMN source_part TEXT;
