use super::*;
use flate2::{Compression, Crc, write::DeflateEncoder};
use proptest::prelude::*;
use std::io::Write as _;

/// One entry of an archive made by hand, so that every field may lie.
#[derive(Clone)]
struct Made {
    name: Vec<u8>,
    data: Vec<u8>,
    deflate: bool,
    flags: u16,
    method: Option<u16>,
    mode: u32,
    size: Option<u32>,
    extra: Vec<u8>,
}

fn file(name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Made {
    Made {
        name: name.as_ref().to_vec(),
        data: data.as_ref().to_vec(),
        deflate: true,
        flags: 0,
        method: None,
        mode: 0o100_644,
        size: None,
        extra: Vec::new(),
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn pack(files: &[Made]) -> Vec<u8> {
    let (mut out, mut table) = (Vec::new(), Vec::new());
    for f in files {
        let packed = if f.deflate {
            let mut e = DeflateEncoder::new(Vec::new(), Compression::best());
            e.write_all(&f.data).unwrap();
            e.finish().unwrap()
        } else {
            f.data.clone()
        };
        let method = f.method.unwrap_or(if f.deflate { 8 } else { 0 });
        let mut common = Vec::new();
        for v in [20, f.flags, method, 0, 0] {
            common.extend(v.to_le_bytes());
        }
        for v in [
            crc(&f.data),
            packed.len() as u32,
            f.size.unwrap_or(f.data.len() as u32),
        ] {
            common.extend(v.to_le_bytes());
        }
        common.extend((f.name.len() as u16).to_le_bytes());
        let at = out.len() as u32;
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend([0, 0]);
        out.extend(&f.name);
        out.extend(&packed);

        table.extend(b"PK\x01\x02\x1e\x03");
        table.extend(&common);
        table.extend((f.extra.len() as u16).to_le_bytes());
        // Length of the comment, disk, internal attributes.
        table.extend([0; 6]);
        table.extend((f.mode << 16).to_le_bytes());
        table.extend(at.to_le_bytes());
        table.extend(&f.name);
        table.extend(&f.extra);
    }
    let start = out.len() as u32;
    out.extend(&table);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for n in [files.len() as u16, files.len() as u16] {
        out.extend(n.to_le_bytes());
    }
    out.extend((table.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn open_with(bytes: &[u8], limits: ArchiveLimits) -> Result<Archive> {
    Archive::open(&Source::Bytes(bytes.to_vec().into()), limits)
}

fn open(bytes: &[u8]) -> Archive {
    open_with(bytes, ArchiveLimits::default()).unwrap()
}

fn names(a: &Archive) -> Vec<&str> {
    a.entries().iter().map(|e| &*e.name).collect()
}

fn refusals(a: &Archive) -> Vec<(&str, &str)> {
    a.refused()
        .iter()
        .map(|r| (r.name.as_str(), r.error.code()))
        .collect()
}

#[test]
fn reads_what_is_sound() {
    let mut stored = file("b/c d.txt", "stored");
    stored.deflate = false;
    let mut a = open(&pack(&[
        file("a.txt", "hello"),
        stored,
        file("dir/", ""),
        file("empty", ""),
        file("é.txt", "x"),
    ]));
    assert_eq!(names(&a), ["a.txt", "b/c d.txt", "empty", "é.txt"]);
    assert_eq!(a.ignored(), 1);
    assert_eq!(a.read(0, 100).unwrap(), b"hello");
    assert_eq!(a.read(1, 6).unwrap(), b"stored");
    assert_eq!(a.read(2, 100).unwrap(), b"");
    // Any order, again.
    assert_eq!(a.read(0, 5).unwrap(), b"hello");
    assert_eq!(a.read(0, 4).unwrap_err().code(), "entry_too_large");
    assert!(matches!(a.read(9, 4), Err(StorageError::NotFound)));
}

#[test]
fn reads_archives_of_other_makers() {
    use zip::write::SimpleFileOptions;
    let mut w = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (n, large) in [("plain.bin", false), ("zip64.bin", true)] {
        w.start_file(n, SimpleFileOptions::default().large_file(large))
            .unwrap();
        w.write_all(&vec![7; 100_000]).unwrap();
    }
    let bytes = w.finish().unwrap().into_inner();
    let mut a = open(&bytes);
    assert_eq!(names(&a), ["plain.bin", "zip64.bin"]);
    for n in 0..2 {
        assert_eq!(a.read(n, 1 << 20).unwrap(), vec![7; 100_000]);
    }
    // The same behind something else, as in a self-extracting archive, and with a tail.
    let moved = [b"MZ......".as_slice(), &bytes, b"\n"].concat();
    assert_eq!(open(&moved).read(0, 1 << 20).unwrap(), vec![7; 100_000]);
}

#[test]
fn names_that_leave_the_folder_are_refused_by_name() {
    let bad = [
        "../a.png",
        "x/../../a.png",
        "/etc/passwd",
        "C:\\a.png",
        "..\\a.png",
        "a\0.png",
        "a//b.png",
        "../",
        "new\nline.png",
    ];
    let mut files: Vec<_> = bad.iter().map(|n| file(n, "x")).collect();
    files.push(file(b"caf\xe9.png", "x"));
    files.push(file("x".repeat(600), "x"));
    files.push(file("good.png", "x"));
    let a = open(&pack(&files));
    assert_eq!(names(&a), ["good.png"]);
    let codes: Vec<_> = refusals(&a).into_iter().map(|(_, c)| c).collect();
    assert_eq!(
        codes,
        [vec!["bad_name"; bad.len()], vec!["name_not_utf8", "bad_name"]].concat()
    );
    assert_eq!(a.refused()[5].name, "a\\0.png");
    assert_eq!(a.refused()[bad.len()].name, "caf\u{fffd}.png");
}

#[test]
fn a_name_in_an_old_code_page_may_come_with_its_true_form() {
    let mut f = file(b"caf\x82.png", "x");
    f.extra = [
        b"\x75\x70".as_slice(),
        &14_u16.to_le_bytes(),
        &[1],
        &crc(b"caf\x82.png").to_le_bytes(),
        "café.png".as_bytes(),
    ]
    .concat();
    assert_eq!(names(&open(&pack(&[f]))), ["café.png"]);
}

#[test]
fn links_devices_encryption_and_odd_methods_are_refused() {
    let with = |name: &str, change: fn(&mut Made)| {
        let mut f = file(name, "target");
        change(&mut f);
        f
    };
    let a = open(&pack(&[
        with("link", |f| f.mode = 0o120_777),
        with("pipe", |f| f.mode = 0o010_644),
        with("locked.png", |f| f.flags = 1),
        with("aes.png", |f| f.method = Some(99)),
        with("odd.png", |f| f.method = Some(12)),
        with("inner.ZIP", |_| {}),
        with("no mode.png", |f| f.mode = 0),
    ]));
    assert_eq!(names(&a), ["no mode.png"]);
    assert_eq!(
        refusals(&a),
        [
            ("link", "symlink_entry"),
            ("pipe", "special_file"),
            ("locked.png", "encrypted_entry"),
            ("aes.png", "encrypted_entry"),
            ("odd.png", "unsupported_compression"),
            ("inner.ZIP", "nested_archive"),
        ]
    );
}

#[test]
fn nested_archives_are_known_by_content() {
    let inner = pack(&[file("a.png", "x")]);
    let mut a = open(&pack(&[
        file("harmless.png", &inner),
        file("ok.txt", "PK and more"),
    ]));
    assert_eq!(a.read(0, 1 << 20).unwrap_err().code(), "nested_archive");
    assert_eq!(a.read(1, 100).unwrap(), b"PK and more");
    let limits = ArchiveLimits {
        nested: true,
        ..ArchiveLimits::default()
    };
    let taken = pack(&[file("inner.zip", &inner), file("inner.bin", &inner)]);
    let mut a = open_with(&taken, limits).unwrap();
    assert_eq!(a.entries().len(), 2);
    assert_eq!(a.read(0, 1 << 20).unwrap(), a.read(1, 1 << 20).unwrap());
}

#[test]
fn system_files_are_passed_over() {
    let a = open(&pack(&[
        file("__MACOSX/._a.png", ""),
        file("a/.DS_Store", ""),
        file("Thumbs.db", ""),
        file("a/b.png", ""),
    ]));
    assert_eq!((names(&a), a.ignored()), (vec!["a/b.png"], 3));
}

#[test]
fn of_equal_names_the_last_is_taken_and_the_others_are_named() {
    let mut a = open(&pack(&[
        file("a.png", "1"),
        file("b.png", "2"),
        file("A.PNG", "3"),
        file("a.png", "4"),
    ]));
    assert_eq!(names(&a), ["b.png", "a.png"]);
    assert_eq!(a.read(1, 9).unwrap(), b"4");
    assert_eq!(
        refusals(&a),
        [("a.png", "duplicate_entry"), ("A.PNG", "duplicate_entry")]
    );
    assert!(a.refused()[0].error.to_string().contains("`A.PNG`"));
}

#[test]
fn bombs_are_measured_on_what_comes_out() {
    let limits = ArchiveLimits {
        max_entries: 10,
        max_entry: 20 << 20,
        max_total: 30 << 20,
        max_ratio: 100,
        free: 1 << 20,
        nested: false,
    };
    let zeros = vec![0; 8 << 20];
    let mut lying = file("lying.bin", &zeros);
    lying.size = Some(10);
    let mut a = open_with(&pack(&[lying, file("honest.bin", &zeros)]), limits).unwrap();
    for n in 0..2 {
        let mut sink = std::io::sink();
        let error = std::io::copy(&mut a.reader(n).unwrap(), &mut sink).unwrap_err();
        assert_eq!(StorageError::from(error).code(), "decompression_bomb");
    }
    // It was stopped long before its end.
    assert!(a.unpacked < 4 << 20);

    let lenient = ArchiveLimits {
        max_ratio: 10_000,
        ..limits
    };
    let many: Vec<_> = (0..5).map(|n| file(format!("{n}"), &zeros)).collect();
    let mut a = open_with(&pack(&many), lenient).unwrap();
    let codes: Vec<_> = (0..5)
        .map(|n| a.read(n, u64::MAX).map_or_else(|e| e.code(), |_| "ok"))
        .collect();
    assert_eq!(
        codes,
        ["ok", "ok", "ok", "archive_too_large", "archive_too_large"]
    );
    let mut a = open_with(&pack(&[file("big", vec![0; 21 << 20])]), lenient).unwrap();
    assert_eq!(a.read(0, u64::MAX).unwrap_err().code(), "entry_too_large");
    let eleven: Vec<_> = (0..11).map(|n| file(format!("{n}"), "")).collect();
    assert_eq!(
        open_with(&pack(&eleven), limits).unwrap_err().code(),
        "too_many_entries"
    );
}

#[test]
fn a_wrong_size_or_checksum_is_found() {
    let mut f = file("short", "hello");
    f.size = Some(9);
    assert_eq!(
        open(&pack(&[f])).read(0, 100).unwrap_err().code(),
        "corrupt_entry"
    );
    let mut f = file("flipped", "hello, hello, hello");
    f.deflate = false;
    let mut bytes = pack(&[f]);
    let at = bytes.windows(5).position(|w| w == b"hello").unwrap();
    bytes[at] ^= 1;
    assert_eq!(open(&bytes).read(0, 100).unwrap_err().code(), "corrupt_entry");
}

#[test]
fn what_is_no_archive_says_so() {
    let code = |b: &[u8]| open_with(b, ArchiveLimits::default()).unwrap_err().code();
    assert_eq!(code(b""), "empty_file");
    assert_eq!(code(b"hello"), "not_an_archive");
    assert_eq!(code(&vec![0; 100_000]), "not_an_archive");
    let whole = pack(&[file("a", "hello"), file("b", "x")]);
    for n in 1..whole.len() - 1 {
        assert_eq!(code(&whole[..n]), "not_an_archive", "{n}");
    }
    assert!(
        open(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")
            .entries()
            .is_empty()
    );
}

#[test]
fn stages_an_entry_under_its_own_limit() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = crate::BlobStore::open(dir.path()).unwrap();
    let mut a = open(&pack(&[file("a", vec![5; 3 << 20])]));
    let staged = a.stage(0, blobs.stage(4 << 20)).unwrap();
    assert_eq!(staged.len(), 3 << 20);
    assert!(blobs.commit_blocking(staged).unwrap().is_new);
    assert_eq!(
        a.stage(0, blobs.stage(1 << 20)).unwrap_err().code(),
        "file_too_large"
    );
}

proptest! {
    #[test]
    fn damage_never_panics(at in any::<prop::sample::Index>(), to: u8, cut in any::<prop::sample::Index>()) {
        let mut bytes = pack(&[file("a.txt", "hello hello hello"), file("dir/b.txt", vec![1; 300])]);
        let at = at.index(bytes.len());
        bytes[at] = to;
        bytes.truncate(bytes.len() - cut.index(20) / 10);
        if let Ok(mut a) = open_with(&bytes, ArchiveLimits::default()) {
            for n in 0..a.entries().len() {
                let _ = a.read(n, 1 << 20);
            }
        }
    }
}
