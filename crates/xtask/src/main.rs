//! The workspace's own tool: sets up, builds, runs, tests and checks Limn (`cargo xtask help`).
//!
//! Must stay quick to compile cold: few dependencies, none of Limn's own crates, no logic a user of Limn needs.

mod bench;
mod beside;
mod deps;
mod dev;
mod disk;
mod front;
mod interrupt;
mod lint;
mod peers;
mod serve;
mod setup;
mod sh;
mod tally;
mod test;
mod ws;

use anyhow::{Result, bail};
use bench::assist::Folders;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask <command>

  run [--release] [-- ARGS]        set up what is missing, build, start `limn serve` (or `limn ARGS`)
  build [--release]                the front end into target/site, then the server
  front [--no-lint]                the front end alone, past clippy
  dev [-- ARGS]                    like run, and rebuild and restart on every change
  test [--fast] [--filter X]       formatting, imports, unit, API and browser tests, lints
       [--no-lint] [--no-browser]  leave a part out; --fast leaves out both and PostgreSQL
  lint                             rustfmt, clippy for server and browser, style sheets, file sizes
  deps                             who may import whom
  bench [--quick] [--save]         measure the shipped server; --save keeps the table in docs/benchmarks.md
  bench --large [--quick] [--save] a picture of 30,000 x 30,000 pixels: cut into tiles, opened in a browser
  bench --canvas [--save]          the label page with thousands of polygons in a browser, beside an SVG page
  bench --assist [--save]          labels until the assist is right on the rest of scikit-learn's digits (Python)
       [--boxes FOLDER]            instead: how good its boxes are after 20, 50, 100 pictures of a folder (VOC, COCO)
       [--masks PICTURES MASKS]    instead or as well: its masks after 10, 20, 40; --quick for 20 steps a training
  bench --smart [--save]           what the smart tools take in the browser's worker
  bench --text [--save]            a document of a megabyte with 2,000 spans in a browser
  peers [-- --voc FOLDER]          pycocotools, torchvision and datumaro load what Limn exports
  setup [--tests]                  only the set-up of run (or of test)

Environment:
  LIMN_WASM_STD=debian   build the browser's standard library from Debian's sources, even with rustup present
  LIMN_CHROMIUM=PATH     the browser for the tests
  LIMN_PG_BIN=DIR        PostgreSQL's server programs (initdb, pg_ctl) for the tests
  LIMN_TEST_PG=URL       use this PostgreSQL instead of starting one
  LIMN_SHOTS=DIR         have the browser tests save screenshots there
";

