//! Photos of a phone: they arrive whole over any line, never delay a record, and outlive copies, broken stores
//! and a town that was put back.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use yaoguan_field::{ErrorCode, FieldError, FileState, Home, Phone, PhotoSize, Settings, State};
use yaoguan_model::{BlobHash, Kind, RecordId, Role, Value};
use yaoguan_testkit::photos::{camera, photo};
use yaoguan_testkit::town::{GRID, TestPhone, TestTown, copy};
use yaoguan_town::storage::blobs::Blobs as _;
use yaoguan_town::storage::held::Apart as _;

use crate::{assert_sound, report};

/// xorshift64*, so that a failure can be repeated.
struct Dice(u64);
impl Dice {
    fn roll(&mut self, below: i64) -> i64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as i64 % below
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A report with photos from `from` on; the photos' names.
fn with_photos(phone: &mut Phone, from: u32, many: u32) -> (RecordId, Vec<BlobHash>) {
    let id = report(phone, from as usize);
    let attach = |n| phone.attach_photo(id, &photo(n)).unwrap().hash;
    (id, (from..from + many).map(attach).collect())
}

async fn at_town(town: &TestTown) -> BTreeSet<BlobHash> {
    town.town.storage.blobs().await.unwrap().into_iter().map(|(hash, _)| hash).collect()
}

fn states(phone: &Phone, id: RecordId) -> Vec<FileState> {
    phone.photos(id).unwrap().iter().map(|photo| photo.state).collect()
}

fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |path: std::path::PathBuf| if path.is_dir() { files(&path) } else { 1 };
    entries.map(|entry| count(entry.unwrap().path())).sum()
}

fn set(phone: &mut Phone, originals: &str) {
    let settings = Settings { originals: originals.to_owned(), ..phone.settings().unwrap() };
    phone.set_settings(&settings).unwrap();
}

/// Another program of the same phone.
fn other_program(phone: &TestPhone) -> Phone {
    let home = Home::with_state(&phone.data(), &phone.state());
    Phone::open(home, Arc::new(phone.clock.clone()), "en").unwrap()
}

#[tokio::test]
async fn photos_arrive_whole_over_a_line_that_breaks_everywhere_and_little_is_sent_twice() {
    let (many, seed) = (number("PHOTOS", 40) as u32, number("SEED", 2026));
    println!("PHOTOS={many} SEED={seed}");
    let mut dice = Dice(seed);
    let town = TestTown::start().await.unwrap();
    let line = town.line().await.unwrap();
    let account = town.account(Role::Chief, &[GRID]).await.unwrap();
    let mut a = town.phone_of(account, line.address).await.unwrap();
    let mut expected = BTreeSet::new();
    for from in (0..many).step_by(20) {
        with_photos(&mut a.phone, from, 20.min(many - from));
    }
    for file in a.phone.store().files_here().unwrap() {
        expected.insert(file.hash);
    }
    assert_eq!(expected.len(), 2 * many as usize);
    let size: u64 = a.phone.store().files_here().unwrap().iter().map(|file| file.size).sum();
    let before = line.bytes().0;
    let mut broken = 0;
    loop {
        // Each line breaks somewhere: now and then at once, mostly after a photo or two.
        line.cut_up_after(20_000 + dice.roll(900_000));
        if dice.roll(4) == 0 {
            line.cut_down_after(dice.roll(20_000));
        }
        let ended = a.phone.sync(|_| {}).await;
        line.mend();
        match ended {
            Ok(_) => break,
            Err(error) => assert_eq!(error.code(), ErrorCode::Offline, "{error}"),
        }
        broken += 1;
        assert!(broken < 100 * many, "it goes on");
    }
    let bytes = line.bytes().0 - before;
    let ratio = bytes as f64 / size as f64;
    println!("{many} photos, {size} bytes, {broken} lines broken, {bytes} sent: {ratio:.3}");
    assert!(broken > many / 4, "the line did break: {broken}");
    assert!(ratio <= 1.15, "{ratio:.3}");
    assert_eq!(at_town(&town).await, expected);
    assert_eq!(town.town.blobs.verify(&town.town.storage).await.unwrap(), []);
    assert_eq!(files(&town.data().join("blobs")), expected.len(), "nothing twice");
    assert_eq!(a.phone.status().unwrap().files, 0);
    assert_sound(&a);
}

