//! The town of a run: the real storage on its real files, behind the real routes, in this process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use http_body_util::BodyExt as _;
use tokio::runtime::Runtime;
use tower::util::ServiceExt as _;
use yaoguan_field::Home;
use yaoguan_model::{AccountId, DeviceId, Env as _, FieldPath, Kind, Role, Value};
use yaoguan_testkit::disk::Disk;
use yaoguan_town::Storage;
use yaoguan_town::api::{App, router};
use yaoguan_town::audit::Attribution;
use yaoguan_town::blobs::{BlobPlace, Kept};
use yaoguan_town::people::{Account, Enrolment, NewDevice, NewInvite, hash_code, new_code};
use yaoguan_town::storage::OwnWrite;
use yaoguan_town::storage::sqlite::Sqlite;
use yaoguan_town::tiles::Folder;
use yaoguan_wire::proof::DeviceKey;

use crate::env::SeedEnv;
use crate::line::{Answer, Sent};

const KEY: [u8; 32] = [7; 32];
/// Where phones believe the town to be.
pub const HOST: &str = "town.invalid";
/// The grids of the town.
pub const GRIDS: [&str; 4] =
    ["530521103201001", "530521103201002", "530521103202001", "530521103203001"];

/// What stands below the town's folder.
struct Place(PathBuf);

impl Place {
    fn database(&self) -> PathBuf {
        self.0.join("town/town.db")
    }
    fn beside(&self, ending: &str) -> PathBuf {
        self.0.join(format!("town.{ending}"))
    }
}

pub struct Town {
    place: Place,
    pub disk: Disk,
    pub env: Arc<SeedEnv>,
    runtime: Arc<Runtime>,
    open: Option<Open>,
    backups: usize,
}

struct Open {
    storage: Sqlite,
    app: App,
}

type Failed = Box<dyn std::error::Error>;

impl Town {
    /// A new town with its grids and an administrator.
    pub fn found(folder: &Path, env: Arc<SeedEnv>, runtime: Arc<Runtime>) -> Result<Self, Failed> {
        std::fs::create_dir_all(folder.join("town"))?;
        let disk = Disk::of(folder);
        let admin = AccountId(env.new_record_id().0);
        let place = Place(folder.to_owned());
        let mut town = Self { place, disk, env, runtime, open: None, backups: 0 };
        let storage = Sqlite::open_noting(&town.place.database(), &KEY, Some(&town.heads()))?;
        let env = Arc::clone(&town.env);
        let (line, journal) = (town.place.beside("line"), town.place.beside("journal"));
        town.runtime.block_on(async {
            storage.found("姚关镇", false, env.as_ref()).await?;
            storage.begin_line(&line, &journal).await?;
            let account = person(admin, Role::Admin, &[]);
            storage.add_accounts(vec![account], env.now_s()).await?;
            let grids = GRIDS.iter().map(|code| grid(code, admin, env.as_ref()));
            storage.write_own(grids.collect(), Attribution::town(env.now_s())).await
        })?;
        town.serve(storage)?;
        Ok(town)
    }

    fn heads(&self) -> PathBuf {
        self.place.beside("audit-head")
    }

    fn serve(&mut self, storage: Sqlite) -> Result<(), Failed> {
        let folder = self.place.0.join("town");
        let blobs = Kept::at(&BlobPlace::Folder, &folder, "sim", &KEY)?;
        let tiles = Folder::within(&folder);
        let app = App::over(Arc::new(storage.clone()), self.env.clone(), blobs, tiles);
        self.open = Some(Open { storage, app });
        Ok(())
    }

