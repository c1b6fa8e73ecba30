//! What every store of files keeps to.

use std::sync::Arc;

use yaoguan_model::BlobHash;
use yaoguan_town::blobs::BlobStore;

/// Bytes of several sealed chunks.
fn bytes(n: u8) -> Vec<u8> {
    (0..200_000_u32).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0] ^ n).collect()
}

/// Runs the suite on an empty store; `again` opens the same place once more.
pub async fn run(store: Arc<dyn BlobStore>, again: Arc<dyn BlobStore>) {
    let (a, b) = (bytes(1), bytes(2));
    let (of_a, of_b) = (BlobHash::of(&a), BlobHash::of(&b));
    let whole = 0..u64::MAX;
    assert!(store.names().await.unwrap().is_empty());
    assert_eq!(store.read(of_a, whole.clone()).await.unwrap(), None);
    assert_eq!(store.sealed(of_a).await.unwrap(), None);
    store.remove(of_a).await.unwrap();
    store.put(of_a, a.clone()).await.unwrap();
    store.put(of_a, a.clone()).await.unwrap();
    store.put(of_b, b.clone()).await.unwrap();
    assert_eq!(again.read(of_a, whole.clone()).await.unwrap().as_ref(), Some(&a));
    assert_eq!(again.read(of_b, 65_530..65_560).await.unwrap().unwrap(), b[65_530..65_560]);
    assert_eq!(store.read(of_b, 199_990..300_000).await.unwrap().unwrap(), b[199_990..]);
    assert_eq!(store.read(of_b, 300_000..300_001).await.unwrap().unwrap(), b"");
    let mut names = again.names().await.unwrap();
    names.sort();
    let mut expected = [of_a, of_b];
    expected.sort();
    assert_eq!(names, expected);
    // As it lies there it is nobody's to read, and goes back as it was.
    let sealed = store.sealed(of_a).await.unwrap().unwrap();
    assert!(!sealed.windows(64).any(|window| a.windows(64).next() == Some(window)));
    store.remove(of_a).await.unwrap();
    assert_eq!(again.read(of_a, whole.clone()).await.unwrap(), None);
    again.put_sealed(of_a, sealed.clone()).await.unwrap();
    assert_eq!(store.read(of_a, whole.clone()).await.unwrap(), Some(a));
    // Under another name, or cut, it does not open.
    store.put_sealed(of_b, sealed[..sealed.len() - 1].to_vec()).await.unwrap();
    assert!(store.read(of_b, whole).await.is_err());
}