#[tokio::test]
async fn a_save_goes_with_the_next_request_however_many_photos_wait() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let id = report(&mut a.phone, 0);
    a.phone.sync(|_| {}).await.unwrap();
    // Forty photos of 12.5 MB: one file under many names, since their content is not looked at here.
    let first = photo(0);
    a.phone.attach_photo(id, &first).unwrap();
    let big = half_a_gigabyte(&mut a, id, 12_500_000, 40);
    println!("{big} bytes wait");
    assert!(big >= 500_000_000);
    let mut other = other_program(&a);
    let (mut saved, mut seen) = (None, None);
    let mut answered = None;
    let done = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&done);
    let syncing = a.phone.sync(|so_far| match (saved, seen) {
        (None, _) if so_far.file_bytes > 1_000_000 => {
            saved = Some(report(&mut other, 1));
            seen = Some((so_far.sent, so_far.file_bytes));
        }
        (Some(_), Some(before)) if answered.is_none() => {
            answered = Some((so_far.sent - before.0, so_far.file_bytes - before.1));
            told.notify_one();
        }
        _ => {}
    });
    tokio::select! {
        ended = syncing => panic!("it is not done yet: {ended:?}"),
        () = done.notified() => {}
    }
    let (sent, bytes) = answered.unwrap();
    assert_eq!((sent, bytes), (1, 0), "the report was in the first request after its save");
    let id = saved.unwrap();
    let record = other.store().get(id).unwrap().unwrap();
    assert!(!record.unsent);
}

/// Puts one sealed file under many names, and notes them as photos of the record.
fn half_a_gigabyte(phone: &mut TestPhone, id: RecordId, each: usize, many: u32) -> u64 {
    use yaoguan_store::{FileKind, NewFile};
    use yaoguan_sync::PhoneStore as _;
    let key = std::fs::read(phone.data().join("phone.key")).unwrap().try_into().unwrap();
    let key = yaoguan_media::SealKey::derive(&key, yaoguan_media::Purpose::Blobs);
    let sealed = yaoguan_media::seal::seal(&key, &vec![7; each], &phone.clock);
    let one = phone.data().join("photos/one");
    std::fs::write(&one, sealed).unwrap();
    let mut fields = serde_json::Map::new();
    let mut names = Vec::new();
    for n in 0..many {
        let hash = BlobHash::of(&n.to_be_bytes());
        let folder = phone.data().join(format!("photos/{:02x}", hash.0[0]));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::hard_link(&one, folder.join(hash.to_string())).unwrap();
        fields.insert(format!("photos.{hash}"), serde_json::json!({}));
        names.push(hash);
    }
    std::fs::remove_file(&one).unwrap();
    let noted = phone.phone.store_mut().transact(|tx| {
        names.iter().try_for_each(|hash| {
            let (kind, size) = (FileKind::Photo, each as u64);
            tx.add_file(&NewFile { hash: *hash, kind, size, is_own: true, thumb: None, at_ms: 1 })
        })
    });
    noted.map_err(|error: yaoguan_store::StoreError| error).unwrap();
    let values = serde_json::Value::Object(fields);
    phone.phone.set_values(&yaoguan_field::FormPatch { id, values }).unwrap();
    u64::from(many) * each as u64
}

