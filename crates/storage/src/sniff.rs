//! Tells a file's format by its first bytes; names and media types sent by clients are not believed.

use crate::{Result, StorageError};
use image::ImageFormat;

/// Bytes that [`sniff`] wants to see.
pub const SNIFF_LEN: usize = 512;

/// A picture format that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageKind {
    Jpeg,
    Png,
    WebP,
    Gif,
    Bmp,
    Tiff,
}

impl ImageKind {
    pub const ALL: [Self; 6] = [
        Self::Jpeg,
        Self::Png,
        Self::WebP,
        Self::Gif,
        Self::Bmp,
        Self::Tiff,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
        }
    }

    pub fn from_media_type(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.media_type() == media_type)
    }

    /// Usual file extensions, the first one preferred.
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Png => &["png"],
            Self::WebP => &["webp"],
            Self::Gif => &["gif"],
            Self::Bmp => &["bmp", "dib"],
            Self::Tiff => &["tif", "tiff"],
        }
    }

    /// The kind that a file's name promises; only a hint for telling pictures from other files in a folder.
    pub fn from_name(name: &str) -> Option<Self> {
        let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|k| k.extensions().contains(&extension.as_str()))
    }

    /// Whether every browser shows it, one still picture.
    pub const fn is_web_still(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::WebP | Self::Bmp)
    }

    /// Whether it can be read row by row, without decoding it whole.
    pub(crate) const fn is_read_by_rows(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Tiff)
    }

    pub(crate) const fn image_format(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::WebP => ImageFormat::WebP,
            Self::Gif => ImageFormat::Gif,
            Self::Bmp => ImageFormat::Bmp,
            Self::Tiff => ImageFormat::Tiff,
        }
    }
}

/// Names the format of a file that starts with `head`, or says what it is instead.
pub fn sniff(head: &[u8]) -> Result<ImageKind> {
    if head.is_empty() {
        return Err(StorageError::Empty);
    }
    let tiff = [&b"II*\0"[..], b"MM\0*", b"II+\0", b"MM\0+"];
    if head.starts_with(&[0xff, 0xd8, 0xff]) {
        Ok(ImageKind::Jpeg)
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        Ok(ImageKind::Png)
    } else if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        Ok(ImageKind::WebP)
    } else if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
        Ok(ImageKind::Gif)
    } else if tiff.iter().any(|t| head.starts_with(t)) {
        Ok(ImageKind::Tiff)
    } else if head.starts_with(b"BM")
        && head.len() >= 18
        && matches!(head[14], 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124)
    {
        Ok(ImageKind::Bmp)
    } else {
        Err(other(head))
    }
}

/// Whether the bytes start like a zip archive.
pub fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

fn other(head: &[u8]) -> StorageError {
    use StorageError::{NotAnImage, UnsupportedFormat};
    if head.get(4..8) == Some(b"ftyp") {
        return match head.get(8..12) {
            Some(b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1") => UnsupportedFormat("HEIC"),
            Some(b"avif" | b"avis") => UnsupportedFormat("AVIF"),
            _ => NotAnImage("a video"),
        };
    }
    let text_start = head.trim_ascii_start();
    if head.starts_with(b"8BPS") {
        UnsupportedFormat("Photoshop")
    } else if head.starts_with(&[0xff, 0x0a]) || head.starts_with(b"\0\0\0\x0cJXL ") {
        UnsupportedFormat("JPEG XL")
    } else if head.starts_with(b"\0\0\0\x0cjP  ") {
        UnsupportedFormat("JPEG 2000")
    } else if head.starts_with(b"%PDF") {
        NotAnImage("a PDF")
    } else if is_zip(head) {
        NotAnImage("a zip archive")
    } else if text_start.starts_with(b"<svg") || (text_start.starts_with(b"<?xml") && find(head, b"<svg")) {
        UnsupportedFormat("SVG")
    } else if head.starts_with(b"version https://git-lfs") {
        NotAnImage("a Git LFS pointer")
    } else if text_start
        .get(..5)
        .is_some_and(|t| t.eq_ignore_ascii_case(b"<html") || t.eq_ignore_ascii_case(b"<!doc"))
    {
        NotAnImage("a web page")
    } else if looks_like_text(head) {
        NotAnImage("text")
    } else {
        NotAnImage("a file of unknown format")
    }
}

fn find(head: &[u8], needle: &[u8]) -> bool {
    head.windows(needle.len()).any(|w| w == needle)
}

fn looks_like_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(_) => head.len(),
        // The last character may be cut.
        Err(e) => e.valid_up_to(),
    };
    head.len() - valid < 4 && !head.iter().any(|b| *b < 9 || (14..32).contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_it_is_instead() {
        let said = |head: &[u8]| sniff(head).unwrap_err().to_string();
        assert!(said(b"").contains("empty"));
        assert!(said(b"hello there").contains("text"));
        assert!(said(b"PK\x03\x04....").contains("zip"));
        assert!(said(b"\0\0\0\x18ftypheic").contains("HEIC"));
        assert!(said(b"<?xml version='1.0'?><svg/>").contains("SVG"));
        assert!(said(b"<!DOCTYPE html>").contains("web page"));
        assert!(said(&[0, 1, 2, 3]).contains("unknown"));
        assert_eq!(sniff(b"GIF89a").unwrap(), ImageKind::Gif);
    }
}
