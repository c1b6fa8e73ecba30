//! A patrol on the way: start, fixes one by one, stop, review, save or throw away.

use serde::{Deserialize, Serialize};
use yaoguan_exchange::{export, gpx};
use yaoguan_media::track;
use yaoguan_model::authorise::Refusal;
use yaoguan_model::geodesy::{self, Fix, Times, line};
use yaoguan_model::{BlobHash, Kind, Record, RecordId, Value};
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

/// What the person adds.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, export_to = "field.ts", optional_fields))]
pub struct PatrolWords {
    pub note: Option<String>,
    pub weather: Option<String>,
    #[cfg_attr(feature = "ts", ts(optional, type = "number"))]
    pub members: Option<i64>,
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

    pub fn stop_patrol(&mut self) -> Result<PatrolReview, FieldError> {
        let at_ms = self.env.now_ms();
        self.transact(|tx| Ok::<_, FieldError>(tx.stop_track(at_ms)?))?;
        self.review_patrol()
    }

    /// The patrol that is under way or stopped, measured over every fix.
    pub fn review_patrol(&self) -> Result<PatrolReview, FieldError> {
        let track = self.store.track()?;
        let track = track.ok_or_else(|| FieldError::NotFound("patrol".to_owned()))?;
        let segments = vec![self.store.track_fixes()?];
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
            parts: parts.collect(),
        })
    }

    /// Makes the patrol a record, with every fix beside it as a file.
    pub fn save_patrol(&mut self, words: &PatrolWords) -> Result<Changed, FieldError> {
        let track = self.store.track()?;
        let track = track.ok_or_else(|| FieldError::NotFound("patrol".to_owned()))?;
        let segments = vec![self.store.track_fixes()?];
        let mut edit = self.patrol_edit(&track, &segments, words)?;
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
        match format {
            TrackFormat::Gpx => {
                let name = record.shown_text("note").map(str::to_owned);
                let track = gpx::Track::of_fixes(name, &segments);
                let failed = |source| FieldError::Io { path: "gpx".to_owned(), source };
                gpx::write_gpx(&track, out).map_err(failed)?;
            }
            TrackFormat::GeoJson => export::write_track_geojson(&segments, out)?,
        }
        Ok(segments.iter().map(Vec::len).sum())
    }

    /// Takes the track off one's own patrol: what is not sent yet never will be. Times and length stay.
    pub fn drop_track(&mut self, id: RecordId) -> Result<Changed, FieldError> {
        let form = self.open_form(id)?;
        let paths = ["track", "line"].into_iter().filter_map(|path| path.parse().ok());
        self.save(&form, paths.map(|path| (path, None)).collect())
    }

    /// Throws the track away: nothing of it is sent.
    pub fn discard_patrol(&mut self) -> Result<(), FieldError> {
        self.transact(|tx| Ok::<_, FieldError>(tx.drop_track()?))
    }

    fn patrol_edit(
        &self,
        track: &Track,
        segments: &[Vec<Fix>],
        words: &PatrolWords,
    ) -> Result<Edit, FieldError> {
        let measured =
            geodesy::summarise(segments).map_err(|e| FieldError::Protocol(e.to_string()))?;
        let mut edit = Edit::new();
        let ended_ms = track.ended_at_ms.unwrap_or_else(|| self.env.now_ms());
        let started_s = track.started_at_ms.div_euclid(1000);
        let seconds = (ended_ms - track.started_at_ms).div_euclid(1000).max(0);
        let duration_s = measured.times.duration_s().unwrap_or(seconds);
        set(&mut edit, "started_at", Value::Int(started_s))?;
        set(&mut edit, "ended_at", Value::Int(ended_ms.div_euclid(1000)))?;
        set(&mut edit, "duration_s", Value::Int(duration_s))?;
        set(&mut edit, "distance_cm", Value::Int(measured.distance_cm))?;
        set(&mut edit, "gap_s", Value::Int(measured.times.gap_s()))?;
        if segments.iter().any(|segment| !segment.is_empty()) {
            let line = measured.line.into_iter().map(Value::Text).collect();
            set(&mut edit, "line", Value::List(line))?;
        }
        set(&mut edit, "grid", self.grid_of(segments)?)?;
        for (path, text) in [("note", &words.note), ("weather", &words.weather)] {
            if let Some(text) = text.as_deref().filter(|text| !text.trim().is_empty()) {
                set(&mut edit, path, Value::text(text))?;
            }
        }
        if let Some(members) = words.members {
            set(&mut edit, "members", Value::Int(members))?;
        }
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
    }
}
