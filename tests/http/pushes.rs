//! Who may write what: every path of every kind, as the schema lists them, × role × own and other cell ×
//! own and other author × what is done to it, pushed through the town's storage. What is expected stands
//! below, written by hand from docs/RECORDS.md; the product's own rules are not asked.

use std::collections::{BTreeMap, BTreeSet};

use yaoguan_model::authorise::Actor;
use yaoguan_model::schema::{PathSpec, Shape};
use yaoguan_model::{
    AccountId, Change, DeviceId, Dot, Env as _, FieldPath, Kind, Record, RecordId, ReplicaId, Role,
    Value, deletion,
};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};
use yaoguan_town::push::Pusher;
use yaoguan_town::storage::{Batch, Outcome, OwnWrite, Pushed, Storage as _};
use yaoguan_wire::{Judgement, PushToken};

use crate::population::write;

/// Kind, path, who writes it: a(uthor), c(hief), s(upervisor), m (administrator), r(eader), d (assignee);
/// then `!` when it is required, `=` when it is fixed, and after `-` who takes it away or replaces it
/// where that is fewer.
const PATHS: &str = "
patrol team as!; patrol grid as!; patrol started_at as!; patrol ended_at as; patrol members as;
patrol weather as; patrol note as; patrol distance_cm as; patrol duration_s as; patrol gap_s as;
patrol line as; patrol track a; patrol photos.* r-acs; patrol source a=; patrol source_key a=;
patrol recorded_at a=; patrol $deleted as;
hazard category acs!; hazard severity acs!; hazard title acs; hazard description acs;
hazard position acs; hazard address acs; hazard grid acs!; hazard seen_at acs!;
hazard photos.* r-acs; hazard patrol acs; hazard household acs; hazard status as!;
hazard assignee s; hazard claimed_by s; hazard due_on s; hazard rectification ads; hazard recheck s;
hazard transfer s; hazard duplicate_of s; hazard timeline.* r=; hazard source a=;
hazard source_key a=; hazard recorded_at a=; hazard $deleted acs;
household address cs!; household grid cs!; household position cs; household contact_name cs;
household contact_phone cs; household occupants cs; household need_help cs;
household recorded_at a=; household $deleted cs;
household_check household a!=; household_check template a!=; household_check template_version a!=;
household_check outcome acs!; household_check checked_at acs!; household_check answers.* acs;
household_check advice acs; household_check due_on acs; household_check recheck acs;
household_check consent acs; household_check photos.* acs; household_check note acs;
household_check recorded_at a=; household_check $deleted acs;
task what as!; task about as; task assignee as; task grid as; task due_on as; task words as!;
task status as!; task timeline.* r=; task recorded_at a=; task $deleted as;
notice title asm!; notice text asm!; notice grids asm; notice roles asm; notice valid_until asm;
notice recorded_at a=; notice $deleted asm;
grid code m!=; grid name m!; grid village m!; grid village_name m!; grid boundary m; grid invented m;
grid $deleted m;
template code m!=; template version m!=; template title_zh m!; template title_en m!;
template purpose m!; template basis m!; template retention m!; template items m!;
template $deleted m
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Added,
    Replaced,
    Removed,
}

/// One row.
#[derive(Debug, Clone)]
struct Row {
    kind: Kind,
    path: String,
    role: Role,
    own_cell: bool,
    own_author: bool,
    done: Done,
}

struct Rule {
    writers: String,
    removers: String,
    required: bool,
    fixed: bool,
}

fn rules() -> BTreeMap<(String, String), Rule> {
    let lines = PATHS.split(';').map(|line| line.split_whitespace().collect::<Vec<_>>());
    let rule = |words: Vec<&str>| {
        let [kind, path, rule] = words.as_slice() else { panic!("{words:?}") };
        let (writers, removers) = rule.split_once('-').unwrap_or((rule, rule));
        let rule = Rule {
            writers: writers.to_owned(),
            removers: removers.to_owned(),
            required: rule.contains('!'),
            fixed: rule.contains('='),
        };
        ((kind.to_string(), path.to_string()), rule)
    };
    lines.map(rule).collect()
}

