//! How long the console's questions take over HTTPS in a town with many records: `make bench-console`.
//! RECORDS says how many (100,000), RUNS how often each is asked (30). Prints a table, and as its last line the same as
//! JSON; holds nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measurement fails where it stands, and has a clock"
)]

use std::time::Instant;

use anyhow::Result;
use serde_json::json;
use yaoguan_model::geodesy::line;
use yaoguan_model::{
    AccountId, Change, Env as _, FieldPath, GridCode, Kind, Position, RecordId, Role, Value,
};
use yaoguan_testkit::town::{GRID, TestTown};
use yaoguan_town::days::DAY_S;
use yaoguan_town::people::hash_code;
use yaoguan_town::storage::{OwnWrite, Sessions as _, Storage as _};
use yaoguan_transport::{Trust, client};

const DAYS: usize = 365;

/// xorshift64: the same town each time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
    fn place(&mut self) -> Position {
        let (lat, lon) = (self.below(860_000) as i64, self.below(1_600_000) as i64);
        Position { lat_e7: 245_560_000 + lat, lon_e7: 991_220_000 + lon }
    }
}

fn new(town: &TestTown, kind: Kind, author: AccountId, fields: Vec<(&str, Value)>) -> OwnWrite {
    let change = |(path, value): (&str, Value)| {
        (path.parse::<FieldPath>().unwrap(), Change { replaces: Vec::new(), value: Some(value) })
    };
    let changes = fields.into_iter().map(change).collect();
    OwnWrite { id: town.clock.new_record_id(), kind, author, changes }
}

fn hazard(town: &TestTown, author: AccountId, grid: Value, random: &mut Random) -> OwnWrite {
    let status = random.one(&[
        "reported",
        "verified",
        "assigned",
        "rectified",
        "closed",
        "closed",
        "closed",
    ]);
    let fields = vec![
        ("grid", grid),
        ("category", random.one(yaoguan_model::hazard::CATEGORIES).into()),
        ("severity", random.one(&["general", "general", "serious", "major"]).into()),
        ("status", status.into()),
        (
            "title",
            format!(
                "{}{}",
                random.one(&["村道边坡开裂", "电线老化", "排水沟堵塞"]),
                random.below(999)
            )
            .into(),
        ),
        ("description", random.one(&["雨后更明显", "距住户不足五米", "需要尽快处理"]).into()),
        ("due_on", random.one(&["", "2026-03-01", "2027-03-01"]).into()),
        ("position", random.place().to_value("gps")),
    ];
    new(town, Kind::Hazard, author, fields)
}

fn patrol(town: &TestTown, author: AccountId, grid: Value, random: &mut Random) -> OwnWrite {
    let mut at = random.place();
    let way: Vec<Position> = (0..80)
        .map(|_| {
            at.lat_e7 += random.below(6_000) as i64 - 2_500;
            at.lon_e7 += random.below(6_000) as i64 - 3_000;
            at
        })
        .collect();
    let line = line::encode(&way, line::LINE_PRECISION).unwrap();
    let fields = vec![
        ("grid", grid),
        ("team", "qingping".into()),
        ("started_at", town.clock.now_s().into()),
        ("distance_cm", 320_000.into()),
        ("line", Value::List(vec![line.into()])),
    ];
    new(town, Kind::Patrol, author, fields)
}

fn household(town: &TestTown, author: AccountId, grid: Value, random: &mut Random) -> OwnWrite {
    let address = format!("上街{}号", random.below(9_999));
    let place = random.place().to_value("gps");
    new(
        town,
        Kind::Household,
        author,
        vec![("grid", grid), ("address", address.into()), ("position", place)],
    )
}

fn check(town: &TestTown, author: AccountId, of: RecordId, random: &mut Random) -> OwnWrite {
    let answer = Value::map([("answer", random.one(&["fine", "fine", "problem"]).into())]);
    let fields = vec![
        ("household", of.to_string().into()),
        ("template", "home_safety".into()),
        ("template_version", 1.into()),
        ("outcome", "done".into()),
        ("checked_at", town.clock.now_s().into()),
        ("due_on", random.one(&["2026-02-01", "2026-06-01", "2027-01-01"]).into()),
        ("answers.gas_valve", answer),
    ];
    new(town, Kind::HouseholdCheck, author, fields)
}

fn task(town: &TestTown, author: AccountId, grid: Value, random: &mut Random) -> OwnWrite {
    let fields = vec![
        ("grid", grid),
        ("what", "other".into()),
        ("words", format!("雨后巡查沟渠{}", random.below(999)).into()),
        ("status", random.one(&["open", "acknowledged", "done", "done", "done"]).into()),
        ("due_on", random.one(&["", "2026-03-01", "2027-03-01"]).into()),
    ];
    let said = |(_, value): &(&str, Value)| value.as_text() != Some("");
    new(town, Kind::Task, author, fields.into_iter().filter(said).collect())
}