fn main() -> ExitCode {
    let result = interrupt::install().and_then(|()| dispatch(std::env::args().skip(1).collect()));
    match result {
        Ok(code) => code,
        Err(e) => {
            eprintln!("\nerror: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: Vec<String>) -> Result<ExitCode> {
    let mut args = Args::new(args);
    let command = args.command();
    match command.as_deref() {
        Some("run") => {
            let (release, rest) = (args.flag("--release"), args.rest());
            args.finish()?;
            serve::run(release, rest)
        }
        Some("build") => {
            let release = args.flag("--release");
            args.finish()?;
            serve::build(release)?;
            Ok(ExitCode::SUCCESS)
        }
        Some("front") => {
            let lint = !args.flag("--no-lint");
            args.finish()?;
            beside::run(lint)
        }
        Some("dev") => {
            let rest = args.rest();
            args.finish()?;
            dev::run(rest)?;
            Ok(ExitCode::SUCCESS)
        }
        Some("test") => {
            let fast = args.flag("--fast");
            let options = test::Options {
                lint: !args.flag("--no-lint") && !fast,
                browser: !args.flag("--no-browser") && !fast,
                postgres: !args.flag("--no-postgres") && !fast,
                filter: args.value("--filter")?,
            };
            args.finish()?;
            test::run(&options)
        }
        Some("lint") => {
            args.finish()?;
            lint::run()
        }
        Some("deps") => {
            args.finish()?;
            deps::run()
        }
        Some("bench") => {
            let (quick, save, canvas) = (args.flag("--quick"), args.flag("--save"), args.flag("--canvas"));
            let (large, smart, assist) = (args.flag("--large"), args.flag("--smart"), args.flag("--assist"));
            let text = args.flag("--text");
            let folders = if assist {
                args.folders()?
            } else {
                Folders::default()
            };
            args.finish()?;
            if canvas {
                bench::canvas(save)
            } else if large {
                bench::large(quick, save)
            } else if smart {
                bench::smart(save)
            } else if text {
                bench::text(save)
            } else if assist {
                bench::assist::run(&folders, quick, save)
            } else {
                bench::run(quick, save)
            }
        }
        Some("peers") => {
            let rest = args.rest();
            args.finish()?;
            peers::run(rest)
        }
        Some("setup") => {
            let tests = args.flag("--tests");
            args.finish()?;
            setup::all(tests)?;
            println!("Everything is set up.");
            Ok(ExitCode::SUCCESS)
        }
        None | Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => bail!("there is no command {other:?}; `cargo xtask help` lists them"),
    }
}

/// The command line, taken apart by hand: a parser crate would cost more to compile than these lines.
struct Args {
    own: Vec<String>,
    rest: Vec<String>,
}

impl Args {
    fn new(mut own: Vec<String>) -> Self {
        let rest = match own.iter().position(|a| a == "--") {
            Some(at) => own.split_off(at).split_off(1),
            None => Vec::new(),
        };
        Self { own, rest }
    }

    fn command(&mut self) -> Option<String> {
        (!self.own.is_empty()).then(|| self.own.remove(0))
    }

    fn flag(&mut self, name: &str) -> bool {
        let before = self.own.len();
        self.own.retain(|a| a != name);
        self.own.len() != before
    }

    fn value(&mut self, name: &str) -> Result<Option<String>> {
        let Some(at) = self.own.iter().position(|a| a == name) else {
            return Ok(None);
        };
        if at + 1 >= self.own.len() {
            bail!("{name} needs a value");
        }
        self.own.remove(at);
        Ok(Some(self.own.remove(at)))
    }

    /// Both values behind a name.
    fn pair(&mut self, name: &str) -> Result<Option<[String; 2]>> {
        let Some(at) = self.own.iter().position(|a| a == name) else {
            return Ok(None);
        };
        if at + 2 >= self.own.len() {
            bail!("{name} needs two values");
        }
        self.own.remove(at);
        Ok(Some([self.own.remove(at), self.own.remove(at)]))
    }

    /// What `bench --assist` is to measure on.
    fn folders(&mut self) -> Result<Folders> {
        Ok(Folders {
            boxes: self.value("--boxes")?,
            masks: self.pair("--masks")?,
        })
    }

    fn rest(&mut self) -> Vec<String> {
        std::mem::take(&mut self.rest)
    }

    fn finish(self) -> Result<()> {
        match self.own.first().or(self.rest.first()) {
            Some(extra) => bail!("unexpected argument {extra:?}; `cargo xtask help` shows the usage"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(line: &str) -> Result<Folders> {
        let mut args = Args::new(line.split_whitespace().map(str::to_owned).collect());
        let found = args.folders()?;
        args.finish()?;
        Ok(found)
    }

    #[test]
    fn the_assist_is_measured_on_the_folders_that_are_given() {
        assert_eq!(folders("").unwrap(), Folders::default());
        let all = folders("--masks pictures masks --boxes cells").unwrap();
        assert_eq!(all.boxes.as_deref(), Some("cells"));
        assert_eq!(all.masks, Some(["pictures".to_owned(), "masks".to_owned()]));
        let why = |line: &str| folders(line).unwrap_err().to_string();
        assert_eq!(why("--masks pictures"), "--masks needs two values");
        assert_eq!(why("--boxes"), "--boxes needs a value");
        assert!(why("--boxes cells more").contains("\"more\""));
    }
}
