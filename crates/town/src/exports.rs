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
use crate::storage::desk::InboxAsk;

/// Rows of one file.
pub const MAX_ROWS: usize = 10_000;
/// Rows of a file about households: each of them is named in the audit log.
pub const MAX_HOUSEHOLD_ROWS: usize = 2_000;
/// Characters of a reason.
pub const MIN_REASON_CHARS: usize = 4;
/// Records that are in memory at once.
const PAGE: u32 = 200;

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

    /// What a span of days is about, and what state is.
    fn paths(self) -> (&'static str, &'static str) {
        match self {
            Self::Hazards => ("seen_at", "status"),
            Self::Patrols => ("started_at", "team"),
            Self::Checks => ("checked_at", "outcome"),
            Self::Tasks => ("due_on", "status"),
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
    Some((list, Format::ALL.into_iter().find(|one| one.as_str() == format)?))
}

/// Which rows of a list other than the inbox; what is not said asks for any.
#[derive(Debug, Clone, Default)]
pub struct Span {
    pub grid: String,
    /// A status, a team, an outcome.
    pub state: String,
    /// Seconds and days, both ends inside.
    pub from: Option<(i64, String)>,
    pub until: Option<(i64, String)>,
}

impl Span {
    fn holds(&self, list: List, record: &Record) -> bool {
        let (time, state) = list.paths();
        let is =
            |path: &str, wanted: &str| wanted.is_empty() || record.shown_text(path) == Some(wanted);
        let value = record.shown(time);
        let (second, day) =
            (value.and_then(|v| v.as_int()), value.and_then(|v| v.as_text()).unwrap_or_default());
        let not_before = |(at, on): &(i64, String)| match second {
            Some(second) => second >= *at,
            None => !day.is_empty() && day >= on.as_str(),
        };
        let not_after = |(at, on): &(i64, String)| match second {
            Some(second) => second <= *at,
            None => !day.is_empty() && day <= on.as_str(),
        };
        is("grid", &self.grid)
            && is(state, &self.state)
            && self.from.as_ref().is_none_or(not_before)
            && self.until.as_ref().is_none_or(not_after)
    }
}

/// Which rows.
#[derive(Debug, Clone)]
pub enum Rows {
    Inbox(Box<InboxAsk>),
    Span(Span),
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
    list: List,
    rows: Rows,
    format: Format,
    lang: Lang,
) -> Result<Exported, NotExported> {
    let source = match rows {
        Rows::Span(span) => Source::Kind { span, after: None, end: false },
        Rows::Inbox(ask) => {
            let limit = u32::try_from(list.max_rows()).unwrap_or(u32::MAX).saturating_add(1);
            let ids = storage.listed(*ask, limit).await?;
            if ids.len() > list.max_rows() {
                return Err(NotExported::TooManyRows);
            }
            Source::Ids(ids.into_iter())
        }
    };
    let here = Handle::current();
    let page = Vec::new().into_iter();
    let mut pages = Pages { storage, cells, list, source, here, page, rows: 0, failed: None };
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
        return Err(failed);
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

/// Where the next page comes from.
enum Source {
    Ids(IntoIter<RecordId>),
    Kind { span: Span, after: Option<RecordId>, end: bool },
}

/// The records one by one, read page by page. It ends at the first failure, which it keeps.
struct Pages {
    storage: Arc<dyn Storage>,
    cells: Vec<Cell>,
    list: List,
    source: Source,
    here: Handle,
    page: IntoIter<Record>,
    rows: usize,
    failed: Option<NotExported>,
}

impl Pages {
    /// The next page; none at the end.
    fn turn(&mut self) -> Result<Option<Vec<Record>>, TownError> {
        let cells = self.cells.clone();
        match &mut self.source {
            Source::Ids(ids) => {
                let next: Vec<RecordId> = ids.take(PAGE as usize).collect();
                if next.is_empty() {
                    return Ok(None);
                }
                self.here.block_on(self.storage.records_of(cells, next)).map(Some)
            }
            Source::Kind { end: true, .. } => Ok(None),
            Source::Kind { span, after, end } => {
                let kind = self.list.kind();
                let found = self.here.block_on(self.storage.readable(cells, kind, *after, PAGE))?;
                *end = found.len() < PAGE as usize;
                *after = found.last().map(|record| record.id);
                let list = self.list;
                Ok(Some(found.into_iter().filter(|record| span.holds(list, record)).collect()))
            }
        }
    }
}

impl Iterator for Pages {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.failed.is_none() {
            if let Some(record) = self.page.next() {
                if deletion::state(&record) == Deletion::Deleted {
                    continue;
                }
                self.rows += 1;
                if self.rows > self.list.max_rows() {
                    self.failed = Some(NotExported::TooManyRows);
                    return None;
                }
                return Some(record);
            }
            match self.turn() {
                Ok(Some(page)) => self.page = page.into_iter(),
                Ok(None) => return None,
                Err(error) => self.failed = Some(error.into()),
            }
        }
        None
    }
}
