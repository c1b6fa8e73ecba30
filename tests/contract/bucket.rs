//! Files in a bucket of a real S3-compatible server (s3s-fs), in this process on a free port.

use std::path::{Path, PathBuf};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use yaoguan_model::BlobHash;
use yaoguan_model::env::System;
use yaoguan_testkit::contract::blob_store;
use yaoguan_town::backup;
use yaoguan_town::blobs::{BlobPlace, BucketSettings, Flaw, Kept};
use yaoguan_town::data::Place;
use yaoguan_town::storage::Storage as _;
use yaoguan_town::storage::blobs::{Blobs as _, Upload};
use yaoguan_town::{Town, TownError};

const SECRET: &str = "a secret of the store";

/// Serves a folder as S3 until the test ends.
async fn server(root: PathBuf) -> String {
    std::fs::create_dir_all(root.join("files")).unwrap();
    let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
    builder.set_auth(SimpleAuth::from_single("town", SECRET));
    let service = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let http = Builder::new(TokioExecutor::new());
            let service = service.clone();
            tokio::spawn(async move {
                _ = http.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    url
}

fn private(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

async fn bucket(dir: &Path) -> BucketSettings {
    let secret_file = dir.join("secret");
    private(&secret_file, &format!("{SECRET}\n"));
    BucketSettings {
        bucket: "files".to_owned(),
        endpoint: server(dir.join("s3")).await,
        region: "us-east-1".to_owned(),
        access_key: "town".to_owned(),
        secret_file,
        ca_file: None,
    }
}

fn place(settings: &BucketSettings) -> BlobPlace {
    BlobPlace::Bucket(Box::new(settings.clone()))
}

#[tokio::test]
async fn files_in_a_bucket() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(&bucket(dir.path()).await);
    let open = |town| Kept::at(&place, dir.path(), town, &[1; 32]).unwrap().store;
    blob_store::run(open("town"), open("town")).await;
    // Another town in the same bucket sees nothing of it.
    assert!(open("other").names().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_wrong_secret_and_a_store_that_is_away_are_errors_and_no_missing_files() {
    let dir = tempfile::tempdir().unwrap();
    let right = bucket(dir.path()).await;
    let wrong_file = dir.path().join("wrong");
    private(&wrong_file, "another");
    let wrong = BucketSettings { secret_file: wrong_file, ..right.clone() };
    let nowhere = BucketSettings { endpoint: "http://127.0.0.1:1".to_owned(), ..right.clone() };
    for settings in [wrong, nowhere] {
        let store = Kept::at(&place(&settings), dir.path(), "t", &[1; 32]).unwrap().store;
        let read = store.read(BlobHash([1; 32]), 0..1).await;
        assert!(matches!(read, Err(TownError::Bucket(_))), "{read:?}");
    }
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&right.secret_file, open).unwrap();
    let exposed = Kept::at(&place(&right), dir.path(), "t", &[1; 32]);
    assert!(matches!(exposed, Err(TownError::KeyExposed(_))));
}

/// As the last byte of an upload leaves it.
async fn keep(town: &Town, bytes: &[u8]) -> BlobHash {
    let hash = BlobHash::of(bytes);
    town.blobs.store.put(hash, bytes.to_vec()).await.unwrap();
    let upload = Upload {
        id: yaoguan_model::Env::new_record_id(&System).0,
        account: town.storage.accounts().await.unwrap().first().unwrap().id,
        hash,
        size: bytes.len() as u64,
        received: bytes.len() as u64,
        done: false,
        expires_at: i64::MAX,
    };
    town.storage.keep_blob(upload, yaoguan_media::MediaType::Jpeg, 1).await.unwrap();
    hash
}

#[tokio::test]
async fn a_backup_holds_the_bucket_and_a_restore_fills_it_and_asks_again_for_what_is_no_good() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(&bucket(dir.path()).await);
    let (data, key) = (dir.path().join("town"), dir.path().join("town.key"));
    drop(Town::init(&data, &key, "t", true, &System).await.unwrap());
    let town =
        Town::open_at(&Place { blobs: place.clone(), ..Place::folder(&data, &key) }).await.unwrap();
    yaoguan_town::demo::add_admin(&town.storage, &System).await.unwrap();
    let (a, b) = (keep(&town, b"a photo").await, keep(&town, b"another photo").await);
    assert!(!data.join("blobs").exists(), "nothing lies in the folder");
    let taken = dir.path().join("backup");
    // One is lost before the backup, one is cut behind it.
    town.blobs.store.remove(b).await.unwrap();
    let manifest = backup::backup(&town, &taken, &System).await.unwrap();
    assert_eq!(manifest.files.len(), 3, "database, journal, one file");
    town.blobs.store.put_sealed(a, b"cut".to_vec()).await.unwrap();
    let loose = BlobHash::of(b"received after the backup");
    town.blobs.store.put(loose, b"received after the backup".to_vec()).await.unwrap();
    let checked = town.blobs.check(&town.storage).await.unwrap();
    let mut bad = checked.bad.clone();
    bad.sort_by_key(|(_, flaw)| flaw.as_str());
    assert_eq!(bad, [(a, Flaw::Damaged), (b, Flaw::Missing)]);
    assert_eq!(checked.unknown, [loose]);
    let epoch = town.storage.info().await.unwrap().epoch;
    drop(town);
    let restored = backup::restore(&data, &key, &place, &taken, &System).await.unwrap();
    assert_eq!(restored.blobs.bad, [(b, Flaw::Missing)]);
    let town =
        Town::open_at(&Place { blobs: place.clone(), ..Place::folder(&data, &key) }).await.unwrap();
    assert_ne!(town.storage.info().await.unwrap().epoch, epoch, "phones are asked once more");
    assert_eq!(town.blobs.store.read(a, 0..100).await.unwrap().unwrap(), b"a photo");
    let known: Vec<_> = town.storage.blobs().await.unwrap();
    assert_eq!(known, [(a, 7)], "the missing one counts as not received");
    // What the restored database does not know goes with the next look round.
    assert_eq!(town.blobs.sweep(&town.storage, 2).await.unwrap(), 1);
    assert_eq!(town.blobs.store.names().await.unwrap(), [a]);
}
