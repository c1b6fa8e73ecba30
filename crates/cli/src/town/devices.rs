//! Commands on phones: which there are, and striking one off.

use serde_json::json;
use yaoguan_town::Town;
use yaoguan_town::people::Enrolled;
use yaoguan_town::storage::People as _;

use super::arguments::Devices;
use super::console::{done, local_time};
use crate::output::{Failure, Output};

pub(super) async fn run(town: &Town, output: &Output<'_>, what: Devices) -> Result<(), Failure> {
    match what {
        Devices::List => list(town, output).await,
        Devices::Revoke { id, reason } => {
            let revoked = town.storage.revoke_device(id, done(&reason)).await?;
            let key = if revoked { "device_revoked" } else { "device_revoked_before" };
            let said = || vec![output.words.say("people", key, &[])];
            output.result(&json!({ "device": id, "revoked": revoked }), said)
        }
    }
}

async fn list(town: &Town, output: &Output<'_>) -> Result<(), Failure> {
    let devices = town.storage.devices().await?;
    let value: Vec<_> = devices
        .iter()
        .map(|d| {
            json!({
                "id": d.id, "name": d.name, "account": d.account, "account_name": d.account_name,
                "account_disabled": d.account_disabled, "enrolled_at": d.enrolled_at,
                "last_contact": (d.last_contact > 0).then_some(d.last_contact),
                "clock_off_s": d.clock_off_s, "revoked_at": d.revoked_at,
            })
        })
        .collect();
    output.result(&value, || devices.iter().map(|device| line(output, device)).collect())
}

fn line(output: &Output<'_>, device: &Enrolled) -> String {
    let Enrolled { id, name, account_name, clock_off_s, .. } = device;
    let seen = match device.last_contact {
        0 => "-".to_owned(),
        time => local_time(time),
    };
    let state = match (device.revoked_at.is_some(), device.account_disabled) {
        (true, _) => output.words.say("people", "revoked", &[]),
        (false, true) => output.words.say("people", "closed", &[]),
        (false, false) => String::new(),
    };
    let line = format!("{id}  {account_name}  {name}  {seen}  {clock_off_s:+} s  {state}");
    line.trim_end().to_owned()
}
