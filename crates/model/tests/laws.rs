//! The laws of merge over valid histories: 2–6 replicas write, remove, delete and merge at random, so
//! that dots are unique and contexts honest. States come from replay; nothing is made up by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail where it stands"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use yaoguan_model::deletion::{self, Deletion};
use yaoguan_model::{
    AccountId, Change, Changes, Dot, FieldPath, Kind, Record, RecordId, ReplicaId, Value,
    canonical, merge,
};

const PATHS: [&str; 4] = ["title", "severity", "photos.0a", "later.unknown_0"];

#[derive(Debug, Clone)]
enum Step {
    Write { replica: usize, path: usize, other: usize, removes: bool },
    Delete { replica: usize },
    Undelete { replica: usize },
    Merge { into: usize, from: usize },
}

/// A replica: its one counter and its state of the record.
struct Replica {
    id: ReplicaId,
    counter: u64,
    record: Record,
}

impl Replica {
    fn dot(&mut self) -> Dot {
        self.counter += 1;
        Dot::new(self.id, self.counter)
    }

    fn put(&mut self, changes: &BTreeMap<FieldPath, Change>) {
        let dot = self.dot();
        self.record.put(changes, dot);
    }
}

fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

fn blank() -> Record {
    Record::new(RecordId::from_bytes([1; 16]), Kind::Hazard, AccountId::from_bytes([2; 16]))
}

fn change(record: &Record, path: &str, value: Option<Value>) -> Change {
    Change { replaces: record.dots(path), value }
}

fn step() -> impl Strategy<Value = Step> {
    let replica = 0..6_usize;
    prop_oneof![
        5 => (replica.clone(), 0..4_usize, 0..4_usize, proptest::bool::weighted(0.2))
            .prop_map(|(replica, path, other, removes)| Step::Write { replica, path, other, removes }),
        1 => replica.clone().prop_map(|replica| Step::Delete { replica }),
        1 => replica.clone().prop_map(|replica| Step::Undelete { replica }),
        5 => (replica.clone(), replica).prop_map(|(into, from)| Step::Merge { into, from }),
    ]
}

fn merged(a: &Record, b: &Record) -> Record {
    let merged = merge(a, b).unwrap();
    assert_eq!(merged.alarm, None, "a valid history raises no alarm");
    merged.record
}

/// Every state that some replica was ever in, in order; the last ones are the present states.
fn replay(replicas: usize, steps: &[Step]) -> (Vec<Record>, Vec<Replica>) {
    let replica = |n: usize| {
        // Bytes in no relation to the order of the replicas.
        let id = ReplicaId([(n as u8).wrapping_mul(97) ^ 0x5a; 16]);
        Replica { id, counter: 0, record: blank() }
    };
    let mut all: Vec<Replica> = (0..replicas).map(replica).collect();
    let mut states = vec![blank()];
    let mut number = 0;
    for step in steps {
        let at = match step {
            Step::Write { replica, path: at, other, removes } => {
                let replica = &mut all[replica % replicas];
                let mut changes = BTreeMap::new();
                for name in BTreeSet::from([PATHS[*at], PATHS[*other]]) {
                    number += 1;
                    let value = (!removes).then_some(Value::Int(number));
                    changes.insert(path(name), change(&replica.record, name, value));
                }
                replica.put(&changes);
                replica
            }
            Step::Delete { replica } => {
                let replica = &mut all[replica % replicas];
                replica.put(&BTreeMap::from([deletion::delete(&replica.record)]));
                replica
            }
            Step::Undelete { replica } => {
                let replica = &mut all[replica % replicas];
                replica.put(&BTreeMap::from([deletion::undelete(&replica.record)]));
                replica
            }
            Step::Merge { into, from } => {
                let theirs = all[from % replicas].record.clone();
                let replica = &mut all[into % replicas];
                let before = replica.record.context.clone();
                replica.record = merged(&replica.record, &theirs);
                assert!(replica.record.context.covers(&before), "a context shrank");
                replica
            }
        };
        states.push(at.record.clone());
    }
    (states, all)
}

fn history() -> impl Strategy<Value = (Vec<Record>, Vec<Replica>)> {
    (2..=6_usize, proptest::collection::vec(step(), 1..40))
        .prop_map(|(replicas, steps)| replay(replicas, &steps))
        .no_shrink()
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {}", self.record, self.counter)
    }
}