impl Row {
    /// Who reads the record as it was before: docs/RECORDS.md and the design's *Scope*.
    fn reads(&self) -> bool {
        let in_charge = matches!(self.role, Role::Chief | Role::Supervisor);
        let Self { own_cell, own_author, .. } = *self;
        // Without the list it is for everyone; with every role in a list of roles also for administrators.
        let lacks = |path| self.path == path && self.done == Done::Added;
        match self.kind {
            Kind::Patrol => own_author || (own_cell && in_charge),
            Kind::Task => own_author || (own_cell && in_charge && !lacks("grid")),
            Kind::Hazard if self.path == "household" && self.done != Done::Added => {
                in_charge && (own_cell || own_author)
            }
            Kind::Hazard => own_author || (own_cell && self.role != Role::Admin),
            Kind::Household => own_cell && in_charge,
            Kind::HouseholdCheck => in_charge && (own_cell || own_author),
            Kind::Notice => {
                let admin = self.role == Role::Admin;
                let for_admins = self.path == "roles" && self.done != Done::Added;
                own_author || lacks("grids") || if admin { for_admins } else { own_cell }
            }
            Kind::Grid | Kind::Template => true,
            Kind::Unknown(_) => false,
        }
    }

    fn is(&self, letter: char) -> bool {
        let Self { own_cell, own_author, .. } = *self;
        // A notice, a grid and a template lie in no grid: whoever supervises and reads them is in charge.
        let no_grid = matches!(self.kind, Kind::Notice | Kind::Grid | Kind::Template)
            || (self.kind == Kind::Task && self.path == "grid" && self.done == Done::Added);
        match letter {
            'a' => own_author,
            'c' => self.role == Role::Chief && own_cell && !no_grid,
            's' => self.role == Role::Supervisor && (own_cell || no_grid),
            'm' => self.role == Role::Admin,
            'r' => true,
            // Nobody of this test has a hazard assigned to them.
            _ => false,
        }
    }

    /// Into which grids the record comes that it was not in.
    fn gains_foreign(&self) -> bool {
        // Administrators have none of their own.
        let no_grids = self.role == Role::Admin;
        let gains = match (&self.kind, self.path.as_str(), self.done) {
            // The new grid is the other one of the two.
            (Kind::Household | Kind::Task, "grid", Done::Replaced) => self.own_cell || no_grids,
            (Kind::Task, "grid", Done::Added) => !self.own_cell || no_grids,
            (Kind::Notice, "grids", Done::Replaced) => self.own_cell,
            // From one grid to the whole town; from the whole town to one grid nothing is gained.
            (Kind::Notice, "grids", Done::Removed) => true,
            _ => false,
        };
        gains && !(self.kind == Kind::Notice && self.role == Role::Admin)
    }

    fn expected(&self, rule: &Rule) -> bool {
        let household = matches!(self.kind, Kind::Household | Kind::HouseholdCheck);
        let barred = household && !matches!(self.role, Role::Chief | Role::Supervisor);
        let list = if self.done == Done::Added { &rule.writers } else { &rule.removers };
        let forbidden = match self.done {
            Done::Added => false,
            Done::Replaced => rule.fixed,
            Done::Removed => rule.fixed || rule.required,
        };
        self.reads()
            && !barred
            && !forbidden
            && !self.gains_foreign()
            && list.chars().any(|letter| self.is(letter))
    }
}

const THIRD: &str = "01930000-0000-7000-8000-0000000000cc";

