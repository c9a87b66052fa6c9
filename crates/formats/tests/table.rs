//! docs/formats.md says what the table in the code says.

use limn_domain::export::ExportFormat;
use limn_domain::format::{Aspect, Keeps};
use limn_domain::import::ImportFormat;
use std::fmt::Write as _;

fn table() -> String {
    let mut out = String::from(
        "| format | `--format` | kept exactly | kept in another form | lost |\n|---|---|---|---|---|\n",
    );
    for format in ExportFormat::ALL {
        // Only what labels of some task of the format have.
        let aspects = || {
            let tasks = limn_domain::project::Task::ALL
                .into_iter()
                .filter(|t| format.suits(*t));
            Aspect::ALL
                .into_iter()
                .filter(move |a| tasks.clone().any(|t| a.concerns(t)))
        };
        let pick = |test: &dyn Fn(Keeps) -> Option<&'static str>| {
            let all: Vec<String> = aspects()
                .filter_map(|a| {
                    let how = test(format.keeps(a))?;
                    let name = a.label().to_lowercase();
                    Some(if how.is_empty() {
                        name
                    } else {
                        format!("{name} {how}")
                    })
                })
                .collect();
            all.join("; ")
        };
        let _ = writeln!(
            out,
            "| {} | `{}` | {} | {} | {} |",
            format.label(),
            format.as_str(),
            pick(&|k| (k == Keeps::Exactly).then_some("")),
            pick(&|k| if let Keeps::As(how) = k { Some(how) } else { None }),
            pick(&|k| if let Keeps::Not(_) = k { Some("") } else { None }),
        );
    }
    out
}

#[test]
fn the_docs_hold_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats.md");
    let docs = std::fs::read_to_string(path).unwrap();
    let table = table();
    assert!(docs.contains(&table), "put this into docs/formats.md:\n{table}");
}

#[test]
fn what_is_exported_can_be_imported_for_the_same_tasks() {
    for format in ExportFormat::ALL {
        let into = format.import();
        for task in limn_domain::project::Task::ALL {
            assert!(into.suits(task) || !format.suits(task), "{format:?} {task:?}");
        }
        assert_eq!(format.as_str().parse::<ExportFormat>().unwrap(), format);
        let json = serde_json::to_value(format).unwrap();
        assert_eq!(json, format.as_str(), "the API and the command line say the same");
        assert_eq!(serde_json::to_value(into).unwrap(), into.as_str());
        assert_eq!(into.as_str().parse::<ImportFormat>().unwrap(), into);
    }
}
