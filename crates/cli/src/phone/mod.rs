//! `yaoguan`: reads the command line, does one thing on the phone, says what came of it.

mod arguments;
mod exchange;
mod photos;
mod quarantine;
mod records;
mod token;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _};
use yaoguan_field::{EnrolOptions, FieldError, Phone, Salvaged, SyncSummary};
use yaoguan_model::env::System;
use yaoguan_wire::limits::PROOF_SKEW_S;

pub use arguments::Arguments;
use arguments::Do;

use crate::help::localised;
use crate::output::{Failure, Output};
use crate::words::Words;

/// The program.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let words = Words::from_arguments(&arguments);
    let command = localised(Arguments::command(), &words);
    let parsed =
        command.try_get_matches_from(arguments).and_then(|m| Arguments::from_arg_matches(&m));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let output = Output { words: &words, json: arguments.json };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments, &output)),
        Err(error) => Err(error.into()),
    };
    output.exit(result)
}

async fn run(arguments: Arguments, output: &Output<'_>) -> Result<(), Failure> {
    let (data, lang) = (arguments.data, output.words.lang);
    if let Do::Enrol { uri, device_name, again } = arguments.action {
        let options = EnrolOptions { device_name, lang };
        let mut phone = if again {
            let mut phone = Phone::open(&data, Arc::new(System), lang)?;
            phone.enrol_again(&uri, &options).await?;
            phone
        } else {
            Phone::enrol(&data, &uri, &options, Arc::new(System)).await?
        };
        // Grids and templates come with the first pull; without a line they come later.
        if let Err(error) = phone.sync(|_| {}).await {
            output.note("first_sync_failed", &[("detail", &output.detail(&error))]);
        }
        let status = phone.status()?;
        let values =
            [("name", status.name.as_str()), ("role", status.role), ("town", &status.town)];
        return output.result(&status, || vec![output.words.say("say", "enrolled", &values)]);
    }
    let opened = Phone::open(&data, Arc::new(System), lang);
    let mut phone = opened.inspect_err(|error| _ = Phone::suspect(&data, error))?;
    if let Some(salvaged) = phone.salvaged() {
        tell_salvaged(output, salvaged);
    }
    if let Some(error) = phone.read_only() {
        output.note("read_only", &[("detail", &output.detail(&error))]);
    }
    let done = act(&mut phone, output, arguments.action).await;
    if let Err(Failure::Field(error)) = &done
        && Phone::suspect(&data, error)
    {
        output.note("suspect", &[]);
    }
    done
}

async fn act(phone: &mut Phone, output: &Output<'_>, action: Do) -> Result<(), Failure> {
    match action {
        Do::Enrol { .. } => Ok(()),
        Do::Add { kind, set, from } => records::add(phone, output, &kind, &set, from.as_deref()),
        Do::Edit { id, set, unset, note } => {
            records::edit(phone, output, id, &set, &unset, note.as_deref())
        }
        Do::Delete { id } => records::changed(output, &phone.delete(id)?),
        Do::Undelete { id } => records::changed(output, &phone.undelete(id)?),
        Do::Resolve { id, set, keep } => records::resolve(phone, output, id, &set, &keep),
        Do::List { kind, status, grid, deleted, limit, offset } => {
            records::list(phone, output, &kind, (status, grid, deleted), (limit, offset))
        }
        Do::Show { id } => records::show(phone, output, id),
        Do::Search { words, kind, limit } => {
            records::search(phone, output, &words, kind.as_ref(), limit)
        }
        Do::Nearby { category, at } => records::nearby(phone, output, &category, &at),
        Do::Import { what } => exchange::import(phone, output, what),
        Do::Export { kind, format, out } => exchange::export(phone, output, &kind, format, &out),
        Do::Attach { id, file } => photos::attach(phone, output, id, &file),
        Do::Photos { what } => photos::run(phone, output, what).await,
        Do::Track { what } => photos::track(phone, output, what).await,
        Do::Sync => sync(phone, output).await,
        Do::Status => status(phone, output),
        Do::Verify => verify(phone, output),
        Do::Check => check(phone, output),
        Do::Rebuild => {
            let bar = output.progress("rebuilding");
            let records = phone.rebuild()?;
            drop(bar);
            let count = records.to_string();
            let lines = || vec![output.words.say("say", "rebuilt", &[("n", &count)])];
            output.result(&serde_json::json!({ "records": records }), lines)
        }
        Do::Address { url } => {
            phone.set_town_address(&url)?;
            let lines = || vec![output.words.say("say", "address_set", &[("url", &url)])];
            output.result(&serde_json::json!({ "town": url }), lines)
        }
        Do::Api { path } => {
            let answer = phone.ask(&path).await?;
            let pretty = || serde_json::to_string_pretty(&answer).unwrap_or_default();
            output.result(&answer, || vec![pretty()])
        }
        Do::Token => token::make(phone, output).await,
        Do::Quarantine { what } => quarantine::run(phone, output, what),
    }
}

