//! Files in and out.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::json;
use yaoguan_exchange::Reason;
use yaoguan_field::{FieldError, Format, Phone};
use yaoguan_model::Kind;

use super::arguments::Import;
use crate::output::{Failure, Output};

pub(super) fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> FieldError {
    let path = path.display().to_string();
    move |source| FieldError::Io { path, source }
}

pub(super) fn import(phone: &mut Phone, output: &Output<'_>, what: Import) -> Result<(), Failure> {
    match what {
        Import::Hazards { file, mapping, rejects } => {
            table(phone, output, &file, &mapping, &rejects)
        }
        Import::Track { file } => track(phone, output, &file),
    }
}

fn table(
    phone: &mut Phone,
    output: &Output<'_>,
    file: &Path,
    mapping: &Path,
    rejects: &Path,
) -> Result<(), Failure> {
    let bytes = std::fs::read(file).map_err(failed(file))?;
    let mapping = std::fs::read_to_string(mapping).map_err(failed(mapping))?;
    let mut out = BufWriter::new(File::create(rejects).map_err(failed(rejects))?);
    let bar = output.progress("rows");
    let words = |reason: &Reason| crate::said::of_reason(output.words, reason);
    let summary = phone.import_table(&bytes, &mapping, &mut out, &words, |s| bar.at(s.read))?;
    out.flush().map_err(failed(rejects))?;
    drop(bar);
    output.result(&summary, || {
        let texts = [summary.read, summary.imported, summary.rejected, summary.already];
        let [read, imported, rejected, already] = texts.map(|n| n.to_string());
        let values = [
            ("read", read.as_str()),
            ("imported", &imported),
            ("rejected", &rejected),
            ("already", &already),
            ("encoding", &summary.encoding),
        ];
        vec![output.words.say("say", "imported", &values)]
    })
}

fn track(phone: &mut Phone, output: &Output<'_>, file: &Path) -> Result<(), Failure> {
    let bytes = std::fs::read(file).map_err(failed(file))?;
    let summary = phone.import_track(&bytes)?;
    output.result(&summary, || {
        let texts =
            [summary.points, summary.untimed, summary.implausible_times].map(|n| n.to_string());
        let [points, untimed, implausible] = texts;
        let (metres, seconds) =
            (format!("{:.1}", summary.distance_m), summary.duration_s.to_string());
        let (id, gap) = (summary.id.to_string(), summary.gap_s.to_string());
        let values = [
            ("id", id.as_str()),
            ("points", &points),
            ("metres", &metres),
            ("seconds", &seconds),
            ("gap", &gap),
            ("untimed", &untimed),
            ("implausible", &implausible),
        ];
        let mut lines = vec![output.words.say("say", "track", &values)];
        if summary.untimed + summary.implausible_times > 0 {
            lines.push(output.words.say("say", "track_times", &values));
        }
        if summary.already {
            lines.push(output.words.say("say", "track_already", &values));
        }
        lines
    })
}

pub(super) fn export(
    phone: &Phone,
    output: &Output<'_>,
    kind: &Kind,
    format: Format,
    path: &Path,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(File::create(path).map_err(failed(path))?);
    let bar = output.progress("exporting");
    let count = phone.export(kind, format, &mut out)?;
    let file =
        out.into_inner().map_err(std::io::IntoInnerError::into_error).map_err(failed(path))?;
    file.sync_all().map_err(failed(path))?;
    drop(bar);
    let (n, file) = (count.to_string(), path.display().to_string());
    output.result(&json!({ "exported": count, "file": file }), || {
        vec![output.words.say("say", "exported", &[("n", &n), ("file", &file)])]
    })
}
