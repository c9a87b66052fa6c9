//! Profiles one table and says how long it took and how much memory at most: `race FILE`. To be run beside a peer on the same
//! file; see docs/benchmarks.md.

use limn_profile::{ReadOptions, SharedFile, TableFormat, profile_lines, profile_parquet};
use std::fs::File;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: race FILE")?;
    let begin = Instant::now();
    let file = File::open(&path)?;
    let bytes = file.metadata()?.len();
    let options = ReadOptions {
        bytes,
        ..ReadOptions::default()
    };
    let state = match TableFormat::of_name(&path).ok_or("a table is needed")? {
        TableFormat::Parquet => profile_parquet(SharedFile::new(file)?, &options, &|_| true)?,
        format => profile_lines(format, file, &options, &|_| true)?,
    };
    let read = begin.elapsed();
    let profile = state.profile();
    let took = begin.elapsed();
    let kept = state.to_bytes()?.len();
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap_or("VmHWM unknown");
    println!(
        "{} rows, {} columns, {:.0} MB: {:.2} s reading, {:.2} s in all, {:.0} MB/s; {}; state {} kB",
        profile.rows,
        profile.columns.len(),
        bytes as f64 / 1e6,
        read.as_secs_f64(),
        took.as_secs_f64(),
        bytes as f64 / 1e6 / took.as_secs_f64(),
        peak.split_whitespace().collect::<Vec<_>>().join(" "),
        kept / 1000
    );
    Ok(())
}
