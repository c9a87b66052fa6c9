//! Latencies.

use std::time::Duration;

/// Latencies of one kind of call and how long all of them took together.
#[derive(Debug, Default)]
pub struct Latencies {
    pub each: Vec<Duration>,
    pub wall: Duration,
}

impl Latencies {
    /// Calls a second over the whole run.
    pub fn rate(&self) -> f64 {
        self.each.len() as f64 / self.wall.as_secs_f64().max(1e-9)
    }

    /// The latency that `share` (0..=1) of the calls did not exceed, in milliseconds.
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let mut sorted = self.each.clone();
        sorted.sort_unstable();
        let at = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
        sorted.get(at).map_or(f64::NAN, |d| d.as_secs_f64() * 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let l = Latencies {
            each: (1..=100).rev().map(Duration::from_millis).collect(),
            wall: Duration::from_secs(2),
        };
        assert_eq!(l.percentile_ms(0.95), 95.0);
        assert_eq!(l.percentile_ms(0.0), 1.0);
        assert_eq!(l.percentile_ms(1.0), 100.0);
        assert_eq!(l.rate(), 50.0);
        assert!(Latencies::default().percentile_ms(0.5).is_nan());
    }
}
