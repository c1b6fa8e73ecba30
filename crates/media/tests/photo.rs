//! What becomes of pictures, good and hostile.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails where it stands"
)]

use std::io::Cursor;

use image::{DynamicImage, ImageEncoder as _, ImageFormat, Rgb, RgbImage};
use yaoguan_media::{MediaType, PhotoError, Settings, Unfit, Watermark, check, jpeg, prepare};
use yaoguan_model::Position;

/// Four quarters of four colours, so that up, down and mirrors are told apart.
fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => Rgb([250, 10, 10]),
        (false, true) => Rgb([10, 250, 10]),
        (true, false) => Rgb([10, 10, 250]),
        (false, false) => Rgb([250, 250, 10]),
    })
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(picture.clone())
        .write_to(&mut Cursor::new(&mut bytes), format)
        .unwrap();
    bytes
}

/// TIFF of an EXIF block with an orientation and a GPS position.
fn exif(orientation: u16) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        let mut entry = tag.to_le_bytes().to_vec();
        entry.extend(kind.to_le_bytes());
        entry.extend(count.to_le_bytes());
        entry.extend(value.to_le_bytes());
        entry
    };
    tiff.extend(2_u16.to_le_bytes());
    tiff.extend(entry(0x0112, 3, 1, u32::from(orientation)));
    tiff.extend(entry(0x8825, 4, 1, 38)); // GPS IFD
    tiff.extend(0_u32.to_le_bytes());
    tiff.extend(1_u16.to_le_bytes());
    tiff.extend(entry(0x0001, 2, 2, u32::from(b'N')));
    tiff.extend(0_u32.to_le_bytes());
    tiff
}

/// A JPEG as a phone's camera writes it: EXIF first.
fn camera_jpeg(picture: &RgbImage, orientation: u16) -> Vec<u8> {
    let plain = encoded(picture, ImageFormat::Jpeg);
    let tiff = exif(orientation);
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1];
    bytes.extend(u16::try_from(tiff.len() + 8).unwrap().to_be_bytes());
    bytes.extend(b"Exif\0\0");
    bytes.extend(tiff);
    bytes.extend(&plain[2..]);
    bytes
}

/// The quarters of a picture in reading order, as letters.
fn corners(jpeg: &[u8]) -> String {
    let picture = image::load_from_memory(jpeg).unwrap().into_rgb8();
    let (w, h) = picture.dimensions();
    let at = |x: u32, y: u32| match picture.get_pixel(x, y).0 {
        [r, g, _] if r > 128 && g > 128 => 'y',
        [r, ..] if r > 128 => 'r',
        [_, g, _] if g > 128 => 'g',
        _ => 'b',
    };
    [at(w / 4, h / 4), at(w * 3 / 4, h / 4), at(w / 4, h * 3 / 4), at(w * 3 / 4, h * 3 / 4)]
        .into_iter()
        .collect()
}

/// Segments of a JPEG by an own reading: code and length, up to the first scan.
fn segments(jpeg: &[u8]) -> Vec<(u8, usize)> {
    let mut found = Vec::new();
    let mut at = 2;
    while jpeg[at] == 0xFF {
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        found.push((jpeg[at + 1], length));
        if jpeg[at + 1] == 0xDA {
            break;
        }
        at += 2 + length;
    }
    found
}

#[test]
fn every_orientation_comes_out_upright() {
    // EXIF 2.32, tag 0x0112: where the picture's rows and columns begin.
    let upright = ["rgby", "gryb", "ybgr", "byrg", "rbgy", "bryg", "ygbr", "gyrb"];
    for (expected, orientation) in upright.into_iter().zip(1_u16..) {
        let photo = prepare(&camera_jpeg(&quarters(64, 48), orientation), &Settings::default());
        let photo = photo.unwrap().full;
        assert_eq!(corners(&photo.jpeg), expected, "orientation {orientation}");
        let turned = orientation > 4;
        let size = if turned { (48, 64) } else { (64, 48) };
        assert_eq!((photo.width, photo.height), size, "orientation {orientation}");
    }
}

#[test]
fn nothing_but_pixels_is_kept() {
    let source = camera_jpeg(&quarters(64, 48), 6);
    assert!(source.windows(4).any(|w| w == b"Exif"));
    let photo = prepare(&source, &Settings::default()).unwrap();
    for picture in [&photo.full, &photo.thumbnail] {
        assert!(!picture.jpeg.windows(4).any(|w| w == b"Exif"));
        let app = segments(&picture.jpeg).into_iter().filter(|(code, _)| *code >= 0xE0);
        // JFIF alone, without a preview: 16 bytes.
        assert_eq!(app.collect::<Vec<_>>(), [(0xE0, 16)]);
        assert_eq!(check(&picture.jpeg), Ok(MediaType::Jpeg));
    }
    assert_eq!(check(&source), Err(Unfit::Metadata(0xE1)));
}

