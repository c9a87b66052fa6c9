//! Pictures as they really come: every orientation and pixel type, and everything that is no picture at all.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage,
};
use limn_storage::bake::bake_orientation;
use limn_storage::{
    BlobStore, DecodePool, ImageInfo, ImageKind, ImageLimits, RenditionKind, Renditions, Source,
    StorageError, decode, header,
};
use std::io::Cursor;

const RED: [u8; 3] = [220, 20, 20];
const GREEN: [u8; 3] = [20, 200, 20];
const BLUE: [u8; 3] = [20, 20, 220];
const GREY: [u8; 3] = [128, 128, 128];

/// Corners: red, green / blue, grey.
fn corners(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => GREY,
        })
    })
}

fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// A TIFF header with the one orientation tag.
fn exif(orientation: u8) -> Vec<u8> {
    let mut b = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    b.extend([orientation, 0, 0, 0, 0, 0, 0]);
    b
}

fn jpeg(image: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95)
        .encode_image(image)
        .unwrap();
    let body = [b"Exif\0\0".as_slice(), &exif(orientation)].concat();
    let len = (body.len() as u16 + 2).to_be_bytes();
    [&bytes[..2], &[0xff, 0xe1], &len, &body, &bytes[2..]].concat()
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [name.as_slice(), data].concat();
    [
        &(data.len() as u32).to_be_bytes()[..],
        &body,
        &crc(&body).to_be_bytes(),
    ]
    .concat()
}

fn png(image: &RgbImage, orientation: u8) -> Vec<u8> {
    let bytes = encode(image.clone(), ImageFormat::Png);
    // After the signature and IHDR.
    [&bytes[..33], &chunk(*b"eXIf", &exif(orientation)), &bytes[33..]].concat()
}

/// Only a header, claiming a size.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let ihdr = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [
        b"\x89PNG\r\n\x1a\n".as_slice(),
        &chunk(*b"IHDR", &ihdr),
        &chunk(*b"IDAT", b""),
        &chunk(*b"IEND", b""),
    ]
    .concat()
}

fn source(bytes: &[u8]) -> Source {
    Source::Bytes(Bytes::copy_from_slice(bytes))
}

fn info(bytes: &[u8]) -> ImageInfo {
    header(&source(bytes), &ImageLimits::default()).unwrap()
}

fn refusal(bytes: &[u8]) -> StorageError {
    decode(&source(bytes), &ImageLimits::default())
        .err()
        .expect("refused")
}

fn near(image: &DynamicImage, x: u32, y: u32, colour: [u8; 3]) {
    let got = image.to_rgb8().get_pixel(x, y).0;
    assert!(
        got.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 40),
        "at {x},{y}: {got:?} is not {colour:?}"
    );
}

/// What lies at the top left and bottom right after orientation.
fn turned(orientation: u8) -> ([u8; 3], [u8; 3]) {
    match orientation {
        1 | 5 => (RED, GREY),
        2 | 8 => (GREEN, BLUE),
        3 | 7 => (GREY, RED),
        _ => (BLUE, GREEN),
    }
}

#[test]
fn every_orientation_is_applied() {
    let picture = corners(48, 32);
    for orientation in 1..=8 {
        let (top_left, bottom_right) = turned(orientation);
        let (w, h) = if orientation >= 5 { (32, 48) } else { (48, 32) };
        for (kind, bytes) in [
            (ImageKind::Jpeg, jpeg(&picture, orientation)),
            (ImageKind::Png, png(&picture, orientation)),
        ] {
            let info = info(&bytes);
            assert_eq!(
                (info.kind, info.width, info.height, info.orientation),
                (kind, w, h, orientation)
            );
            assert_eq!(info.is_web_ready(), orientation == 1);

            let bytes = Bytes::from(bytes);
            let baked = bake_orientation(&bytes, &ImageLimits::default()).unwrap();
            assert_eq!(baked == bytes, orientation == 1);
            assert_eq!(
                baked,
                bake_orientation(&bytes, &ImageLimits::default()).unwrap(),
                "the same every time"
            );
            let after = self::info(&baked);
            assert_eq!(
                (after.kind, after.width, after.height, after.orientation),
                (kind, w, h, 1)
            );
            // As a tool that ignores the tag reads it.
            let plain = image::load_from_memory(&baked).unwrap();
            near(&plain, 4, 4, top_left);
            near(&plain, w - 5, h - 5, bottom_right);
        }
    }
}

#[test]
fn an_orientation_out_of_range_counts_as_none() {
    for bad in [0, 9, 255] {
        assert_eq!(info(&jpeg(&corners(48, 32), bad)).orientation, 1);
    }
}

