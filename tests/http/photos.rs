//! Photos at the console: which have arrived, and their bytes, whole, in part and small.

use yaoguan_model::{BlobHash, Role};
use yaoguan_testkit::town::{GRID, OTHER_GRID, TestTown};

use crate::{Answer, Ask, blobs, cookie_of, device};

async fn get(town: &TestTown, cookie: &str, path: &str) -> Answer {
    Ask::new(town, "GET", path).session(cookie).send().await
}

#[tokio::test]
async fn a_record_says_which_photos_are_still_coming_and_shows_those_that_came() {
    let town = TestTown::start().await.unwrap();
    let author = device(&town).await;
    let supervisor = town.account(Role::Supervisor, &[GRID]).await.unwrap();
    let cookie = cookie_of(&town, supervisor).await;
    let elsewhere = town.account(Role::Supervisor, &[OTHER_GRID]).await.unwrap();
    let elsewhere = cookie_of(&town, elsewhere).await;
    let bytes = blobs::photo(1);
    let hash = BlobHash::of(&bytes);
    let id = blobs::refer(&town, author.account, GRID, hash).await;
    let list = format!("/console/v1/records/{id}/photos");
    let file = format!("/console/v1/blobs/{hash}");
    let coming = async || {
        let inbox = get(&town, &cookie, "/console/v1/hazards").await.json;
        inbox["rows"][0]["coming"].as_u64().unwrap()
    };
    let shown = get(&town, &cookie, &list).await.json;
    assert_eq!(shown["photos"][0]["hash"], hash.to_string());
    assert_eq!(shown["photos"][0]["received"], false);
    assert_eq!(coming().await, 1);
    assert_eq!(get(&town, &cookie, &file).await.code(), (404, "not_found"));
    assert_eq!(blobs::upload(&town, &author, &bytes).await.status, 204);
    assert_eq!(get(&town, &cookie, &list).await.json["photos"][0]["received"], true);
    assert_eq!(coming().await, 0);
    let whole = get(&town, &cookie, &file).await;
    assert_eq!((whole.status, &whole.bytes), (200, &bytes));
    for (name, value) in [
        ("content-type", "image/jpeg".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("cache-control", "private, max-age=31536000, immutable".to_owned()),
        ("content-disposition", format!("inline; filename=\"{hash}.jpg\"")),
        ("content-security-policy", "default-src 'none'; sandbox".to_owned()),
        ("etag", format!("\"{hash}\"")),
    ] {
        assert_eq!(whole.headers[name], value.as_str(), "{name}");
    }
    let ask = || Ask::new(&town, "GET", &file).session(&cookie);
    let part = ask().header("range", "bytes=10-19").send().await;
    assert_eq!((part.status, part.bytes.as_slice()), (206, &bytes[10..20]));
    let same = ask().header("if-none-match", &format!("\"{hash}\"")).send().await;
    assert_eq!(same.status, 304);
    let thumb = get(&town, &cookie, &format!("{file}?size=thumb")).await;
    let picture = image::load_from_memory(&thumb.bytes).unwrap();
    assert_eq!((picture.width(), picture.height()), (320, 240));
    assert!(thumb.bytes.len() < bytes.len() && thumb.headers.get("etag").is_none());
    // Another grid's supervisor knows the hash, and is told nothing.
    for path in [&list, &file, &format!("{file}?size=thumb")] {
        assert_eq!(get(&town, &elsewhere, path).await.code(), (404, "not_found"), "{path}");
    }
    let bare = Ask::new(&town, "GET", &file).send().await;
    assert_eq!(bare.code(), (401, "unauthorised"));
}