#[tokio::test]
async fn a_record_is_received_in_full_when_each_photo_has_its_receipt() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let (id, _) = with_photos(&mut a.phone, 0, 3);
    let row = |phone: &Phone| {
        let row = phone.record_page(id).unwrap().row;
        (row.state, row.photos_received, row.photos)
    };
    assert_eq!(row(&a.phone), (State::OnPhone, 0, 3));
    set(&mut a.phone, "by_hand");
    a.phone.sync(|_| {}).await.unwrap();
    assert_eq!(row(&a.phone), (State::Received, 0, 3));
    assert_eq!(states(&a.phone, id), [FileState::WaitsForHand; 3]);
    assert_eq!(at_town(&town).await.len(), 3, "the thumbnails");
    a.phone.send_files_of(id).unwrap();
    assert_eq!(a.phone.whereabouts().unwrap().files, 3);
    a.phone.sync(|_| {}).await.unwrap();
    assert_eq!(row(&a.phone), (State::Received, 3, 3));
    assert_eq!(states(&a.phone, id), [FileState::Received; 3]);
    assert_eq!(at_town(&town).await.len(), 6);
}

#[tokio::test]
async fn what_the_line_may_carry_is_the_persons_to_say() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    a.phone.set_metered(true);
    let (id, _) = with_photos(&mut a.phone, 0, 1);
    set(&mut a.phone, "wifi");
    a.phone.sync(|_| {}).await.unwrap();
    assert_eq!(states(&a.phone, id), [FileState::WaitsForWifi]);
    set(&mut a.phone, "auto");
    a.phone.sync(|_| {}).await.unwrap();
    assert_eq!(states(&a.phone, id), [FileState::Received], "at most 1 MiB go on any line");
    let fields = half_a_gigabyte(&mut a, id, 1_500_000, 1);
    assert!(fields > 1 << 20);
    a.phone.sync(|_| {}).await.unwrap();
    assert!(states(&a.phone, id).contains(&FileState::WaitsForWifi), "larger ones wait");
    a.phone.set_metered(false);
    a.phone.sync(|_| {}).await.unwrap();
    // It is no picture: the town says so, and it is not sent again.
    assert!(states(&a.phone, id).contains(&FileState::Refused));
    let refused: Vec<_> = a.phone.photos(id).unwrap();
    let refused = refused.iter().find(|photo| photo.state == FileState::Refused).unwrap();
    assert_eq!(refused.refused, "blob_refused");
    let again = a.phone.sync(|_| {}).await.unwrap();
    assert_eq!((again.file_bytes, again.requests), (0, 1), "nothing is tried for ever");
}

#[tokio::test]
async fn thumbnails_come_by_themselves_and_an_original_when_it_is_looked_at() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let (id, hashes) = with_photos(&mut a.phone, 0, 2);
    set(&mut a.phone, "by_hand");
    a.phone.sync(|_| {}).await.unwrap();
    b.phone.set_metered(true);
    assert_eq!(b.phone.sync(|_| {}).await.unwrap().files_fetched, 0);
    b.phone.set_metered(false);
    assert_eq!(b.phone.sync(|_| {}).await.unwrap().files_fetched, 2);
    let hash = hashes[0];
    let thumb = b.phone.photo_bytes(hash, PhotoSize::Thumb, 0..u64::MAX).unwrap();
    let expected = a.phone.photo_bytes(hash, PhotoSize::Thumb, 0..u64::MAX).unwrap();
    assert_eq!(thumb, expected);
    assert_eq!(states(&b.phone, id), [FileState::AtTown; 2]);
    let missing = b.phone.photo_bytes(hash, PhotoSize::Full, 0..10).unwrap_err();
    assert_eq!(missing.code(), ErrorCode::NotHere);
    let missing = b.phone.fetch_photo(hash, PhotoSize::Full).await.unwrap_err();
    assert_eq!(missing.code(), ErrorCode::NotHere, "its author has not sent it");
    a.phone.send_files_of(id).unwrap();
    a.phone.sync(|_| {}).await.unwrap();
    b.phone.fetch_photo(hash, PhotoSize::Full).await.unwrap();
    let part = b.phone.photo_bytes(hash, PhotoSize::Full, 1_000..2_000).unwrap();
    let whole = a.phone.photo_bytes(hash, PhotoSize::Full, 0..u64::MAX).unwrap();
    assert_eq!((part.bytes.as_slice(), part.len), (&whole.bytes[1_000..2_000], whole.len));
    assert_eq!(BlobHash::of(&whole.bytes), hash);
    // A hash that no record here shows is not asked for.
    let other = b.phone.fetch_photo(BlobHash([9; 32]), PhotoSize::Full).await.unwrap_err();
    assert_eq!(other.code(), ErrorCode::NotHere);
}

