use super::*;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::ops::ControlFlow;

/// One entry with a checksum that is right.
fn entry(name: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    sign(&mut header);
    let mut out = header.to_vec();
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn sign(header: &mut [u8; 512]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut out = entries.concat();
    out.extend([0; 1024]);
    out
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut e = GzEncoder::new(Vec::new(), Compression::best());
    e.write_all(bytes).unwrap();
    e.finish().unwrap()
}

type Read_ = (Vec<(String, Vec<u8>)>, Vec<String>);

fn read_with(bytes: Vec<u8>, limits: ArchiveLimits) -> Result<Read_> {
    let mut files = Vec::new();
    let refused = each(
        &Source::Bytes(Bytes::from(bytes)),
        limits,
        |name| !name.contains(".skip"),
        |name, reader| {
            let mut data = Vec::new();
            reader.read_to_end(&mut data)?;
            files.push((name.to_owned(), data));
            Ok::<_, StorageError>(ControlFlow::Continue(()))
        },
    )?;
    Ok((files, refused.into_iter().map(|r| r.name).collect()))
}

fn read(bytes: Vec<u8>) -> Result<Read_> {
    read_with(bytes, ArchiveLimits::default())
}

#[test]
fn files_come_in_order_plain_and_packed() {
    let long = format!("set/{}/a.bin", "x".repeat(150));
    let mut pax = format!("path={long}\n");
    // The length counts itself: three digits and a space.
    pax = format!("{} {pax}", pax.len() + 4);
    let bytes = tar(&[
        entry(b"set/", b'5', b""),
        entry(b"./set/one.bin", b'0', b"first"),
        entry(b"set/passed.skip", b'0', &[7; 5_000]),
        entry(b"././@LongLink", b'L', format!("{long}\0").as_bytes()),
        entry(b"short", b'0', &[1; 512]),
        entry(b"PaxHeader", b'x', pax.as_bytes()),
        entry(b"short", b'0', &[2; 513]),
        entry(b"set/empty", 0, b""),
    ]);
    let (files, refused) = read(bytes.clone()).unwrap();
    let names: Vec<&str> = files.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["set/one.bin", &long, &long, "set/empty"]);
    assert_eq!(
        files.iter().map(|(_, d)| d.len()).collect::<Vec<_>>(),
        [5, 512, 513, 0]
    );
    assert!(refused.is_empty());
    assert_eq!(read(gz(&bytes)).unwrap().0, files);
}

#[test]
fn what_leaves_the_folder_or_is_no_file_is_refused_by_name() {
    let bytes = tar(&[
        entry(b"../../etc/passwd", b'0', b"x"),
        entry(b"/etc/passwd", b'0', b"x"),
        entry(b"link", b'2', b""),
        entry(b"hard", b'1', b""),
        entry(b"device", b'3', b""),
        entry(b"bad\xff", b'0', b"x"),
        entry(b"good", b'0', b"x"),
        entry(b"__MACOSX/x", b'0', b"x"),
    ]);
    let (files, refused) = read(bytes).unwrap();
    assert_eq!(files, [("good".to_owned(), b"x".to_vec())]);
    assert_eq!(refused.len(), 6, "{refused:?}");
}

#[test]
fn damage_is_named() {
    let good = tar(&[entry(b"a", b'0', &[3; 2_000])]);
    assert!(matches!(
        read(good[..1_500].to_vec()),
        Err(StorageError::Truncated(_))
    ));
    let packed = gz(&good);
    assert!(matches!(
        read(packed[..packed.len() / 2].to_vec()),
        Err(StorageError::Truncated(_))
    ));
    let mut wrong = good.clone();
    wrong[0] = b'b';
    assert!(matches!(read(wrong), Err(StorageError::NotATar(_))));
    assert!(matches!(
        read(b"<html>not found</html>".to_vec()),
        Err(StorageError::Truncated(_))
    ));
    assert!(matches!(read(vec![b'x'; 600]), Err(StorageError::NotATar(_))));
    assert!(matches!(read(Vec::new()), Err(StorageError::Empty)));
    let mut flipped = packed;
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    assert!(read(flipped).is_err());
}

#[test]
fn limits_hold() {
    let limits = |f: fn(&mut ArchiveLimits)| {
        let mut l = ArchiveLimits::default();
        f(&mut l);
        l
    };
    let three = tar(&[
        entry(b"a", b'0', &[0; 4_000]),
        entry(b"b", b'0', &[0; 4_000]),
        entry(b"c", b'0', b""),
    ]);
    assert!(matches!(
        read_with(three.clone(), limits(|l| l.max_entries = 2)),
        Err(StorageError::TooManyEntries { .. })
    ));
    assert!(matches!(
        read_with(three.clone(), limits(|l| l.max_entry = 3_999)),
        Err(StorageError::EntryTooLarge { .. })
    ));
    assert!(matches!(
        read_with(three.clone(), limits(|l| l.max_total = 7_999)),
        Err(StorageError::ArchiveTooLarge { .. })
    ));
    let bomb = gz(&tar(&[entry(b"a", b'0', &vec![0; 4 << 20])]));
    assert!(matches!(
        read_with(bomb.clone(), limits(|l| l.free = 1 << 20)),
        Err(StorageError::Bomb { .. })
    ));
    // An honest blank picture is one too; the first bytes are free.
    assert!(read(bomb).is_ok());
}

#[test]
fn a_zip_goes_the_same_way() {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, data) in [("a/b.txt", "one"), ("c.skip", "two"), ("../d", "three")] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(data.as_bytes()).unwrap();
    }
    let (files, refused) = read(zip.finish().unwrap().into_inner()).unwrap();
    assert_eq!(files, [("a/b.txt".to_owned(), b"one".to_vec())]);
    assert_eq!(refused, ["../d"]);
}

proptest::proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2_000)) {
        let _ = read(bytes);
    }

    /// A good archive with some bytes changed.
    #[test]
    fn broken_archives(at in 0_usize..3_000, with: u8) {
        let mut bytes = tar(&[entry(b"a", b'0', &[3; 700]), entry(b"././@LongLink", b'L', b"long\0"), entry(b"b", b'0', b"x")]);
        let at = at % bytes.len();
        bytes[at] = with;
        let _ = read(bytes);
    }
}
