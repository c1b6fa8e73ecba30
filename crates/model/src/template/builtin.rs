//! The built-in template 家庭安全检查 (records.md, *The built-in template*): 17 things to look at in a
//! dwelling. Every town has it from the start and may publish another.
//!
//! Weights are this project's own judgement of how much each adds to the danger for life, 1 to 5, not
//! taken from a standard; a town that has its own table publishes its own template. The advice is for
//! villagers: what to do first, what to leave alone, whom to call.

use std::collections::BTreeMap;

use super::Item;
use crate::path::{BadPath, FieldPath};
use crate::value::Value;

/// `code` of the template.
pub const CODE: &str = "home_safety";
/// `version` of the template; to be raised with every change of a word below.
pub const VERSION: i64 = 1;

struct Row {
    key: &'static str,
    weight: i64,
    critical: bool,
    zh: &'static str,
    en: &'static str,
    advice_zh: &'static str,
    advice_en: &'static str,
}

const CRITICAL: bool = true;
const NORMAL: bool = false;

const fn row(
    key: &'static str,
    (weight, critical): (i64, bool),
    [zh, en]: [&'static str; 2],
    [advice_zh, advice_en]: [&'static str; 2],
) -> Row {
    Row { key, weight, critical, zh, en, advice_zh, advice_en }
}

/// Gas, electricity, ways out.
const INDOORS: &[Row] = &[
    row(
        "gas_hose",
        (4, NORMAL),
        ["燃气软管老化或超过2米", "Gas hose aged or longer than 2 m"],
        [
            "请更换为合格的燃气专用软管，长度不超过2米，两端用管卡固定，不穿墙、不接三通。换好之前，用完就关气瓶角阀。",
            "Have the hose replaced by an approved gas hose of at most 2 m, clamped at both ends, not led through walls and without branches. Until then close the bottle valve after each use.",
        ],
    ),
    row(
        "gas_valve",
        (5, NORMAL),
        ["燃气阀门损坏或有漏气", "Gas valve damaged or gas leaking"],
        [
            "闻到气味时不开关电器、不打电话、不点火，先关阀门、开门窗，人到屋外再联系供气站或拨打119。请供气站检修，修好并用肥皂水试过不漏后再用。",
            "If you smell gas: touch no switch, no phone and no flame indoors; close the valve, open doors and windows, go outside, then call the gas supplier or 119. Use it again only after repair and a test with soapy water.",
        ],
    ),
    row(
        "gas_alarm",
        (3, NORMAL),
        ["未安装燃气报警器", "No gas alarm"],
        [
            "请在用气的房间安装合格的燃气报警器：液化气装在离地面30厘米以内，天然气装在靠近屋顶处，并每月按一次测试键。",
            "Fit an approved gas alarm in the room where gas is used: within 30 cm of the floor for bottled gas (LPG), close to the ceiling for natural gas. Press its test button every month.",
        ],
    ),
    row(
        "wiring",
        (4, NORMAL),
        ["电线老化或用电超负荷", "Wiring aged or overloaded"],
        [
            "请有证电工更换老化、破皮的电线，大功率电器分开用固定插座，不要插在同一个插线板上。发热、冒火花的插座马上停用。",
            "Have a licensed electrician replace aged or bare wiring. Give each powerful appliance its own wall socket, not one shared extension lead. Stop using any socket that gets hot or sparks.",
        ],
    ),
    row(
        "rcd",
        (3, NORMAL),
        ["未安装漏电保护器", "No residual-current breaker"],
        [
            "请有证电工在进户处安装漏电保护器，每月按一次试验按钮；一按不跳闸或经常跳闸，请电工检查，不要自己拆除。",
            "Have a licensed electrician fit a residual-current breaker where the supply enters the house. Press its test button every month. If it does not trip, or trips often, have it checked; never bypass it.",
        ],
    ),
    row(
        "ebike_indoors",
        (5, CRITICAL),
        ["电动车在室内或楼梯间充电、停放", "E-bike charged or parked indoors or on the stairs"],
        [
            "今天就请把电动车和电池移到屋外，离开门口、楼梯和可燃物，用原装充电器，在有人看着时充电，不过夜充。",
            "Move the e-bike and its battery outdoors today, away from doors, stairs and anything that burns. Charge with the original charger, while somebody is awake, never overnight.",
        ],
    ),
    row(
        "exit_blocked",
        (5, CRITICAL),
        ["出口堵塞或防盗窗没有逃生口", "Exit blocked, or barred windows without an opening"],
        [
            "今天就请清开门口和楼梯的杂物；防盗窗要开一个能从里面打开的逃生口，钥匙放在窗边固定的地方，全家都要知道并试开一次。",
            "Clear doors and stairs today. Barred windows need an opening that unlocks from inside, with the key kept beside it; everybody in the house should know it and try it once.",
        ],
    ),
    row(
        "extinguisher",
        (2, NORMAL),
        ["没有灭火器或灭火器失效", "No fire extinguisher, or it no longer works"],
        [
            "请在厨房门边放一具2公斤以上的干粉灭火器，压力表指针在绿区，全家都会用。火大了不要救，先跑出去再打119。",
            "Keep a dry-powder extinguisher of at least 2 kg beside the kitchen door, its needle in the green, and let everybody learn to use it. If the fire is large, do not fight it: get out, then call 119.",
        ],
    ),
    row(
        "smoke_alarm",
        (2, NORMAL),
        ["没有烟雾报警器", "No smoke alarm"],
        [
            "请在卧室外和堂屋的屋顶装烟雾报警器，每月按一次测试键，电池没电马上换。",
            "Fit smoke alarms on the ceiling outside the bedrooms and in the main room. Press the test button every month and change the battery as soon as it is low.",
        ],
    ),
    row(
        "open_fire",
        (4, NORMAL),
        ["明火或炉灶旁堆放柴草、油、气瓶", "Open fire or stove beside fuel"],
        [
            "请把柴草、汽油、酒和气瓶移开，离灶火至少1.5米；人离开时把火熄灭，热灰放凉、浇水后再倒。",
            "Move firewood, petrol, spirits and gas bottles at least 1.5 m from stove or fire. Put the fire out when you leave, and let ashes cool and wet them before you empty them.",
        ],
    ),
    row(
        "charcoal_heating",
        (5, CRITICAL),
        ["烧炭取暖没有烟道", "Charcoal heating without a flue"],
        [
            "不要在关着门窗的屋里烧炭，睡觉前一定熄掉。要用就装通到屋外的烟道，开一点窗，并装一氧化碳报警器。有人头晕、恶心，先把人移到屋外，再打120。",
            "Never burn charcoal in a closed room, and always put it out before sleep. To use it, fit a flue to the outside, keep a window ajar and fit a carbon-monoxide alarm. If anyone feels dizzy or sick, take them outside first, then call 120.",
        ],
    ),
];

/// House, slope, water, yard.
const OUTDOORS: &[Row] = &[
    row(
        "structure_cracked",
        (5, CRITICAL),
        ["屋顶或承重墙开裂", "Roof or load-bearing wall cracked"],
        [
            "请先不要在开裂的房间睡觉和停留，下雨、地震后更要避开。不要自己敲补，等镇村请人来看；裂缝变宽、有响声时马上全家离开。",
            "Do not sleep or stay in the cracked rooms, above all after rain or an earthquake. Do not patch it yourself; wait until the town has had it looked at. If cracks widen or creak, everybody leaves at once.",
        ],
    ),
    row(
        "slope_behind",
        (5, CRITICAL),
        ["房后边坡开裂或鼓胀", "Slope behind the house cracked or bulging"],
        [
            "下雨时和雨后不要住在靠坡的房间，听到异响、看到掉土或泉水变浑，马上往坡的两侧跑，不要顺着坡往下跑，并通知网格员。不要自己在坡脚挖土。",
            "During and after rain do not stay in rooms next to the slope. At a strange noise, falling soil or a spring that turns muddy, run to the side of the slope, not down along it, and tell the grid worker. Do not dig at its foot.",
        ],
    ),
    row(
        "gully_flood",
        (4, NORMAL),
        ["房屋在冲沟里或洪水位以下", "House in a gully or below the flood mark"],
        [
            "请记住转移路线和安置点，汛期手机不关机。接到转移通知，或沟水突然变大、变浑、变小断流，马上往两边高处走，不要回去拿东西。",
            "Learn the way to the shelter and keep the phone on in the rainy season. When told to leave, or when the stream suddenly swells, turns muddy or stops, go to high ground at the side at once and do not turn back for things.",
        ],
    ),
    row(
        "drainage",
        (2, NORMAL),
        ["排水沟堵塞", "Drainage blocked"],
        [
            "请在雨季前和每次大雨后清理房前屋后的排水沟，不让水流到墙脚和坡上。",
            "Clear the drains around the house before the rainy season and after each heavy rain, so that no water runs to the foot of walls or onto the slope.",
        ],
    ),
    row(
        "lightning_shed",
        (3, NORMAL),
        [
            "防雷缺失或畜圈用电不规范",
            "No lightning protection, or unsafe wiring of the livestock shed",
        ],
        [
            "请有证电工把畜圈电线穿管固定、装漏电保护器，灯和插座离开草料和水。打雷时拔掉电器插头，不靠近金属棚架和大树。",
            "Have a licensed electrician put shed wiring in conduit with a residual-current breaker, lamps and sockets away from hay and water. In a thunderstorm unplug appliances and keep away from metal roofs and tall trees.",
        ],
    ),
    row(
        "well_pond",
        (3, NORMAL),
        ["水井、水塘没有盖板或护栏", "Well or pond without cover or fence"],
        [
            "请给水井加结实的盖板，水塘、粪池加护栏或盖子，旁边放一根长竿或绳子。有人落水先喊人、递竿，不要手拉手下水；也不要独自下井、下粪池救人。",
            "Put a strong cover on the well, a fence or cover on ponds and pits, and keep a long pole or rope beside them. If somebody falls in, call for help and reach out with the pole; never form a human chain, and never climb alone into a well or pit.",
        ],
    ),
];

/// The items, in the order in which one walks through a house.
pub fn items() -> Vec<Item> {
    let item = |row: &Row| Item {
        key: row.key.to_owned(),
        zh: row.zh.to_owned(),
        en: row.en.to_owned(),
        weight: row.weight,
        critical: row.critical,
        advice_zh: row.advice_zh.to_owned(),
        advice_en: row.advice_en.to_owned(),
        photo_when_problem: row.critical,
    };
    INDOORS.iter().chain(OUTDOORS).map(item).collect()
}

/// The registers of the `template` record.
pub fn registers() -> Result<BTreeMap<FieldPath, Value>, BadPath> {
    let items = items().iter().map(Item::to_value).collect();
    let registers = [
        ("code", Value::text(CODE)),
        ("version", Value::Int(VERSION)),
        ("title_zh", Value::text("家庭安全检查")),
        ("title_en", Value::text("Home safety check")),
        ("purpose", Value::text("find dangers in a dwelling and advise the household on them")),
        ("basis", Value::text("Fire Protection Law of the PRC, art. 32; consent of the household")),
        ("retention", Value::text("2 years")),
        ("items", Value::List(items)),
    ];
    registers.into_iter().map(|(path, value)| Ok((path.parse()?, value))).collect()
}
