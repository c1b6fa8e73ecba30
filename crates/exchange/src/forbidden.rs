//! Columns that no mapping may read, and questions that no template may ask, whatever they are meant for (privacy.md: "no column,
//! template item, import mapping or export exists for …").
//!
//! A column is known by its name only; what somebody writes into a free text this cannot see.

/// Parts of Chinese column names; Chinese writes no spaces, so any occurrence counts.
const PARTS: &[&str] = &[
    "民族",
    "族别",
    "宗教",
    "信仰",
    "政治面貌",
    "党员",
    "入党",
    "上访",
    "信访",
    "身份证",
    "证件号",
    "人脸",
    "指纹",
    "健康",
    "病史",
    "疾病",
    "残疾",
    "收入",
    "存款",
    "贫困",
    "工作单位",
    "婚姻",
    "婚否",
    "生育",
    "子女姓名",
    "儿童姓名",
    "评分",
    "积分",
    "重点人员",
    "重点人口",
];

/// Words of English column names.
const WORDS: &[&str] = &[
    "ethnicity",
    "ethnic",
    "nationality",
    "race",
    "religion",
    "religious",
    "faith",
    "political",
    "petition",
    "petitions",
    "idcard",
    "passport",
    "biometric",
    "fingerprint",
    "health",
    "disease",
    "illness",
    "disability",
    "diagnosis",
    "income",
    "salary",
    "finances",
    "debt",
    "employer",
    "marital",
    "married",
    "fertility",
    "pregnant",
    "fatalities",
    "injuries",
    "casualties",
];

/// Names of two words.
const PAIRS: &[&str] =
    &["party membership", "id card", "id number", "identity number", "risk score", "credit score"];

/// The part of a name for which it may not be read, or asked.
pub fn forbidden(column: &str) -> Option<&'static str> {
    let mut words = String::new();
    for c in column.chars() {
        words.extend(if c.is_alphanumeric() { c } else { ' ' }.to_lowercase());
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    let joined = words.join(" ");
    let by_part = PARTS.iter().find(|part| column.contains(*part));
    let by_word = || WORDS.iter().find(|word| words.contains(*word));
    by_part.or_else(by_word).or_else(|| PAIRS.iter().find(|pair| joined.contains(*pair))).copied()
}

#[cfg(test)]
mod tests {
    use super::forbidden;

    #[test]
    fn columns_about_persons_are_known_by_name() {
        for name in
            ["民族", "户主身份证号", "ID_Number", "Religion (declared)", "id-card", "fatalities"]
        {
            assert!(forbidden(name).is_some(), "{name}");
        }
        for name in [
            "id",
            "surface",
            "party_wall",
            "隐患类别",
            "traces",
            "landslide_type",
            "地址",
            "position",
            "score_of_slope",
        ] {
            assert!(forbidden(name).is_none(), "{name}");
        }
    }
}
