//! A real town on a real port in this process, and real phones in temporary folders.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use yaoguan_field::{EnrolOptions, Home, Phone};
use yaoguan_model::{AccountId, Env, GridCode, Role};
use yaoguan_town::audit::Attribution;
use yaoguan_town::blobs::BlobPlace;
use yaoguan_town::data::Place;
use yaoguan_town::doctor::Setup;
use yaoguan_town::people::{Account, Coverage, NewInvite, PersonChange, hash_code, new_code};
use yaoguan_town::serve::{Options, Server};
use yaoguan_town::storage::People as _;
use yaoguan_town::storage::postgres::DatabaseUrl;
use yaoguan_town::storage::sql::Dialect;
use yaoguan_town::{Storage as _, Town, TownError, demo};
use yaoguan_wire::Invite;

use crate::clock::Clock;
use crate::network::{Line, own_address};

/// The first grid of the demo town.
pub const GRID: &str = "530521103201001";
/// Another one, of another village.
pub const OTHER_GRID: &str = "530521103202001";

/// Names a PostgreSQL database; towns are then kept in it.
pub const ON_POSTGRES: &str = "YAOGUAN_TEST_DATABASE_URL";

/// A demo town that serves.
pub struct TestTown {
    pub town: Town,
    pub clock: Clock,
    pub url: String,
    pub address: SocketAddr,
    place: Place,
    dir: TempDir,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
}

