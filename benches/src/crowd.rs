//! What the town takes from many phones at once: requests drawn up beforehand, sent together.

use anyhow::Result;
use yaoguan_sync::{PhoneStore as _, plan};
use yaoguan_testkit::town::TestTown;

use crate::first::client_of;
use crate::report::Report;
use crate::samples::{Figure, Samples, timed_async};
use crate::workload;
use crate::world::phone;

const PHONES: usize = 16;

pub async fn measure(report: &mut Report, rounds: usize, each: usize) -> Result<()> {
    println!("{PHONES} phones at once");
    let hazards = workload::hazards(each * PHONES);
    let mut rate = Samples::default();
    for _ in 0..rounds {
        let mut town = TestTown::start().await?;
        let line = town.line().await?;
        let mut requests = Vec::new();
        for part in hazards.chunks(each) {
            let mut phone = phone(&town, &line).await?;
            workload::put_on(&mut phone.phone, &phone.clock, part)?;
            let clock = phone.clock.clone();
            let request = phone.phone.store_mut().transact(|tx| plan(tx, &clock))?;
            requests.push((client_of(&phone.phone)?, request, clock));
        }
        let sent: usize = requests.iter().map(|(_, request, _)| request.records.len()).sum();
        let (ms, ended) = timed_async(async {
            let tasks: Vec<_> = requests
                .into_iter()
                .map(|(mut client, request, clock)| {
                    tokio::spawn(async move {
                        client.sync(&request, &clock).await.map(|answer| answer.verdicts.len())
                    })
                })
                .collect();
            let mut taken = 0;
            for task in tasks {
                taken += task.await??;
            }
            anyhow::Ok(taken)
        })
        .await;
        anyhow::ensure!(ended? == sent && sent == each * PHONES);
        rate.push(sent as f64 / ms * 1e3);
        town.stop().await?;
    }
    report.add(Figure::new(
        format!("town takes from {PHONES} phones at once, {each} records each, phones' TLS and compression on the same cores"),
        "records/s",
        rate,
    ));
    Ok(())
}