#[tokio::test]
async fn only_what_the_town_has_is_freed_longest_unused_first() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let (id, hashes) = with_photos(&mut a.phone, 0, 3);
    assert_eq!(a.phone.free_photos(None).unwrap().files, 0);
    a.phone.sync(|_| {}).await.unwrap();
    let (late, _) = with_photos(&mut a.phone, 3, 1);
    let stowage = a.phone.stowage().unwrap();
    assert_eq!(stowage.freeable_files, 3);
    assert!(stowage.waiting > 100_000 && stowage.received > 300_000, "{stowage:?}");
    a.clock.shift(2 * 3600);
    a.phone.photo_bytes(hashes[0], PhotoSize::Full, 0..1).unwrap();
    assert_eq!(a.phone.free_photos(Some(1)).unwrap().files, 1);
    let here =
        |phone: &Phone, id| phone.photos(id).unwrap().iter().filter(|photo| photo.here).count();
    assert_eq!(here(&a.phone, id), 2);
    assert!(a.phone.photo_bytes(hashes[0], PhotoSize::Full, 0..1).is_ok(), "just looked at");
    a.phone.free_photos(None).unwrap();
    assert_eq!((here(&a.phone, id), here(&a.phone, late)), (0, 1));
    a.phone.fetch_photo(hashes[1], PhotoSize::Full).await.unwrap();
    assert_eq!(here(&a.phone, id), 1);
    assert_eq!(states(&a.phone, id), [FileState::Received; 3], "the town has them all the same");
}

#[tokio::test]
async fn what_nothing_refers_to_is_swept_and_a_draft_keeps_its_photos() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let form = a.phone.new_form(Kind::Hazard).unwrap();
    let id = form.record().id;
    let typed = crate::edit(&Kind::Hazard, &[("category", "slope"), ("grid", GRID)]);
    a.phone.keep_draft(&form, typed).unwrap();
    let (kept, dropped) = (photo(0), photo(1));
    for photo in [&kept, &dropped, &kept] {
        a.phone.attach_photo(id, photo).unwrap();
    }
    assert_eq!(a.phone.photos(id).unwrap().len(), 2, "attached twice is there once");
    a.phone.remove_photo(id, dropped.full.hash).unwrap();
    // What a killed program leaves: a file that nothing refers to, and half of one.
    let photos = a.data().join("photos");
    std::fs::create_dir_all(photos.join("ff")).unwrap();
    let stray = photos.join("ff").join("ff".repeat(32));
    std::fs::write(&stray, b"sealed, and of nobody").unwrap();
    std::fs::write(stray.with_extension("part"), b"half").unwrap();
    assert_eq!(files(&photos), 6);
    let mut a = a.restart().unwrap();
    assert_eq!(files(&photos), 2);
    assert_eq!(a.phone.photos(id).unwrap().len(), 1);
    a.phone.save_form(id).unwrap();
    a.phone.sync(|_| {}).await.unwrap();
    let expected = BTreeSet::from([kept.full.hash, kept.thumbnail.hash]);
    assert_eq!(at_town(&town).await, expected);
    let page = a.phone.record_page(id).unwrap();
    let named = page.fields.iter().find(|field| field.path.head() == "photos").unwrap();
    let thumb = named.values[0].value.get("thumb").and_then(Value::as_text).unwrap().to_owned();
    assert_eq!(thumb, kept.thumbnail.hash.to_string());
    // The photo goes from the record, and then from the phone.
    a.phone.remove_photo(id, kept.full.hash).unwrap();
    a.phone.sync(|_| {}).await.unwrap();
    assert_eq!(files(&photos), 0);
    assert_sound(&a);
}

