//! A patrol on the way: start, fixes one by one, stop, review, save or throw away. From its stop on it has a form,
//! under the id of the record that it becomes: what is typed and photographed in its review stands there.

use std::collections::BTreeMap;

use serde::Serialize;
use yaoguan_exchange::{export, gpx};
use yaoguan_media::track;
use yaoguan_model::authorise::Refusal;
use yaoguan_model::geodesy::{self, Fix, Times, line};
use yaoguan_model::{BlobHash, Kind, Record, RecordId, Value};
use yaoguan_store::draft::Draft;
use yaoguan_store::{FileKind, NewFile, Track};

use crate::edit::{Changed, Edit, Form, set};
use crate::error::FieldError;
use crate::media::{PhotoSize, track_hash};
use crate::phone::Phone;
use crate::view::Point;

/// The patrol as it goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct PatrolNow {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub id: RecordId,
    /// Milliseconds of the phone's clock.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub started_at_ms: i64,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub ended_at_ms: Option<i64>,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub points: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub distance_cm: i64,
    /// The last fix belongs to the line: it is accurate enough, and one can have walked there.
    pub on_line: bool,
}

/// The patrol as it will be saved.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts"))]
pub struct PatrolReview {
    pub now: PatrolNow,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub distance_cm: i64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub duration_s: i64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub gap_s: i64,
    pub gaps: usize,
    /// Fixes that are kept in the track, and left out of line and length.
    pub doubtful: usize,
    /// Lines to be drawn, broken where there was no fix.
    pub parts: Vec<Vec<Point>>,
}

/// Formats of a track on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackFormat {
    Gpx,
    GeoJson,
}

impl std::str::FromStr for TrackFormat {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "gpx" => Ok(Self::Gpx),
            "geojson" => Ok(Self::GeoJson),
            _ => Err("geojson, gpx".to_owned()),
        }
    }
}

impl Phone {
    /// Starts a patrol; one that is on its way goes on.
    pub fn start_patrol(&mut self) -> Result<PatrolNow, FieldError> {
        if let Some(now) = self.patrol_now()? {
            return Ok(now);
        }
        self.identity()?;
        let (id, at_ms) = (self.env.new_record_id(), self.env.now_ms());
        self.transact(|tx| Ok::<_, FieldError>(tx.start_track(id, at_ms)?))?;
        self.patrol_now()?.ok_or_else(|| FieldError::NotFound(id.to_string()))
    }

    pub fn patrol_now(&self) -> Result<Option<PatrolNow>, FieldError> {
        Ok(self.store.track()?.as_ref().map(now))
    }

    /// Adds a fix to the patrol that runs; false when none does.
    pub fn add_fix(&mut self, fix: &Fix) -> Result<bool, FieldError> {
        self.transact(|tx| Ok::<_, FieldError>(tx.add_fix(fix)?))
    }

    /// Stops it and opens its form; one that was stopped before stays as it is.
    pub fn stop_patrol(&mut self) -> Result<PatrolReview, FieldError> {
        let at_ms = self.env.now_ms();
        let track = self.patrol_track()?;
        let mut values = Edit::new();
        set(&mut values, "members", Value::Int(1))?;
        let draft = Draft {
            id: track.patrol.0,
            kind: Kind::Patrol,
            record: None,
            values,
            replaces: BTreeMap::new(),
            updated_at: at_ms,
        };
        let is_open = self.store.has_draft(draft.id)?;
        self.transact(|tx| -> Result<(), FieldError> {
            if !is_open {
                tx.put_draft(&draft)?;
            }
            Ok(tx.stop_track(at_ms)?)
        })?;
        self.review_patrol()
    }

    /// The patrol that is under way or stopped, measured over every fix.
    pub fn review_patrol(&self) -> Result<PatrolReview, FieldError> {
        let track = self.patrol_track()?;
        let fixes = self.store.track_fixes()?;
        let doubtful = geodesy::doubts(&fixes).into_iter().filter(|doubt| doubt.is_any()).count();
        let segments = geodesy::believed(&[fixes]);
        let times = Times::of(&segments);
        let parts = line::split_at_gaps(&segments).into_iter().map(|part| {
            let thin = line::simplify(&part, yaoguan_model::patrol::LINE_TOLERANCE_M);
            thin.into_iter().map(Point::from).collect()
        });
        Ok(PatrolReview {
            now: now(&track),
            distance_cm: geodesy::length_cm(&geodesy::positions(&segments)),
            duration_s: times.duration_s().unwrap_or(0),
            gap_s: times.gap_s(),
            gaps: times.gaps.len(),
            doubtful,
            parts: parts.collect(),
        })
    }

    /// Makes the patrol a record, with every fix beside it as a file.
    pub fn save_patrol(&mut self) -> Result<Changed, FieldError> {
        let track = self.patrol_track()?;
        let segments = vec![self.store.track_fixes()?];
        let mut edit = self.patrol_edit(&track, &segments)?;
        let _gate = self.files.hold_gate()?;
        self.keep_track(&segments, &mut edit)?;
        let author = self.identity()?.account;
        let record = Record::new(track.patrol, Kind::Patrol, author);
        // Were the app killed between the two, the next save would write the same record again.
        let changed = self.save(&Form::of_draft(record, true), edit)?;
        self.discard_patrol()?;
        Ok(changed)
    }