/// Of twenty records eight are hazards, five patrols, one a task, two households, four checks.
async fn fill(town: &TestTown, grids: &[GridCode], records: usize) -> Result<()> {
    let author = town.account(Role::Chief, &[GRID]).await?;
    let mut random = Random(20_260_101);
    let mut households: Vec<RecordId> = Vec::new();
    let begun = town.clock.now_s();
    let per_day = records.div_ceil(DAYS);
    for day in 0..DAYS {
        town.clock.set(begun - (DAYS - day) as i64 * DAY_S);
        let mut writes = Vec::with_capacity(per_day);
        for n in 0..per_day {
            let grid = Value::text(grids[random.below(grids.len())].as_str());
            writes.push(match (n % 20, households.is_empty()) {
                (0..8, _) => hazard(town, author, grid, &mut random),
                (8..13, _) => patrol(town, author, grid, &mut random),
                (13, _) => task(town, author, grid, &mut random),
                (14..16, _) | (_, true) => {
                    let new = household(town, author, grid, &mut random);
                    households.push(new.id);
                    new
                }
                (_, false) => {
                    let of = households[random.below(households.len())];
                    check(town, author, of, &mut random)
                }
            });
        }
        // Households first: their checks hang on them.
        writes.sort_by_key(|write| write.kind != Kind::Household);
        town.town.storage.write_own(writes, town.done()).await?;
    }
    town.clock.set(begun);
    Ok(())
}

/// The middle and the 95th percentile of some times, in milliseconds.
fn percentiles(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100) - 1];
    (at(50), at(95))
}

/// What the pages ask. Words are escaped as a browser does.
fn questions(town: &TestTown, record: RecordId) -> Vec<(&'static str, String)> {
    let whole = "bbox=99.10,24.54,99.30,24.66";
    let part = "bbox=99.18,24.59,99.20,24.60";
    let year = yaoguan_town::days::day_of(town.clock.now_s() - 364 * DAY_S);
    let search = |words: &str| format!("hazards?q={}", utf8_percent_encode(words));
    vec![
        ("inbox, first page", "hazards?state=open".to_owned()),
        ("inbox, filtered", "hazards?state=open&category=slope&severity=major".to_owned()),
        ("inbox, nothing fits", "hazards?state=open&category=slope&stage=corrected".to_owned()),
        ("inbox, of one grid", format!("hazards?state=open&grid={GRID}")),
        ("inbox, what waits", "waiting".to_owned()),
        ("record page", format!("records/{record}")),
        ("search, two characters", search("边坡")),
        ("search, one character", search("坡")),
        ("search, one digit", search("9")),
        ("search, two words", search("边坡 雨后")),
        ("search, one hit", search("边坡开裂997无")),
        ("tasks, active", "tasks?state=active".to_owned()),
        ("tasks, by words", format!("tasks?q={}", utf8_percent_encode("沟渠99"))),
        ("map, grids", "map/grids".to_owned()),
        ("map, hazards of the town", format!("map/hazards?{whole}")),
        ("map, hazards of a street", format!("map/hazards?{part}")),
        ("map, patrols of 7 days", format!("map/patrols?{whole}&days=7")),
        ("coverage, 7 days", "coverage?days=7".to_owned()),
        ("coverage, 90 days", "coverage?days=90".to_owned()),
        ("households due", "households/due".to_owned()),
        ("figures, 30 days", "figures".to_owned()),
        ("figures, a year", format!("figures?from={year}")),
        ("figures, one grid", format!("figures?from={year}&grid={GRID}")),
        ("daily report", "daily".to_owned()),
    ]
}

fn utf8_percent_encode(words: &str) -> String {
    words.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Asks each question so often; prints a line for each, and returns the same.
async fn measure(
    town: &TestTown,
    account: AccountId,
    asker: &str,
    runs: usize,
) -> Result<Vec<serde_json::Value>> {
    println!("{asker}:");
    let cookie = account.to_string();
    town.town.storage.add_session(hash_code(&cookie), account, town.clock.now_s()).await?;
    let http = client(Trust::Ca(town.town.ca.cert_pem.clone()))?;
    let get = async |path: &str| {
        let request = http.get(format!("{}/console/v1/{path}", town.url));
        let answer = request.header("cookie", format!("__Secure-yaoguan={cookie}")).send().await?;
        anyhow::ensure!(answer.status() == 200, "{path}: {}", answer.status());
        Ok(answer.bytes().await?)
    };
    let rows: serde_json::Value = serde_json::from_slice(&get("hazards?state=open").await?)?;
    let record = rows["rows"][0]["id"].as_str().unwrap().parse()?;
    let mut told = Vec::new();
    for (name, path) in questions(town, record) {
        let (mut times, mut bytes) = (Vec::new(), 0);
        for _ in 0..runs {
            let begun = Instant::now();
            bytes = get(&path).await?.len();
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        let (p50, p95) = percentiles(times);
        println!("  {name:28} p50 {p50:7.1} ms   p95 {p95:7.1} ms   {bytes:>8} bytes");
        let tenth = |ms: f64| (ms * 10.0).round() / 10.0;
        for (percentile, ms) in [("p50", p50), ("p95", p95)] {
            let name = format!("console: {name}, {asker}, {percentile}");
            told.push(json!({ "name": name, "unit": "ms", "figure": tenth(ms) }));
        }
    }
    Ok(told)
}

#[tokio::main]
async fn main() -> Result<()> {
    let number = |name: &str, usual| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (records, runs) = (number("RECORDS", 100_000), number("RUNS", 30));
    let town = TestTown::start().await?;
    let grids: Vec<GridCode> = town.town.storage.grids().await?.into_iter().collect();
    let begun = Instant::now();
    fill(&town, &grids, records).await?;
    let written: u64 = town.town.storage.counts().await?.values().sum();
    println!("{written} records written in {:.1} s", begun.elapsed().as_secs_f64());
    let whole = town.account(Role::Supervisor, &[]).await?;
    let mut told = measure(&town, whole, "a supervisor of the whole town", runs).await?;
    let one = town.account(Role::Supervisor, &[GRID]).await?;
    told.extend(measure(&town, one, "a supervisor of one grid", runs).await?);
    for figure in told {
        println!("{figure}");
    }
    Ok(())
}