    /// The storage, as the product sees it.
    pub fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.opened().app.storage)
    }

    fn opened(&self) -> &Open {
        self.open.as_ref().expect("the town is open between two steps")
    }

    /// Runs something of the storage.
    pub fn run<R>(&self, work: impl Future<Output = R>) -> R {
        self.runtime.block_on(work)
    }

    /// One request and its answer; none when the town ended meanwhile.
    pub fn answer(&mut self, request: &Sent) -> Option<Answer> {
        let mut to_town = http::Request::builder()
            .method(request.method.clone())
            .uri(format!("https://{HOST}{}", request.path));
        for (name, value) in &request.headers {
            to_town = to_town.header(name, value);
        }
        let to_town = to_town.header("host", HOST).body(Body::from(request.body.clone())).ok()?;
        let app = self.opened().app.clone();
        let answered = self.runtime.block_on(async move {
            let response = router(app).oneshot(to_town).await.ok()?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.ok()?.to_bytes().to_vec();
            Some(http::Response::from_parts(parts, body))
        });
        if self.disk.is_dead() { None } else { answered }
    }

    /// Ends, whatever it was doing, and starts again on what is on the disk.
    pub fn restart(&mut self, power: Option<&mut dyn FnMut() -> u64>) -> Result<(), Failed> {
        self.disk.die();
        self.open = None;
        if let Some(dice) = power {
            self.disk.cut_power(dice)?;
        }
        self.disk.revive();
        self.start()
    }

    fn start(&mut self) -> Result<(), Failed> {
        let storage = Sqlite::open_noting(&self.place.database(), &KEY, Some(&self.heads()))?;
        let (line, journal) = (self.place.beside("line"), self.place.beside("journal"));
        self.runtime.block_on(storage.take_up(&line, &journal, self.env.as_ref()))?;
        self.serve(storage)
    }

    /// Notes how far its line has come, as a serving town does once a second.
    pub fn mark(&self) {
        // A marker that says too little makes a new line, which loses nothing.
        _ = self.runtime.block_on(self.opened().storage.mark_line());
    }

    pub fn back_up(&mut self) -> Result<(), Failed> {
        let folder = self.place.0.join(format!("backup-{}", self.backups));
        std::fs::create_dir_all(&folder)?;
        let (database, journal) = (folder.join("town.db"), folder.join("journal"));
        for file in [&database, &journal] {
            _ = std::fs::remove_file(file);
        }
        let storage = &self.opened().storage;
        self.runtime.block_on(storage.copy_to(&database, &journal))?;
        self.backups += 1;
        Ok(())
    }

    /// Puts the last backup back; the journal beside it stays, or goes with the machine. False: there is none.
    pub fn restore(&mut self, journal_too: bool) -> Result<bool, Failed> {
        let Some(last) = self.backups.checked_sub(1) else { return Ok(false) };
        let folder = self.place.0.join(format!("backup-{last}"));
        self.disk.die();
        self.open = None;
        self.disk.revive();
        let database = self.place.database();
        for ending in ["", "-wal", "-shm"] {
            _ = std::fs::remove_file(database.with_file_name(format!("town.db{ending}")));
        }
        std::fs::copy(folder.join("town.db"), &database)?;
        if journal_too {
            let journal = self.place.beside("journal");
            for ending in ["journal-wal", "journal-shm", "journal-journal", "line", "audit-head"] {
                _ = std::fs::remove_file(self.place.beside(ending));
            }
            std::fs::copy(folder.join("journal"), journal)?;
        }
        self.start()?;
        Ok(true)
    }

    /// An account.
    pub fn add(&self, role: Role, grids: &[&str]) -> Result<AccountId, Failed> {
        let id = AccountId(self.env.new_record_id().0);
        let account = person(id, role, grids);
        self.run(self.storage().add_accounts(vec![account], self.env.now_s()))?;
        Ok(id)
    }

    /// A device for an account: its id, its key, and the account as it is now.
    pub fn enrol(&self, account: AccountId) -> Result<(DeviceId, DeviceKey, Account), Failed> {
        let (env, storage) = (self.env.as_ref(), self.storage());
        let code = hash_code(&new_code(env));
        let key = DeviceKey::generate(env);
        let id = DeviceId(env.new_record_id().0);
        let device = NewDevice { id, name: "sim".to_owned(), public_key: key.public_pem()? };
        let enrolled = self.run(async {
            let invite = NewInvite { code_hash: code, account, expires_at: env.now_s() + 600 };
            storage.add_invite(invite, env.now_s()).await?;
            storage.enrol(code, device, env.now_s()).await
        })?;
        match enrolled {
            Enrolment::Done(account) => Ok((id, key, account)),
            Enrolment::Unknown | Enrolment::Gone => Err("the invite is not taken".into()),
        }
    }

    /// Every record, in canonical form, by id.
    pub fn bodies(&self) -> Result<BTreeMap<String, Vec<u8>>, Failed> {
        let storage = self.storage();
        let mut all = BTreeMap::new();
        for kind in [Kind::Hazard, Kind::Household, Kind::HouseholdCheck, Kind::Task, Kind::Grid] {
            for record in self.run(storage.records(kind))? {
                let body = yaoguan_model::canonical::encode(&record);
                all.insert(record.id.to_string(), body);
            }
        }
        Ok(all)
    }
}

/// A phone's home; its marker lies beside its data.
pub fn home(folder: &Path) -> Home {
    Home::with_state(&folder.join("phone"), &folder.join("state"))
}

fn person(id: AccountId, role: Role, grids: &[&str]) -> Account {
    let whole_town = role == Role::Supervisor && grids.is_empty();
    let grids = grids.iter().filter_map(|code| code.parse().ok()).collect();
    Account {
        id,
        name: format!("{} {id}", role.as_str()),
        role,
        whole_town,
        grids,
        scope_version: 1,
    }
}

fn grid(code: &str, author: AccountId, env: &SeedEnv) -> OwnWrite {
    let values = [
        ("code", code),
        ("name", "grid"),
        ("village", code.get(..12).unwrap_or_default()),
        ("village_name", "village"),
    ];
    let change =
        |text: &str| yaoguan_model::Change { replaces: Vec::new(), value: Some(Value::text(text)) };
    let changes = values
        .into_iter()
        .filter_map(|(path, text)| Some((path.parse::<FieldPath>().ok()?, change(text))));
    OwnWrite { id: env.new_record_id(), kind: Kind::Grid, author, changes: changes.collect() }
}
