//! Writes a CSV of a size to measure with: `make_csv BYTES FILE`. The same bytes every time.

use std::fs::File;
use std::io::{BufWriter, Write};

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(bytes), Some(path)) = (args.next().and_then(|b| b.parse::<u64>().ok()), args.next()) else {
        eprintln!("usage: make_csv BYTES FILE");
        std::process::exit(2);
    };
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let header = "id,price,quantity,category,city,rating,created,email,note,active,score,flag\n";
    out.write_all(header.as_bytes())?;
    let mut written = header.len() as u64;
    let mut state = 1u64;
    let mut dice = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let cities = [
        "Berlin",
        "Paris",
        "Zürich",
        "Oslo",
        "São Paulo",
        "New York",
        "Łódź",
        "Tokyo",
    ];
    let words = [
        "alpha", "beta", "gamma", "delta", "and", "the", "over", "quick", "brown", "fox",
    ];
    let mut row = String::new();
    for id in 0u64.. {
        if written >= bytes {
            break;
        }
        use std::fmt::Write as _;
        row.clear();
        let price = (dice() % 1_000_000) as f64 / 100.0;
        let score = (dice() % 2_000_001) as f64 / 1_000_000.0 - 1.0;
        let rating = if dice() % 10 == 0 {
            String::new()
        } else {
            (1 + dice() % 5).to_string()
        };
        let pick = |n: u64, of: &[&'static str]| of[n as usize % of.len()];
        let note = if dice() % 20 == 0 {
            format!("\"{}, \"\"{}\"\"\"", pick(dice(), &words), pick(dice(), &words))
        } else {
            format!(
                "{} {} {}",
                pick(dice(), &words),
                pick(dice(), &words),
                dice() % 1000
            )
        };
        let _ = writeln!(
            row,
            "{id},{price:.2},{},cat{},{},{rating},2024-{:02}-{:02} {:02}:{:02}:{:02},user{}@example.org,{note},{},{score:.6},{}",
            dice() % 100,
            dice() % 40,
            pick(dice(), &cities),
            1 + dice() % 12,
            1 + dice() % 28,
            dice() % 24,
            dice() % 60,
            dice() % 60,
            dice() % 5_000_000,
            dice() % 2 == 0,
            u64::from(dice() % 1000 == 0),
        );
        out.write_all(row.as_bytes())?;
        written += row.len() as u64;
    }
    out.flush()
}
