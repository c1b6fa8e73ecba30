//! A patrol on the way: start, fixes one by one, stop, review, save or throw away.

use serde::{Deserialize, Serialize};
use yaoguan_model::geodesy::{self, Fix, Times, line};
use yaoguan_model::{Kind, Record, RecordId, Value};
use yaoguan_store::Track;

use crate::edit::{Changed, Edit, Form, set};
use crate::error::FieldError;
use crate::phone::Phone;
use crate::view::Point;

/// Media type of the blob with every fix: a JSON list of `[lat_e7, lon_e7, at_ms, accuracy_cm]`.
const TRACK_TYPE: &str = "application/vnd.yaoguan.track+json";

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

    /// Makes the patrol a record, with every fix beside it as a blob.
    pub fn save_patrol(&mut self, words: &PatrolWords) -> Result<Changed, FieldError> {
        let track = self.store.track()?;
        let track = track.ok_or_else(|| FieldError::NotFound("patrol".to_owned()))?;
        let fixes = self.store.track_fixes()?;
        let edit = self.patrol_edit(&track, &fixes, words)?;
        let bytes = track_bytes(&fixes)?;
        self.transact(|tx| -> Result<(), FieldError> {
            tx.put_blob(TRACK_TYPE, &bytes)?;
            Ok(())
        })?;
        let author = self.identity()?.account;
        let record = Record::new(track.patrol, Kind::Patrol, author);
        // Were the app killed between the two, the next save would write the same record again.
        let changed = self.save(&Form::of_draft(record, true), edit)?;
        self.discard_patrol()?;
        Ok(changed)
    }

    /// Throws the track away: nothing of it is sent.
    pub fn discard_patrol(&mut self) -> Result<(), FieldError> {
        self.transact(|tx| Ok::<_, FieldError>(tx.drop_track()?))
    }

    fn patrol_edit(
        &self,
        track: &Track,
        fixes: &[Fix],
        words: &PatrolWords,
    ) -> Result<Edit, FieldError> {
        let segments = vec![fixes.to_vec()];
        let measured =
            geodesy::summarise(&segments).map_err(|e| FieldError::Protocol(e.to_string()))?;
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
        if !fixes.is_empty() {
            let line = measured.line.into_iter().map(Value::Text).collect();
            set(&mut edit, "line", Value::List(line))?;
            let hash = yaoguan_model::canonical::hash(&track_bytes(fixes)?);
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            set(&mut edit, "track", Value::Text(hex))?;
        }
        set(&mut edit, "grid", self.grid_of(&segments)?)?;
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

fn track_bytes(fixes: &[Fix]) -> Result<Vec<u8>, FieldError> {
    let plain: Vec<_> = fixes
        .iter()
        .map(|fix| (fix.position.lat_e7, fix.position.lon_e7, fix.at_ms, fix.accuracy_cm))
        .collect();
    serde_json::to_vec(&plain).map_err(|e| FieldError::Protocol(e.to_string()))
}
