//! What is measured with: hazards of 15 values from one seed, the same for the product and its peers, and
//! the real rows of the landslide catalogue.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value as Json, json};
use yaoguan_field::Phone;
use yaoguan_model::{AccountId, Change, Env, FieldPath, Kind, Record, RecordId, Value};
use yaoguan_sync::{Local, PhoneStore as _, Tx as _};
use yaoguan_testkit::town::{GRID, TestTown};
use yaoguan_town::Storage as _;
use yaoguan_town::storage::OwnWrite;

pub const SEED: u64 = 20_260_101;
/// Records of one transaction while a store is filled.
const BATCH: usize = 1_000;

/// xorshift64: the same sequence each time.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const PLACES: &[&str] = &[
    "清平村",
    "蒜园村",
    "雷打树村",
    "大岭村",
    "火星村",
    "保场村",
    "山邑村",
    "陡坡村",
    "摆榔岔路",
    "杨梅坡",
    "上街",
    "下街",
    "小学门口",
    "农贸市场",
    "卫生院旁",
    "水库坝下",
    "老桥头",
    "粮站后面",
];
const THINGS: &[&str] = &[
    "边坡开裂",
    "挡墙鼓胀",
    "电线老化",
    "配电箱无锁",
    "排水沟堵塞",
    "路面塌陷",
    "护栏缺失",
    "灭火器过期",
    "燃气软管龟裂",
    "危房漏雨",
    "广告牌松动",
    "树枝压线",
    "井盖破损",
    "堆放易燃物",
    "桥面裂缝",
    "水管渗漏",
];
const SAYS: &[&str] = &[
    "雨后更明显",
    "距住户不足五米",
    "需要尽快处理",
    "已拉警戒线",
    "夜间照明不足",
    "过往车辆较多",
    "老人小孩经常路过",
    "去年修过一次",
    "与上次相比没有变化",
    "长约三米",
    "宽约两指",
    "已口头告知户主",
    "建议请专业人员查看",
    "暂无人员受影响",
];

/// One hazard, as plain values.
#[derive(Debug, Clone)]
pub struct Hazard {
    pub title: String,
    pub description: String,
    pub address: String,
    pub category: &'static str,
    pub severity: &'static str,
    pub lat_e7: i64,
    pub lon_e7: i64,
    pub accuracy_cm: i64,
    pub seen_at: i64,
    pub boot_s: i64,
    pub patrol: String,
    pub key: usize,
}

/// The first `count` hazards of the seed.
pub fn hazards(count: usize) -> Vec<Hazard> {
    let mut random = Random::new(SEED);
    let patrols: Vec<String> =
        (0..64).map(|n| format!("01930000-0000-7000-8000-{n:012x}")).collect();
    (0..count).map(|key| hazard(key, &patrols, &mut random)).collect()
}

fn hazard(key: usize, patrols: &[String], random: &mut Random) -> Hazard {
    let place = random.one(PLACES);
    let thing = random.one(THINGS);
    let says: Vec<&str> = (0..1 + random.below(3)).map(|_| random.one(SAYS)).collect();
    Hazard {
        title: format!("{place}{thing}"),
        description: format!("{thing}，{}。", says.join("，")),
        address: format!("{place}{}号", 1 + random.below(400)),
        category: random.one(yaoguan_model::hazard::CATEGORIES),
        severity: random.one(&["general", "general", "serious", "major"]),
        lat_e7: 245_560_000 + random.below(860_000) as i64,
        lon_e7: 991_220_000 + random.below(1_600_000) as i64,
        accuracy_cm: 300 + random.below(20) as i64 * 50,
        seen_at: 1_767_200_000 + key as i64 * 40 + random.below(30) as i64,
        boot_s: 5_000 + key as i64 * 40,
        patrol: patrols[random.below(patrols.len())].clone(),
        key,
    }
}