    /// Keeps every fix as a file, and names it in the record that is about to be saved. Hold the gate.
    pub(crate) fn keep_track(
        &mut self,
        segments: &[Vec<Fix>],
        edit: &mut Edit,
    ) -> Result<(), FieldError> {
        if segments.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let bytes = track::encode(segments).map_err(|e| FieldError::Protocol(e.to_string()))?;
        let hash = BlobHash::of(&bytes);
        let env = self.env.clone();
        self.files.keep(hash, &bytes, env.as_ref())?;
        let (kind, size, at_ms) = (FileKind::Track, bytes.len() as u64, env.now_ms());
        let new = NewFile { hash, kind, size, is_own: true, thumb: None, at_ms };
        self.transact(|tx| Ok::<_, FieldError>(tx.add_file(&new)?))?;
        set(edit, "track", Value::text(hash.to_string()))
    }

    /// Writes every fix of one's own patrol; returns how many there are.
    pub fn export_track(
        &mut self,
        id: RecordId,
        format: TrackFormat,
        out: &mut impl std::io::Write,
    ) -> Result<usize, FieldError> {
        let record = self.find(id)?;
        if record.created_by != self.identity()?.account {
            return Err(FieldError::Refused(Refusal::OutOfScope));
        }
        let hash =
            track_hash(&record).ok_or_else(|| FieldError::NotFound(format!("{id} track")))?;
        let bytes = self.photo_bytes(hash, PhotoSize::Full, 0..u64::MAX)?.bytes;
        let segments =
            track::decode(&bytes).map_err(|_| FieldError::FileBroken(hash.to_string()))?;
        let fixes = segments.iter().map(Vec::len).sum();
        match format {
            TrackFormat::Gpx => {
                let name = record.shown_text("note").map(str::to_owned);
                let track = gpx::Track::of_fixes(name, segments);
                let failed = |source| FieldError::Io { path: "gpx".to_owned(), source };
                gpx::write_gpx(&track, out).map_err(failed)?;
            }
            TrackFormat::GeoJson => export::write_track_geojson(&segments, out)?,
        }
        Ok(fixes)
    }

    /// Takes the track off one's own patrol: what is not sent yet never will be. Times and length stay.
    pub fn drop_track(&mut self, id: RecordId) -> Result<Changed, FieldError> {
        let form = self.open_form(id)?;
        let paths = ["track", "line"].into_iter().filter_map(|path| path.parse().ok());
        self.save(&form, paths.map(|path| (path, None)).collect())
    }

    /// Throws track and form away: nothing of them is sent.
    pub fn discard_patrol(&mut self) -> Result<(), FieldError> {
        let track = self.store.track()?;
        self.transact(|tx| -> Result<(), FieldError> {
            if let Some(track) = &track {
                tx.remove_draft(track.patrol.0)?;
            }
            Ok(tx.drop_track()?)
        })
    }

    /// The patrol that is under way or stopped.
    fn patrol_track(&self) -> Result<Track, FieldError> {
        let track = self.store.track()?;
        track.ok_or_else(|| FieldError::NotFound("patrol".to_owned()))
    }

    fn patrol_edit(&self, track: &Track, segments: &[Vec<Fix>]) -> Result<Edit, FieldError> {
        let believed = geodesy::believed(segments);
        let measured =
            geodesy::summarise(&believed).map_err(|e| FieldError::Protocol(e.to_string()))?;
        let form = self.store.draft(track.patrol.0)?;
        let mut edit = form.map(|form| form.values).unwrap_or_default();
        // A box that was emptied is nothing that was said.
        let blank = |value: &Value| value.as_text().is_some_and(|text| text.trim().is_empty());
        edit.retain(|_, value| !value.as_ref().is_none_or(blank));
        let ended_ms = track.ended_at_ms.unwrap_or_else(|| self.env.now_ms());
        let started_s = track.started_at_ms.div_euclid(1000);
        let seconds = (ended_ms - track.started_at_ms).div_euclid(1000).max(0);
        let duration_s = measured.times.duration_s().unwrap_or(seconds);
        set(&mut edit, "started_at", Value::Int(started_s))?;
        set(&mut edit, "ended_at", Value::Int(ended_ms.div_euclid(1000)))?;
        set(&mut edit, "duration_s", Value::Int(duration_s))?;
        set(&mut edit, "distance_cm", Value::Int(measured.distance_cm))?;
        set(&mut edit, "gap_s", Value::Int(measured.times.gap_s()))?;
        if !measured.line.is_empty() {
            let line = measured.line.into_iter().map(Value::Text).collect();
            set(&mut edit, "line", Value::List(line))?;
        }
        let placed = if believed.is_empty() { segments } else { &believed };
        set(&mut edit, "grid", self.grid_of(placed)?)?;
        Ok(edit)
    }
}

fn now(track: &Track) -> PatrolNow {
    PatrolNow {
        id: track.patrol,
        started_at_ms: track.started_at_ms,
        ended_at_ms: track.ended_at_ms,
        points: track.points,
        distance_cm: track.distance_mm / 10,
        on_line: track.on_line,
    }
}
