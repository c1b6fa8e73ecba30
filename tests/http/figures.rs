//! Figures, coverage and map against an independent count: plain loops over what the test wrote.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use yaoguan_model::geodesy::line;
use yaoguan_model::{AccountId, Change, Env as _, Kind, Position, RecordId, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::days::{DAY_S, day_of, start_of};
use yaoguan_town::storage::{OwnWrite, Storage as _};

use crate::population::write;
use crate::{Answer, Ask, cookie_of};

const FIRST_DAY: &str = "2026-03-02";
const OUTER: &str = "bbox=98.9,24.3,99.6,25.0";

/// A hazard as the test remembers it.
struct Case {
    grid: &'static str,
    category: &'static str,
    severity: &'static str,
    status: &'static str,
    due_on: String,
    reported_at: i64,
    ended_at: Option<i64>,
    at: Position,
}

/// xorshift64: the same numbers for the same seed.
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
}

async fn get(town: &TestTown, cookie: &str, path: &str) -> Answer {
    Ask::new(town, "GET", &format!("/console/v1/{path}")).session(cookie).send().await
}

async fn session(town: &TestTown, grids: &[&str]) -> String {
    let account = town.account(Role::Supervisor, grids).await.unwrap();
    cookie_of(town, account).await
}

async fn keep(town: &TestTown, writes: Vec<OwnWrite>) {
    town.town.storage.write_own(writes, town.done()).await.unwrap();
}

fn report(town: &TestTown, author: AccountId, case: &Case) -> OwnWrite {
    let fields = [
        ("category", case.category.into()),
        ("severity", case.severity.into()),
        ("grid", case.grid.into()),
        ("status", case.status.into()),
        ("due_on", case.due_on.as_str().into()),
        ("position", case.at.to_value("gps")),
    ];
    write(town, Kind::Hazard, author, &fields)
}

/// The write that ends a case at this moment.
fn end(town: &TestTown, record: &yaoguan_model::Record, to: &str) -> OwnWrite {
    let from = record.shown_text("status").unwrap().to_owned();
    let step = yaoguan_model::Value::map([("from", from.into()), ("to", to.into())]);
    let entry = yaoguan_model::Value::map([("step", step), ("at", town.clock.now_s().into())]);
    let key = format!("timeline.{}", town.clock.new_record_id());
    let new = write(town, Kind::Hazard, record.created_by, &[(key.as_str(), entry)]);
    let change = Change { replaces: record.dots("status"), value: Some(to.into()) };
    let mut changes = new.changes;
    changes.insert("status".parse().unwrap(), change);
    OwnWrite { id: record.id, changes, ..new }
}

/// Twenty days of reports and endings in two grids.
async fn twenty_days(town: &TestTown, seed: u64) -> Vec<Case> {
    println!("seed {seed}");
    let mut random = Random(seed);
    let author = town.account(Role::Chief, &[GRID]).await.unwrap();
    let mut all: Vec<(RecordId, Case)> = Vec::new();
    for day in 0..20 {
        let begins = start_of(FIRST_DAY).unwrap() + day * DAY_S;
        town.clock.set(begins + 3600 + random.below(70_000) as i64);
        let mut writes = Vec::new();
        for _ in 0..12 {
            let case = Case {
                grid: random.one(&[GRID, GRID, OTHER_GRID]),
                category: random.one(&["slope", "fire", "road", "gas"]),
                severity: random.one(&["general", "serious", "major"]),
                status: random.one(&[
                    "reported",
                    "verified",
                    "assigned",
                    "rectified",
                    "transferred",
                ]),
                due_on: random.one(&["", "2026-03-10", "2026-04-10"]).to_owned(),
                reported_at: town.clock.now_s(),
                ended_at: None,
                at: Position {
                    lat_e7: 246_000_000 + random.below(400_000) as i64,
                    lon_e7: 992_000_000 + random.below(400_000) as i64,
                },
            };
            let new = report(town, author, &case);
            all.push((new.id, case));
            writes.push(new);
        }
        keep(town, writes).await;
        // The clock runs while that is written: what counts is when the town says that it came.
        let stored = town.town.storage.records(Kind::Hazard).await.unwrap();
        town.clock.shift(random.below(9_000) as i64);
        let mut writes = Vec::new();
        for (id, case) in &mut all {
            if case.ended_at.is_some() || random.below(6) > 0 {
                continue;
            }
            let record = stored.iter().find(|record| record.id == *id).unwrap();
            case.status = random.one(&["closed", "closed", "closed", "unfounded", "merged"]);
            case.ended_at = Some(town.clock.now_s());
            writes.push(end(town, record, case.status));
        }
        keep(town, writes).await;
    }
    all.into_iter().map(|(_, case)| case).collect()
}