#[tokio::test]
async fn pictures_that_cannot_be_taken_say_why_and_leave_nothing() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let id = report(&mut a.phone, 0);
    let file = a.state().join("picture");
    let mut heic = vec![0, 0, 0, 24];
    heic.extend(b"ftypheic\0\0\0\0mif1heic");
    let mut cut = camera(1, 300, 200);
    cut.truncate(2_000);
    let cases = [
        (heic, ErrorCode::PhotoHeic),
        (b"no picture".to_vec(), ErrorCode::PhotoUnreadable),
        (cut, ErrorCode::PhotoUnreadable),
    ];
    for (bytes, code) in cases {
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(a.phone.attach_file(id, &file).unwrap_err().code(), code);
    }
    assert_eq!(files(&a.data().join("photos")), 0);
    std::fs::write(&file, camera(1, 300, 200)).unwrap();
    a.phone.attach_file(id, &file).unwrap();
    assert_eq!(a.phone.photos(id).unwrap().len(), 1);
    // With a watermark it is another photo.
    let settings = Settings { watermark: true, ..a.phone.settings().unwrap() };
    a.phone.set_settings(&settings).unwrap();
    a.phone.attach_file(id, &file).unwrap();
    assert_eq!(a.phone.photos(id).unwrap().len(), 2);
}

#[tokio::test]
async fn a_damaged_file_is_told_and_holds_up_no_other() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let (id, hashes) = with_photos(&mut a.phone, 0, 2);
    let name = hashes[0].to_string();
    let path = a.data().join("photos").join(name.get(..2).unwrap()).join(&name);
    let mut sealed = std::fs::read(&path).unwrap();
    sealed[1_000] ^= 1;
    std::fs::write(&path, sealed).unwrap();
    let summary = a.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.files_sent, summary.files_refused), (3, 1));
    let photos = a.phone.photos(id).unwrap();
    let broken = photos.iter().find(|photo| photo.hash == hashes[0]).unwrap();
    assert_eq!((broken.state, broken.refused.as_str()), (FileState::Refused, "file_broken"));
    let error = a.phone.photo_bytes(hashes[0], PhotoSize::Full, 0..2_000).unwrap_err();
    assert_eq!(error.code(), ErrorCode::FileBroken);
}

#[tokio::test]
async fn a_town_that_was_put_back_is_asked_and_gets_what_it_lost() {
    let mut town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let (_, early) = with_photos(&mut a.phone, 0, 1);
    a.phone.sync(|_| {}).await.unwrap();
    let before = tempfile::tempdir().unwrap();
    town.meddled(|data| copy(data, before.path()).unwrap()).await.unwrap();
    with_photos(&mut a.phone, 1, 2);
    a.phone.sync(|_| {}).await.unwrap();
    let all = at_town(&town).await;
    assert_eq!(all.len(), 6);
    town.restored(|data| {
        std::fs::remove_dir_all(data.join("blobs")).unwrap();
        copy(&before.path().join("blobs"), &data.join("blobs")).unwrap();
        std::fs::copy(before.path().join("town.db"), data.join("town.db")).unwrap();
    })
    .await
    .unwrap();
    assert_eq!(at_town(&town).await.len(), 2);
    let summary = a.phone.sync(|_| {}).await.unwrap();
    assert_eq!(at_town(&town).await, all);
    assert_eq!(town.town.blobs.verify(&town.town.storage).await.unwrap(), []);
    let size = photo(0).full.jpeg.len() as u64;
    assert!(summary.file_bytes < 3 * size, "{} was not sent again", early[0]);
    assert_eq!(a.phone.status().unwrap().files, 0);
}

