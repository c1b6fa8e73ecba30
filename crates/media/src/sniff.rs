//! What a file is, by its first bytes; its name and what is said of it are never asked.

/// A sort of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Jpeg,
    Png,
    WebP,
    /// HEIF with HEVC or AV1 inside (`ftyp` heic, heix, hevc, mif1, avif …): phones make it, few read it.
    Heic,
    Track,
    Other,
}

/// Brands of ISO/IEC 23008-12 (HEIF) and AVIF.
const HEIF_BRANDS: &[&[u8; 4]] = &[
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1",
    b"avif", b"avis",
];

/// Looks at the first bytes.
pub fn sniff(bytes: &[u8]) -> Content {
    let at = |from: usize, wanted: &[u8]| bytes.get(from..from + wanted.len()) == Some(wanted);
    if at(0, &[0xFF, 0xD8, 0xFF]) {
        Content::Jpeg
    } else if at(0, b"\x89PNG\r\n\x1a\n") {
        Content::Png
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Content::WebP
    } else if at(4, b"ftyp") && HEIF_BRANDS.iter().any(|brand| at(8, *brand)) {
        Content::Heic
    } else if at(0, crate::track::MAGIC) {
        Content::Track
    } else {
        Content::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_told_by_its_first_bytes() {
        assert_eq!(sniff(&[0xFF, 0xD8, 0xFF, 0xE0]), Content::Jpeg);
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n...."), Content::Png);
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Content::WebP);
        assert_eq!(sniff(b"\0\0\0\x18ftypheic\0\0\0\0"), Content::Heic);
        assert_eq!(sniff(b"\0\0\0\x18ftypavif\0\0\0\0"), Content::Heic);
        assert_eq!(sniff(b"\0\0\0\x18ftypmp42\0\0\0\0"), Content::Other);
        assert_eq!(sniff(b"<script>"), Content::Other);
        assert_eq!(sniff(b""), Content::Other);
    }
}