fn tally<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    json!(counts)
}

/// The smallest value that so many percent do not exceed, found by trying.
fn at_percent(values: &[i64], percent: usize) -> Option<i64> {
    let reaches = |v: &&i64| {
        values.iter().filter(|other| *other <= *v).count() * 100 >= percent * values.len()
    };
    values.iter().filter(reaches).min().copied()
}

/// Seconds may have passed between the test's look at the clock and the town's.
fn about(found: &Value, expected: Option<i64>) {
    match expected {
        None => assert!(found.is_null(), "{found}"),
        Some(expected) => {
            let found = found.as_i64().unwrap();
            assert!((found - expected).abs() <= 60, "{found} is not about {expected}");
        }
    }
}

#[tokio::test]
async fn the_figures_are_those_of_an_independent_count_and_of_the_own_grids_alone() {
    let town = TestTown::start().await.unwrap();
    let cases = twenty_days(&town, 20_260_302).await;
    let today = day_of(town.clock.now_s());
    let (from, to) = ("2026-03-06", "2026-03-15");
    let (begins, ends) = (start_of(from).unwrap(), start_of(to).unwrap() + DAY_S);
    for grids in [&[GRID][..], &[OTHER_GRID], &[GRID, OTHER_GRID]] {
        let cookie = session(&town, grids).await;
        let found = get(&town, &cookie, &format!("figures?from={from}&to={to}")).await.json;
        let own = || cases.iter().filter(|case| grids.contains(&case.grid));
        let reported: Vec<&Case> =
            own().filter(|case| (begins..ends).contains(&case.reported_at)).collect();
        assert_eq!(found["reported"], reported.len());
        assert_eq!(found["by_category"], tally(reported.iter().map(|case| case.category)));
        assert_eq!(found["by_severity"], tally(reported.iter().map(|case| case.severity)));
        assert_eq!(found["by_status"], tally(reported.iter().map(|case| case.status)));
        let founded = reported.iter().filter(|c| !["unfounded", "merged"].contains(&c.status));
        let right = reported.iter().filter(|c| ["rectified", "closed"].contains(&c.status));
        assert_eq!(found["rectified"], json!({ "done": right.count(), "of": founded.count() }));
        let closed: Vec<&Case> = own()
            .filter(|c| {
                c.status == "closed" && c.ended_at.is_some_and(|at| (begins..ends).contains(&at))
            })
            .collect();
        let took: Vec<i64> = closed.iter().map(|c| c.ended_at.unwrap() - c.reported_at).collect();
        assert_eq!(found["closing"]["closed"], closed.len());
        about(&found["closing"]["median_s"], at_percent(&took, 50));
        about(&found["closing"]["p90_s"], at_percent(&took, 90));
        for grid in [GRID, OTHER_GRID] {
            let of = |list: &[&Case]| list.iter().filter(|case| case.grid == grid).count();
            let open: Vec<&Case> = own().filter(|case| case.ended_at.is_none()).collect();
            let late = |case: &&&Case| !case.due_on.is_empty() && case.due_on < today;
            let overdue: Vec<&Case> = open.iter().filter(late).copied().collect();
            let expected = json!({
                "reported": of(&reported), "closed": of(&closed),
                "open": of(&open), "overdue": of(&overdue),
            });
            match grids.contains(&grid) {
                true => assert_eq!(found["by_grid"][grid], expected),
                false => assert!(found["by_grid"][grid].is_null()),
            }
            assert_eq!(found["now"]["open"], open.len());
            assert_eq!(found["now"]["overdue"], overdue.len());
        }
        for (day, counts) in found["by_day"].as_object().unwrap() {
            assert_eq!(
                counts["reported"],
                reported.iter().filter(|c| day_of(c.reported_at) == *day).count()
            );
            let on_day = closed.iter().filter(|c| day_of(c.ended_at.unwrap()) == *day);
            assert_eq!(counts["closed"], on_day.count());
        }
        let narrowed =
            get(&town, &cookie, &format!("figures?from={from}&to={to}&grid={}", grids[0])).await;
        let of_one = reported.iter().filter(|case| case.grid == grids[0]).count();
        assert_eq!(narrowed.json["reported"], of_one);
    }
    let cookie = session(&town, &[OTHER_GRID]).await;
    assert_eq!(
        get(&town, &cookie, &format!("figures?grid={GRID}")).await.code(),
        (400, "bad_request")
    );
    for query in ["from=2026-01-01&to=2027-01-02", "from=2026-03-02&to=2026-03-01", "to=2026-02-30"]
    {
        assert_eq!(get(&town, &cookie, &format!("figures?{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn the_map_shows_what_was_open_on_its_day_once_and_within_its_box() {
    let town = TestTown::start().await.unwrap();
    let cases = twenty_days(&town, 7).await;
    for grids in [&[GRID][..], &[GRID, OTHER_GRID]] {
        let cookie = session(&town, grids).await;
        for on in ["2026-03-01", "2026-03-05", "2026-03-14", "2026-03-21"] {
            let at = start_of(on).unwrap() + DAY_S;
            let open = |case: &&Case| {
                grids.contains(&case.grid)
                    && case.reported_at < at
                    && case.ended_at.is_none_or(|ended| ended >= at)
            };
            for bbox in ["98.9,24.3,99.6,25.0", "99.21,24.61,99.22,24.63"] {
                let sides: Vec<f64> = bbox.split(',').map(|text| text.parse().unwrap()).collect();
                let within = |case: &&Case| {
                    (sides[0]..=sides[2]).contains(&case.at.lon())
                        && (sides[1]..=sides[3]).contains(&case.at.lat())
                };
                let expected = cases.iter().filter(open).filter(within).count() as u64;
                let found =
                    get(&town, &cookie, &format!("map/hazards?bbox={bbox}&on={on}")).await.json;
                let marks = found["features"].as_array().unwrap();
                let count: u64 =
                    marks.iter().map(|m| m["properties"]["count"].as_u64().unwrap()).sum();
                assert_eq!(count, expected, "{on} {bbox}");
                assert!(marks.len() <= 26 * 26, "{} marks", marks.len());
                for mark in marks {
                    let properties = &mark["properties"];
                    assert_eq!(properties["count"] == 1, properties["id"] != "", "{mark}");
                }
            }
            let found = get(&town, &cookie, &format!("coverage?on={on}")).await.json;
            let total: u64 = found["grids"]
                .as_array()
                .unwrap()
                .iter()
                .map(|g| g["open"].as_u64().unwrap())
                .sum();
            assert_eq!(total, cases.iter().filter(open).count() as u64);
        }
    }
    let cookie = session(&town, &[GRID]).await;
    let grids = get(&town, &cookie, "map/grids").await.json;
    assert_eq!(grids["features"].as_array().unwrap().len(), 1);
    assert_eq!(grids["features"][0]["properties"]["code"], GRID);
    let ring = grids["features"][0]["geometry"]["coordinates"][0][0].as_array().unwrap();
    assert_eq!(ring.first(), ring.last());
    for bbox in ["", "1,2,3", "99,24,98,25", "99,24,99,x", "99,24,99.5,95"] {
        let answer = get(&town, &cookie, &format!("map/hazards?bbox={bbox}")).await;
        assert_eq!(answer.code(), (400, "bad_request"), "{bbox}");
    }
}

#[tokio::test]
async fn coverage_says_when_each_grid_was_walked_and_never_by_whom() {
    let town = TestTown::start().await.unwrap();
    let author = town.account(Role::Volunteer, &[GRID]).await.unwrap();
    let start = start_of("2026-05-20").unwrap();
    town.clock.set(start + 12 * 3600);
    let way = [(24.60, 99.20), (24.61, 99.21)].map(|(a, b)| Position::from_degrees(a, b).unwrap());
    let line = line::encode(&way, line::LINE_PRECISION).unwrap();
    // A phone's clock that is ahead does not reach beyond the receipt.
    for days_ago in [-3, 1, 6, 40] {
        let fields = [
            ("team", "qingping".into()),
            ("grid", GRID.into()),
            ("started_at", (start - days_ago * DAY_S).into()),
            ("distance_cm", 1_000.into()),
            ("line", yaoguan_model::Value::List(vec![line.clone().into()])),
        ];
        keep(&town, vec![write(&town, Kind::Patrol, author, &fields)]).await;
    }
    let cookie = session(&town, &[GRID, OTHER_GRID]).await;
    let of = async |query: &str, grid: &str| {
        let found = get(&town, &cookie, &format!("coverage?{query}")).await.json;
        let rows = found["grids"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["grid"] == grid).unwrap()
    };
    let row = of("days=7", GRID).await;
    assert_eq!((&row["patrols"], &row["distance_cm"]), (&json!(3), &json!(3_000)));
    let last = row["last_patrol_at"].as_i64().unwrap();
    assert!(last - (start + 12 * 3600) < 60, "{last}");
    assert_eq!(of("days=90", GRID).await["patrols"], 4);
    let earlier = of("days=7&on=2026-05-18", GRID).await;
    assert_eq!(
        (&earlier["patrols"], &earlier["last_patrol_at"]),
        (&json!(1), &json!(start - 6 * DAY_S))
    );
    let row = of("days=90", OTHER_GRID).await;
    assert_eq!((&row["patrols"], &row["last_patrol_at"]), (&json!(0), &Value::Null));
    let lines = get(&town, &cookie, &format!("map/patrols?{OUTER}&days=7")).await.json;
    assert_eq!((lines["features"].as_array().unwrap().len(), &lines["more"]), (3, &json!(false)));
    assert!(!lines.to_string().contains(&author.to_string()), "{lines}");
    let away = get(&town, &cookie, "map/patrols?bbox=99.3,24.3,99.6,25.0&days=7").await.json;
    assert_eq!(away["features"], json!([]));
    let cookie = session(&town, &[OTHER_GRID]).await;
    let lines = get(&town, &cookie, &format!("map/patrols?{OUTER}&days=7")).await.json;
    assert_eq!(lines["features"], json!([]));
    for query in ["days=0", "days=91", "on=2026-13-01", "days=x"] {
        assert_eq!(get(&town, &cookie, &format!("coverage?{query}")).await.status, 400, "{query}");
    }
}

/// Households of a grid, each with a check that leaves such a risk and falls due on such a day.
async fn visit(
    town: &TestTown,
    author: AccountId,
    grid: &str,
    risk: &str,
    due_on: &str,
    count: usize,
) {
    for n in 0..count {
        let fields = [
            ("address", format!("{risk}-{n}").into()),
            ("grid", grid.into()),
            ("position", Position::from_degrees(24.6, 99.2).unwrap().to_value("gps")),
        ];
        let household = write(town, Kind::Household, author, &fields);
        let answer = |word: &str| yaoguan_model::Value::map([("answer", word.into())]);
        let [valve, charging] = match risk {
            "high" => ["fine", "problem"],
            "medium" => ["problem", "fine"],
            _ => ["fine", "fine"],
        };
        // Of the built-in template: one heavy item, one critical, and enough weight beside them.
        let mut fields = vec![
            ("household", household.id.to_string().into()),
            ("template", "home_safety".into()),
            ("template_version", 1.into()),
            ("outcome", "done".into()),
            ("checked_at", town.clock.now_s().into()),
            ("answers.gas_valve", answer(valve)),
            ("answers.ebike_indoors", answer(charging)),
        ];
        for path in [
            "answers.gas_hose",
            "answers.gas_alarm",
            "answers.wiring",
            "answers.rcd",
            "answers.extinguisher",
            "answers.smoke_alarm",
        ] {
            fields.push((path, answer("fine")));
        }
        if !due_on.is_empty() {
            fields.push(("due_on", due_on.into()));
        }
        let mut writes = vec![household];
        if risk != "unknown" {
            writes.push(write(town, Kind::HouseholdCheck, author, &fields));
        }
        keep(town, writes).await;
    }
}

#[tokio::test]
async fn fewer_than_five_households_are_never_told_nor_left_to_be_worked_out() {
    let town = TestTown::start().await.unwrap();
    let author = town.account(Role::Chief, &[GRID]).await.unwrap();
    town.clock.set(start_of("2026-05-20").unwrap() + 12 * 3600);
    visit(&town, author, GRID, "high", "2026-05-19", 6).await;
    visit(&town, author, GRID, "medium", "2026-05-20", 7).await;
    visit(&town, author, GRID, "low", "2027-05-20", 3).await;
    visit(&town, author, GRID, "unknown", "", 5).await;
    visit(&town, author, OTHER_GRID, "high", "2026-05-01", 5).await;
    visit(&town, author, OTHER_GRID, "medium", "2026-07-01", 2).await;
    visit(&town, author, OTHER_GRID, "low", "2027-05-20", 8).await;
    let cookie = session(&town, &[GRID, OTHER_GRID]).await;
    let found = get(&town, &cookie, "figures").await.json["households"].clone();
    let own = json!({ "high": 6, "medium": 7, "low": "<5", "unknown": 5, "all": null, "due": 13 });
    let other =
        json!({ "high": 5, "medium": "<5", "low": 8, "unknown": "<5", "all": null, "due": 5 });
    assert_eq!(found["by_grid"], json!({ GRID: own, OTHER_GRID: other }));
    // 9 and 11 would give the 2 and the 3 away; without them the whole would.
    let all =
        json!({ "high": 11, "medium": null, "low": null, "unknown": null, "all": null, "due": 18 });
    assert_eq!(found["all"], all);
    let one = get(&town, &cookie, &format!("figures?grid={GRID}")).await.json["households"].clone();
    assert_eq!((&one["all"], &one["by_grid"]), (&own, &json!({ GRID: own })));
    let coverage = get(&town, &cookie, "coverage?days=7").await.json;
    assert_eq!(coverage["households"], all);
    for row in coverage["grids"].as_array().unwrap() {
        let expected = if row["grid"] == GRID { &own } else { &other };
        assert_eq!(&row["households"], expected);
    }
    let lesser = session(&town, &[OTHER_GRID]).await;
    let found = get(&town, &lesser, "figures").await.json["households"].clone();
    assert_eq!(found["by_grid"], json!({ OTHER_GRID: other }));
    assert_eq!(found["all"]["medium"], "<5");
}

#[tokio::test]
async fn households_that_are_due_are_listed_for_their_supervisor_and_the_log_says_so() {
    let town = TestTown::start().await.unwrap();
    let author = town.account(Role::Chief, &[GRID]).await.unwrap();
    town.clock.set(start_of("2026-05-20").unwrap() + 12 * 3600);
    visit(&town, author, GRID, "high", "2026-05-19", 2).await;
    visit(&town, author, GRID, "low", "2026-05-20", 101).await;
    visit(&town, author, GRID, "medium", "2026-05-21", 1).await;
    visit(&town, author, OTHER_GRID, "high", "2026-05-01", 1).await;
    let account = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let cookie = cookie_of(&town, account).await;
    let logged = || {
        town.town.storage.with_raw(|c| {
            let sql = "SELECT count(*) FROM audit WHERE act = 'household_read' AND by = ?1";
            c.query_row(sql, [account.to_string()], |row| row.get::<_, i64>(0)).unwrap()
        })
    };
    let page = get(&town, &cookie, "households/due").await.json;
    let rows = page["rows"].as_array().unwrap();
    assert_eq!((rows.len(), logged()), (100, 1));
    assert_eq!((&rows[0]["due_on"], &rows[0]["risk"]), (&json!("2026-05-19"), &json!("high")));
    assert_eq!((&rows[0]["grid"], &rows[0]["position"]), (&json!(GRID), &json!([99.2, 24.6])));
    let next = page["next"].as_str().unwrap();
    let page = get(&town, &cookie, &format!("households/due?after={next}")).await.json;
    assert_eq!((page["rows"].as_array().unwrap().len(), &page["next"]), (3, &Value::Null));
    let later = get(&town, &cookie, &format!("households/due?after={next}&until=2026-05-21")).await;
    assert_eq!(later.json["rows"].as_array().unwrap().len(), 4);
    assert_eq!(logged(), 3);
    // Where nothing was read there is nothing to log.
    let away = get(&town, &cookie, "households/due?bbox=99.3,24.3,99.6,25.0").await.json;
    assert_eq!((&away["rows"], logged()), (&json!([]), 3));
    assert_eq!(get(&town, &cookie, &format!("households/due?grid={OTHER_GRID}")).await.status, 400);
    for query in ["after=x", "until=x", "bbox=1"] {
        assert_eq!(get(&town, &cookie, &format!("households/due?{query}")).await.status, 400);
    }
    town.breaks("INSERT", "audit");
    assert_eq!(get(&town, &cookie, "households/due").await.status, 500);
}
