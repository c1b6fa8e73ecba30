//! Files in a bucket of an S3-compatible store: `<town>/ab/cd/<sha256>`, sealed like files in a folder, so
//! that whoever keeps the bucket reads nothing.
//!
//! The town's id stands first: two towns in one bucket do not see each other's files.

use std::io::Cursor;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::path::Path;
use object_store::{
    ClientOptions, Error, ObjectStore as _, ObjectStoreExt as _, PutPayload, RetryConfig,
};
use yaoguan_media::seal::seal;
use yaoguan_media::{SealKey, Sealed};
use yaoguan_model::BlobHash;
use yaoguan_model::env::System;
use yaoguan_transport::{Trust, client};

use super::{BlobStore, aside, place, unsealed};
use crate::error::TownError;
use crate::key_file;

/// Tries of one operation, and how long they may take together: less than a request may.
const TRIES: usize = 4;
const PATIENCE: Duration = Duration::from_secs(30);

/// Which bucket, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSettings {
    pub bucket: String,
    /// `https://host:port`; plain `http://` for a store on the same machine.
    pub endpoint: String,
    pub region: String,
    /// The name of the key; the key itself lies in a file that its owner alone may read.
    pub access_key: String,
    pub secret_file: PathBuf,
    /// The store's own CA (PEM); none: public CAs.
    pub ca_file: Option<PathBuf>,
}

/// Files in a bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    store: AmazonS3,
    prefix: String,
    key: SealKey,
}

/// Hands out the one client that the project builds.
#[derive(Debug)]
struct Own(reqwest::Client);

impl HttpConnector for Own {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

fn failed(error: Error) -> TownError {
    TownError::Bucket(error.to_string())
}

fn missing_is_none<R>(found: object_store::Result<R>) -> Result<Option<R>, TownError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

impl Bucket {
    /// Reaches nothing yet.
    pub(super) fn new(
        settings: &BucketSettings,
        town: &str,
        key: SealKey,
    ) -> Result<Self, TownError> {
        let BucketSettings { bucket, endpoint, region, access_key, secret_file, ca_file } =
            settings;
        let secret = std::fs::read_to_string(secret_file)
            .map_err(|_| TownError::Key(secret_file.clone()))?;
        if key_file::is_exposed(secret_file) {
            return Err(TownError::KeyExposed(secret_file.clone()));
        }
        let trust = match ca_file {
            Some(file) => Trust::Ca(std::fs::read_to_string(file)?),
            None => Trust::Public,
        };
        let client = client(trust).map_err(|error| TownError::Bucket(error.to_string()))?;
        let retry =
            RetryConfig { max_retries: TRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
        let store = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_endpoint(endpoint)
            .with_region(region)
            .with_access_key_id(access_key)
            .with_secret_access_key(secret.trim())
            .with_allow_http(true)
            .with_virtual_hosted_style_request(false)
            .with_retry(retry)
            .with_http_connector(Own(client))
            .build()
            .map_err(failed)?;
        Ok(Self { store, prefix: town.to_owned(), key })
    }

    fn path(&self, hash: BlobHash) -> Path {
        Path::from(format!("{}/{}", self.prefix, place(hash)))
    }
}

#[async_trait]
impl BlobStore for Bucket {
    async fn put(&self, hash: BlobHash, bytes: Vec<u8>) -> Result<(), TownError> {
        let key = self.key.clone();
        let sealed = aside(move || Ok(seal(&key, &bytes, &System))).await?;
        self.put_sealed(hash, sealed).await
    }

    async fn read(&self, hash: BlobHash, range: Range<u64>) -> Result<Option<Vec<u8>>, TownError> {
        let Some(sealed) = self.sealed(hash).await? else { return Ok(None) };
        let key = self.key.clone();
        let read = move || Sealed::open(&key, Cursor::new(sealed))?.read(range);
        aside(move || read().map(Some).map_err(|error| unsealed(hash, error))).await
    }

    async fn remove(&self, hash: BlobHash) -> Result<(), TownError> {
        missing_is_none(self.store.delete(&self.path(hash)).await).map(|_| ())
    }

    async fn names(&self) -> Result<Vec<BlobHash>, TownError> {
        let prefix = Path::from(self.prefix.as_str());
        let found: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.map_err(failed)?;
        let name = |location: &Path| location.filename().and_then(|name| name.parse().ok());
        Ok(found.iter().filter_map(|object| name(&object.location)).collect())
    }

    async fn sealed(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, TownError> {
        let Some(found) = missing_is_none(self.store.get(&self.path(hash)).await)? else {
            return Ok(None);
        };
        Ok(Some(found.bytes().await.map_err(failed)?.to_vec()))
    }

    async fn put_sealed(&self, hash: BlobHash, sealed: Vec<u8>) -> Result<(), TownError> {
        let put = self.store.put(&self.path(hash), PutPayload::from(sealed)).await;
        put.map(|_| ()).map_err(failed)
    }
}