#[test]
fn the_longest_side_is_limited_and_small_pictures_stay_as_they_are() {
    let source = encoded(&quarters(3000, 2000), ImageFormat::Jpeg);
    let photo = prepare(&source, &Settings::default()).unwrap();
    assert_eq!((photo.full.width, photo.full.height), (1600, 1067));
    assert_eq!((photo.thumbnail.width, photo.thumbnail.height), (320, 213));
    let large = Settings { longest_px: 2400, watermark: None };
    assert_eq!(prepare(&source, &large).unwrap().full.width, 2400);
    let small = encoded(&quarters(200, 100), ImageFormat::Png);
    assert_eq!(prepare(&small, &Settings::default()).unwrap().full.width, 200);
    // The same picture is the same file.
    assert_eq!(prepare(&source, &Settings::default()).unwrap(), photo);
}

#[test]
fn jpeg_png_and_webp_are_read_by_their_content() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let photo = prepare(&encoded(&quarters(64, 48), format), &Settings::default()).unwrap();
        assert_eq!(corners(&photo.full.jpeg), "rgby", "{format:?}");
    }
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    assert_eq!(prepare(heic, &Settings::default()), Err(PhotoError::Heic));
    let other = prepare(b"%PDF-1.7 photo.jpg", &Settings::default());
    assert_eq!(other, Err(PhotoError::OtherContent));
    assert_eq!(prepare(b"", &Settings::default()), Err(PhotoError::OtherContent));
}

/// A PNG that says it is 60,000×60,000: a few bytes that would unpack to 10 GB.
fn huge_png() -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(&[0; 3], 1, 1, image::ExtendedColorType::Rgb8)
        .unwrap();
    bytes[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    bytes
}

#[test]
fn what_says_to_be_huge_is_refused_before_it_is_decoded() {
    let too_many = PhotoError::TooManyPixels { width: 60_000, height: 60_000 };
    assert_eq!(prepare(&huge_png(), &Settings::default()), Err(too_many));
    assert_eq!(check(&huge_png()), Err(Unfit::OtherContent));
    let mut jpeg = encoded(&quarters(64, 48), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    let too_many = PhotoError::TooManyPixels { width: 60_000, height: 60_000 };
    assert_eq!(prepare(&jpeg, &Settings::default()), Err(too_many));
    assert_eq!(check(&jpeg), Err(Unfit::TooManyPixels { width: 60_000, height: 60_000 }));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    println!("peak after three pictures of 60,000×60,000: {peak}");
    let kilobytes: u64 = peak.split_whitespace().nth(1).map_or(0, |n| n.parse().unwrap());
    assert!(kilobytes < 256 * 1024, "{peak}");
}

#[test]
fn a_jpeg_that_breaks_off_anywhere_is_refused() {
    let whole = encoded(&quarters(64, 48), ImageFormat::Jpeg);
    for end in 3..whole.len() {
        let cut = &whole[..end];
        assert!(matches!(prepare(cut, &Settings::default()), Err(PhotoError::Damaged(_))), "{end}");
        assert_eq!(check(cut), Err(Unfit::Damaged), "{end}");
    }
    let skeleton = jpeg::skeleton(&whole).unwrap();
    assert_eq!((skeleton.width, skeleton.height, skeleton.end), (64, 48, whole.len()));
}

#[test]
fn what_follows_a_picture_is_not_copied_and_the_town_refuses_it() {
    let mut polyglot = encoded(&quarters(64, 48), ImageFormat::Jpeg);
    polyglot.extend(b"PK\x03\x04<script>alert(1)</script>");
    assert_eq!(check(&polyglot), Err(Unfit::TrailingBytes));
    let photo = prepare(&polyglot, &Settings::default()).unwrap();
    assert!(!photo.full.jpeg.windows(8).any(|w| w == b"<script>"));
    let mut comment = encoded(&quarters(64, 48), ImageFormat::Jpeg);
    comment.splice(2..2, *b"\xFF\xFE\x00\x0A<script>");
    assert_eq!(check(&comment), Err(Unfit::Metadata(0xFE)));
}

#[test]
fn a_watermark_is_burnt_in_only_where_it_is_asked_for() {
    let at = Position::from_degrees(24.6, 99.2);
    let grid = "530521103001001".parse().ok();
    let watermark = Watermark { at: 1_795_492_800, grid, position: at };
    assert_eq!(
        watermark.lines(),
        ["2026-11-24 12:00:00 +08", "GRID 530521103001001", "24.60000N 99.20000E"]
    );
    let source = encoded(&quarters(3000, 2000), ImageFormat::Jpeg);
    let plain = prepare(&source, &Settings::default()).unwrap();
    let settings = Settings { watermark: Some(watermark), ..Settings::default() };
    let marked = prepare(&source, &settings).unwrap();
    let white = |jpeg: &[u8]| {
        let picture = image::load_from_memory(jpeg).unwrap().into_rgb8();
        picture.pixels().filter(|p| p.0.iter().all(|c| *c > 200)).count()
    };
    assert_eq!(white(&plain.full.jpeg), 0);
    assert!(white(&marked.full.jpeg) > 2_000, "{}", white(&marked.full.jpeg));
    assert!(corners(&marked.full.jpeg).starts_with("rg"));
}
