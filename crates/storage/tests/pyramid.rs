//! Pyramids: the same pixels as of the whole picture, whatever the size, kind and orientation; and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, Luma, Rgb, RgbImage};
use limn_domain::Digest;
use limn_storage::pyramid::{Asked, PyramidInfo, TILE, TileFormat};
use limn_storage::{DecodePool, ImageLimits, RenditionKind, Renditions, Source, StorageError};
use proptest::prelude::*;
use std::io::{Cursor, Read as _, Write as _};
use tiff::encoder::{Compression, TiffEncoder, colortype};

struct Cache {
    renditions: Renditions,
    _dir: tempfile::TempDir,
}

/// Everything is large here.
fn cache() -> Cache {
    let dir = tempfile::tempdir().unwrap();
    let limits = ImageLimits {
        whole_pixels: 0,
        ..ImageLimits::default()
    };
    let renditions = Renditions::open(dir.path(), DecodePool::new(2, 64), limits).unwrap();
    Cache {
        renditions,
        _dir: dir,
    }
}

fn digest() -> Digest {
    Digest::parse(&"ab".repeat(32)).unwrap()
}

fn source(bytes: Vec<u8>) -> Source {
    Source::Bytes(bytes.into())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

impl Cache {
    fn make(&self, bytes: Vec<u8>) -> Result<PyramidInfo, StorageError> {
        runtime().block_on(
            self.renditions
                .make_pyramid(&digest(), source(bytes), |_, _| true),
        )
    }

    /// The samples of a level, row by row, 16 bits or 8 alike.
    fn level(&self, info: &PyramidInfo, level: u32) -> Vec<u16> {
        let (w, h) = info.level_size(level).unwrap();
        let n = usize::from(info.channels);
        let mut out = vec![0; w as usize * h as usize * n];
        for y in 0..h.div_ceil(TILE) {
            for x in 0..w.div_ceil(TILE) {
                let asked = runtime().block_on(self.renditions.tile(&digest(), level, x, y));
                let Ok(Asked::Found(tile)) = asked else {
                    panic!("tile {level}/{x}/{y}: {asked:?}");
                };
                let (tw, th) = info.tile_size(level, x, y).unwrap();
                let samples: Vec<u16> = match tile.format {
                    TileFormat::Raw16 => {
                        let mut raw = Vec::new();
                        flate2::read::GzDecoder::new(&tile.bytes[..])
                            .read_to_end(&mut raw)
                            .unwrap();
                        raw.chunks_exact(2)
                            .map(|b| u16::from_le_bytes([b[0], b[1]]))
                            .collect()
                    }
                    _ => image::load_from_memory(&tile.bytes)
                        .unwrap()
                        .as_bytes()
                        .iter()
                        .map(|v| u16::from(*v))
                        .collect(),
                };
                assert_eq!(
                    samples.len(),
                    tw as usize * th as usize * n,
                    "tile {level}/{x}/{y}"
                );
                for row in 0..th as usize {
                    let to = ((y * TILE) as usize + row) * w as usize * n + (x * TILE) as usize * n;
                    let from = row * tw as usize * n;
                    out[to..to + tw as usize * n].copy_from_slice(&samples[from..from + tw as usize * n]);
                }
            }
        }
        out
    }
}

fn noise(x: u32, y: u32, c: u32) -> u32 {
    (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503).wrapping_add(c * 977)).wrapping_mul(2_246_822_519)
        >> 8
}

fn rgb(w: u32, h: u32) -> RgbImage {
    RgbImage::from_fn(w, h, |x, y| Rgb([0, 1, 2].map(|c| noise(x, y, c) as u8)))
}

fn gray16(w: u32, h: u32) -> image::ImageBuffer<Luma<u16>, Vec<u16>> {
    image::ImageBuffer::from_fn(w, h, |x, y| Luma([noise(x, y, 7) as u16]))
}

/// The mean over the pixels of level 0 that a pixel of a level covers.
fn mean(whole: &[u16], (w, h): (u32, u32), n: usize, level: u32, (x, y): (u32, u32), c: usize) -> f64 {
    let side = 1 << level;
    let (mut sum, mut count) = (0.0, 0.0);
    for yy in (y * side)..((y + 1) * side).min(h) {
        for xx in (x * side)..((x + 1) * side).min(w) {
            sum += f64::from(whole[(yy as usize * w as usize + xx as usize) * n + c]);
            count += 1.0;
        }
    }
    sum / count
}