/// A value of a shape; the second is another one.
fn value(shape: Shape, second: bool) -> Value {
    let n = i64::from(second);
    let pick = |words: &[&str]| Value::text(words[usize::from(second) % words.len()]);
    match shape {
        Shape::Word(words) => pick(words),
        Shape::Text | Shape::Line | Shape::Name => pick(&["文字", "别的文字"]),
        Shape::Int { min, .. } => (min + n).into(),
        Shape::Bool => second.into(),
        Shape::Time => (1_700_000_000 + n).into(),
        Shape::Date => pick(&["2026-11-24", "2026-11-25"]),
        Shape::Position => Value::map([
            ("lat", Value::from(246_000_000 + n)),
            ("lon", 992_000_000.into()),
            ("source", "gps".into()),
        ]),
        Shape::Grid => pick(&[GRID, OTHER_GRID]),
        Shape::Record => {
            pick(&["01930000-0000-7000-8000-0000000000d1", "01930000-0000-7000-8000-0000000000d2"])
        }
        Shape::Account => pick(&[THIRD, "01930000-0000-7000-8000-0000000000ce"]),
        Shape::Hash => Value::text(format!("{n}").repeat(64)),
        Shape::Context => Value::map([("EREREREREREREREREREREQ", Value::from(1 + n))]),
        Shape::List(of) => Value::List(vec![value(*of, second)]),
        Shape::Object(entries) => {
            Value::map(entries.iter().map(|entry| (entry.name, value(entry.shape, second))))
        }
    }
}

/// The path with a key in place of the star.
fn named(path: &str) -> String {
    let hash = "ab".repeat(32);
    match path {
        "photos.*" => format!("photos.{hash}"),
        "timeline.*" => "timeline.01930000-0000-7000-8000-00000000000f".to_owned(),
        other => other.replace('*', "smoke_alarm"),
    }
}

fn grids(own_cell: bool) -> (&'static str, &'static str) {
    if own_cell { (GRID, OTHER_GRID) } else { (OTHER_GRID, GRID) }
}

/// What stands on a path before (`first`) and after.
fn value_at(row: &Row, line: &PathSpec, account: AccountId, first: bool) -> Value {
    let (here, there) = grids(row.own_cell);
    let grid = if first { here } else { there };
    match (&row.kind, line.path) {
        (Kind::Hazard | Kind::Task | Kind::Patrol | Kind::Household, "grid") => Value::text(grid),
        (Kind::Notice, "grids") => Value::List(vec![Value::text(grid)]),
        (Kind::Notice, "roles") if first => {
            Value::List(Role::ALL.iter().map(|role| Value::text(role.as_str())).collect())
        }
        (Kind::Grid, "code") => Value::text(grid),
        (Kind::Hazard, "status") if first => "reported".into(),
        (Kind::Task, "status") if first => "open".into(),
        (Kind::Hazard, "status") => "rectified".into(),
        (Kind::Task, "status") => "cancelled".into(),
        (_, "timeline.*") => {
            let at = Value::from(if first { 1 } else { 2 });
            Value::map([("by", Value::text(account.to_string())), ("at", at)])
        }
        _ => value(line.shape, !first),
    }
}

struct World {
    town: TestTown,
    accounts: BTreeMap<Role, AccountId>,
    stranger: AccountId,
    /// A household in the own and in the other grid.
    households: BTreeMap<bool, RecordId>,
}

impl World {
    /// The record before: everything required, and the path itself unless it is to be added.
    fn base(&self, row: &Row) -> OwnWrite {
        let account = self.accounts[&row.role];
        let author = if row.own_author { account } else { self.stranger };
        let spec = row.kind.spec().unwrap();
        let (here, _) = grids(row.own_cell);
        let mut fields: BTreeMap<String, Value> = BTreeMap::new();
        for line in spec.paths {
            let is_it = line.path == row.path;
            // Without a deletion of its own time a record is not deleted.
            if (line.required && !(is_it && row.done == Done::Added))
                || (is_it && row.done != Done::Added)
            {
                fields.insert(named(line.path), value_at(row, line, account, true));
            }
        }
        let place = |fields: &mut BTreeMap<String, Value>, path: &str, value: Value| {
            if row.path != path || row.done != Done::Added {
                fields.insert(path.to_owned(), value);
            }
        };
        match row.kind {
            Kind::Task => place(&mut fields, "grid", Value::text(here)),
            Kind::Notice => place(&mut fields, "grids", Value::List(vec![Value::text(here)])),
            Kind::HouseholdCheck => {
                let id = self.households[&row.own_cell].to_string();
                fields.insert("household".to_owned(), Value::text(id));
            }
            Kind::Patrol | Kind::Hazard | Kind::Household | Kind::Grid => {}
            Kind::Template | Kind::Unknown(_) => {}
        }
        let fields: Vec<_> = fields.iter().map(|(path, v)| (path.as_str(), v.clone())).collect();
        write(&self.town, row.kind.clone(), author, &fields)
    }

