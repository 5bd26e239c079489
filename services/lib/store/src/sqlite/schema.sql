-- Times are microseconds since 1970 in UTC. Sequences are those of the log's stream.

-- One row: the name of this read model's life, drawn anew when it is rebuilt.
CREATE TABLE life (epoch TEXT NOT NULL) STRICT;
INSERT INTO life VALUES (lower(hex(randomblob(8))));

CREATE TABLE versions (
  id INTEGER PRIMARY KEY,
  program TEXT NOT NULL, parser TEXT NOT NULL, forms TEXT NOT NULL, rules TEXT NOT NULL,
  UNIQUE (program, parser, forms, rules)
) STRICT;

-- Every original that came in, with the newest stage event about it. Without agency and year: rejected.
CREATE TABLE arrival (
  received_sequence INTEGER PRIMARY KEY,
  event_sequence INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  submission_id TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  published_at INTEGER,
  url TEXT NOT NULL,
  region TEXT NOT NULL,
  agency TEXT,
  year INTEGER,
  agency_name TEXT,
  form TEXT,
  variant TEXT,
  title TEXT,
  media_type TEXT,
  trace_id TEXT,
  versions_id INTEGER REFERENCES versions,
  errors INTEGER, warnings INTEGER, reviews INTEGER, infos INTEGER,
  -- Of what a reader sees: tells a visible change from a second reading that says the same.
  digest TEXT,
  -- NULL: the prose was erased.
  preamble TEXT,
  CHECK ((agency IS NULL) = (year IS NULL) AND (agency IS NULL) = (digest IS NULL))
) STRICT;
CREATE INDEX arrival_of_report ON arrival (agency, year, received_sequence);
CREATE INDEX arrival_by_url ON arrival (url) WHERE url <> '';

CREATE TABLE section (
  received_sequence INTEGER NOT NULL REFERENCES arrival ON DELETE CASCADE,
  position INTEGER NOT NULL,
  number INTEGER NOT NULL,
  title TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (received_sequence, position)
) STRICT, WITHOUT ROWID;

-- A blank cell has no value: NULL, never 0. The value is text so that 17.20 stays 17.20.
CREATE TABLE fact (
  received_sequence INTEGER NOT NULL REFERENCES arrival ON DELETE CASCADE,
  position INTEGER NOT NULL,
  concept TEXT NOT NULL,
  applicant TEXT,
  state TEXT NOT NULL,
  value TEXT,
  source_text TEXT, source_table INTEGER, source_row INTEGER, source_column INTEGER,
  source_page INTEGER, source_start INTEGER, source_end INTEGER,
  PRIMARY KEY (received_sequence, position),
  CHECK ((state = 'reported') = (value IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- What the readings of an unreadable cell proposed.
CREATE TABLE candidate (
  received_sequence INTEGER NOT NULL REFERENCES arrival ON DELETE CASCADE,
  fact INTEGER NOT NULL,
  position INTEGER NOT NULL,
  source_text TEXT, source_table INTEGER, source_row INTEGER, source_column INTEGER,
  source_page INTEGER, source_start INTEGER, source_end INTEGER,
  PRIMARY KEY (received_sequence, fact, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE finding (
  received_sequence INTEGER NOT NULL REFERENCES arrival ON DELETE CASCADE,
  position INTEGER NOT NULL,
  rule TEXT NOT NULL,
  -- 1 INFO to 4 ERROR
  severity INTEGER NOT NULL,
  message TEXT NOT NULL,
  message_en TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  cause TEXT,
  concept TEXT,
  formula TEXT NOT NULL,
  expected TEXT,
  actual TEXT,
  -- The operands, one a line.
  facts TEXT NOT NULL,
  versions_id INTEGER NOT NULL REFERENCES versions,
  source_text TEXT, source_table INTEGER, source_row INTEGER, source_column INTEGER,
  source_page INTEGER, source_start INTEGER, source_end INTEGER,
  PRIMARY KEY (received_sequence, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE withdrawal (
  sequence INTEGER PRIMARY KEY,
  url TEXT NOT NULL,
  agency TEXT,
  year INTEGER,
  withdrawn_at INTEGER NOT NULL
) STRICT;
CREATE INDEX withdrawal_of_report ON withdrawal (agency, year) WHERE agency IS NOT NULL;
CREATE INDEX withdrawal_by_url ON withdrawal (url) WHERE url <> '';

-- Computed from arrivals and withdrawals in the transaction that changes them: the newest revision of each report.
CREATE TABLE report (
  agency TEXT NOT NULL,
  year INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL,
  content_sequence INTEGER NOT NULL,
  withdrawn INTEGER NOT NULL,
  agency_name TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (agency, year)
) STRICT, WITHOUT ROWID;
CREATE INDEX report_by_year ON report (year, agency);
CREATE INDEX report_by_name ON report (agency_name, agency, year);
CREATE INDEX report_by_received_at ON report (received_at, agency, year);

-- The change feed. AUTOINCREMENT: an ordinal is never given twice.
CREATE TABLE change (
  ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  agency TEXT NOT NULL,
  year INTEGER NOT NULL
) STRICT;
CREATE INDEX change_of_agency ON change (agency, ordinal);