impl Hazard {
    pub fn fields(&self) -> BTreeMap<FieldPath, Value> {
        let text = |text: &str| Value::text(text);
        let position = Value::map([
            ("lat", Value::Int(self.lat_e7)),
            ("lon", Value::Int(self.lon_e7)),
            ("accuracy_cm", Value::Int(self.accuracy_cm)),
            ("source", text("gps")),
        ]);
        let recorded =
            Value::map([("at", Value::Int(self.seen_at)), ("boot_s", Value::Int(self.boot_s))]);
        [
            ("title", text(&self.title)),
            ("description", text(&self.description)),
            ("address", text(&self.address)),
            ("category", text(self.category)),
            ("severity", text(self.severity)),
            ("status", text("reported")),
            ("position", position),
            ("grid", text(GRID)),
            ("seen_at", Value::Int(self.seen_at)),
            ("recorded_at", recorded),
            ("patrol", text(&self.patrol)),
            ("source", text("bench")),
            ("source_key", Value::Text(self.key.to_string())),
        ]
        .into_iter()
        .map(|(path, value)| (path.parse().unwrap(), value))
        .collect()
    }

    pub fn changes(&self) -> BTreeMap<FieldPath, Change> {
        let change = |value| Change { replaces: Vec::new(), value: Some(value) };
        self.fields().into_iter().map(|(path, value)| (path, change(value))).collect()
    }

    /// The same as a document of the peers.
    pub fn document(&self, id: &str) -> Json {
        json!({
            "_id": id, "kind": "hazard", "title": self.title, "description": self.description,
            "address": self.address, "category": self.category, "severity": self.severity,
            "status": "reported", "lat": self.lat_e7, "lon": self.lon_e7,
            "accuracy_cm": self.accuracy_cm, "position_source": "gps", "grid": GRID,
            "seen_at": self.seen_at, "recorded_at": self.seen_at, "boot_s": self.boot_s,
            "patrol": self.patrol, "source": "bench", "source_key": self.key.to_string(),
        })
    }
}

/// Puts unsent hazards on a phone, as an import does.
pub fn put_on(phone: &mut Phone, env: &dyn Env, hazards: &[Hazard]) -> Result<Vec<RecordId>> {
    let account = phone.store().identity()?.context("enrolled")?.account;
    let mut ids = Vec::with_capacity(hazards.len());
    for batch in hazards.chunks(BATCH) {
        phone.store_mut().transact(|tx| -> Result<()> {
            let mut state = tx.state()?;
            for hazard in batch {
                let record = Record::new(env.new_record_id(), Kind::Hazard, account);
                ids.push(record.id);
                tx.put(&Local::created(record, &hazard.changes(), state.next_dot()))?;
            }
            Ok(tx.set_state(&state)?)
        })?;
    }
    Ok(ids)
}

/// Puts hazards into a town, written by itself in the name of `author`.
pub async fn put_in(town: &TestTown, author: AccountId, hazards: &[Hazard]) -> Result<()> {
    for batch in hazards.chunks(BATCH) {
        let own = |hazard: &Hazard| OwnWrite {
            id: town.clock.new_record_id(),
            kind: Kind::Hazard,
            author,
            changes: hazard.changes(),
        };
        town.town.storage.write_own(batch.iter().map(own).collect(), town.done()).await?;
    }
    Ok(())
}

/// Documents for the peers, one a line.
pub fn documents(path: &Path, hazards: &[Hazard], prefix: &str) -> Result<PathBuf> {
    let lines: Vec<String> = hazards
        .iter()
        .map(|hazard| hazard.document(&format!("{prefix}{:032x}", hazard.key)).to_string())
        .collect();
    std::fs::write(path, lines.join("\n"))?;
    Ok(path.to_owned())
}

/// The real rows, if the file is there.
pub fn landslides() -> Option<Vec<u8>> {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/landslides-2007-2012.csv");
    std::fs::read(std::env::var("LANDSLIDES").unwrap_or_else(|_| own.to_owned())).ok()
}

/// How the product reads them.
pub const LANDSLIDES_MAPPING: &str =
    include_str!("../../crates/exchange/mappings/nasa-landslides.toml");
