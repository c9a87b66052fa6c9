//! Small files of the formats, and records about them.

use flate2::Compression;
use flate2::write::GzEncoder;
use limn_domain::catalogue::{CatalogueTask, FileDigest, Licence, Loader, Record, RecordFile};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut e = GzEncoder::new(Vec::new(), Compression::fast());
    e.write_all(bytes).unwrap();
    e.finish().unwrap()
}

pub fn tgz(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(header);
        out.extend(bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.extend([0; 1024]);
    gz(&out)
}

/// The pixels of the `n`th picture of [`idx_images`].
pub fn pixels(n: u32) -> Vec<u8> {
    (0..28 * 28).map(|p: u32| ((p * (n + 1)) % 251) as u8).collect()
}

pub fn idx_images(count: u32) -> Vec<u8> {
    let mut out = vec![0, 0, 8, 3];
    for n in [count, 28, 28] {
        out.extend(n.to_be_bytes());
    }
    for n in 0..count {
        out.extend(pixels(n));
    }
    out
}

pub fn idx_labels(labels: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 8, 1];
    out.extend((labels.len() as u32).to_be_bytes());
    out.extend(labels);
    out
}

/// Records of CIFAR with these label bytes in front, of one colour each.
pub fn cifar(labels: &[&[u8]], shade: u8) -> Vec<u8> {
    let mut out = Vec::new();
    for (n, front) in labels.iter().enumerate() {
        out.extend(*front);
        for plane in [shade, 100, 200] {
            out.extend([plane + n as u8; 1024]);
        }
    }
    out
}

pub fn parquet(rows: i64) -> Vec<u8> {
    use parquet::data_type::{DoubleType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    let schema = "message m { REQUIRED INT64 ride; REQUIRED DOUBLE fare; }";
    let schema = std::sync::Arc::new(parse_message_type(schema).unwrap());
    let mut out = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut out, schema, std::sync::Arc::new(WriterProperties::default()))
            .unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let rides: Vec<i64> = (0..rows).collect();
    column
        .typed::<Int64Type>()
        .write_batch(&rides, None, None)
        .unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let fares: Vec<f64> = (0..rows).map(|n| n as f64 * 1.5).collect();
    column
        .typed::<DoubleType>()
        .write_batch(&fares, None, None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    out
}

pub fn sha(bytes: &[u8]) -> FileDigest {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
        .parse()
        .unwrap()
}

pub fn record(slug: &str, task: CatalogueTask, files: Vec<RecordFile>, loader: Loader) -> Record {
    Record {
        slug: slug.to_owned(),
        name: slug.to_uppercase(),
        summary: format!("A small {slug}"),
        task,
        tags: vec!["small".to_owned()],
        licence: Licence {
            name: "CC-BY-4.0".to_owned(),
            url: Some("https://creativecommons.org/licenses/by/4.0/".to_owned()),
        },
        home: format!("https://example.org/{slug}"),
        citation: "Somebody, 2026".to_owned(),
        card: format!("# {slug}\n\nWhat it is."),
        files,
        loader,
    }
}
