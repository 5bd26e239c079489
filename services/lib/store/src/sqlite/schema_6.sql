-- The steps of review before publication, as the event named them.
CREATE TABLE review_step (
  received_sequence INTEGER NOT NULL REFERENCES arrival ON DELETE CASCADE,
  position INTEGER NOT NULL,
  level TEXT NOT NULL,
  decision TEXT NOT NULL,
  decided_at INTEGER,
  PRIMARY KEY (received_sequence, position)
) STRICT, WITHOUT ROWID;
