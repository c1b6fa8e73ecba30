//! SIGKILL at random moments of import and sync: nothing acknowledged is lost, nothing is there twice.
//!
//! A past (a town, two enrolled phones) is copied into many futures. In each, the same work is begun and
//! killed up to three times and then done to the end, with one more save between the kills, so that
//! pushes without an answer pile up. `KILL_SEED` chooses the moments; the seed is printed.

#![allow(
    clippy::disallowed_methods,
    reason = "the moments to kill at are parts of a measured time"
)]

pub(crate) mod moments;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use yaoguan_testkit::network::own_address;

use crate::GRID;
use crate::landslides::import;
use crate::phone::Phone;
use crate::program::Ran;
use crate::real::{mapping, shared, some_rows};
use crate::town::Town;
use moments::Moments;

/// Rows of the table: more than one transaction of an import.
const ROWS: usize = 600;
/// Kills of a process that lived, of each sort, unless `KILLS` says otherwise.
const FEW: usize = 15;
/// Kills in one future before the work is done to the end.
const IN_A_ROW: usize = 3;

/// A town that stands still, with two enrolled phones and a table.
struct Past {
    town: Town,
    table: PathBuf,
}

/// One future of it.
struct Future {
    town: Town,
    a: Phone,
    b: Phone,
    /// Source keys that were on the first phone after a restart: they may never go.
    seen: BTreeSet<String>,
    /// Saves that were acknowledged: id and title.
    saved: Vec<(String, String)>,
}

impl Past {
    fn new(table: &Path) -> Self {
        let mut town = Town::demo();
        town.serve(&own_address().to_string());
        town.phone("a", "chief", GRID);
        town.phone("b", "chief", GRID);
        town.stop();
        let path = town.folder.path().join("table.csv");
        std::fs::write(&path, some_rows(table, 0, ROWS)).unwrap();
        Self { town, table: path }
    }

    /// The table is on the first phone already, and not sent.
    fn imported(self) -> Self {
        let phone = self.town.bare_phone("a");
        import(&phone, &self.table, &phone.file("rejects.csv"));
        self
    }

    /// The town has what the first phone had.
    fn sent(mut self) -> Self {
        self.town.serve_again();
        self.town.bare_phone("a").sync();
        self.town.stop();
        self
    }

    fn future(&self) -> Future {
        let mut town = self.town.copied();
        town.serve_again();
        let (a, b) = (town.bare_phone("a"), town.bare_phone("b"));
        Future { town, a, b, seen: BTreeSet::new(), saved: Vec::new() }
    }

    fn start_import(&self, future: &Future) -> Child {
        let (mapping, rejects) = (mapping(), future.a.file("rejects.csv"));
        let [table, mapping, rejects] =
            [&self.table, &mapping, &rejects].map(|path| path.to_str().unwrap());
        let arguments =
            ["import", "hazards", table, "--mapping", mapping, "--rejects", rejects, "--json"];
        spawn(&future.a, &arguments)
    }

    /// The work is done to the end, and everything is everywhere exactly once.
    fn ends_well(&self, mut future: Future) {
        let summary = import(&future.a, &self.table, &future.a.file("rejects.csv"));
        let expected = summary["imported"].as_u64().unwrap() + summary["already"].as_u64().unwrap();
        assert_eq!(summary["read"].as_u64().unwrap(), ROWS as u64);
        future.a.sync();
        future.b.sync();
        future.check();
        let Future { town, a, b, seen, saved } = future;
        assert_eq!(keys(&b), seen);
        // Records made by hand have no key.
        let all = expected + saved.len() as u64;
        assert_eq!((seen.len() as u64, town.hazards()), (expected, all));
        assert_eq!((a.hazards(), b.hazards()), (all, all));
        for (id, title) in saved {
            assert_eq!(b.show(&id)["fields"]["title"], title);
        }
        assert_eq!((&a.status()["siblings"], &a.status()["quarantined"]), (&0.into(), &0.into()));
        assert!(a.export("hazards", "geojson") == b.export("hazards", "geojson"));
        b.assert_sound();
    }
}

impl Future {
    /// What must hold after every kill.
    fn check(&mut self) {
        self.a.assert_sound();
        self.town.assert_sound();
        let keys = keys(&self.a);
        assert!(keys.is_superset(&self.seen), "an acknowledged record is lost");
        self.seen = keys;
        for (id, title) in &self.saved {
            assert_eq!(self.a.show(id)["fields"]["title"], title.as_str());
        }
    }

    /// One more save, acknowledged by its exit code.
    fn save(&mut self) {
        let title = format!("save {}", self.saved.len());
        let id = self.a.add("hazard", &["category=fire", &format!("title={title}")]);
        self.saved.push((id, title));
    }
}

