//! A record that left a phone leaves no trace in the phone's file: not in a table, not in the search index,
//! not in a free page, not in the log.
//!
//! The file is read as SQLCipher 4 writes it, page by page, without SQLCipher: AES-256-CBC, the page's
//! initialisation vector and MAC in its last 80 bytes.

use std::path::Path;

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use yaoguan_model::Role;
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestPhone, TestTown};

use crate::{assert_sound, change, hazards, report};

const PAGE: usize = 4096;
const RESERVED: usize = 80;
const SALT: usize = 16;
/// Three letters that nobody writes: one entry of the trigram index.
const CANARY: &str = "ʘʬʭ";

/// Every page of file and log, decrypted, in whatever state.
fn pages(dir: &Path) -> Vec<Vec<u8>> {
    let key: [u8; 32] = std::fs::read(dir.join("phone.key")).unwrap().try_into().unwrap();
    let file = std::fs::read(dir.join("phone.db")).unwrap();
    assert_eq!(file.len() % PAGE, 0);
    let mut pages: Vec<&[u8]> = file.chunks(PAGE).collect();
    let log = std::fs::read(dir.join("phone.db-wal")).unwrap_or_default();
    // A header of 32 bytes, then frames: 24 bytes and a page.
    pages.extend(
        log.get(32..).unwrap_or_default().chunks_exact(24 + PAGE).map(|frame| &frame[24..]),
    );
    pages.into_iter().map(|page| decrypt(&key, page)).collect()
}

fn decrypt(key: &[u8; 32], page: &[u8]) -> Vec<u8> {
    let (content, reserved) = page.split_at(PAGE - RESERVED);
    let iv: [u8; 16] = reserved[..16].try_into().unwrap();
    let decrypted = |from: usize| {
        let mut bytes = content[from..].to_vec();
        let cipher = cbc::Decryptor::<aes::Aes256>::new(key.into(), (&iv).into());
        cipher.decrypt_padded::<NoPadding>(&mut bytes).unwrap();
        bytes
    };
    // The first page begins with the salt in the clear; which one it is in the log does not matter here.
    let mut both = decrypted(0);
    both.extend(decrypted(SALT));
    both
}

fn traces(dir: &Path) -> usize {
    let holds = |page: &&Vec<u8>| page.windows(CANARY.len()).any(|w| w == CANARY.as_bytes());
    pages(dir).iter().filter(holds).count()
}

fn rescope(town: &TestTown, phone: &TestPhone, grids: &[&str]) {
    let account = phone.phone.store().identity().unwrap().unwrap().account;
    town.rescope(account, Role::Chief, grids);
}

#[tokio::test]
async fn an_evicted_record_leaves_no_trace_in_the_file() {
    let town = TestTown::start().await.unwrap();
    let mut writer = town.phone(Role::Chief, &[OTHER_GRID]).await.unwrap();
    let mut phone = town.phone(Role::Chief, &[GRID, OTHER_GRID]).await.unwrap();
    for n in 0..40 {
        report(&mut phone.phone, n);
    }
    let id = report(&mut writer.phone, 100);
    change(&mut writer.phone, id, "grid", OTHER_GRID);
    change(&mut writer.phone, id, "title", &format!("{CANARY} 边坡"));
    change(&mut writer.phone, id, "description", &format!("{CANARY}{}", "长".repeat(3_000)));
    writer.phone.sync(|_| {}).await.unwrap();
    phone.phone.sync(|_| {}).await.unwrap();
    // Longer, then shorter: pages come free while the record is still there.
    change(&mut phone.phone, id, "description", CANARY);
    phone.phone.sync(|_| {}).await.unwrap();
    assert_eq!(hazards(&phone.phone).len(), 41);
    let before = traces(&phone.data());
    assert!(before >= 2, "the test sees what is there: body and search index, {before}");

    rescope(&town, &phone, &[GRID]);
    let summary = phone.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.evicted, hazards(&phone.phone).len()), (1, 40));
    println!("pages with a trace: {before} before, {} after", traces(&phone.data()));
    assert_eq!(traces(&phone.data()), 0);
    assert_sound(&phone);
    let found = phone.phone.search("边坡开裂", None, 50).unwrap();
    assert_eq!(found.len(), 40, "the rest is still found");
    let phone = phone.restart().unwrap();
    assert_eq!(traces(&phone.data()), 0);
}