/// What was found broken, what was saved of it, and where the broken file lies.
fn tell_salvaged(output: &Output<'_>, salvaged: &Salvaged) {
    let texts = [
        salvaged.records,
        salvaged.unsent,
        salvaged.quarantined,
        salvaged.drafts,
        salvaged.damaged,
        salvaged.lost_unsent,
    ]
    .map(|n| n.to_string());
    let [records, unsent, quarantined, drafts, damaged, lost] = &texts;
    let values = [
        ("file", salvaged.file.as_str()),
        ("records", records),
        ("unsent", unsent),
        ("quarantined", quarantined),
        ("drafts", drafts),
        ("damaged", damaged),
        ("lost", lost),
    ];
    output.note("salvaged", &values);
}

fn check(phone: &mut Phone, output: &Output<'_>) -> Result<(), Failure> {
    let bar = output.progress("verifying");
    // A start that met damage has mended it already.
    let salvaged = phone.check_store()?.or_else(|| phone.salvaged().cloned());
    drop(bar);
    if let Some(salvaged) = &salvaged {
        tell_salvaged(output, salvaged);
    }
    let value = serde_json::json!({ "ok": salvaged.is_none(), "salvaged": salvaged });
    output.result(&value, || match &salvaged {
        Some(_) => Vec::new(),
        None => vec![output.words.say("say", "checked", &[])],
    })
}

async fn sync(phone: &mut Phone, output: &Output<'_>) -> Result<(), Failure> {
    let bar = output.progress("syncing");
    let summary: Result<SyncSummary, FieldError> =
        phone.sync(|so_far| bar.at(so_far.sent + so_far.received + so_far.files_sent)).await;
    drop(bar);
    let summary = summary?;
    let texts =
        [summary.sent, summary.received, summary.refused, summary.pending].map(|n| n.to_string());
    let [sent, received, refused, pending] = &texts;
    let values = [
        ("sent", sent.as_str()),
        ("received", received),
        ("refused", refused),
        ("pending", pending),
    ];
    output.result(&summary, || {
        let mut lines = vec![output.words.say("say", "synced", &values)];
        if summary.files_sent > 0 {
            let n = summary.files_sent.to_string();
            lines.push(output.words.say("say", "files_sent", &[("n", &n)]));
        }
        if summary.files_refused > 0 {
            let n = summary.files_refused.to_string();
            lines.push(output.words.say("say", "files_refused", &[("n", &n)]));
        }
        if summary.given_up > 0 {
            let n = summary.given_up.to_string();
            lines.push(output.words.say("say", "given_up", &[("n", &n)]));
        }
        if summary.refused > 0 {
            lines.push(output.words.say("say", "see_quarantine", &[]));
        }
        lines.extend(clock_warning(output, summary.clock_off_s));
        lines
    })
}

fn status(phone: &Phone, output: &Output<'_>) -> Result<(), Failure> {
    let status = phone.status()?;
    output.result(&status, || {
        let text = |key: &str, value: &dyn ToString| {
            output.words.say("say", key, &[("value", &value.to_string())])
        };
        let mut lines = vec![
            text("status_name", &format!("{} ({})", status.name, status.role)),
            text("status_town", &status.town),
            text("status_pending", &status.pending),
            text("status_files", &status.files),
            text("status_quarantined", &status.quarantined),
            text("status_siblings", &status.siblings),
            text("status_stubs", &status.stubs),
        ];
        lines.extend(status.salvaged.iter().map(|one| text("status_salvaged", &one.file)));
        lines.extend(status.records.iter().map(|(kind, n)| format!("  {kind}: {n}")));
        lines.extend(clock_warning(output, status.clock_off_s));
        lines
    })
}

/// A clock that is off by more than the town lets pass unasked: what is recorded bears a wrong time.
fn clock_warning(output: &Output<'_>, off_s: i64) -> Option<String> {
    if off_s.abs_diff(0) <= PROOF_SKEW_S.unsigned_abs() {
        return None;
    }
    let key = if off_s > 0 { "clock_fast" } else { "clock_slow" };
    let minutes = off_s.unsigned_abs() / 60;
    let (days, hours, minutes) = (minutes / 1_440, minutes % 1_440 / 60, minutes % 60);
    let [days, hours, minutes] = [days, hours, minutes].map(|n| n.to_string());
    let values = [("days", days.as_str()), ("hours", &hours), ("minutes", &minutes)];
    Some(output.words.say("say", key, &values))
}

fn verify(phone: &Phone, output: &Output<'_>) -> Result<(), Failure> {
    let bar = output.progress("verifying");
    let findings = phone.verify()?;
    drop(bar);
    let records: u64 = phone.status()?.records.values().sum();
    let json: Vec<_> = findings
        .iter()
        .map(|f| serde_json::json!({ "sort": f.sort, "record": f.record, "detail": f.detail }))
        .collect();
    let value =
        serde_json::json!({ "ok": findings.is_empty(), "records": records, "findings": json });
    output.result(&value, || {
        let about = |f: &yaoguan_store::verify::Finding| {
            let record = f.record.map(|id| id.to_string()).unwrap_or_default();
            format!("{} {record} {}", f.sort, f.detail)
        };
        let mut lines: Vec<String> = findings.iter().map(about).collect();
        let key = if findings.is_empty() { "verified" } else { "not_verified" };
        lines.push(output.words.say("say", key, &[("n", &findings.len().to_string())]));
        lines
    })?;
    if findings.is_empty() { Ok(()) } else { Err(Failure::Shown) }
}
