//! The table: collected as the run goes, printed and written at its end.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use serde_json::Value as Json;

use crate::samples::{Figure, plain};

/// Everything that was measured, and with what settings.
#[derive(Debug, Default)]
pub struct Report {
    pub head: Vec<(String, String)>,
    pub figures: Vec<Figure>,
    /// Lines of other measurements, as they gave them.
    pub foreign: Vec<Json>,
    /// Parts that did not come to their end, and why.
    pub left_out: Vec<(&'static str, String)>,
}

impl Report {
    pub fn head(&mut self, name: &str, value: impl Into<String>) {
        self.head.push((name.to_owned(), value.into()));
    }

    pub fn add(&mut self, figure: Figure) {
        println!("  {}", line(&figure));
        self.figures.push(figure);
    }

    pub fn missed(&self) -> Vec<&Figure> {
        self.figures.iter().filter(|figure| figure.holds() == Some(false)).collect()
    }

    pub fn write(&self, folder: &Path) -> Result<String> {
        std::fs::create_dir_all(folder)?;
        let list: Vec<Json> =
            self.figures.iter().map(Figure::json).chain(self.foreign.iter().cloned()).collect();
        std::fs::write(folder.join("bench.json"), serde_json::to_string_pretty(&list)?)?;
        let text = self.markdown();
        std::fs::write(folder.join("bench.md"), &text)?;
        Ok(text)
    }

    fn markdown(&self) -> String {
        // Writing into a String cannot fail.
        let mut out = "# Measured side by side\n\n".to_owned();
        for (name, value) in &self.head {
            _ = writeln!(out, "- {name}: {value}");
        }
        out += "\nMedians of alternating rounds; ratio = ours / peer, with the least and the greatest of the rounds.\n\n";
        out += "| what | unit | ours | beside | its | ratio | goal | |\n|---|---|---|---|---|---|---|---|\n";
        for figure in &self.figures {
            let (peer, its) =
                figure.peer.as_ref().map_or_else(Default::default, |(name, samples)| {
                    (name.clone(), plain(samples.median()))
                });
            let ratio = figure.ratio().map_or_else(String::new, |ratio| {
                let (least, most) = ratio.spread();
                format!("{} ({} – {})", plain(ratio.median()), plain(least), plain(most))
            });
            let holds = match figure.holds() {
                Some(true) => "holds",
                Some(false) => "**missed**",
                None => "",
            };
            let ours = plain(figure.ours.median());
            let (name, unit, goal) = (&figure.name, figure.unit, figure.goal_text());
            _ = writeln!(
                out,
                "| {name} | {unit} | {ours} | {peer} | {its} | {ratio} | {goal} | {holds} |"
            );
        }
        for line in &self.foreign {
            let text = |key: &str| {
                line.get(key).map_or_else(String::new, |value| {
                    value.as_str().map_or_else(
                        || if value.is_null() { String::new() } else { value.to_string() },
                        str::to_owned,
                    )
                })
            };
            let holds = match line.get("holds").and_then(Json::as_bool) {
                Some(true) => "holds",
                Some(false) => "**missed**",
                None => "",
            };
            _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | | {} | {holds} |",
                text("name"),
                text("unit"),
                text("figure"),
                text("peer"),
                text("peer_figure"),
                text("goal")
            );
        }
        for (part, why) in &self.left_out {
            _ = writeln!(out, "\nNot measured to its end: {part}: {why}");
        }
        let missed = self.missed();
        if missed.is_empty() && self.left_out.is_empty() {
            out += "\nEvery goal that was measured is reached.\n";
        } else if !missed.is_empty() {
            out += "\nMissed:\n\n";
            for figure in missed {
                _ = writeln!(out, "- {}", line(figure));
            }
        }
        out
    }
}

fn line(figure: &Figure) -> String {
    let mut out = format!("{}: {} {}", figure.name, plain(figure.ours.median()), figure.unit);
    if let (Some((peer, samples)), Some(ratio)) = (&figure.peer, figure.ratio()) {
        let (least, most) = ratio.spread();
        _ = write!(
            out,
            "; {peer}: {}; ratio {} ({} – {})",
            plain(samples.median()),
            plain(ratio.median()),
            plain(least),
            plain(most)
        );
    }
    match figure.holds() {
        Some(true) => _ = write!(out, "; goal {} holds", figure.goal_text()),
        Some(false) => _ = write!(out, "; GOAL {} MISSED", figure.goal_text()),
        None => {}
    }
    out
}
