//! Counts what passed and what failed, from the words of cargo's test programs and Playwright's report.

use serde_json::Value;

#[derive(Default, Debug, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    /// What failed, for the last lines of the output.
    pub failures: Vec<String>,
    /// Journeys that passed only when they were tried again: each is a fault of a test or of the product, to be found.
    pub flaky: Vec<String>,
}

impl Tally {
    /// A check that is not a test program: only its failure counts.
    pub fn check(&mut self, name: &str, ok: bool) {
        if !ok {
            self.fail(name);
        }
    }

    pub fn fail(&mut self, name: &str) {
        self.failed += 1;
        self.failures.push(name.to_owned());
    }

    /// One line of a Rust test program's output.
    pub fn rust_line(&mut self, line: &str) {
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|l| l.strip_suffix(" ... FAILED"))
        {
            self.failures.push(name.to_owned());
        }
        let Some(result) = line.trim_start().strip_prefix("test result:") else {
            return;
        };
        let number = |word: &str| {
            let before = &result[..result.find(word)?];
            before.split_whitespace().next_back()?.parse::<u64>().ok()
        };
        self.passed += number(" passed").unwrap_or(0);
        self.failed += number(" failed").unwrap_or(0);
    }

    /// Playwright's JSON report.
    pub fn playwright(&mut self, report: &Value) {
        let stat = |name: &str| report["stats"][name].as_u64().unwrap_or(0);
        self.passed += stat("expected") + stat("flaky");
        self.failed += stat("unexpected");
        // Mistakes outside of tests: a file that does not load, a set-up that throws.
        for error in report["errors"].as_array().into_iter().flatten() {
            let message = error["message"].as_str().unwrap_or("unknown error");
            self.fail(&format!(
                "playwright: {}",
                message.lines().next().unwrap_or_default()
            ));
        }
        for suite in report["suites"].as_array().into_iter().flatten() {
            self.suite(suite);
        }
    }

    fn suite(&mut self, suite: &Value) {
        for inner in suite["suites"].as_array().into_iter().flatten() {
            self.suite(inner);
        }
        for spec in suite["specs"].as_array().into_iter().flatten() {
            let text = |key: &str| spec[key].as_str().unwrap_or("?");
            let test = &spec["tests"][0];
            let project = test["projectName"].as_str().unwrap_or("?");
            let name = format!("{} [{project}] {}", text("file"), text("title"));
            if spec["ok"] == false {
                self.failures.push(name);
            } else if test["status"] == "flaky" {
                self.flaky.push(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_rust_results() {
        let mut tally = Tally::default();
        tally.rust_line("test a::b ... ok");
        tally.rust_line("test a::c ... FAILED");
        tally.rust_line("test result: FAILED. 12 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out");
        assert_eq!(
            tally,
            Tally {
                passed: 12,
                failed: 1,
                failures: vec!["a::c".into()],
                flaky: Vec::new(),
            }
        );
    }

    #[test]
    fn counts_playwright_results() {
        let mut tally = Tally::default();
        tally.playwright(&serde_json::json!({
            "stats": {"expected": 4, "unexpected": 1, "flaky": 1, "skipped": 2},
            "errors": [],
            "suites": [{"suites": [{"specs": [
                {"ok": false, "file": "a.spec.ts", "title": "draws", "tests": [{"projectName": "sqlite", "status": "unexpected"}]},
                {"ok": true, "file": "b.spec.ts", "title": "waits", "tests": [{"projectName": "postgres", "status": "flaky"}]}
            ]}]}],
        }));
        assert_eq!((tally.passed, tally.failed), (5, 1));
        assert_eq!(tally.failures, ["a.spec.ts [sqlite] draws"]);
        assert_eq!(tally.flaky, ["b.spec.ts [postgres] waits"]);
    }
}
