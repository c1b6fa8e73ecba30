//! What a round trip costs on the line.

use yaoguan_model::Role;
use yaoguan_testkit::town::{GRID, TestTown};

use crate::{assert_sound, change, report};

#[tokio::test]
async fn nothing_new_is_one_request_of_at_most_300_bytes() {
    let town = TestTown::start().await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    report(&mut phone.phone, 1);
    phone.phone.sync(|_| {}).await.unwrap();
    let summary = phone.phone.sync(|_| {}).await.unwrap();
    println!("nothing new: {} up, {} down", summary.bytes_up, summary.bytes_down);
    assert_eq!(summary.requests, 1);
    assert!(summary.bytes_up <= 300, "{} bytes up", summary.bytes_up);
    assert!(summary.bytes_down <= 300, "{} bytes down", summary.bytes_down);
}

#[tokio::test]
async fn ten_changes_among_ten_thousand_are_one_request_of_2_kb_each_way() {
    let town = TestTown::start().await.unwrap();
    let (mut a, mut b) = two(&town).await;
    let table = table(10_000);
    let mapping = mapping();
    let mut rejects = Vec::new();
    let words = |reason: &yaoguan_exchange::Reason| reason.to_string();
    let imported =
        a.phone.import_table(&table, &mapping, &mut rejects, &words, |_| {}).unwrap().imported;
    assert_eq!(imported, 10_000, "{}", String::from_utf8_lossy(&rejects[..rejects.len().min(300)]));
    let first = a.phone.sync(|_| {}).await.unwrap();
    println!("first push of 10,000: {} requests, {} bytes", first.requests, first.bytes_up);
    let pulled = b.phone.sync(|_| {}).await.unwrap();
    println!("first pull of 10,000: {} requests, {} bytes", pulled.requests, pulled.bytes_down);
    assert_eq!(pulled.received, 10_000);
    let ids: Vec<_> = crate::hazards(&a.phone).into_iter().step_by(1_000).collect();
    for (n, id) in ids.iter().enumerate() {
        change(&mut a.phone, *id, "description", &format!("第 {n} 次复查：裂缝无变化"));
    }
    let up = a.phone.sync(|_| {}).await.unwrap();
    println!("ten changes: {} up, {} down", up.bytes_up, up.bytes_down);
    assert_eq!((up.requests, up.sent), (1, 10));
    assert!(up.bytes_up <= 2_000 && up.bytes_down <= 2_000, "{up:?}");
    let down = b.phone.sync(|_| {}).await.unwrap();
    println!("ten changes pulled: {} up, {} down", down.bytes_up, down.bytes_down);
    assert_eq!((down.requests, down.received), (1, 10));
    assert!(down.bytes_up <= 2_000 && down.bytes_down <= 2_000, "{down:?}");
    assert_sound(&a);
    assert_sound(&b);
    assert_eq!(town_findings(&town).await, []);
}

#[tokio::test]
async fn a_sync_soon_after_another_goes_by_its_connection() {
    let town = TestTown::start().await.unwrap();
    let account = town.account(Role::Chief, &[GRID]).await.unwrap();
    let line = town.line().await.unwrap();
    let mut phone = town.phone_of(account, line.address).await.unwrap();
    let before = line.connections();
    report(&mut phone.phone, 1);
    assert_eq!(phone.phone.sync(|_| {}).await.unwrap().sent, 1);
    assert_eq!(line.connections(), before);
    let mut phone = phone.restart().unwrap();
    phone.phone.sync(|_| {}).await.unwrap();
    assert_eq!(line.connections(), before + 1, "another run of the app has none to go by");
}

#[tokio::test]
async fn a_connection_that_died_meanwhile_is_no_failure() {
    let mut town = TestTown::start().await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
    for n in 0..3 {
        town.restart().await.unwrap();
        report(&mut phone.phone, n);
        assert_eq!(phone.phone.sync(|_| {}).await.unwrap().sent, 1);
    }
}

async fn two(
    town: &TestTown,
) -> (yaoguan_testkit::town::TestPhone, yaoguan_testkit::town::TestPhone) {
    let a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    (a, town.phone(Role::Chief, &[GRID]).await.unwrap())
}

async fn town_findings(town: &TestTown) -> Vec<yaoguan_town::storage::Finding> {
    use yaoguan_town::Storage as _;
    town.town.storage.verify().await.unwrap().findings
}

/// A table of hazards as an office might keep it.
fn table(rows: usize) -> Vec<u8> {
    let mut text = String::from("no,kind,what,where,lat,lon,date\n");
    for n in 0..rows {
        let kind = ["边坡", "用电", "道路"][n % 3];
        let (lat, lon) = (24.55 + (n % 100) as f64 * 0.001, 99.12 + (n / 100) as f64 * 0.001);
        text += &format!(
            "{n},{kind},第{n}号隐患点,{n}号路口,{lat:.5},{lon:.5},2026-11-{:02}\n",
            n % 28 + 1
        );
    }
    text.into_bytes()
}

fn mapping() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/office.toml")).unwrap()
}