/// Level 0 is the picture itself; the others are its means, as far as rounding at each level allows. Where the size is odd
/// the last pixel weighs more in the level after next, so only whole squares are compared there.
fn check(cache: &Cache, info: &PyramidInfo, whole: &[u16]) {
    let size = (info.width, info.height);
    let n = usize::from(info.channels);
    assert!(cache.level(info, 0) == whole, "level 0");
    for level in 1..info.levels() {
        let (w, h) = info.level_size(level).unwrap();
        let got = cache.level(info, level);
        for y in 0..h {
            for x in 0..w {
                let side = 1 << level;
                let is_cut = (x + 1) * side > info.width || (y + 1) * side > info.height;
                if is_cut && level > 1 {
                    continue;
                }
                for c in 0..n {
                    let want = mean(whole, size, n, level, (x, y), c);
                    let got = f64::from(got[(y as usize * w as usize + x as usize) * n + c]);
                    assert!(
                        (got - want).abs() <= 0.5 * f64::from(level) + 0.01,
                        "level {level} at {x},{y}: {got} for {want}"
                    );
                }
            }
        }
    }
}

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.into().write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner()
}

/// A TIFF of strips, with a tag of its orientation.
fn tiff(picture: &RgbImage, rows: u32, compression: Compression, orientation: u16) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut out).unwrap().with_compression(compression);
    let mut image = encoder
        .new_image::<colortype::RGB8>(picture.width(), picture.height())
        .unwrap();
    image.rows_per_strip(rows).unwrap();
    image
        .encoder()
        .write_tag(tiff::tags::Tag::Orientation, orientation)
        .unwrap();
    image.write_data(picture.as_raw()).unwrap();
    out.into_inner()
}

/// A TIFF of tiles, written by hand: no encoder here makes one.
fn tiled_tiff(picture: &RgbImage, side: u32) -> Vec<u8> {
    let (w, h) = picture.dimensions();
    let (across, down) = (w.div_ceil(side), h.div_ceil(side));
    let mut data = Vec::new();
    let mut offsets = Vec::new();
    let mut counts = Vec::new();
    for ty in 0..down {
        for tx in 0..across {
            let mut tile = Vec::new();
            for y in 0..side {
                for x in 0..side {
                    let p = picture.get_pixel_checked(tx * side + x, ty * side + y);
                    tile.extend(p.map_or([9; 3], |p| p.0));
                }
            }
            let mut z = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            z.write_all(&tile).unwrap();
            let z = z.finish().unwrap();
            offsets.push(8 + data.len() as u32);
            counts.push(z.len() as u32);
            data.extend(z);
        }
    }
    let lists = 8 + data.len() as u32;
    for v in offsets.iter().chain(&counts) {
        data.extend(v.to_le_bytes());
    }
    let bits = 8 + data.len() as u32;
    data.extend([8_u8, 0, 8, 0, 8, 0]);
    let n = offsets.len() as u32;
    let one = |v: &[u32], at: u32| if n == 1 { v[0] } else { at };
    let entries = [
        (256_u16, 4_u16, 1, w),
        (257, 4, 1, h),
        (258, 3, 3, bits),
        (259, 3, 1, 8),
        (262, 3, 1, 2),
        (277, 3, 1, 3),
        (322, 4, 1, side),
        (323, 4, 1, side),
        (324, 4, n, one(&offsets, lists)),
        (325, 4, n, one(&counts, lists + 4 * n)),
    ];
    let directory = 8 + data.len() as u32;
    data.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        data.extend(tag.to_le_bytes());
        data.extend(kind.to_le_bytes());
        data.extend(u32::to_le_bytes(count));
        data.extend(u32::to_le_bytes(value));
    }
    data.extend([0; 4]);
    [&b"II*\0"[..], &directory.to_le_bytes(), &data].concat()
}

fn samples(picture: &DynamicImage) -> Vec<u16> {
    match picture {
        DynamicImage::ImageLuma16(p) => p.as_raw().clone(),
        p => p.as_bytes().iter().map(|v| u16::from(*v)).collect(),
    }
}

#[test]
fn levels_are_means_of_the_picture() {
    for (w, h) in [
        (1, 1),
        (1, 1_300),
        (1_300, 1),
        (512, 512),
        (513, 1_025),
        (1_201, 777),
    ] {
        let cache = cache();
        let picture = rgb(w, h);
        let info = cache.make(png(picture.clone())).unwrap();
        assert_eq!((info.width, info.height, info.channels, info.bits), (w, h, 3, 8));
        check(&cache, &info, &samples(&picture.into()));
    }
}

