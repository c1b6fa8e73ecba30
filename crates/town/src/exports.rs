//! Lists as files for people: which lists there are, how much one file may hold, and its bytes.
//!
//! Records are read and written page by page, on a thread that may wait: what is in memory is one page and
//! the file. That it is asked for with a reason, and stands in the audit log, is the caller's duty.

use std::sync::Arc;
use std::vec::IntoIter;

use tokio::runtime::Handle;
use yaoguan_exchange::ExportError;
use yaoguan_exchange::export::{Lang, write_csv, write_geojson, write_xlsx};
use yaoguan_model::cells::Cell;
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{Kind, Record, RecordId};

use crate::blobs::aside;
use crate::error::TownError;
use crate::storage::Storage;
use crate::storage::desk::{InboxAsk, TaskAsk};
use crate::storage::exports::SpanAsk;

/// Rows of one file.
pub const MAX_ROWS: usize = 10_000;
/// Rows of a file about households: each of them is named in the audit log.
pub const MAX_HOUSEHOLD_ROWS: usize = 2_000;
/// Characters of a reason.
pub const MIN_REASON_CHARS: usize = 4;
/// Records that are in memory at once.
const PAGE: usize = 200;

/// What can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Hazards,
    Patrols,
    /// Household checks: the household is named by its id alone.
    Checks,
    Tasks,
}

impl List {
    const ALL: [Self; 4] = [Self::Hazards, Self::Patrols, Self::Checks, Self::Tasks];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hazards => "hazards",
            Self::Patrols => "patrols",
            Self::Checks => "checks",
            Self::Tasks => "tasks",
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            Self::Hazards => Kind::Hazard,
            Self::Patrols => Kind::Patrol,
            Self::Checks => Kind::HouseholdCheck,
            Self::Tasks => Kind::Task,
        }
    }

    /// Rows of one file.
    pub fn max_rows(self) -> usize {
        match self {
            Self::Hazards | Self::Patrols | Self::Tasks => MAX_ROWS,
            Self::Checks => MAX_HOUSEHOLD_ROWS,
        }
    }

    /// Whether its records stand at places: a household check and a task do not.
    fn has_places(self) -> bool {
        match self {
            Self::Hazards | Self::Patrols => true,
            Self::Checks | Self::Tasks => false,
        }
    }
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Xlsx,
    GeoJson,
}

impl Format {
    const ALL: [Self; 3] = [Self::Csv, Self::Xlsx, Self::GeoJson];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::GeoJson => "geojson",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::GeoJson => "application/geo+json",
        }
    }
}

/// What a file's name asks for: `hazards.xlsx`.
pub fn named(name: &str) -> Option<(List, Format)> {
    let (list, format) = name.split_once('.')?;
    let list = List::ALL.into_iter().find(|one| one.as_str() == list)?;
    let format = Format::ALL.into_iter().find(|one| one.as_str() == format)?;
    match format {
        Format::GeoJson if !list.has_places() => None,
        Format::Csv | Format::Xlsx | Format::GeoJson => Some((list, format)),
    }
}

/// Which rows.
#[derive(Debug, Clone)]
pub enum Rows {
    Hazards(Box<InboxAsk>),
    Tasks(Box<TaskAsk>),
    Patrols(SpanAsk),
    Checks(SpanAsk),
}

impl Rows {
    fn list(&self) -> List {
        match self {
            Self::Hazards(_) => List::Hazards,
            Self::Tasks(_) => List::Tasks,
            Self::Patrols(_) => List::Patrols,
            Self::Checks(_) => List::Checks,
        }
    }
}

/// A file, and what the audit log is to say of it.
#[derive(Debug)]
pub struct Exported {
    pub bytes: Vec<u8>,
    pub rows: usize,
    /// Households that the rows name.
    pub households: Vec<String>,
}

/// Why there is no file.
#[derive(Debug)]
pub enum NotExported {
    TooManyRows,
    Failed(TownError),
}

impl From<TownError> for NotExported {
    fn from(error: TownError) -> Self {
        Self::Failed(error)
    }
}

/// Writes the file.
pub async fn export(
    storage: Arc<dyn Storage>,
    cells: Vec<Cell>,
    rows: Rows,
    format: Format,
    lang: Lang,
) -> Result<Exported, NotExported> {
    let list = rows.list();
    // One more than may be says that it is too many.
    let limit = u32::try_from(list.max_rows()).unwrap_or(u32::MAX).saturating_add(1);
    let ids = match rows {
        Rows::Hazards(ask) => storage.listed(*ask, limit).await?,
        Rows::Tasks(ask) => storage.listed_tasks(*ask, limit).await?,
        Rows::Patrols(span) => storage.listed_patrols(span, limit).await?,
        Rows::Checks(span) => storage.listed_checks(span, limit).await?,
    };
    if ids.len() > list.max_rows() {
        return Err(NotExported::TooManyRows);
    }
    let ids = ids.into_iter();
    let here = Handle::current();
    let page = Vec::new().into_iter();
    let mut pages = Pages { storage, cells, ids, here, page, rows: 0, failed: None };
    let done = aside(move || {
        let mut bytes = Vec::new();
        let kind = list.kind();
        let mut households = std::collections::BTreeSet::new();
        let records = (&mut pages).inspect(|record| {
            households.extend(record.shown_text("household").map(str::to_owned));
        });
        let written = match format {
            Format::Csv => write_csv(&kind, records, lang, &mut bytes),
            Format::Xlsx => write_xlsx(&kind, records, lang, &mut bytes),
            Format::GeoJson => write_geojson(&kind, records, &mut bytes),
        };
        Ok((written, bytes, pages, households))
    });
    let (written, bytes, pages, households) = done.await?;
    if let Some(failed) = pages.failed {
        return Err(failed.into());
    }
    written.map_err(|error| match error {
        ExportError::TooManyRows { .. } => NotExported::TooManyRows,
        ExportError::Io(error) => NotExported::Failed(error.into()),
        ExportError::UnknownKind(_) | ExportError::Workbook(_) => {
            NotExported::Failed(TownError::Io(std::io::Error::other(error)))
        }
    })?;
    Ok(Exported { bytes, rows: pages.rows, households: households.into_iter().collect() })
}

/// The records one by one, read page by page. It ends at the first failure, which it keeps.
struct Pages {
    storage: Arc<dyn Storage>,
    cells: Vec<Cell>,
    ids: IntoIter<RecordId>,
    here: Handle,
    page: IntoIter<Record>,
    rows: usize,
    failed: Option<TownError>,
}

impl Pages {
    /// The next page; none at the end.
    fn turn(&mut self) -> Result<Option<Vec<Record>>, TownError> {
        let next: Vec<RecordId> = self.ids.by_ref().take(PAGE).collect();
        if next.is_empty() {
            return Ok(None);
        }
        self.here.block_on(self.storage.records_of(self.cells.clone(), next)).map(Some)
    }
}

impl Iterator for Pages {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.failed.is_none() {
            if let Some(record) = self.page.next() {
                // Between the list and this page somebody may have deleted it.
                if deletion::state(&record) == Deletion::Deleted {
                    continue;
                }
                self.rows += 1;
                return Some(record);
            }
            match self.turn() {
                Ok(Some(page)) => self.page = page.into_iter(),
                Ok(None) => return None,
                Err(error) => self.failed = Some(error),
            }
        }
        None
    }
}
