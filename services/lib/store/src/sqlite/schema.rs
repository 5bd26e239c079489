//! The schema and its migrations. `PRAGMA user_version` counts the migrations applied to a file.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::Error;

/// The migrations in order. A released one is never edited.
const MIGRATIONS: [&str; 4] = [
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
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
        assert!(matches!(migrate(&mut c), Err(Error::Newer { found: 99, known: 4 })));
    }
}