#[test]
fn formats_are_told_by_content() {
    let picture = corners(20, 10);
    for (format, kind) in [
        (ImageFormat::Jpeg, ImageKind::Jpeg),
        (ImageFormat::Png, ImageKind::Png),
        (ImageFormat::WebP, ImageKind::WebP),
        (ImageFormat::Gif, ImageKind::Gif),
        (ImageFormat::Bmp, ImageKind::Bmp),
        (ImageFormat::Tiff, ImageKind::Tiff),
    ] {
        let bytes = encode(picture.clone(), format);
        let info = info(&bytes);
        assert_eq!(
            (info.kind, info.width, info.height, info.orientation),
            (kind, 20, 10, 1)
        );
        assert!(
            decode(&source(&bytes), &ImageLimits::default()).is_ok(),
            "{kind:?}"
        );
        // Cut anywhere it is refused, never a panic and never half a picture.
        for part in [1, bytes.len() / 4, bytes.len() / 2, bytes.len() * 9 / 10] {
            let e = refusal(&bytes[..part]);
            assert!(
                e.is_refusal() && !matches!(e, StorageError::TooManyPixels { .. }),
                "{kind:?} cut at {part}: {e}"
            );
        }
    }
}

#[test]
fn a_truncated_jpeg_says_that_a_part_is_missing() {
    let bytes = jpeg(&corners(200, 200), 1);
    for cut in [bytes.len() - 1, bytes.len() - 2, bytes.len() / 2] {
        assert!(
            matches!(refusal(&bytes[..cut]), StorageError::Truncated("JPEG")),
            "{cut}"
        );
    }
    let message = refusal(&bytes[..500]).to_string();
    assert!(message.contains("ends early"), "{message}");
}

