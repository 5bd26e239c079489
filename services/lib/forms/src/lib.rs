//! The statutory forms as data, and the matcher from blocks to a report.
