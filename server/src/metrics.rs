//! Counters for `/metrics`, in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Upper bounds of the latency histogram, in seconds.
const BOUNDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Requests by route and status, and how long they took. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: Instant,
    in_flight: AtomicI64,
    /// By method and route template.
    routes: Mutex<BTreeMap<(String, String), Arc<Route>>>,
}

#[derive(Debug, Default)]
struct Route {
    by_status: Mutex<BTreeMap<u16, u64>>,
    buckets: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self(Arc::new(Inner {
            started: Instant::now(),
            in_flight: AtomicI64::new(0),
            routes: Mutex::default(),
        }))
    }
}

/// A request being answered.
#[derive(Debug)]
pub struct InFlight(Arc<Inner>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Counts a request as running until the answer is dropped.
    pub fn enter(&self) -> InFlight {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(&self.0))
    }

    /// Counts an answered request. `route` is the template, never the path, so that the number of rows is bounded.
    pub fn observe(&self, method: &str, route: &str, status: u16, took: Duration) {
        let entry = {
            let mut routes = self.0.routes.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(routes.entry((method.to_owned(), route.to_owned())).or_default())
        };
        *entry
            .by_status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(status)
            .or_default() += 1;
        if let Some(i) = BOUNDS.iter().position(|b| took.as_secs_f64() <= *b) {
            entry.buckets[i].fetch_add(1, Ordering::Relaxed);
        }
        entry.count.fetch_add(1, Ordering::Relaxed);
        entry.micros.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// Everything counted, and the figures the caller has looked up.
    pub fn render(&self, gauges: &[(&str, &str, i64)]) -> String {
        let mut out = String::new();
        let requests = "limn_http_requests_total";
        let seconds = "limn_http_request_duration_seconds";
        let routes: Vec<_> = self
            .0
            .routes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(k, v)| (k.clone(), Arc::clone(v)))
            .collect();
        let _ = writeln!(
            out,
            "# HELP {requests} Answered requests.\n# TYPE {requests} counter"
        );
        for ((method, route), entry) in &routes {
            for (status, n) in entry
                .by_status
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
            {
                let _ = writeln!(
                    out,
                    "{requests}{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {n}"
                );
            }
        }
        let _ = writeln!(
            out,
            "# HELP {seconds} Time to the first byte of the answer.\n# TYPE {seconds} histogram"
        );
        for ((method, route), entry) in &routes {
            let labels = format!("method=\"{method}\",route=\"{route}\"");
            let mut sum = 0;
            for (bound, bucket) in BOUNDS.iter().zip(&entry.buckets) {
                sum += bucket.load(Ordering::Relaxed);
                let _ = writeln!(out, "{seconds}_bucket{{{labels},le=\"{bound}\"}} {sum}");
            }
            let count = entry.count.load(Ordering::Relaxed);
            let total = entry.micros.load(Ordering::Relaxed) as f64 / 1e6;
            let _ = writeln!(out, "{seconds}_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _ = writeln!(out, "{seconds}_sum{{{labels}}} {total}");
            let _ = writeln!(out, "{seconds}_count{{{labels}}} {count}");
        }
        let own = [
            (
                "limn_http_requests_in_flight",
                "Requests being answered.",
                self.0.in_flight.load(Ordering::Relaxed),
            ),
            (
                "limn_uptime_seconds",
                "Seconds since the start.",
                self.0.started.elapsed().as_secs() as i64,
            ),
        ];
        for (name, help, value) in own.iter().chain(gauges) {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up() {
        let m = Metrics::default();
        let running = m.enter();
        m.observe("GET", "/x", 200, Duration::from_millis(2));
        m.observe("GET", "/x", 404, Duration::from_mins(1));
        let text = m.render(&[("limn_up", "Up.", 1)]);
        drop(running);
        for line in [
            "limn_http_requests_total{method=\"GET\",route=\"/x\",status=\"404\"} 1",
            "limn_http_request_duration_seconds_bucket{method=\"GET\",route=\"/x\",le=\"0.0025\"} 1",
            "limn_http_request_duration_seconds_bucket{method=\"GET\",route=\"/x\",le=\"5\"} 1",
            "limn_http_request_duration_seconds_bucket{method=\"GET\",route=\"/x\",le=\"+Inf\"} 2",
            "limn_http_requests_in_flight 1",
            "limn_up 1",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
