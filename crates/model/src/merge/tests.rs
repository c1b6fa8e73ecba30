//! Laws of the merge over arbitrary histories, and its alarms.

use proptest::prelude::*;

use super::*;
use crate::ids::{AccountId, RecordId, ReplicaId};
use crate::kind::Kind;
use crate::record::Change;
use crate::value::Value;

const PATHS: [&str; 3] = ["a", "b", "photos.x"];

fn blank() -> Record {
    Record::new(RecordId::from_bytes([1; 16]), Kind::Hazard, AccountId::from_bytes([2; 16]))
}

fn put(record: &mut Record, path: &str, value: Option<i64>, replica: u8, counter: u64) {
    let replaces = record.dots(path);
    let change = Change { replaces, value: value.map(Value::Int) };
    let changes = [(path.parse().unwrap(), change)].into();
    record.put(&changes, Dot::new(ReplicaId([replica; 16]), counter));
}

/// Three replicas that write, remove and pull from each other.
fn states(steps: &[(u8, u8, u8, bool)]) -> Vec<Record> {
    let mut states = vec![blank(), blank(), blank()];
    let mut counters = [0_u64; 3];
    for (n, (who, what, path, pulls)) in steps.iter().enumerate() {
        let who = usize::from(*who % 3);
        if *pulls {
            states[who] = merge(&states[who], &states[usize::from(*what % 3)]).unwrap().record;
        } else {
            counters[who] += 1;
            let value = (*what % 4 > 0).then_some(n as i64);
            let path = PATHS[usize::from(*path) % 3];
            put(&mut states[who], path, value, who as u8 + 1, counters[who]);
        }
    }
    states
}

proptest! {
    #[test]
    fn merge_is_commutative_associative_and_idempotent(
        steps in prop::collection::vec(any::<(u8, u8, u8, bool)>(), 0..40),
    ) {
        let states = states(&steps);
        let (a, b, c) = (&states[0], &states[1], &states[2]);
        let both = |x: &Record, y: &Record| {
            let merged = merge(x, y).unwrap();
            assert_eq!(merged.alarm, None);
            merged.record
        };
        prop_assert_eq!(both(a, b), both(b, a));
        prop_assert_eq!(both(&both(a, b), c), both(a, &both(b, c)));
        prop_assert_eq!(both(a, a), a.clone());
        let all = both(&both(a, b), c);
        prop_assert!(all.is_covered());
        prop_assert!([a, b, c].iter().all(|s| all.context.covers(&s.context)));
        prop_assert_eq!(both(&all, a), all);
    }
}

#[test]
fn concurrent_values_are_siblings_and_a_later_write_replaces_what_it_saw() {
    let (mut a, mut b) = (blank(), blank());
    put(&mut a, "a", Some(1), 1, 1);
    put(&mut b, "a", Some(2), 2, 1);
    let mut both = merge(&a, &b).unwrap().record;
    assert_eq!(both.siblings("a").len(), 2);
    assert_eq!(both.conflicts().count(), 1);
    put(&mut both, "a", Some(3), 1, 2);
    assert_eq!(merge(&both, &b).unwrap().record.siblings("a").len(), 1);
    assert_eq!(merge(&a, &both).unwrap().record, both);
}

#[test]
fn equal_values_count_as_one() {
    let (mut a, mut b) = (blank(), blank());
    put(&mut a, "a", Some(1), 1, 1);
    put(&mut b, "a", Some(1), 2, 1);
    let both = merge(&a, &b).unwrap().record;
    assert_eq!((both.siblings("a").len(), both.distinct("a").len()), (2, 1));
    assert_eq!(both.conflicts().count(), 0);
}

#[test]
fn an_add_that_the_remover_had_not_seen_survives() {
    let mut base = blank();
    put(&mut base, "photos.x", Some(1), 1, 1);
    let (mut a, mut b) = (base.clone(), base);
    put(&mut a, "photos.x", None, 1, 2);
    put(&mut b, "photos.x", Some(2), 2, 1);
    let both = merge(&a, &b).unwrap().record;
    assert_eq!(both.shown("photos.x"), Some(&Value::Int(2)));
}

#[test]
fn a_reused_dot_loses_nothing_and_raises_an_alarm() {
    let (mut a, mut b) = (blank(), blank());
    put(&mut a, "a", Some(1), 1, 1);
    put(&mut b, "a", Some(2), 1, 1);
    let merged = merge(&a, &b).unwrap();
    assert_eq!(merged.alarm, Some(Alarm::EqualContextsDiffer));
    assert_eq!(merged.record.siblings("a").len(), 2);
    put(&mut b, "b", Some(3), 1, 2);
    let merged = merge(&a, &b).unwrap();
    assert_eq!(merged.alarm, Some(Alarm::DotReused));
    assert_eq!(merged.record.siblings("a").len(), 2);
}

#[test]
fn states_of_different_records_are_not_merged() {
    let a = blank();
    let others = [
        Record { id: RecordId::from_bytes([9; 16]), ..a.clone() },
        Record { kind: Kind::Task, ..a.clone() },
        Record { created_by: AccountId::from_bytes([9; 16]), ..a.clone() },
    ];
    for other in others {
        assert_eq!(merge(&a, &other), Err(NotTheSame));
    }
}
