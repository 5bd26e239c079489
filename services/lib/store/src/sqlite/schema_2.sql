-- What a finding advises.
ALTER TABLE finding ADD COLUMN legal TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN help TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN suggestion TEXT;
