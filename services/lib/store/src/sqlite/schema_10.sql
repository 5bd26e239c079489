-- Where a report went whose documents were read again under another agency. It counts while no report has the name.
CREATE TABLE moved (
  agency TEXT NOT NULL,
  year INTEGER NOT NULL,
  to_agency TEXT NOT NULL,
  to_year INTEGER NOT NULL,
  event_sequence INTEGER NOT NULL,
  PRIMARY KEY (agency, year)
) STRICT, WITHOUT ROWID;
