//! A sheet of invites to print: one HTML file that needs nothing else, A4, a page for each village, a card
//! for each person. No script; the codes are drawn (ISO/IEC 18004, by the crate `qrcode`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::LazyLock;

use qrcode::{Color, EcLevel, QrCode};
use yaoguan_model::Role;

use crate::days::local_time;

/// Modules of white around a code.
const QUIET: usize = 4;

const STYLE: &str = "@page{size:A4;margin:10mm}*{box-sizing:border-box}\
body{font-family:'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei',sans-serif;margin:0;color:#000}\
section{break-after:page}section:last-child{break-after:auto}h2{font-size:12pt;line-height:1;margin:0 0 2mm}\
.cards{display:grid;grid-template-columns:1fr 1fr;gap:2.5mm}\
.card{break-inside:avoid;border:.3mm solid #666;border-radius:2mm;padding:2mm;display:grid;\
grid-template-columns:34mm 1fr;gap:1mm 3mm;font-size:9pt}\
.card svg{width:34mm;height:34mm;display:block}.card b{font-size:11pt}.card p{margin:0 0 .5mm}\
.card code{grid-column:1/3;font-size:6pt;word-break:break-all;font-family:monospace}\
.en{color:#444;font-size:8pt}";

type Words = BTreeMap<String, String>;

/// A sheet speaks both languages: Chinese, then English.
static BOTH: LazyLock<[Words; 2]> = LazyLock::new(|| {
    let read = |text: &str| toml::from_str(text).unwrap_or_default();
    [include_str!("../../locales/sheet.zh.toml"), include_str!("../../locales/sheet.en.toml")]
        .map(read)
});

/// The words under a key in both languages, with their one `{name}` filled in.
fn said(key: &str, name: &str, value: &str) -> [String; 2] {
    BOTH.each_ref().map(|words| {
        let text = words.get(key).map_or(key, String::as_str);
        text.replace(&format!("{{{name}}}"), value)
    })
}

/// One person's card.
pub(crate) struct Card {
    pub village: String,
    /// The first grid, and how many more; empty for the whole town.
    pub grid: String,
    pub name: String,
    pub role: Role,
    pub uri: String,
}

/// Writes the sheet; cards of one village stand together.
pub(super) fn write(
    out: &mut dyn Write,
    town: &str,
    expires_at: i64,
    cards: &[Card],
) -> io::Result<()> {
    let title = said("title", "town", town);
    writeln!(
        out,
        "<!doctype html><html lang=\"zh\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{}</title><style>{STYLE}</style></head><body>",
        escaped(&title.join(" · "))
    )?;
    for village in cards.chunk_by(|a, b| a.village == b.village) {
        let heading = village.first().map_or("", |card| card.village.as_str());
        let heading = if heading.is_empty() { town } else { heading };
        writeln!(out, "<section><h2>{}</h2><div class=\"cards\">", escaped(heading))?;
        for card in village {
            write_card(out, expires_at, card)?;
        }
        writeln!(out, "</div></section>")?;
    }
    writeln!(out, "</body></html>")
}

fn write_card(out: &mut dyn Write, expires_at: i64, card: &Card) -> io::Result<()> {
    let role = said(card.role.as_str(), "", "");
    let holds = said("holds", "until", &local_time(expires_at));
    let steps = said("steps", "", "");
    let [zh, en] =
        [0, 1].map(|at| [&holds, &steps].map(|texts| texts.get(at).cloned().unwrap_or_default()));
    let code = drawn(&card.uri).ok_or_else(|| io::Error::other("an invite is too long to draw"))?;
    writeln!(
        out,
        "<article class=\"card\">{code}<div><p><b>{}</b></p><p>{}</p><p>{}</p>\
         <p>{}</p><p class=\"en\">{}</p></div><code>{}</code></article>",
        escaped(&card.name),
        escaped(&role.join(" · ")),
        escaped(&card.grid),
        escaped(&zh.join("　")),
        escaped(&en.join(" ")),
        escaped(&card.uri),
    )
}

/// A code as an SVG picture: each run of dark modules of a row is one rectangle of one path.
pub fn drawn(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (row, colours) in code.to_colors().chunks(width).enumerate() {
        let mut column = 0;
        for run in colours.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                let length = run.len();
                // Writing to a string does not fail.
                _ = write!(path, "M{} {}h{length}v1h-{length}z", column + QUIET, row + QUIET);
            }
            column += run.len();
        }
    }
    let side = width + 2 * QUIET;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\"><path d=\"{path}\"/></svg>"
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(village: &str, name: &str, uri: &str) -> Card {
        let (village, name, uri) = (village.to_owned(), name.to_owned(), uri.to_owned());
        Card { village, grid: String::new(), name, role: Role::Chief, uri }
    }

    /// The picture is read back square by square and is the code that was meant.
    #[test]
    fn the_drawn_code_is_the_code() {
        let uri = format!("yaoguan://enrol?town=https%3A%2F%2Fx&code=abc&ca={}", "0f".repeat(32));
        let svg = drawn(&uri).unwrap();
        let code = QrCode::with_error_correction_level(&uri, EcLevel::M).unwrap();
        let width = code.width();
        let mut dark = vec![false; width * width];
        let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        for run in path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let start = (y - QUIET) * width + x - QUIET;
            dark[start..start + length].fill(true);
        }
        let meant: Vec<bool> = code.to_colors().iter().map(|c| *c == Color::Dark).collect();
        assert_eq!(dark, meant);
    }

    #[test]
    fn both_languages_have_the_same_words() {
        let keys = BOTH.each_ref().map(|words| words.keys().cloned().collect::<Vec<_>>());
        assert_eq!(keys[0], keys[1]);
        assert!(Role::ALL.iter().all(|role| keys[0].iter().any(|key| key == role.as_str())));
    }

    #[test]
    fn a_village_is_a_page_and_names_are_no_markup() {
        let cards = [card("1", "<b>&", "u"), card("1", "b", "u"), card("2", "c", "u")];
        let mut out = Vec::new();
        write(&mut out, "姚关镇", 1_795_000_000, &cards).unwrap();
        let html = String::from_utf8(out).unwrap();
        assert_eq!(html.matches("<section>").count(), 2);
        assert_eq!(html.matches("<article").count(), 3);
        assert!(html.contains("<b>&lt;b&gt;&amp;</b>"), "{html}");
        assert!(!html.contains("<script") && !html.contains("src="));
    }
}
