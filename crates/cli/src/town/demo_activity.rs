//! `yaoguan-town demo-activity`: makes up some weeks of work in a demo town.

use serde_json::json;
use yaoguan_model::env::System;
use yaoguan_town::demo::activity::{Ask, fill};
use yaoguan_town::{Storage as _, Town};

use crate::output::{Failure, Output};

pub(super) async fn run(
    town: &Town,
    output: &Output<'_>,
    seed: u64,
    days: u32,
) -> Result<(), Failure> {
    if !town.storage.info().await?.demo {
        return Err(Failure::Said("not_a_demo", Vec::new()));
    }
    let bar = output.progress("making_up");
    let made = fill(&town.storage, &System, Ask { seed, days }).await?;
    town.storage.settle().await?;
    drop(bar);
    let value = json!({ "records": made.records, "devices": made.devices });
    let count = made.records.values().sum::<u64>().to_string();
    let values = [("n", count.as_str()), ("phones", &made.devices.to_string())];
    output.result(&value, || vec![output.words.say("say", "activity_made", &values)])
}
