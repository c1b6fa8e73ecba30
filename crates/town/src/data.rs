//! The town's data folder: `town.db` in it, its key file beside it (see [`crate::key_file`]).

use std::path::Path;

use yaoguan_model::Env;

use crate::error::TownError;
use crate::key_file;
use crate::storage::Storage;
use crate::storage::sqlite::Sqlite;
use crate::tls::Ca;

pub(crate) const DATABASE: &str = "town.db";
const CA_CERT: &str = "ca_cert";
const CA_KEY: &str = "ca_key";

/// A town on disk.
#[derive(Clone)]
pub struct Town {
    pub storage: Sqlite,
    pub ca: Ca,
}

impl Town {
    /// Makes a town: key, database, epoch, replica id, CA.
    pub async fn init(
        dir: &Path,
        key_file: &Path,
        name: &str,
        demo: bool,
        env: &dyn Env,
    ) -> Result<Self, TownError> {
        let database = dir.join(DATABASE);
        if database.exists() {
            return Err(TownError::Exists(dir.to_owned()));
        }
        make_private(dir)?;
        let key = key_file::read_or_make(key_file, dir, env)?;
        let storage = Sqlite::open(&database, &key)?;
        storage.found(name, demo, env).await?;
        let ca = Ca::new(name, env.now_s())?;
        storage.set_secret(CA_CERT, ca.cert_pem.clone()).await?;
        storage.set_secret(CA_KEY, ca.key_pem.clone()).await?;
        Ok(Self { storage, ca })
    }

    /// Opens a town that is there.
    pub async fn open(dir: &Path, key_file: &Path) -> Result<Self, TownError> {
        let database = dir.join(DATABASE);
        if !database.exists() {
            return Err(TownError::Missing(dir.to_owned()));
        }
        let storage = Sqlite::open(&database, &key_file::read(key_file, dir)?)?;
        let missing = || TownError::Corrupt("the town has no CA: `init` did not finish".to_owned());
        let cert_pem = storage.secret(CA_CERT).await?.ok_or_else(missing)?;
        let key_pem = storage.secret(CA_KEY).await?.ok_or_else(missing)?;
        Ok(Self { storage, ca: Ca { cert_pem, key_pem } })
    }
}

/// Makes a folder that its owner alone may enter; one that is there stays as it is.
fn make_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(dir)
}
