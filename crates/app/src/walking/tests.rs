//! A receiver whose fixes the test hands over, on a real store that refuses them for a while.

use std::sync::mpsc;

use yaoguan_model::Position;
use yaoguan_model::env::System;

use super::*;
use crate::Platform;
use crate::platform::Line;

struct Handed(mpsc::Receiver<Fix>);

impl PositionSource for Handed {
    fn poll(&mut self, _now_ms: i64) -> Vec<Fix> {
        self.0.try_iter().collect()
    }
}

fn fix(number: i64) -> Fix {
    let position = Position::from_degrees(24.56 + number as f64 * 1e-4, 99.12).unwrap();
    Fix {
        position,
        at_ms: Some(1_760_000_000_000 + number * 10_000),
        accuracy_cm: None,
        ele_cm: None,
    }
}

fn sql(host: &Host, statements: &str) {
    let run = |phone: &mut Phone| {
        phone.store().raw().execute_batch(statements).unwrap();
        Ok(())
    };
    host.phone(run).unwrap();
}

/// Until the receiver has come round with this fix.
async fn heard(host: &Host, number: i64) {
    let at = Some(Point::from(fix(number).position));
    let round = async {
        while *locked(&host.last_fix) != at {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), round).await.unwrap();
}

fn points(host: &Host) -> u64 {
    host.phone(|phone| Ok(phone.patrol_now()?.map_or(0, |patrol| patrol.points))).unwrap()
}

async fn points_are(host: &Host, wanted: u64) {
    let all = async {
        while points(host) != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
}

const REFUSE: &str = "CREATE TEMP TRIGGER no_room BEFORE INSERT ON track_fix \
    BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
const TAKE: &str = "DROP TRIGGER no_room";

#[tokio::test(flavor = "multi_thread")]
async fn a_fix_that_the_store_refused_is_added_when_it_takes_fixes_again() {
    let dir = tempfile::tempdir().unwrap();
    crate::testing::enrolled(dir.path());
    let host = Host::with_env(dir.path(), Platform::with_line(Line::Down), Arc::new(System));
    let host = host.unwrap();
    let (hand, handed) = mpsc::channel();
    let walking = tokio::spawn(run(Arc::clone(&host), Box::new(Handed(handed))));
    host.phone(Phone::start_patrol).unwrap();
    hand.send(fix(0)).unwrap();
    points_are(&host, 1).await;
    sql(&host, REFUSE);
    // The second comes round after the first was refused.
    for number in [1, 2, 3] {
        hand.send(fix(number)).unwrap();
        heard(&host, number).await;
    }
    assert_eq!(points(&host), 1);
    sql(&host, TAKE);
    points_are(&host, 4).await;
    let kept = host.phone(|phone| Ok(phone.store().track_fixes()?)).unwrap();
    assert_eq!(kept, [0, 1, 2, 3].map(fix));

    // What still waits when a patrol ends is no part of the next one.
    sql(&host, REFUSE);
    hand.send(fix(4)).unwrap();
    heard(&host, 4).await;
    host.phone(Phone::stop_patrol).unwrap();
    host.phone(Phone::discard_patrol).unwrap();
    sql(&host, TAKE);
    host.phone(Phone::start_patrol).unwrap();
    hand.send(fix(5)).unwrap();
    points_are(&host, 1).await;
    let kept = host.phone(|phone| Ok(phone.store().track_fixes()?)).unwrap();
    assert_eq!(kept, [fix(5)]);
    walking.abort();
}

#[test]
fn what_could_not_be_added_stays_in_its_order() {
    let mut waiting: VecDeque<Fix> = [0, 1, 2].map(fix).into();
    let refused = add_all(&mut waiting, |one| if *one == fix(1) { Err(()) } else { Ok(true) });
    assert_eq!((refused, waiting.make_contiguous().to_vec()), (Err(()), vec![fix(1), fix(2)]));
    waiting = (0..=MAX_WAITING as i64).map(fix).collect();
    take_in(&mut waiting, Vec::new());
    assert_eq!((waiting.len(), waiting.front()), (MAX_WAITING, Some(&fix(1))));
}