#[test]
fn sixteen_bits_stay_what_they_are() {
    let cache = cache();
    let picture = gray16(1_030, 700);
    let info = cache.make(png(DynamicImage::from(picture.clone()))).unwrap();
    assert_eq!(
        (info.channels, info.bits, info.format),
        (1, 16, TileFormat::Raw16)
    );
    let (min, max) = picture
        .as_raw()
        .iter()
        .fold((u16::MAX, 0), |(a, b), v| (a.min(*v), b.max(*v)));
    assert_eq!(info.range, (min, max));
    assert!(info.window.0 > min && info.window.1 < max);
    check(&cache, &info, picture.as_raw());
}

#[test]
fn every_orientation_is_applied() {
    for orientation in 1..=8_u8 {
        let cache = cache();
        let picture = rgb(1_033, 521);
        let bytes = tiff(&picture, 100, Compression::Uncompressed, u16::from(orientation));
        let mut upright = DynamicImage::from(picture);
        upright.apply_orientation(image::metadata::Orientation::from_exif(orientation).unwrap());
        let info = cache.make(bytes).unwrap();
        assert_eq!((info.width, info.height), (upright.width(), upright.height()));
        check(&cache, &info, &samples(&upright));
    }
}

#[test]
fn tiffs_of_every_make() {
    let picture = rgb(1_100, 640);
    let whole = samples(&picture.clone().into());
    let strips = |rows, c| tiff(&picture, rows, c, 1);
    for (name, bytes) in [
        ("plain", strips(1, Compression::Uncompressed)),
        ("deflate", strips(33, Compression::Deflate(Default::default()))),
        ("lzw", strips(64, Compression::Lzw)),
        ("packbits", strips(640, Compression::Packbits)),
        ("tiles", tiled_tiff(&picture, 256)),
        ("large tiles", tiled_tiff(&picture, 2_048)),
    ] {
        let cache = cache();
        let info = cache.make(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(info.format, TileFormat::Png, "{name}");
        assert!(cache.level(&info, 0) == whole, "{name}");
    }
    // A single strip that is read row by row.
    let large = rgb(3_000, 1_000);
    let cache = cache();
    let info = cache
        .make(tiff(&large, 1_000, Compression::Uncompressed, 1))
        .unwrap();
    assert!(cache.level(&info, 0) == samples(&large.into()));
}

#[test]
fn jpegs_are_as_decoded() {
    let mut bytes = Vec::new();
    let picture = RgbImage::from_fn(1_300, 900, |x, y| Rgb([(x / 6) as u8, (y / 4) as u8, 90]));
    JpegEncoder::new_with_quality(&mut bytes, 95)
        .encode_image(&picture)
        .unwrap();
    let cache = cache();
    let info = cache.make(bytes.clone()).unwrap();
    assert_eq!(info.format, TileFormat::Jpeg);
    let whole = samples(&image::load_from_memory(&bytes).unwrap());
    let worst = cache
        .level(&info, 0)
        .iter()
        .zip(&whole)
        .map(|(a, b)| a.abs_diff(*b))
        .max()
        .unwrap();
    assert!(worst <= 24, "off by {worst}");
}

#[test]
fn small_renditions_come_from_the_pyramid() {
    let cache = cache();
    let picture = png(RgbImage::from_fn(3_000, 1_500, |x, _| {
        Rgb([(x / 12) as u8, 0, 0])
    }));
    let early = runtime().block_on(cache.renditions.get_or_make(
        &digest(),
        RenditionKind::Thumb,
        source(picture.clone()),
    ));
    assert!(matches!(early, Err(StorageError::NotMadeYet)));
    cache.make(picture.clone()).unwrap();
    for (kind, width) in [(RenditionKind::Thumb, 320), (RenditionKind::Screen, 1_500)] {
        // Also when only the small file was lost.
        for again in [false, true] {
            if again {
                std::fs::remove_file(cache.renditions.path(&digest(), kind)).unwrap();
            }
            let bytes = runtime()
                .block_on(
                    cache
                        .renditions
                        .get_or_make(&digest(), kind, source(picture.clone())),
                )
                .unwrap();
            assert_eq!(image::load_from_memory(&bytes).unwrap().width(), width);
        }
    }
    let full = runtime().block_on(cache.renditions.get_or_make(
        &digest(),
        RenditionKind::Full,
        source(picture),
    ));
    assert!(full.unwrap_err().to_string().contains("tiles"));
    runtime().block_on(cache.renditions.delete(&digest())).unwrap();
    assert!(!cache.renditions.pyramid_path(&digest()).exists());
}

#[test]
fn what_is_cut_short_is_refused_and_leaves_nothing() {
    let picture = rgb(900, 700);
    let mut jpeg = Vec::new();
    JpegEncoder::new(&mut jpeg).encode_image(&picture).unwrap();
    for (name, bytes) in [
        ("PNG", png(picture.clone())),
        ("JPEG", jpeg),
        (
            "TIFF",
            tiff(&picture, 50, Compression::Deflate(Default::default()), 1),
        ),
        ("TIFF", tiled_tiff(&picture, 256)),
        ("TIFF", tiff(&picture, 700, Compression::Uncompressed, 1)),
    ] {
        for share in [2, 3, 9] {
            let cache = cache();
            let cut = bytes[..bytes.len() - bytes.len() / share].to_vec();
            let seen = runtime().block_on(cache.renditions.inspect(&digest(), source(cut.clone())));
            let made = cache.make(cut);
            // JPEG and TIFF tell before anything is decoded, PNG while it is.
            if name != "PNG" {
                assert!(seen.is_err(), "{name}");
            }
            let e = made.unwrap_err();
            assert!(e.is_refusal(), "{name}: {e:?}");
            assert!(!cache.renditions.pyramid_path(&digest()).exists());
        }
    }
}

#[test]
fn what_is_damaged_is_an_error_and_no_panic() {
    let picture = rgb(700, 600);
    let mut jpeg = Vec::new();
    JpegEncoder::new(&mut jpeg).encode_image(&picture).unwrap();
    for bytes in [
        png(picture.clone()),
        jpeg,
        tiff(&picture, 50, Compression::Lzw, 1),
        tiled_tiff(&picture, 128),
    ] {
        for seed in 0..60_u32 {
            let mut bad = bytes.clone();
            for k in 0..20 {
                let at = noise(seed, k, 1) as usize % bad.len();
                bad[at] = noise(seed, k, 2) as u8;
            }
            let cache = cache();
            if let Err(e) = cache.make(bad) {
                assert!(!e.to_string().is_empty());
            }
        }
    }
}

#[test]
fn bombs_are_refused_by_their_header() {
    // 60,000 x 60,000 of nothing.
    let mut z = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    z.write_all(&vec![0; 1 << 20]).unwrap();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8], body: &[u8]| {
        png.extend((body.len() as u32).to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(body);
        png.extend(kind);
        png.extend(body);
        png.extend(crc.sum().to_be_bytes());
    };
    let side = 60_000_u32.to_be_bytes();
    chunk(b"IHDR", &[&side[..], &side, &[8, 2, 0, 0, 0]].concat());
    chunk(b"IDAT", &z.finish().unwrap());
    chunk(b"IEND", b"");
    let cache = cache();
    let e = runtime()
        .block_on(cache.renditions.inspect(&digest(), source(png)))
        .unwrap_err();
    assert!(matches!(e, StorageError::TooManyPixels { .. }), "{e}");
}

#[test]
fn stopping_leaves_nothing_and_starting_again_works() {
    let cache = cache();
    let bytes = png(rgb(600, 900));
    let stopped = runtime().block_on(cache.renditions.make_pyramid(
        &digest(),
        source(bytes.clone()),
        |done, _| done < 200,
    ));
    assert!(matches!(stopped, Err(StorageError::Stopped)));
    assert!(!cache.renditions.pyramid_path(&digest()).exists());
    let info = cache.make(bytes).unwrap();
    // A file that was cut by a power failure is no pyramid.
    let path = cache.renditions.pyramid_path(&digest());
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    assert_eq!(
        runtime().block_on(cache.renditions.pyramid(&digest())).unwrap(),
        None
    );
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(
        runtime().block_on(cache.renditions.pyramid(&digest())).unwrap(),
        Some(info)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_size_and_orientation(w in 1_u32..1_200, h in 1_u32..700, o in 1_u8..=8, rows in 1_u32..90) {
        let cache = cache();
        let picture = rgb(w, h);
        let bytes = tiff(&picture, rows, Compression::Packbits, u16::from(o));
        let mut upright = DynamicImage::from(picture);
        upright.apply_orientation(image::metadata::Orientation::from_exif(o).unwrap());
        let info = cache.make(bytes).unwrap();
        check(&cache, &info, &samples(&upright));
    }
}
