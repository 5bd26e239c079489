-- When an arrival or a withdrawal takes effect: ranks it, before its sequence.
ALTER TABLE arrival ADD COLUMN effective_at INTEGER NOT NULL DEFAULT 0;
UPDATE arrival SET effective_at = received_at;
ALTER TABLE withdrawal ADD COLUMN effective_at INTEGER NOT NULL DEFAULT 0;
UPDATE withdrawal SET effective_at = withdrawn_at;
