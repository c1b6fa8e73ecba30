//! The language of an answer's words.

use axum::http::{HeaderMap, header};

/// The two languages of the project.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lang {
    #[default]
    Zh,
    En,
}

/// What `Accept-Language` (RFC 9110 §12.5.4) likes best of the two, the first of equals; Chinese when it
/// likes neither or is not there.
pub fn language(headers: &HeaderMap) -> Lang {
    let mut best = (0, Lang::default());
    for value in headers.get_all(header::ACCEPT_LANGUAGE) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let lang = match tag.trim().split('-').next().unwrap_or_default() {
                "*" => Lang::default(),
                word if word.eq_ignore_ascii_case("zh") => Lang::Zh,
                word if word.eq_ignore_ascii_case("en") => Lang::En,
                _ => continue,
            };
            let weight = weight(parameters);
            if weight > best.0 {
                best = (weight, lang);
            }
        }
    }
    best.1
}

/// `q` in thousandths; 1 without one, 0 for one that is none.
fn weight(parameters: &str) -> u16 {
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    let Some(value) = value else { return 1_000 };
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    let digits = part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    match (whole, digits) {
        ("0", true) => format!("{part:0<3}").parse().unwrap_or(0),
        ("1", true) if part.bytes().all(|b| b == b'0') => 1_000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_of_the_two_languages_is_spoken() {
        let cases = [
            ("en", Lang::En),
            ("EN-gb", Lang::En),
            ("zh-CN,en;q=0.8", Lang::Zh),
            ("en;q=0.8,zh-CN;q=0.9", Lang::Zh),
            ("zh;q=0.5, en;q=0.501", Lang::En),
            ("fr-FR, en;q=0.3", Lang::En),
            ("fr", Lang::Zh),
            ("*", Lang::Zh),
            ("en;q=0", Lang::Zh),
            ("zh;q=0, en;q=0.1", Lang::En),
            ("en;q=1.000, zh", Lang::En),
            ("en;q=7, zh;q=0.1", Lang::Zh),
            ("english", Lang::Zh),
            ("", Lang::Zh),
        ];
        for (text, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, text.parse().unwrap());
            assert_eq!(language(&headers), expected, "{text}");
        }
        assert_eq!(language(&HeaderMap::new()), Lang::Zh);
    }
}