#[test]
fn what_is_no_picture_is_named() {
    let said = |bytes: &[u8]| refusal(bytes).to_string();
    assert!(said(b"").contains("empty"));
    assert!(said(b"just text, named a.png").contains("this is text"));
    assert!(said(b"PK\x03\x04rest").contains("zip archive"));
    assert!(said(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>").contains("SVG"));
    assert!(said(b"\0\0\0\x1cftypheic\0\0\0\0").contains("HEIC"));
    assert!(said(&[0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]).contains("unknown format"));
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let limits = ImageLimits::default();
    let e = header(&source(&png_header(60_000, 60_000)), &limits).unwrap_err();
    assert!(
        matches!(
            e,
            StorageError::TooManyPixels {
                width: 60_000,
                height: 60_000,
                ..
            }
        ),
        "{e}"
    );
    assert!(e.to_string().contains("60000 x 60000"));
    assert!(matches!(
        refusal(&png_header(300_000, 1)),
        StorageError::TooManyPixels { .. }
    ));
    assert!(refusal(&png_header(0, 10)).is_refusal());
    // Few pixels but much memory: the limit on memory counts.
    let small = ImageLimits {
        max_alloc: 1000,
        ..limits
    };
    let bytes = encode(corners(100, 100), ImageFormat::Png);
    let e = decode(&source(&bytes), &small).err().expect("refused");
    assert!(matches!(e, StorageError::TooMuchMemory { .. }), "{e}");
    let few = ImageLimits {
        max_pixels: 9_999,
        ..limits
    };
    assert!(matches!(
        header(&source(&bytes), &few),
        Err(StorageError::TooManyPixels { .. })
    ));
}

async fn thumb(renditions: &Renditions, bytes: Vec<u8>) -> (ImageInfo, DynamicImage) {
    let digest = BlobStore::open(tempfile::tempdir().unwrap().path().join("b"))
        .unwrap()
        .stage_bytes(bytes.clone().into())
        .unwrap();
    let info = renditions
        .inspect(digest.digest(), digest.source())
        .await
        .unwrap();
    let jpeg = renditions
        .get(digest.digest(), RenditionKind::Thumb)
        .await
        .unwrap()
        .expect("made by inspect");
    let image = image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg).unwrap();
    (info, image)
}

fn cache(dir: &tempfile::TempDir) -> Renditions {
    Renditions::open(
        dir.path().join("renditions"),
        DecodePool::new(2, 256),
        ImageLimits::default(),
    )
    .unwrap()
}

#[tokio::test]
async fn thumbnails_of_every_pixel_type_look_right() {
    let dir = tempfile::tempdir().unwrap();
    let cache = cache(&dir);
    let wide: ImageBuffer<Rgb<u16>, Vec<u16>> = DynamicImage::from(corners(40, 20)).to_rgb16();
    let (i, t) = thumb(&cache, encode(wide, ImageFormat::Png)).await;
    assert_eq!((i.width, i.height, t.width(), t.height()), (40, 20, 40, 20));
    near(&t, 5, 5, RED);

    let grey16: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(30, 30, Luma([0x8080]));
    near(
        &thumb(&cache, encode(grey16, ImageFormat::Png)).await.1,
        9,
        9,
        GREY,
    );
    near(
        &thumb(
            &cache,
            encode(GrayImage::from_pixel(30, 30, Luma([128])), ImageFormat::Png),
        )
        .await
        .1,
        9,
        9,
        GREY,
    );
    // Transparent shows white, half transparent a mix.
    let clear = RgbaImage::from_fn(20, 20, |x, _| {
        Rgba(if x < 10 { [200, 0, 0, 0] } else { [0, 0, 0, 128] })
    });
    let (_, t) = thumb(&cache, encode(clear, ImageFormat::Png)).await;
    near(&t, 2, 10, [255, 255, 255]);
    near(&t, 17, 10, [127, 127, 127]);
    near(
        &thumb(
            &cache,
            encode(
                GrayAlphaImage::from_pixel(9, 9, image::LumaA([0, 0])),
                ImageFormat::Png,
            ),
        )
        .await
        .1,
        4,
        4,
        [255; 3],
    );
    // CMYK as Photoshop writes it (red).
    let cmyk = hex::decode(
        "ffd8ffee000e41646f626500640000000000ffdb0043000302020302020303030304030304050805050404050a070706080c0a0c0c0b0a0b0b0d0e12\
         100d0e110e0b0b1016101113141515150c0f171816141812141514ffc000140800080010044311004d11005911004b1100ffc40015000101000000000\
         00000000000000000000009ffc40014100100000000000000000000000000000000ffda000e0443004d0059004b00003f00aa6954954aa600ffd9",
    )
    .unwrap();
    near(&thumb(&cache, cmyk).await.1, 8, 4, [250, 5, 5]);
}

#[tokio::test]
async fn thumbnails_are_oriented_and_scaled() {
    let dir = tempfile::tempdir().unwrap();
    let cache = cache(&dir);
    for orientation in 1..=8 {
        let (info, t) = thumb(&cache, jpeg(&corners(960, 640), orientation)).await;
        let turned_side = orientation >= 5;
        assert_eq!(
            (info.width, info.height),
            if turned_side { (640, 960) } else { (960, 640) }
        );
        assert_eq!(
            (t.width(), t.height()),
            if turned_side { (213, 320) } else { (320, 213) }
        );
        let (top_left, bottom_right) = turned(orientation);
        near(&t, 20, 20, top_left);
        near(&t, t.width() - 20, t.height() - 20, bottom_right);
    }
}

#[tokio::test]
async fn extreme_shapes_get_renditions() {
    let dir = tempfile::tempdir().unwrap();
    let cache = cache(&dir);
    for (w, h) in [(1, 1), (1, 5000), (5000, 1), (321, 1)] {
        let (info, t) = thumb(
            &cache,
            encode(RgbImage::from_pixel(w, h, Rgb(RED)), ImageFormat::Png),
        )
        .await;
        assert_eq!((info.width, info.height), (w, h));
        assert!(t.width() >= 1 && t.height() >= 1 && t.width() <= 320 && t.height() <= 320);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renditions_are_made_once_and_again_when_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let cache = cache(&dir);
    let blobs = BlobStore::open(dir.path().join("blobs")).unwrap();
    let stored = blobs
        .put_bytes(encode(corners(3000, 200), ImageFormat::Tiff).into())
        .await
        .unwrap();
    let file = || Source::File(blobs.path(&stored.digest));
    let asks = (0..6).map(|_| cache.get_or_make(&stored.digest, RenditionKind::Screen, file()));
    let made = futures::future::try_join_all(asks).await.unwrap();
    assert!(made.iter().all(|b| *b == made[0]));
    assert_eq!(image::load_from_memory(&made[0]).unwrap().width(), 2048);
    let full = cache
        .get_or_make(&stored.digest, RenditionKind::Full, file())
        .await
        .unwrap();
    assert_eq!(image::load_from_memory(&full).unwrap().width(), 3000);

    let path = cache.path(&stored.digest, RenditionKind::Screen);
    std::fs::write(&path, &made[0][..100]).unwrap();
    assert_eq!(
        cache.get(&stored.digest, RenditionKind::Screen).await.unwrap(),
        None
    );
    assert_eq!(
        cache
            .get_or_make(&stored.digest, RenditionKind::Screen, file())
            .await
            .unwrap(),
        made[0]
    );
    cache.delete(&stored.digest).await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn inspect_refuses_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cache = cache(&dir);
    let blobs = BlobStore::open(dir.path().join("blobs")).unwrap();
    let whole = jpeg(&corners(600, 600), 1);
    for bad in [
        &whole[..whole.len() / 2],
        b"text",
        b"",
        &png_header(60_000, 60_000),
    ] {
        let staged = blobs.stage_bytes(Bytes::copy_from_slice(bad)).unwrap();
        assert!(
            cache
                .inspect(staged.digest(), staged.source())
                .await
                .unwrap_err()
                .is_refusal()
        );
        assert!(!cache.path(staged.digest(), RenditionKind::Thumb).exists());
    }
}

#[tokio::test]
async fn work_that_panics_is_an_error_and_frees_its_slot() {
    let pool = DecodePool::new(1, 1);
    for _ in 0..3 {
        let result: Result<(), _> = pool.run(u64::MAX, || panic!("on purpose")).await;
        assert!(matches!(result, Err(StorageError::Corrupt { .. })));
    }
    assert!(matches!(pool.run(10, || Ok(7)).await, Ok(7)));
}