    /// The record as the actor pushes it.
    fn pushed(&self, row: &Row, before: &Record, dot: Dot) -> Record {
        let account = self.accounts[&row.role];
        let line =
            row.kind.spec().unwrap().paths.iter().find(|line| line.path == row.path).unwrap();
        let path = named(line.path);
        let value = match row.done {
            Done::Removed => None,
            Done::Added | Done::Replaced if row.path == "$deleted" => {
                Some(deletion::value_of(&before.context))
            }
            Done::Added | Done::Replaced => {
                Some(value_at(row, line, account, row.done == Done::Added))
            }
        };
        let mut changes: BTreeMap<FieldPath, Change> = BTreeMap::new();
        let change = Change { replaces: before.dots(&path), value };
        changes.insert(path.parse().unwrap(), change);
        if row.path == "status" && row.done == Done::Replaced {
            let (from, to) = if row.kind == Kind::Hazard {
                ("reported", "rectified")
            } else {
                ("open", "cancelled")
            };
            let step = Value::map([("from", Value::text(from)), ("to", to.into())]);
            let entry = Value::map([
                ("step", step),
                ("by", Value::text(account.to_string())),
                ("at", 1.into()),
            ]);
            let change = Change { replaces: Vec::new(), value: Some(entry) };
            changes.insert(named("timeline.*").parse().unwrap(), change);
        }
        let mut record = before.clone();
        record.put(&changes, dot);
        record
    }

    async fn records(&self) -> BTreeMap<RecordId, Record> {
        let mut all = BTreeMap::new();
        for kind in Kind::ALL {
            let records = self.town.town.storage.records(kind).await.unwrap();
            all.extend(records.into_iter().map(|record| (record.id, record)));
        }
        all
    }

    /// Pushes as one phone of a person.
    async fn push(&self, role: Role, replica: ReplicaId, records: Vec<Record>) -> Vec<Outcome> {
        let own =
            if role == Role::Admin { BTreeSet::new() } else { [GRID.parse().unwrap()].into() };
        let actor = Actor { account: self.accounts[&role], role, grids: own };
        let batch = Batch {
            pusher: Pusher::new(actor, replica, 1_000_000),
            device: DeviceId::from_bytes([1; 16]),
            tokens: Vec::new(),
            next: Some(PushToken::new([1; 16])),
            records,
            now: self.town.town_time(),
        };
        match self.town.town.storage.push(batch).await.unwrap() {
            Pushed::Done(outcomes) => outcomes,
            Pushed::Forked => panic!("forked"),
        }
    }
}

async fn world() -> World {
    let town = TestTown::start().await.unwrap();
    let mut accounts = BTreeMap::new();
    for role in Role::ALL {
        let own: &[&str] = if role == Role::Admin { &[] } else { &[GRID] };
        accounts.insert(role, town.account(role, own).await.unwrap());
    }
    let stranger = town.account(Role::Chief, &[GRID, OTHER_GRID]).await.unwrap();
    let mut households = BTreeMap::new();
    for own_cell in [true, false] {
        let fields = [("address", Value::text("户")), ("grid", Value::text(grids(own_cell).0))];
        let household = write(&town, Kind::Household, stranger, &fields);
        households.insert(own_cell, household.id);
        town.town.storage.write_own(vec![household], town.done()).await.unwrap();
    }
    World { town, accounts, stranger, households }
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        for line in kind.spec().unwrap().paths {
            for role in Role::ALL {
                for (own_cell, own_author) in
                    [(true, true), (true, false), (false, true), (false, false)]
                {
                    for done in [Done::Added, Done::Replaced, Done::Removed] {
                        // What is required is never missing before.
                        if line.required && done == Done::Added {
                            continue;
                        }
                        let (kind, path) = (kind.clone(), line.path.to_owned());
                        rows.push(Row { kind, path, role, own_cell, own_author, done });
                    }
                }
            }
        }
    }
    rows
}

