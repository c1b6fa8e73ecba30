//! Makes every projection anew from the records, in one transaction.

use yaoguan_model::canonical;

use crate::error::StoreError;
use crate::media;
use crate::open::Store;
use crate::projection::{self, Was, Words};

/// Records whose words are held in memory.
const WORDS_AT_ONCE: usize = 4_096;

impl Store {
    /// Returns the number of records projected.
    pub fn rebuild(&mut self) -> Result<u64, StoreError> {
        self.check_writable()?;
        let tx = self.connection.transaction()?;
        for table in projection::TABLES {
            tx.execute(&format!("DELETE FROM {}", table.name), [])?;
        }
        tx.execute("DELETE FROM place", [])?;
        tx.execute("INSERT INTO search (search) VALUES ('delete-all')", [])?;
        let (mut done, mut words) = (0, Words::default());
        {
            let mut statement = tx.prepare(
                "SELECT record.seq, record.body, unsent.base FROM record \
                 LEFT JOIN unsent ON unsent.record = record.seq ORDER BY record.seq",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let seq: i64 = row.get("seq")?;
                let record = canonical::decode(&row.get::<_, Vec<u8>>("body")?)?;
                projection::write(&tx, seq, &record, Was::Missing, &mut words)?;
                let base: Option<Vec<u8>> = row.get("base")?;
                let base = base.map(|bytes| canonical::decode(&bytes)).transpose()?;
                media::refer(&tx, seq, [base.as_ref(), Some(&record)], Was::There)?;
                done += 1;
                if words.len() >= WORDS_AT_ONCE {
                    words.write(&tx)?;
                }
            }
            words.write(&tx)?;
        }
        tx.commit()?;
        Ok(done)
    }
}
