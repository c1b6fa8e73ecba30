//! Commands on the audit log.

use yaoguan_town::Town;
use yaoguan_town::audit::{Flaw, Written};
use yaoguan_town::storage::{AuditAsk, AuditLog as _};

use super::arguments::Audit;
use super::console::local_time;
use crate::output::{Failure, Output};

pub(super) async fn run(town: &Town, output: &Output<'_>, what: Audit) -> Result<(), Failure> {
    match what {
        Audit::List { after, limit, about } => {
            let ask = AuditAsk { after, limit, subject: about };
            let entries = town.storage.audit(ask).await?;
            output.result(&entries, || entries.iter().map(line).collect())
        }
        Audit::Verify => verify(town, output).await,
    }
}

fn line(entry: &Written) -> String {
    let Written { sequence, by, act, subject_kind, subject, reason, detail, .. } = entry;
    let time = local_time(entry.at);
    let line = format!("{sequence}  {time}  {by}  {act}  {subject_kind} {subject}  {detail}");
    format!("{line}  {reason}").trim_end().to_owned()
}

async fn verify(town: &Town, output: &Output<'_>) -> Result<(), Failure> {
    let bar = output.progress("verifying");
    let checked = town.storage.verify_audit().await?;
    drop(bar);
    output.result(&checked, || {
        let mut lines: Vec<String> = checked.flaws.iter().map(|flaw| said(output, flaw)).collect();
        let texts = [checked.entries, checked.lost_to_restores].map(|n| n.to_string());
        let [entries, lost] = &texts;
        let key = if checked.flaws.is_empty() { "audit_sound" } else { "audit_flawed" };
        let values = [("n", entries.as_str()), ("lost", lost)];
        lines.push(output.words.say("people", key, &values));
        lines
    })?;
    if checked.flaws.is_empty() { Ok(()) } else { Err(Failure::Shown) }
}

fn said(output: &Output<'_>, flaw: &Flaw) -> String {
    let sort = serde_json::to_value(flaw.sort).ok();
    let sort = sort.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    let values = [("sequence", flaw.sequence.to_string())];
    let values = values.each_ref().map(|(key, text)| (*key, text.as_str()));
    output.words.say("flaw", &sort, &values)
}