/// The values shown of every path, without their dots.
fn values(record: &Record) -> BTreeMap<&FieldPath, BTreeSet<&Value>> {
    let values = |list: &'_ [yaoguan_model::Sibling]| list.len();
    assert!(record.fields.values().all(|list| values(list) > 0), "a path without siblings");
    let of = |path| record.siblings(FieldPath::as_str(path)).iter().map(|s| &s.value).collect();
    record.fields.keys().filter(|path| !path.is_deleted()).map(|path| (path, of(path))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn merge_is_commutative_associative_idempotent(
        (states, _) in history(),
        picks in proptest::array::uniform3(any::<prop::sample::Index>()),
    ) {
        let [a, b, c] = picks.map(|pick| pick.get(&states).clone());
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &a), a.clone());
        let ab = merged(&a, &b);
        prop_assert_eq!(merged(&ab, &b), ab.clone());
        prop_assert!(ab.context.covers(&a.context) && ab.context.covers(&b.context));
    }

    #[test]
    fn every_sibling_is_covered_and_bytes_are_stable((states, _) in history()) {
        for state in &states {
            prop_assert!(state.is_covered());
            let bytes = canonical::encode(state);
            let read = canonical::decode(&bytes).unwrap();
            prop_assert_eq!(&read, state);
            prop_assert_eq!(canonical::encode(&read), bytes);
        }
    }

    #[test]
    fn equal_contexts_mean_equal_fields((states, _) in history()) {
        for (at, a) in states.iter().enumerate() {
            for b in states.iter().skip(at + 1).filter(|b| b.context == a.context) {
                prop_assert_eq!(&a.fields, &b.fields);
            }
        }
    }

    #[test]
    fn one_dot_is_one_value_of_a_path((states, _) in history()) {
        let mut bytes: BTreeMap<(Dot, &FieldPath), Vec<u8>> = BTreeMap::new();
        for state in &states {
            for (path, siblings) in &state.fields {
                for sibling in siblings {
                    let new = serde_json::to_vec(&sibling.value).unwrap();
                    let old = bytes.entry((sibling.dot, path)).or_insert_with(|| new.clone());
                    prop_assert_eq!(&new, old);
                }
            }
        }
    }

    #[test]
    fn replicas_that_have_merged_everything_are_equal((_, replicas) in history()) {
        let records = || replicas.iter().map(|replica| &replica.record);
        let forth = records().fold(blank(), |all, record| merged(&all, record));
        let back = records().rev().fold(blank(), |all, record| merged(&all, record));
        prop_assert_eq!(canonical::encode(&forth), canonical::encode(&back));
    }

    #[test]
    fn deletion_covers_exactly_what_its_writer_saw((_, mut replicas) in history()) {
        let (one, rest) = replicas.split_first_mut().unwrap();
        let other = &mut rest[0];
        let start = merged(&one.record, &other.record);
        (one.record, other.record) = (start.clone(), start);
        one.put(&BTreeMap::from([deletion::delete(&one.record)]));
        prop_assert_eq!(deletion::state(&one.record), Deletion::Deleted);
        prop_assert_eq!(deletion::state(&merged(&one.record, &other.record)), Deletion::Deleted);
        // An edit that the deleter had not seen.
        let edit = change(&other.record, "title", Some(Value::Int(-1)));
        other.put(&BTreeMap::from([(path("title"), edit)]));
        let both = merged(&one.record, &other.record);
        prop_assert_eq!(deletion::state(&both), Deletion::Contested);
        prop_assert!(both.siblings("title").iter().any(|s| s.value == Value::Int(-1)));
        // One who has seen both may delete again, or take it back.
        one.record = both;
        one.put(&BTreeMap::from([deletion::delete(&one.record)]));
        prop_assert_eq!(deletion::state(&one.record), Deletion::Deleted);
        one.put(&BTreeMap::from([deletion::undelete(&one.record)]));
        prop_assert_eq!(deletion::state(&one.record), Deletion::Live);
    }

    #[test]
    fn different_fields_merge_and_one_field_twice_gives_two_siblings((_, mut replicas) in history()) {
        let (one, rest) = replicas.split_first_mut().unwrap();
        let other = &mut rest[0];
        let start = merged(&one.record, &other.record);
        (one.record, other.record) = (start.clone(), start);
        let write = |replica: &mut Replica, name: &str, n: i64| {
            let change = change(&replica.record, name, Some(Value::Int(n)));
            replica.put(&BTreeMap::from([(path(name), change)]));
        };
        write(one, "title", -1);
        write(other, "severity", -2);
        let both = merged(&one.record, &other.record);
        prop_assert_eq!(both.distinct("title"), vec![&Value::Int(-1)]);
        prop_assert_eq!(both.distinct("severity"), vec![&Value::Int(-2)]);
        write(other, "title", -3);
        let both = merged(&one.record, &other.record);
        let shown: BTreeSet<_> = both.siblings("title").iter().map(|s| s.value.clone()).collect();
        prop_assert_eq!(shown, BTreeSet::from([Value::Int(-1), Value::Int(-3)]));
    }

    #[test]
    fn changes_put_on_their_base_show_the_same(
        (states, _) in history(),
        picks in proptest::array::uniform2(any::<prop::sample::Index>()),
    ) {
        let [base, other] = picks.map(|pick| pick.get(&states).clone());
        let record = merged(&base, &other);
        let changes = Changes::between(Some(&base), &record);
        let mut again = base.clone();
        let mut counter = 0;
        changes.put_on(&mut again, || {
            counter += 1;
            Dot::new(ReplicaId([0xee; 16]), counter)
        });
        prop_assert_eq!(values(&again), values(&record));
        prop_assert_eq!(deletion::state(&again), deletion::state(&record));
        prop_assert!(again.is_covered());
        prop_assert_eq!(changes.is_empty(), base.fields == record.fields);
        let json = serde_json::to_vec(&changes).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Changes>(&json).unwrap(), changes);
    }
}
