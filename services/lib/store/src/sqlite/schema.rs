//! The schema and its migrations. `PRAGMA user_version` counts the migrations applied to a file.

use rusqlite::{Connection, TransactionBehavior};

use super::write;
use crate::error::Error;

/// The migrations in order. A released migration is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
    include_str!("schema_6.sql"),
    include_str!("schema_7.sql"),
    include_str!("schema_8.sql"),
    include_str!("schema_9.sql"),
    include_str!("schema_10.sql"),
    include_str!("schema_11.sql"),
];

/// Applies the missing migrations in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).expect("there are fewer than i64::MAX migrations");
    let newer = Error::Newer { found, known };
    let Some(missing) = usize::try_from(found).ok().and_then(|n| MIGRATIONS.get(n..)) else {
        return Err(newer);
    };
    for migration in missing {
        tx.execute_batch(migration)?;
    }
    if !missing.is_empty() {
        // Current revisions are derived; a later version may derive them differently.
        write::refresh_all(&tx)?;
    }
    tx.pragma_update(None, "user_version", known)?;
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_start_changes_nothing_and_a_newer_file_is_refused() {
        let mut c = Connection::open_in_memory().unwrap();
        migrate(&mut c).unwrap();
        let epoch =
            |c: &Connection| c.query_row("SELECT epoch FROM life", [], |r| r.get::<_, String>(0)).unwrap();
        let first = epoch(&c);
        migrate(&mut c).unwrap();
        assert_eq!((epoch(&c), first.len()), (first, 16));
        c.pragma_update(None, "user_version", 99).unwrap();
        let newest = i64::try_from(MIGRATIONS.len()).unwrap();
        assert!(matches!(migrate(&mut c), Err(Error::Newer { found: 99, known }) if known == newest));
    }

    /// The report has the contents A(1), B(3), A(5) in a file of version 3, in which B is the current revision.
    #[test]
    fn a_migration_derives_anew_what_stands() {
        let mut c = Connection::open_in_memory().unwrap();
        migrate(&mut c).unwrap();
        c.execute_batch(
            "INSERT INTO versions VALUES (1, 'p', 'r', 'f', 'u');
             ALTER TABLE report DROP COLUMN newest_sequence;
             INSERT INTO report VALUES ('a', 2023, 3, 3, 0, '甲局', 0);
             ALTER TABLE arrival DROP COLUMN event_time;
             ALTER TABLE arrival DROP COLUMN effective_at;
             ALTER TABLE withdrawal DROP COLUMN effective_at;
             ALTER TABLE fact DROP COLUMN source_part;
             ALTER TABLE fact DROP COLUMN unread_reason;
             ALTER TABLE candidate DROP COLUMN source_part;
             ALTER TABLE finding DROP COLUMN source_part;
             DROP TABLE log;
             DROP TABLE event;
             DROP TABLE review_step;
             DROP TABLE erasure;
             DROP TABLE moved;
             PRAGMA user_version = 3;",
        )
        .unwrap();
        for (received, hash) in [(1, "aa"), (3, "bb"), (5, "aa")] {
            c.execute(
                "INSERT INTO arrival (received_sequence, event_sequence, content_hash, submission_id, received_at, \
                 url, region, agency, year, agency_name, digest, versions_id) \
                 VALUES (?1, ?1 + 1, ?2, 's', ?1, '', '000000', 'a', 2023, '甲局', '', 1)",
                (received, hash),
            )
            .unwrap();
        }
        migrate(&mut c).unwrap();
        let content = c.query_row("SELECT content_sequence FROM report", [], |row| row.get::<_, i64>(0));
        assert_eq!(content.unwrap(), 5);
    }
}
