-- The cell on its page: left, top, right, bottom in points, parted by commas.
ALTER TABLE fact ADD COLUMN source_area TEXT;
ALTER TABLE candidate ADD COLUMN source_area TEXT;
ALTER TABLE finding ADD COLUMN source_area TEXT;

-- What a finding stands on; empty where its event did not say.
ALTER TABLE finding ADD COLUMN operands_digest TEXT NOT NULL DEFAULT '';

-- Decisions to let a finding stand. An ended one stays: it is history. Ended without a person: its time ran out.
CREATE TABLE waiver (
  agency TEXT NOT NULL,
  year INTEGER NOT NULL,
  id TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  operands_digest TEXT NOT NULL,
  rule TEXT NOT NULL,
  -- 1 INFO to 4 ERROR
  severity INTEGER NOT NULL,
  reason TEXT NOT NULL,
  person TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at INTEGER,
  ended_by TEXT,
  end_reason TEXT,
  region TEXT NOT NULL,
  PRIMARY KEY (agency, year, id),
  CHECK (ended_at IS NOT NULL OR ended_by IS NULL),
  CHECK ((ended_by IS NULL) = (end_reason IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX waiver_of_finding ON waiver (agency, year, fingerprint);
CREATE INDEX waiver_by_time ON waiver (created_at, agency, year, id);
CREATE INDEX waiver_to_expire ON waiver (expires_at) WHERE ended_at IS NULL;

-- Every weight that a finding had, by the rules that gave it, and when the log first and last said so.
CREATE TABLE judgement (
  agency TEXT NOT NULL,
  year INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  severity INTEGER NOT NULL,
  rules TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (agency, year, fingerprint, severity, rules)
) STRICT, WITHOUT ROWID;
