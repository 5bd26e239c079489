-- Why a cell is unreadable. Absent in every other state, and for facts that an earlier version read.
ALTER TABLE fact ADD COLUMN unread_reason TEXT;
