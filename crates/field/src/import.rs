//! Files in: tables become records of a kind, tracks become patrols.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;
use yaoguan_exchange::{Imported, Mapping, Reason, Row, gpx, table};
use yaoguan_model::geodesy::{self, Fix};
use yaoguan_model::{FieldPath, Kind, RecordId, Value};
use yaoguan_sync::{Local, Tx as _};

use crate::edit::{Edit, set};
use crate::error::FieldError;
use crate::folder::io;
use crate::phone::Phone;

/// Rows of one transaction: enough to make the disk's share small, few enough to lose little time.
const BATCH_ROWS: usize = 500;
/// What `source` says of a patrol that came from a file.
const GPX_SOURCE: &str = "gpx";

/// What became of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ImportSummary {
    pub read: u64,
    pub imported: u64,
    pub rejected: u64,
    /// Rows whose key the store has, imported here or pulled.
    pub already: u64,
    /// What the bytes were read as.
    pub encoding: String,
}

/// What became of a track.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrackSummary {
    pub id: RecordId,
    /// The same track was imported before; `id` is that patrol.
    pub already: bool,
    pub points: u64,
    pub distance_m: f64,
    pub duration_s: i64,
    pub gap_s: i64,
    /// Fixes without a time, kept as they are.
    pub untimed: u64,
    /// Fixes whose time cannot be (1901), kept as they are and left out of the duration.
    pub implausible_times: u64,
}

impl Phone {
    /// Imports a table. Each batch is one transaction; an import that is cut off goes on where it was
    /// when it is started again. `words` says a reason in the person's language.
    pub fn import_table(
        &mut self,
        bytes: &[u8],
        mapping: &str,
        rejects: &mut dyn Write,
        words: &dyn Fn(&Reason) -> String,
        mut progress: impl FnMut(&ImportSummary),
    ) -> Result<ImportSummary, FieldError> {
        let mapping: Mapping = mapping.parse()?;
        let table = table::read(bytes, &mapping)?;
        let mut known = self.store.source_keys(&mapping.kind, &mapping.source)?;
        let mut rejects = Rejects::new(rejects, &table.header)?;
        let encoding = table.encoding.clone();
        let mut summary = ImportSummary { encoding, ..ImportSummary::default() };
        for rows in table.rows.chunks(BATCH_ROWS) {
            let mut batch = Vec::new();
            for row in rows {
                summary.read += 1;
                match &row.outcome {
                    Ok(imported) if known.insert(imported.source_key.clone()) => {
                        batch.push(imported)
                    }
                    Ok(_) => summary.already += 1,
                    Err(reasons) => {
                        summary.rejected += 1;
                        rejects.write(row, reasons, words)?;
                    }
                }
            }
            self.import_batch(&mapping.kind, &batch)?;
            summary.imported += batch.len() as u64;
            progress(&summary);
        }
        rejects.finish()?;
        Ok(summary)
    }

    fn import_batch(&mut self, kind: &Kind, rows: &[&Imported]) -> Result<(), FieldError> {
        let mut saves = Vec::with_capacity(rows.len());
        for row in rows {
            let form = self.new_form(kind.clone())?;
            let fields = row.fields.iter().map(|(path, value)| (path.clone(), Some(value.clone())));
            let edit = self.with_defaults(&form, fields.collect())?;
            let changes = form.changes(&edit);
            self.check(&form, &changes)?;
            saves.push((form, changes));
        }
        self.transact(|tx| -> Result<(), FieldError> {
            let mut state = tx.state()?;
            for (form, changes) in &saves {
                let dot = state.next_dot();
                tx.put(&Local::created(form.record().clone(), changes, dot))?;
            }
            tx.set_state(&state)?;
            Ok(())
        })
    }

