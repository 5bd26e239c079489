-- Contents that were erased, on demand and for good: of what has one of these hashes no more is kept than that it came in.
CREATE TABLE erasure (
  agency TEXT NOT NULL,
  year INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  erased_at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (agency, year, content_hash)
) STRICT, WITHOUT ROWID;