impl TestTown {
    /// A new demo town on a free port.
    pub async fn start() -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let clock = Clock::default();
        let place = Place { database: own_database(&clock)?, ..place(dir.path()) };
        std::fs::create_dir_all(dir.path().join("console/assets"))?;
        std::fs::write(dir.path().join("console/index.html"), "<!doctype html>")?;
        std::fs::write(dir.path().join("console/assets/page.js"), "export {}")?;
        let (at, env) = (place.clone(), clock.clone());
        let town = beside(async move { Town::init_at(&at, "姚关镇", true, &env).await }).await?;
        let admin = demo::add_admin(&town.storage, &clock).await?;
        demo::publish_template(&town.storage, admin, &clock).await?;
        demo::fill(&town.storage, admin, &clock).await?;
        // Of its own, so that it is found again after a restart.
        let listen = own_address();
        let mut this = Self {
            town,
            clock,
            url: String::new(),
            address: listen,
            place,
            dir,
            stop: None,
            running: None,
        };
        this.serve().await?;
        Ok(this)
    }

    async fn serve(&mut self) -> anyhow::Result<()> {
        let options = Options {
            listen: self.address,
            behind_proxy: false,
            public: None,
            backups: None,
            console_dir: Some(self.dir.path().join("console")),
            setup: Some(Arc::new(Setup {
                data: self.data(),
                key_file: self.place.key_file.clone(),
                listen: self.address,
                public: None,
                behind_proxy: false,
                backups: None,
                blobs: BlobPlace::default(),
                database: self.place.database.clone(),
                units: Vec::new(),
                look: tokio::sync::Mutex::default(),
            })),
        };
        let server = Server::bind(&self.town, &options, Arc::new(self.clock.clone())).await?;
        self.url.clone_from(&server.url);
        self.address = server.url.trim_start_matches("https://").parse()?;
        let (stop, stopped) = oneshot::channel::<()>();
        self.running = Some(tokio::spawn(async move {
            let asked = async {
                _ = stopped.await;
            };
            server.run(asked).await.expect("the town serves until it is stopped");
        }));
        self.stop = Some(stop);
        Ok(())
    }

    /// Stops serving and starts again on the same port, with the same data.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await?;
        self.town = open(&self.place).await?;
        self.serve().await
    }

    /// Stops serving.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            _ = stop.send(());
        }
        if let Some(running) = self.running.take() {
            running.await?;
        }
        Ok(())
    }

    /// The town's clock, in seconds.
    pub fn town_time(&self) -> i64 {
        self.clock.now_s()
    }

    /// Something that the town does by itself, now.
    pub fn done(&self) -> Attribution {
        Attribution::town(self.clock.now_s())
    }

    /// The town's data folder.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("town")
    }

    /// A line to the town that can be broken.
    pub async fn line(&self) -> anyhow::Result<Line> {
        Line::to(self.address).await
    }

    /// A new account.
    pub async fn account(&self, role: Role, grids: &[&str]) -> anyhow::Result<AccountId> {
        let id = AccountId(self.clock.new_record_id().0);
        let whole_town = role == Role::Supervisor && grids.is_empty();
        let grids = grids.iter().map(|code| code.parse::<GridCode>()).collect::<Result<_, _>>()?;
        let name = format!("{} {id}", role.as_str());
        let account = Account { id, name, role, whole_town, grids, scope_version: 1 };
        self.town.storage.add_accounts(vec![account], self.clock.now_s()).await?;
        Ok(id)
    }

    /// Another role and other grids for an account.
    pub fn rescope(&self, account: AccountId, role: Role, grids: &[&str]) {
        let grids = grids.iter().map(|code| code.parse().expect("a grid")).collect();
        let coverage = Some(Coverage::Grids(grids));
        let change = PersonChange { role: Some(role), coverage, ..PersonChange::of(account) };
        let done = Attribution::town(self.clock.now_s());
        now(self.town.storage.write_people(Vec::new(), vec![change], done)).expect("the account");
    }

    /// From now on every statement of this sort (`INSERT`, `UPDATE`) on a table fails.
    pub fn breaks(&self, what: &str, table: &str) {
        let trigger = format!("CREATE TRIGGER full BEFORE {what} ON {table}");
        self.town.storage.with_raw(|c| {
            if c.dialect() == Dialect::Sqlite {
                let sql = format!("{trigger} BEGIN SELECT RAISE(ABORT, 'x'); END");
                return c.execute_batch(&sql).expect("a trigger");
            }
            // Other towns of the database go on.
            let sql = "SELECT current_setting('yaoguan.town') AS town";
            let town: String = c.query_row(sql, [], |row| row.get("town")).expect("a town");
            let sql = format!(
                "CREATE FUNCTION full_{town}() RETURNS trigger LANGUAGE plpgsql \
                 AS $$ BEGIN RAISE EXCEPTION 'x'; END $$; \
                 CREATE TRIGGER full_{town} BEFORE {what} ON {table} FOR EACH ROW \
                 WHEN (NEW.town = {town}) EXECUTE FUNCTION full_{town}()"
            );
            c.execute_batch(&sql).expect("a trigger");
        });
    }

    /// Strikes a phone off.
    pub fn revoke(&self, phone: &TestPhone) {
        let identity = phone.phone.store().identity().expect("its store").expect("enrolled");
        let done = Attribution::town(self.clock.now_s());
        now(self.town.storage.revoke_device(identity.device, done)).expect("the device");
    }

    /// Stops the town, does something to its closed folder, and serves again as a new line of history.
    pub async fn restored(&mut self, with: impl FnOnce(&Path)) -> anyhow::Result<()> {
        self.stop().await?;
        let data = self.data();
        self.town = open(&self.place).await?;
        self.town
            .storage
            .embedded()?
            .with_raw(|c| c.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"))?;
        with(&data);
        let before = self.town.storage.info().await?.epoch;
        self.town = open(&self.place).await?;
        if self.town.storage.info().await?.epoch == before {
            self.town.storage.renew(&self.clock).await?;
        }
        self.serve().await
    }

    /// Stops the town, does something to its closed folder, and serves what is there then.
    pub async fn meddled(&mut self, with: impl FnOnce(&Path)) -> anyhow::Result<()> {
        self.stop().await?;
        let data = self.data();
        self.town
            .storage
            .embedded()?
            .with_raw(|c| c.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)"))?;
        with(&data);
        self.town = open(&self.place).await?;
        self.serve().await
    }

    /// An invite for an account that reaches the town at `address`.
    pub async fn invite(&self, account: AccountId, address: SocketAddr) -> anyhow::Result<String> {
        let code = new_code(&self.clock);
        let now = self.clock.now_s();
        let invite = NewInvite { code_hash: hash_code(&code), account, expires_at: now + 600 };
        self.town.storage.add_invite(invite, now).await?;
        let ca = Some(self.town.ca.fingerprint()?);
        Ok(Invite { town: format!("https://{address}"), code, ca }.to_string())
    }

    /// A new phone of a new account, enrolled and synced once.
    pub async fn phone(&self, role: Role, grids: &[&str]) -> anyhow::Result<TestPhone> {
        let account = self.account(role, grids).await?;
        self.phone_of(account, self.address).await
    }

    /// A new phone of an account, over a line.
    pub async fn phone_of(
        &self,
        account: AccountId,
        address: SocketAddr,
    ) -> anyhow::Result<TestPhone> {
        self.phone_by(&self.invite(account, address).await?).await
    }

    /// A new phone that enrols with an invite.
    pub async fn phone_by(&self, uri: &str) -> anyhow::Result<TestPhone> {
        let dir = tempfile::tempdir()?;
        let clock = Clock::default();
        let options = EnrolOptions { device_name: "test".to_owned(), lang: "en" };
        let env: Arc<dyn Env> = Arc::new(clock.clone());
        let mut phone = Phone::enrol(home(dir.path()), uri, &options, env).await?;
        phone.sync(|_| {}).await?;
        Ok(TestPhone { phone, clock, dir })
    }
}

