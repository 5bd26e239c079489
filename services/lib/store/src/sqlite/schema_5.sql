-- The log that the events are of. Another log gives the same sequences to other events. No row: a file of an earlier version.
CREATE TABLE log (
  -- Nanoseconds since 1970, as `event.logged_at`.
  created INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL,
  -- 0 until the file first held every event of the log.
  whole INTEGER NOT NULL
) STRICT;

-- Every event that was handled, with or without an effect.
CREATE TABLE event (sequence INTEGER PRIMARY KEY, logged_at INTEGER NOT NULL) STRICT;
