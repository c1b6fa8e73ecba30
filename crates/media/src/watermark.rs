//! Time, grid and position, burnt into a photo where the person asks for it: white on a dark band, in a
//! font of 5×7 dots. Time is that of the town (UTC+8, no summer time since 1991).

use image::{Rgb, RgbImage};
use yaoguan_model::{GridCode, Position};

use crate::font;

/// What is burnt in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watermark {
    /// Seconds since 1970 UTC.
    pub at: i64,
    pub grid: Option<GridCode>,
    pub position: Option<Position>,
}

/// Asia/Shanghai, in seconds ahead of UTC.
const TOWN_OFFSET_S: i64 = 8 * 3600;

impl Watermark {
    /// The lines, in ASCII.
    pub fn lines(&self) -> Vec<String> {
        let local = self.at.checked_add(TOWN_OFFSET_S);
        let time = local.and_then(|s| chrono::DateTime::from_timestamp(s, 0));
        let time = time.map(|time| time.format("%Y-%m-%d %H:%M:%S +08").to_string());
        let grid = self.grid.as_ref().map(|grid| format!("GRID {grid}"));
        let position = self.position.map(|at| {
            let half = |degrees: f64, letters: (char, char)| {
                format!("{:.5}{}", degrees.abs(), if degrees < 0.0 { letters.1 } else { letters.0 })
            };
            format!("{} {}", half(at.lat(), ('N', 'S')), half(at.lon(), ('E', 'W')))
        });
        time.into_iter().chain(grid).chain(position).collect()
    }
}

/// Burns the lines into the lower left corner.
pub(crate) fn burn(pixels: &mut RgbImage, watermark: &Watermark) {
    let lines = watermark.lines();
    // A dot is a 400th of the picture's width, at least one pixel: the lines fill about half of it.
    let dot = (pixels.width() / 400).max(1);
    let count = u32::try_from(lines.len()).unwrap_or(0);
    let longest = lines.iter().map(String::len).max().and_then(|n| u32::try_from(n).ok());
    let line_px = (font::HEIGHT + 3) * dot;
    let band = (count * line_px + 3 * dot).min(pixels.height());
    let width = (longest.unwrap_or(0) * font::ADVANCE * dot + 4 * dot).min(pixels.width());
    let top = pixels.height() - band;
    for y in top..pixels.height() {
        for x in 0..width {
            if let Some(pixel) = pixels.get_pixel_mut_checked(x, y) {
                pixel.0 = pixel.0.map(|channel| channel / 3);
            }
        }
    }
    for (line, row) in lines.iter().zip(0_u32..) {
        for (c, column) in line.chars().zip(0_u32..) {
            let at = (3 * dot + column * font::ADVANCE * dot, top + 3 * dot + row * line_px);
            draw(pixels, font::glyph(c), at, dot);
        }
    }
}

fn draw(pixels: &mut RgbImage, glyph: [u8; 5], (left, top): (u32, u32), dot: u32) {
    for (bits, column) in glyph.into_iter().zip(0_u32..) {
        for row in (0..font::HEIGHT).filter(|row| bits >> row & 1 == 1) {
            for (dx, dy) in (0..dot).flat_map(|dx| (0..dot).map(move |dy| (dx, dy))) {
                let (x, y) = (left + column * dot + dx, top + row * dot + dy);
                if let Some(pixel) = pixels.get_pixel_mut_checked(x, y) {
                    *pixel = Rgb([255, 255, 255]);
                }
            }
        }
    }
}