#[tokio::test]
async fn whoever_holds_a_photo_that_the_town_lost_sends_it_again() {
    let mut town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut c = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let (id, hashes) = with_photos(&mut a.phone, 0, 2);
    a.phone.sync(|_| {}).await.unwrap();
    b.phone.sync(|_| {}).await.unwrap();
    b.phone.fetch_photo(hashes[0], PhotoSize::Full).await.unwrap();
    let held: BTreeSet<_> =
        b.phone.store().files_here().unwrap().iter().map(|file| file.hash).collect();
    assert_eq!(held.len(), 3, "two thumbnails and one original");
    // The phone that took them is gone, and the town's files are lost.
    drop(a);
    town.restored(|data| std::fs::remove_dir_all(data.join("blobs")).unwrap()).await.unwrap();
    let bad = town.town.blobs.check(&town.town.storage).await.unwrap().bad;
    assert_eq!(bad.len(), 4);
    town.town.blobs.forget(&town.town.storage, &bad).await.unwrap();
    let summary = b.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.files_sent, summary.files_refused), (3, 0));
    assert_eq!(at_town(&town).await, held);
    c.phone.sync(|_| {}).await.unwrap();
    for hash in &hashes {
        let thumb = c.phone.photo_bytes(*hash, PhotoSize::Thumb, 0..u64::MAX).unwrap();
        assert!(held.contains(&BlobHash::of(&thumb.bytes)));
    }
    assert_eq!(states(&c.phone, id), [FileState::AtTown; 2]);
    c.phone.fetch_photo(hashes[0], PhotoSize::Full).await.unwrap();
    c.phone.fetch_photo(hashes[1], PhotoSize::Full).await.unwrap_err();
    // Once in an epoch, and not again.
    let again = b.phone.sync(|_| {}).await.unwrap();
    assert_eq!((again.requests, again.file_bytes), (1, 0));
}

#[tokio::test]
async fn a_report_that_others_bring_back_to_a_restored_town_has_its_photos_again() {
    let mut town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let mut c = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let before = tempfile::tempdir().unwrap();
    town.meddled(|data| copy(data, before.path()).unwrap()).await.unwrap();
    let (id, hashes) = with_photos(&mut a.phone, 0, 1);
    a.phone.sync(|_| {}).await.unwrap();
    let all = at_town(&town).await;
    b.phone.sync(|_| {}).await.unwrap();
    b.phone.fetch_photo(hashes[0], PhotoSize::Full).await.unwrap();
    drop(a);
    town.restored(|data| {
        std::fs::remove_dir_all(data.join("blobs")).unwrap();
        std::fs::copy(before.path().join("town.db"), data.join("town.db")).unwrap();
    })
    .await
    .unwrap();
    assert_eq!(at_town(&town).await.len(), 0);
    let summary = b.phone.sync(|_| {}).await.unwrap();
    assert_eq!((summary.recovered, summary.files_sent), (1, 2), "{summary:?}");
    assert_eq!(at_town(&town).await, all);
    assert_eq!(b.phone.free_photos(None).unwrap().files, 1, "the town has it in this epoch");
    let done = yaoguan_town::audit::Attribution::town(1);
    town.town.storage.take_recovered(None, done).await.unwrap();
    // Another colleague reads what the two of them brought.
    c.phone.sync(|_| {}).await.unwrap();
    assert_eq!(states(&c.phone, id), [FileState::AtTown]);
    c.phone.fetch_photo(hashes[0], PhotoSize::Full).await.unwrap();
    let bytes = c.phone.photo_bytes(hashes[0], PhotoSize::Full, 0..u64::MAX).unwrap().bytes;
    assert_eq!(BlobHash::of(&bytes), hashes[0]);
}

