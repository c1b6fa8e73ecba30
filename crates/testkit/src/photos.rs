//! Photos of real size and detail, cheaply: a few pictures are made by the product's own pipeline, and each
//! photo is one of them with a few bytes of its picture data altered, so that its hash is its own.

use std::sync::LazyLock;

use yaoguan_media::{Photo, Picture, Settings, prepare};
use yaoguan_model::BlobHash;

/// A picture as a camera gives it: a gradient under noise, in PNG.
pub fn camera(n: u8, width: u32, height: u32) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32 ^ u32::from(n);
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        // xorshift32
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let noise = (state >> 24) as u8 / 8;
        let ramp = |at: u32, of: u32| (at * 200 / of.max(1)) as u8;
        image::Rgb([ramp(x, width) + noise, ramp(y, height) + noise / 2, n / 2 + noise / 4])
    });
    let mut png = Vec::new();
    let source = image::DynamicImage::ImageRgb8(picture);
    source.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    png
}

static MADE: [LazyLock<Photo>; 3] =
    [LazyLock::new(|| make(0)), LazyLock::new(|| make(60)), LazyLock::new(|| make(120))];

fn make(n: u8) -> Photo {
    prepare(&camera(n, 1_600, 1_200), &Settings::default()).unwrap()
}

/// The `n`-th photo; another one for each `n`.
pub fn photo(n: u32) -> Photo {
    let made = &MADE[n as usize % MADE.len()];
    Photo { full: altered(&made.full, n), thumbnail: altered(&made.thumbnail, n) }
}

/// Bytes near the end of the picture data, none of them a marker's, take other values.
fn altered(picture: &Picture, n: u32) -> Picture {
    let mut jpeg = picture.jpeg.clone();
    let data = jpeg.len() - 600..jpeg.len() - 20;
    let plain: Vec<usize> =
        data.filter(|at| jpeg[at - 1..=at + 1].iter().all(|byte| *byte < 0xF0)).collect();
    for (digit, at) in plain.iter().step_by(3).take(8).enumerate() {
        jpeg[*at] = 0x10 + (n >> (4 * digit) & 15) as u8;
    }
    Picture { hash: BlobHash::of(&jpeg), jpeg, ..*picture }
}
