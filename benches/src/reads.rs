//! What a person looks at in a store of many records: lists, search, map, and opening the app's store. Bytes a
//! record.

use anyhow::Result;
use serde_json::{Value as Json, json};
use yaoguan_field::{ListQuery, MapBox, Phone};

use crate::report::Report;
use crate::samples::{Figure, Samples, timed};
use crate::workload;
use crate::world::{Pouch, Raw, World, folder_bytes};

/// Medians at one size, for the exponents.
#[derive(Debug, Clone, Copy)]
pub struct Grown {
    pub list_ms: f64,
    pub search_ms: f64,
    pub map_ms: f64,
    pub open_ms: f64,
}

/// Questions of one round.
const TIMES: usize = 20;
/// A street: about a two-hundredth of the town.
const STREET: MapBox = MapBox { south: 24.59, west: 99.18, north: 24.60, east: 99.19 };
const WORDS: &str = "水库坝下 电线老化";

fn asked(phone: &Phone, work: impl Fn(&Phone) -> Result<usize>) -> Result<f64> {
    let mut times = Samples::default();
    for _ in 0..TIMES {
        let (ms, found) = timed(|| work(phone));
        anyhow::ensure!(found? > 0, "nothing found");
        times.push(ms);
    }
    Ok(times.median())
}

/// Opens and shows the first page.
fn opened(world: World) -> Result<(World, f64)> {
    let World { records, town, line, a, b, first_pull_ms } = world;
    let (ms, a) = timed(|| -> Result<_> {
        let a = a.restart()?;
        a.phone.list_rows(&ListQuery::default())?;
        Ok(a)
    });
    Ok((World { records, town, line, a: a?, b, first_pull_ms }, ms))
}

pub async fn measure(
    report: &mut Report,
    mut world: World,
    rounds: usize,
    mut pouch: Option<&mut Pouch>,
) -> Result<(World, Grown)> {
    let n = world.records;
    println!("reading among {n}");
    let [mut list, mut search, mut map, mut open] = [const { Samples(Vec::new()) }; 4];
    let [mut their_list, mut their_map] = [const { Samples(Vec::new()) }; 2];
    if let Some(pouch) = &mut pouch {
        for fields in [["seen_at"], ["lat"]] {
            pouch.b.ask(json!({ "op": "index", "name": "town", "fields": fields })).await?;
        }
    }
    let searched = ListQuery { words: Some(WORDS.to_owned()), ..ListQuery::default() };
    for _ in 0..rounds {
        let phone = &world.a.phone;
        list.push(asked(phone, |phone| Ok(phone.list_rows(&ListQuery::default())?.rows.len()))?);
        search.push(asked(phone, |phone| Ok(phone.list_rows(&searched)?.rows.len()))?);
        map.push(asked(phone, |phone| Ok(phone.hazards_in(STREET)?.len()))?);
        let ms;
        (world, ms) = opened(world)?;
        open.push(ms);
        if let Some(pouch) = &mut pouch {
            let mut find = async |query: Json| {
                pouch
                    .b
                    .times(json!({ "op": "find", "name": "town", "times": 3, "query": query }))
                    .await
            };
            let newest = json!({ "selector": { "seen_at": { "$gt": null } }, "sort": [{ "seen_at": "desc" }], "limit": 50 });
            their_list.push(find(newest).await?.median());
            let street = json!({ "selector": {
                "lat": { "$gte": 245_900_000, "$lte": 246_000_000 }, "lon": { "$gte": 991_800_000, "$lte": 991_900_000 },
            }, "limit": 500 });
            their_map.push(find(street).await?.median());
        }
    }
    let grown = Grown {
        list_ms: list.median(),
        search_ms: search.median(),
        map_ms: map.median(),
        open_ms: open.median(),
    };
    let beside = |figure: Figure, samples: Samples| {
        if samples.0.is_empty() { figure } else { figure.beside("PouchDB 9, indexed", samples) }
    };
    report.add(beside(
        Figure::new(format!("first page of a list among {n}"), "ms", list),
        their_list,
    ));
    report.add(Figure::new(
        format!("search for two words among {n} (no peer has it)"),
        "ms",
        search,
    ));
    report.add(beside(Figure::new(format!("map of a street among {n}"), "ms", map), their_map));
    report.add(Figure::new(
        format!("opening a store of {n} and its first page, file in the system's cache"),
        "ms",
        open,
    ));
    Ok((world, grown))
}

/// Bytes on the disk for each record, everything that is needed to find it included.
pub async fn measure_bytes(
    report: &mut Report,
    world: World,
    pouch: Option<&mut Pouch>,
) -> Result<World> {
    let n = world.records;
    let World { records, town, line, a, b, first_pull_ms } = world;
    let mut bytes = 0;
    let a = a.after(|data| {
        bytes = std::fs::metadata(data.join("phone.db")).map_or(0, |about| about.len())
    })?;
    let world = World { records, town, line, a, b, first_pull_ms };
    let total = world.a.phone.store().counts()?.records.values().sum::<u64>();
    let raw = Raw::like(world.a.phone.store())?;
    raw.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let pages: f64 = raw.connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let per_record = |bytes: f64| Samples(vec![bytes / total as f64]);
    let figure = || {
        Figure::new(
            format!("phone's database, bytes a record of {n}"),
            "B",
            per_record(bytes as f64),
        )
    };
    report.add(figure().beside("encrypted table of the bodies alone", per_record(pages * 4096.0)));
    if let Some(pouch) = pouch {
        let size = pouch.a.ask(json!({ "op": "close", "name": "town" })).await?;
        let size = size["bytes"].as_f64().unwrap_or(f64::NAN) / pouch.records as f64;
        report.add(figure().beside("PouchDB 9, no indexes", Samples(vec![size])));
        report.add(
            figure().beside(
                "rouchdb 0.5, no indexes",
                Samples(vec![rouchdb_bytes(pouch.records).await?]),
            ),
        );
    }
    let town = world.town_bytes().await?;
    report.add(Figure::one(format!("town's database, bytes a record of {n}"), "B", town));
    Ok(world)
}

async fn rouchdb_bytes(records: usize) -> Result<f64> {
    let dir = tempfile::tempdir()?;
    let database = rouchdb::Database::open(dir.path().join("rouch.redb"), "bench")?;
    let hazards = workload::hazards(records);
    for batch in hazards.chunks(1_000) {
        let document = |hazard: &workload::Hazard| {
            let id = format!("d{:032x}", hazard.key);
            rouchdb::Document::from_json(hazard.document(&id))
        };
        let documents = batch.iter().map(document).collect::<Result<Vec<_>, _>>()?;
        database.bulk_docs(documents, rouchdb::BulkDocsOptions::new()).await?;
    }
    database.close().await?;
    drop(database);
    Ok(folder_bytes(dir.path())? as f64 / records as f64)
}
