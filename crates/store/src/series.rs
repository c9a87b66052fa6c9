//! Points of metrics as bytes: differences of steps and times in variable-length integers, values as they are.
//!
//! A chunk is a count and that many points; chunks one after another are one chunk's points after another's.

use crate::StoreError;
use limn_domain::run::Point;

/// Writes points in the order given.
pub fn encode(points: &[Point]) -> Vec<u8> {
    let mut out = Vec::with_capacity(points.len() * 12 + 2);
    let (mut step, mut at) = (0_i64, 0_i64);
    for p in points {
        put(&mut out, p.step.wrapping_sub(step));
        put(&mut out, p.at_ms.wrapping_sub(at));
        out.extend_from_slice(&p.value.to_bits().to_le_bytes());
        (step, at) = (p.step, p.at_ms);
    }
    out
}

/// Appends the points of a chunk. Errors: [`StoreError::Corrupt`].
pub fn decode(mut bytes: &[u8], into: &mut Vec<Point>) -> Result<(), StoreError> {
    let (mut step, mut at) = (0_i64, 0_i64);
    while !bytes.is_empty() {
        step = step.wrapping_add(take(&mut bytes)?);
        at = at.wrapping_add(take(&mut bytes)?);
        let (value, rest) = bytes.split_first_chunk::<8>().ok_or_else(corrupt)?;
        bytes = rest;
        into.push(Point {
            step,
            at_ms: at,
            value: f64::from_bits(u64::from_le_bytes(*value)),
        });
    }
    Ok(())
}

/// A signed number, small ones short.
fn put(out: &mut Vec<u8>, n: i64) {
    let mut n = ((n << 1) ^ (n >> 63)) as u64;
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn take(bytes: &mut &[u8]) -> Result<i64, StoreError> {
    let mut n = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or_else(corrupt)?;
        *bytes = rest;
        n |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok((n >> 1) as i64 ^ -((n & 1) as i64));
        }
    }
    Err(corrupt())
}

fn corrupt() -> StoreError {
    StoreError::Corrupt("a chunk of a metric".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(points: &[Point]) {
        let mut back = Vec::new();
        decode(&encode(points), &mut back).expect("what was written is read");
        assert_eq!(back.len(), points.len());
        for (a, b) in back.iter().zip(points) {
            assert_eq!(
                (a.step, a.at_ms, a.value.to_bits()),
                (b.step, b.at_ms, b.value.to_bits())
            );
        }
    }

    #[test]
    fn everything_comes_back() {
        let p = |step, at_ms, value| Point { step, at_ms, value };
        round(&[]);
        round(&[
            p(0, 0, 0.0),
            p(i64::MAX, i64::MIN, f64::NAN),
            p(i64::MIN, i64::MAX, f64::NEG_INFINITY),
            p(-1, 1, -0.0),
        ]);
        let many: Vec<Point> = (0..5_000)
            .map(|i| p(i, 1_795_461_180_202 + i * 37, (i as f64).sin()))
            .collect();
        round(&many);
        assert!(encode(&many).len() < many.len() * 11);
    }

    #[test]
    fn damage_is_told() {
        let bytes = encode(&[Point {
            step: 300,
            at_ms: 5,
            value: 1.0,
        }]);
        for cut in 1..bytes.len() {
            assert!(decode(&bytes[..cut], &mut Vec::new()).is_err(), "{cut}");
        }
        assert!(decode(&[0xff; 40], &mut Vec::new()).is_err());
    }
}