    /// Imports a GPX track as a patrol of this person. The file itself is kept.
    pub fn import_track(&mut self, bytes: &[u8]) -> Result<TrackSummary, FieldError> {
        let track = gpx::read(bytes)?;
        let segments = &track.segments;
        let measured =
            geodesy::summarise(segments).map_err(|e| FieldError::Protocol(e.to_string()))?;
        let (duration_s, gap_s) = (measured.times.duration_s(), measured.times.gap_s());
        let mut summary = TrackSummary {
            id: self.env.new_record_id(),
            already: false,
            points: track.points as u64,
            distance_m: measured.distance_cm as f64 / 100.0,
            duration_s: duration_s.unwrap_or(0),
            gap_s,
            untimed: track.untimed as u64,
            implausible_times: track.implausible_times as u64,
        };
        let key = gpx::track_key(&track);
        if let Some(id) = self.store.by_source(&Kind::Patrol, GPX_SOURCE, &key)? {
            return Ok(TrackSummary { id, already: true, ..summary });
        }
        let mut edit = Edit::new();
        let line = measured.line.into_iter().map(Value::Text).collect();
        let seconds = |ms: i64| Value::Int(ms.div_euclid(1000));
        let mut put = |path: &str, value: Value| set(&mut edit, path, value);
        put("distance_cm", Value::Int(measured.distance_cm))?;
        put("gap_s", Value::Int(gap_s))?;
        put("line", Value::List(line))?;
        put("source", Value::text(GPX_SOURCE))?;
        put("source_key", Value::text(key))?;
        if let Some(duration) = duration_s {
            put("duration_s", Value::Int(duration))?;
        }
        if let (Some(first), Some(last)) = (measured.times.first_ms, measured.times.last_ms) {
            put("started_at", seconds(first))?;
            put("ended_at", seconds(last))?;
        }
        if let Some(name) = &track.name {
            put("note", Value::text(name.as_str()))?;
        }
        let grid = self.grid_of(segments)?;
        put("grid", grid)?;
        let _gate = self.files.hold_gate()?;
        self.keep_track(segments, &mut edit)?;
        let form = self.new_form(Kind::Patrol)?;
        summary.id = form.record().id;
        let edit = self.with_defaults(&form, edit)?;
        let changes: BTreeMap<FieldPath, _> = form.changes(&edit);
        self.check(&form, &changes)?;
        self.transact(|tx| -> Result<(), FieldError> {
            let mut state = tx.state()?;
            let dot = state.next_dot();
            tx.put_blob("application/gpx+xml", bytes)?;
            tx.put(&Local::created(form.record().clone(), &changes, dot))?;
            tx.set_state(&state)?;
            Ok(())
        })?;
        Ok(summary)
    }

    /// The grid in which a track starts, else the person's first one.
    pub(crate) fn grid_of(&self, segments: &[Vec<Fix>]) -> Result<Value, FieldError> {
        let boundaries = self.boundaries()?;
        let first = segments.iter().flatten().next();
        let found = first.and_then(|fix| boundaries.find(fix.position)).cloned();
        let own = self.identity()?.grids.into_iter().next();
        let grid = found.or(own).ok_or(FieldError::GridMissing)?;
        Ok(Value::text(grid.as_str()))
    }
}

/// The file of rejected rows: line, every reason, and the row as it was read.
struct Rejects<'a>(csv::Writer<&'a mut dyn Write>);

impl<'a> Rejects<'a> {
    fn new(out: &'a mut dyn Write, header: &[String]) -> Result<Self, FieldError> {
        out.write_all("\u{FEFF}".as_bytes()).map_err(failed)?;
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .flexible(true)
            .from_writer(out);
        let own = ["line", "codes", "reasons"].into_iter();
        writer.write_record(own.chain(header.iter().map(String::as_str))).map_err(csv_failed)?;
        Ok(Self(writer))
    }

    fn write(
        &mut self,
        row: &Row,
        reasons: &[Reason],
        words: &dyn Fn(&Reason) -> String,
    ) -> Result<(), FieldError> {
        let codes: Vec<&str> = reasons.iter().map(|reason| reason.code).collect();
        let texts: Vec<String> = reasons.iter().map(words).collect();
        let own = [row.line.to_string(), codes.join(" "), texts.join("; ")];
        let cells = own
            .iter()
            .chain(&row.cells)
            .map(|cell| yaoguan_exchange::export::neutralised(cell.clone()));
        self.0.write_record(cells).map_err(csv_failed)
    }

    fn finish(mut self) -> Result<(), FieldError> {
        self.0.flush().map_err(failed)
    }
}

fn failed(source: std::io::Error) -> FieldError {
    io(std::path::Path::new("rejects"), source)
}

fn csv_failed(error: csv::Error) -> FieldError {
    failed(std::io::Error::other(error))
}