#[tokio::test]
async fn every_path_is_written_by_those_of_the_table_and_nobody_else() {
    let world = world().await;
    let (rules, rows) = (rules(), rows());
    let listed: BTreeSet<_> = rules.keys().cloned().collect();
    let there: BTreeSet<_> =
        rows.iter().map(|row| (row.kind.to_string(), row.path.clone())).collect();
    assert_eq!(listed, there, "the table has a line for every path");
    let bases: Vec<OwnWrite> = rows.iter().map(|row| world.base(row)).collect();
    let ids: Vec<RecordId> = bases.iter().map(|base| base.id).collect();
    world.town.town.storage.write_own(bases, world.town.done()).await.unwrap();
    let before = world.records().await;
    let (mut allowed, mut wrong) = (0, Vec::new());
    for role in Role::ALL {
        let replica = ReplicaId([role as u8 + 1; 16]);
        let own: Vec<(&Row, RecordId)> =
            rows.iter().zip(ids.iter().copied()).filter(|(row, _)| row.role == role).collect();
        let pushed = (1..)
            .zip(&own)
            .map(|(n, (row, id))| world.pushed(row, &before[id], Dot::new(replica, n)));
        let outcomes = world.push(role, replica, pushed.collect()).await;
        let after = world.records().await;
        for ((row, id), outcome) in own.iter().zip(outcomes) {
            let expected = row.expected(&rules[&(row.kind.to_string(), row.path.clone())]);
            let taken = matches!(outcome.judgement, Judgement::Taken | Judgement::TakenEvict);
            let changed = before[id] != after[id];
            allowed += usize::from(expected);
            if taken != expected || changed != expected {
                wrong.push(format!(
                    "{row:?}: expected {expected}, {:?}, changed {changed}",
                    outcome.judgement
                ));
            }
        }
    }
    println!(
        "pushes: {} paths, {} rows, {allowed} allowed, {} wrong",
        rules.len(),
        rows.len(),
        wrong.len()
    );
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
}

#[tokio::test]
async fn a_new_record_is_made_by_those_of_the_table_and_in_ones_own_name() {
    let world = world().await;
    let (mut count, mut allowed) = (0, 0);
    for role in Role::ALL {
        let replica = ReplicaId([role as u8 + 0x10; 16]);
        let (mut new, mut expectations) = (Vec::new(), Vec::new());
        for kind in Kind::ALL {
            for (own_cell, own_author) in
                [(true, true), (true, false), (false, true), (false, false)]
            {
                count += 1;
                let (path, done) = (String::new(), Done::Added);
                let row = Row { kind: kind.clone(), path, role, own_cell, own_author, done };
                let base = world.base(&row);
                let mut record = Record::new(base.id, base.kind, base.author);
                record.put(&base.changes, Dot::new(replica, count));
                new.push(record);
                let in_charge = matches!(role, Role::Chief | Role::Supervisor);
                let may = match kind {
                    // Reported anywhere in the town.
                    Kind::Patrol | Kind::Hazard => true,
                    Kind::Household | Kind::HouseholdCheck | Kind::Task => in_charge && own_cell,
                    Kind::Notice => role == Role::Admin || (role == Role::Supervisor && own_cell),
                    Kind::Grid | Kind::Template => role == Role::Admin,
                    Kind::Unknown(_) => false,
                };
                expectations.push((row, may && own_author));
            }
        }
        for ((row, expected), outcome) in
            expectations.iter().zip(world.push(role, replica, new).await)
        {
            let taken = matches!(outcome.judgement, Judgement::Taken | Judgement::TakenEvict);
            assert_eq!(taken, *expected, "{row:?}: {:?}", outcome.judgement);
            allowed += usize::from(taken);
        }
    }
    println!("new records: {count} rows, {allowed} allowed");
    assert!(world.town.clock.now_s() > 0);
}