/// Source keys on a phone; none stands twice.
fn keys(phone: &Phone) -> BTreeSet<String> {
    let list = phone.ok(&["list", "hazards"]);
    let key = |record: &Value| record["fields"]["source_key"].as_str().map(str::to_owned);
    let all: Vec<String> = list.as_array().unwrap().iter().filter_map(key).collect();
    let unique: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(unique.len(), all.len(), "a row is there twice");
    unique
}

fn kills() -> usize {
    let named = std::env::var("KILLS").ok();
    named.map_or(FEW, |text| text.parse().expect("KILLS is a number"))
}

fn spawn(phone: &Phone, arguments: &[&str]) -> Child {
    let mut command = phone.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Kills the process at that moment; false when it had ended by then.
fn kill_after(mut child: Child, delay: Duration) -> bool {
    std::thread::sleep(delay);
    let lived = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    let ended = Ran::ended("killed".to_owned(), child.wait_with_output().unwrap());
    assert!(lived || ended.code == Some(0), "{ended}");
    lived
}

/// How long the work takes when nobody kills it.
fn measured(work: impl FnOnce() -> Child) -> Duration {
    let start = Instant::now();
    let ended = Ran::ended("measured".to_owned(), work().wait_with_output().unwrap());
    assert_eq!(ended.code, Some(0), "{ended}");
    start.elapsed()
}

#[test]
fn a_phone_killed_while_it_imports_goes_on_where_it_was() {
    let Some(table) = shared("landslides-2007-2012.csv") else { return };
    let past = Past::new(&table);
    let trial = past.future();
    let mut moments = Moments::new("import", measured(|| past.start_import(&trial)));
    drop(trial);
    let kills = kills();
    while moments.killed < kills {
        let mut future = past.future();
        for _ in 0..IN_A_ROW {
            let lived = kill_after(past.start_import(&future), moments.next());
            moments.count(lived);
            future.check();
            future.save();
        }
        past.ends_well(future);
    }
}

#[test]
fn a_phone_killed_while_it_syncs_loses_nothing_and_sends_nothing_twice() {
    let Some(table) = shared("landslides-2007-2012.csv") else { return };
    let past = Past::new(&table).imported();
    let trial = past.future();
    let mut moments = Moments::new("sync of a phone", measured(|| spawn(&trial.a, &["sync"])));
    drop(trial);
    let kills = kills();
    while moments.killed < kills {
        let mut future = past.future();
        future.check();
        for _ in 0..IN_A_ROW {
            let lived = kill_after(spawn(&future.a, &["sync"]), moments.next());
            moments.count(lived);
            let (waits, taken) = (future.a.status()["pending"] != 0, future.town.hazards() > 0);
            moments.unanswered += usize::from(waits && taken);
            future.check();
            future.save();
        }
        past.ends_well(future);
    }
}

#[test]
fn a_phone_killed_while_it_pulls_gets_each_record_once() {
    let Some(table) = shared("landslides-2007-2012.csv") else { return };
    let past = Past::new(&table).imported().sent();
    let trial = past.future();
    let mut moments = Moments::new("pull", measured(|| spawn(&trial.b, &["sync"])));
    drop(trial);
    let kills = kills();
    while moments.killed < kills {
        let mut future = past.future();
        let mut pulled = BTreeSet::new();
        for _ in 0..IN_A_ROW {
            let lived = kill_after(spawn(&future.b, &["sync"]), moments.next());
            moments.count(lived);
            future.b.assert_sound();
            let now = keys(&future.b);
            assert!(now.is_superset(&pulled), "a pulled record is lost");
            pulled = now;
        }
        future.save();
        past.ends_well(future);
    }
}

#[test]
fn a_town_killed_while_a_phone_syncs_keeps_what_it_took() {
    let Some(table) = shared("landslides-2007-2012.csv") else { return };
    let past = Past::new(&table).imported();
    let trial = past.future();
    let mut moments = Moments::new("sync, of the town", measured(|| spawn(&trial.a, &["sync"])));
    drop(trial);
    let kills = kills();
    while moments.killed < kills {
        let mut future = past.future();
        let mut taken = 0;
        for _ in 0..IN_A_ROW {
            let mut syncing = spawn(&future.a, &["sync", "--json"]);
            std::thread::sleep(moments.next());
            let lived = syncing.try_wait().unwrap().is_none();
            future.town.kill();
            let sync = Ran::ended("sync".to_owned(), syncing.wait_with_output().unwrap());
            if sync.code != Some(0) {
                assert_eq!(sync.error()["code"], "offline");
            }
            moments.count(lived);
            future.town.serve_again();
            let now = future.town.hazards();
            assert!(now >= taken, "the town lost what it took: {taken} became {now}");
            let sent = sync.code == Some(0);
            moments.unanswered += usize::from(!sent && now > taken);
            assert!(!sent || now == future.a.hazards(), "acknowledged, and not there: {now}");
            taken = now;
            future.check();
            future.save();
        }
        past.ends_well(future);
    }
}