/// A town's parts in a temporary folder.
fn place(dir: &Path) -> Place {
    Place::folder(&dir.join("town"), &dir.join("town.key"))
}

/// Runs on a runtime that goes on while a test's own thread waits, as connections to a database must.
async fn beside<R: Send + 'static>(
    work: impl Future<Output = Result<R, TownError>> + Send + 'static,
) -> anyhow::Result<R> {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().expect("a runtime")
    });
    Ok(RUNTIME.spawn(work).await??)
}

async fn open(place: &Place) -> anyhow::Result<Town> {
    let place = place.clone();
    beside(async move { Town::open_at(&place).await }).await
}

/// A town of its own in the database that [`ON_POSTGRES`] names; none: in its folder.
fn own_database(env: &dyn Env) -> anyhow::Result<Option<DatabaseUrl>> {
    let Ok(database) = std::env::var(ON_POSTGRES) else { return Ok(None) };
    let town: String = env.random_16().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(format!("{database}?town={town}").parse()?))
}

/// The home of a phone in its temporary folder; the marker lies beside the data.
fn home(dir: &Path) -> Home {
    Home::with_state(&dir.join("phone"), &dir.join("state"))
}

/// A phone in a temporary folder.
pub struct TestPhone {
    pub phone: Phone,
    pub clock: Clock,
    dir: TempDir,
}

impl TestPhone {
    /// The phone's data folder.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("phone")
    }

    /// The folder of the marker: what no backup takes along.
    pub fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Ends the app, does something to its closed folder, and starts it again.
    pub fn after(self, with: impl FnOnce(&Path)) -> anyhow::Result<Self> {
        let Self { phone, clock, dir } = self;
        drop(phone);
        with(&dir.path().join("phone"));
        let phone = Phone::open(home(dir.path()), Arc::new(clock.clone()), "en")?;
        Ok(Self { phone, clock, dir })
    }

    /// The same folder at another place, as it is now: another device, or a careless copy. `marker`: the
    /// marker was copied too.
    pub fn copied(&self, marker: bool) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        copy(&self.data(), &dir.path().join("phone"))?;
        if marker {
            let own = Home::with_state(&self.data(), &self.state());
            if let Some(mark) = own.marker.read() {
                home(dir.path()).marker.write(mark)?;
            }
        }
        let clock = self.clock.clone();
        let phone = Phone::open(home(dir.path()), Arc::new(clock.clone()), "en")?;
        Ok(Self { phone, clock, dir })
    }

    /// Ends the app and starts it again.
    pub fn restart(self) -> anyhow::Result<Self> {
        self.after(|_| {})
    }
}

/// Copies the files of a folder and of those in it.
pub fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// Waits for a future of the storage, which needs no reactor, in the middle of whatever runs.
fn now<R: Send>(work: impl Future<Output = R> + Send) -> R {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(work)
    };
    std::thread::scope(|scope| scope.spawn(run).join().expect("the storage does not panic"))
}
