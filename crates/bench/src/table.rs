//! What was measured, as a Markdown table.

use std::fmt;

#[derive(Debug, Default)]
pub struct Table(Vec<Row>);

#[derive(Debug)]
struct Row {
    what: String,
    measured: String,
    target: String,
    met: Option<bool>,
    bound: String,
}

impl Table {
    /// `met` is `None` for a row without a target; `bound` names what the figure is compared with.
    pub fn row(&mut self, what: &str, measured: String, target: &str, met: Option<bool>, bound: String) {
        eprintln!("{what}: {measured}");
        self.0.push(Row {
            what: what.to_owned(),
            measured,
            target: target.to_owned(),
            met,
            bound,
        });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | measured | target | met | beside |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for r in &self.0 {
            let met = match r.met {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "",
            };
            writeln!(
                f,
                "| {} | {} | {} | {met} | {} |",
                r.what, r.measured, r.target, r.bound
            )?;
        }
        Ok(())
    }
}