#[tokio::test]
async fn photos_outlive_a_copy_of_the_phone_and_a_broken_store() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let (id, hashes) = with_photos(&mut a.phone, 0, 2);
    // The copy writes under another id and sends the same photos: there is one of each.
    let mut twin = a.copied(false).unwrap();
    twin.phone.sync(|_| {}).await.unwrap();
    assert_eq!(states(&twin.phone, id), [FileState::Received; 2]);
    a.phone.sync(|_| {}).await.unwrap();
    assert_eq!(states(&a.phone, id), [FileState::Received; 2]);
    assert_eq!(at_town(&town).await.len(), 4);
    // A store whose pages are damaged, with photos that were never sent.
    let (late, more) = with_photos(&mut a.phone, 2, 2);
    let mut a = a
        .after(|data| {
            let path = data.join("phone.db");
            let mut bytes = std::fs::read(&path).unwrap();
            let pages = bytes.len() / 4096;
            bytes[(pages - 3) * 4096 + 2_000] ^= 1;
            std::fs::write(path, bytes).unwrap();
            std::fs::write(data.join("phone.db.suspect"), []).unwrap();
        })
        .unwrap();
    assert!(a.phone.salvaged().is_some());
    assert_eq!(files(&a.data().join("photos")), 8, "no photo went");
    a.phone.sync(|_| {}).await.unwrap();
    let at_town = at_town(&town).await;
    for hash in hashes.iter().chain(&more) {
        // What records could be read refer to is sent; the others are still on the phone.
        let here = a.phone.photo_bytes(*hash, PhotoSize::Full, 0..1).is_ok();
        assert!(at_town.contains(hash) || here, "{hash}");
    }
    if let Ok(photos) = a.phone.photos(late) {
        assert!(photos.iter().all(|photo| photo.state == FileState::Received), "{photos:?}");
    }
    assert_sound(&a);
}

#[tokio::test]
async fn a_record_that_leaves_the_phone_takes_its_photos_along() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let b_account = town.account(Role::Chief, &[GRID]).await.unwrap();
    let mut b = town.phone_of(b_account, town.address).await.unwrap();
    let (_, hashes) = with_photos(&mut a.phone, 0, 1);
    a.phone.sync(|_| {}).await.unwrap();
    b.phone.sync(|_| {}).await.unwrap();
    b.phone.fetch_photo(hashes[0], PhotoSize::Full).await.unwrap();
    assert_eq!(files(&b.data().join("photos")), 2);
    town.rescope(b_account, Role::Chief, &[yaoguan_testkit::town::OTHER_GRID]);
    let mut gone = 0;
    for _ in 0..2 {
        gone += b.phone.sync(|_| {}).await.unwrap().evicted;
    }
    assert_eq!(gone, 1);
    assert_eq!(files(&b.data().join("photos")), 0);
    let error = b.phone.photo_bytes(hashes[0], PhotoSize::Full, 0..1).unwrap_err();
    assert!(matches!(error, FieldError::NotHere(_)));
}

#[tokio::test]
async fn what_records_refer_to_is_derived_and_can_be_made_anew() {
    let town = TestTown::start().await.unwrap();
    let mut a = town.phone(Role::Chief, &[GRID]).await.unwrap();
    let (id, hashes) = with_photos(&mut a.phone, 0, 1);
    a.phone.sync(|_| {}).await.unwrap();
    // Taken off and not sent: what is confirmed still refers to it.
    a.phone.remove_photo(id, hashes[0]).unwrap();
    assert_eq!(a.phone.store().references(id).unwrap().len(), 2);
    let before = a.phone.store().references(id).unwrap();
    a.phone.store().raw().execute("DELETE FROM media_ref", []).unwrap();
    assert_eq!(a.phone.verify().unwrap().len(), 1);
    a.phone.rebuild().unwrap();
    assert_eq!(a.phone.store().references(id).unwrap(), before);
    assert_sound(&a);
    a.phone.sync(|_| {}).await.unwrap();
    assert_eq!(a.phone.store().references(id).unwrap(), []);
}
