//! A line that breaks anywhere: nothing is lost, nothing comes twice.

use yaoguan_model::Role;
use yaoguan_testkit::dice::Dice;
use yaoguan_testkit::town::{GRID, TestTown};
use yaoguan_town::Storage as _;

use crate::{assert_sound, change, hazards, report};

#[tokio::test]
async fn a_line_that_breaks_anywhere_loses_and_doubles_nothing() {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(2026);
    println!("SEED={seed}");
    let mut dice = Dice::new(seed);
    let town = TestTown::start().await.unwrap();
    let line = town.line().await.unwrap();
    let account = town.account(Role::Chief, &[GRID]).await.unwrap();
    let mut a = town.phone_of(account, line.address).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut written = Vec::new();
    let (mut broken, mut whole) = (0, 0);
    for n in 0..60 {
        written.push(report(&mut a.phone, n));
        if n % 3 == 0 {
            change(&mut a.phone, written[n / 2], "description", &format!("第 {n} 轮补充"));
        }
        // Within a request on a connection that is up, or also within the making of one.
        let within = [1_000, 6_000][dice.below(2) as usize];
        let after = dice.below(within) as i64;
        match dice.below(3) {
            0 => line.cut_up_after(after),
            1 => line.cut_down_after(after),
            _ => line.mend(),
        }
        match a.phone.sync(|_| {}).await {
            Ok(_) => whole += 1,
            Err(_) => broken += 1,
        }
    }
    println!("{broken} runs broken, {whole} whole");
    assert!(broken > 10 && whole > 10, "both happened");
    line.mend();
    a.phone.sync(|_| {}).await.unwrap();
    b.phone.sync(|_| {}).await.unwrap();
    assert_eq!(a.phone.status().unwrap().pending, 0);
    assert_eq!(a.phone.status().unwrap().siblings, 0, "an own write never conflicts with itself");
    assert_eq!(hazards(&a.phone), written.iter().copied().collect());
    assert_eq!(hazards(&b.phone), hazards(&a.phone));
    for id in written {
        crate::assert_same(&a.phone, &b.phone, id);
    }
    assert_sound(&a);
    assert_sound(&b);
}

#[tokio::test]
async fn a_push_whose_answer_is_lost_changes_nothing_when_sent_again() {
    let town = TestTown::start().await.unwrap();
    let line = town.line().await.unwrap();
    let account = town.account(Role::Chief, &[GRID]).await.unwrap();
    let mut a = town.phone_of(account, line.address).await.unwrap();
    report(&mut a.phone, 0);
    let before = line.bytes().1;
    a.phone.sync(|_| {}).await.unwrap();
    let whole = line.bytes().1 - before;
    let id = report(&mut a.phone, 1);
    // Everything goes through but the end of the answer.
    line.cut_down_after(i64::try_from(whole).unwrap() - 200);
    a.phone.sync(|_| {}).await.unwrap_err();
    let taken = town.town.storage.counts().await.unwrap()["hazard"];
    assert_eq!((taken, a.phone.status().unwrap().pending), (2, 1), "taken, and not known to be");
    line.mend();
    let summary = a.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.sent, summary.pending), (1, 0));
    assert!(a.phone.show(id).unwrap().siblings.is_empty());
    assert_eq!(town.town.storage.counts().await.unwrap()["hazard"], 2);
}

#[tokio::test]
async fn a_phone_finds_the_town_again_after_it_was_away() {
    let mut town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    town.stop().await.unwrap();
    report(&mut a.phone, 1);
    let error = a.phone.sync(|_| {}).await.unwrap_err();
    assert_eq!(error.code(), yaoguan_field::ErrorCode::Offline);
    town.restart().await.unwrap();
    assert_eq!(a.phone.sync(|_| {}).await.unwrap().sent, 1);
}
