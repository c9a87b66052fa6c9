//! Tables go in as text and come out as figures.
#![allow(clippy::format_push_string, reason = "tests")]

mod support;

use limn_domain::profile::{AlertKind, ColumnKind, FindingKind, TableProfile};
use limn_profile::TableFormat::{Csv, Jsonl};
use limn_profile::{ReadError, ReadOptions, TableState, profile_lines};
use proptest::prelude::*;
use support::{Dice, column, csv, state};

fn alerts(profile: &TableProfile) -> Vec<(AlertKind, String)> {
    profile
        .alerts
        .iter()
        .map(|a| (a.kind, a.columns.join(",")))
        .collect()
}

#[test]
fn figures_of_small_numbers_are_right() {
    let p = csv("x,y\n1,a\n2,b\n3,a\n4,\n10,a\n");
    assert_eq!((p.rows, p.columns.len()), (5, 2));
    let x = column(&p, "x");
    assert_eq!(x.kind, ColumnKind::Integer);
    let n = x.number.as_ref().expect("numbers");
    assert_eq!(
        (n.min, n.max, n.mean, n.range, n.sum),
        (Some(1.0), Some(10.0), Some(4.0), Some(9.0), Some(20.0))
    );
    assert_eq!(n.variance, Some(12.5));
    assert_eq!(n.mean_deviation, Some(2.4));
    // pandas: Series([1, 2, 3, 4, 10]).skew() and .kurt()
    assert!((n.skewness.unwrap() - 1.697_056_274_847_713_8).abs() < 1e-12);
    assert!((n.kurtosis.unwrap() - 3.152).abs() < 1e-12);
    let q = n.quantiles.unwrap();
    assert_eq!((q.q1, q.median, q.q3), (2.0, 3.0, 4.0));
    assert!((q.p5 - 1.2).abs() < 1e-12 && (q.p95 - 8.8).abs() < 1e-12);
    assert_eq!(n.outliers, 1);
    assert_eq!(n.rank_error, 0.0);
    let h = n.histogram.as_ref().unwrap();
    assert_eq!(h.edges, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 10.0]);
    assert_eq!(h.counts, [1, 1, 1, 1, 0, 0, 0, 0, 0, 1]);
    let y = column(&p, "y");
    assert_eq!(
        (y.kind, y.count, y.missing, y.unique.value),
        (ColumnKind::Category, 4, 1, 2)
    );
    assert_eq!((y.top.values[0].value.as_str(), y.top.values[0].count), ("a", 3));
    assert_eq!(p.missing.complete_rows, 4);
    assert_eq!(
        (
            p.missing.patterns[0].columns.join(","),
            p.missing.patterns[0].rows
        ),
        ("y".to_owned(), 1)
    );
}

#[test]
fn types_are_told_from_all_values() {
    let p = csv("b,i,f,d,t,m\ntrue,1,1,2024-01-01,x,1\nfalse,-2,2.5,2024-01-02T10:00:00Z,y,2\n,,,,,x\n");
    let kinds: Vec<_> = p.columns.iter().map(|c| c.kind).collect();
    use ColumnKind::*;
    assert_eq!(kinds, [Bool, Integer, Float, Datetime, Category, Category]);
    let mixed = column(&p, "m");
    assert_eq!(
        mixed
            .mixture
            .iter()
            .map(|m| (m.value.as_str(), m.count))
            .collect::<Vec<_>>(),
        [("integer", 2), ("text", 1)]
    );
    assert_eq!(mixed.number.as_ref().map(|n| n.count), Some(2));
    assert!(alerts(&p).contains(&(AlertKind::Mixed, "m".into())));
    let d = column(&p, "d").time.as_ref().unwrap();
    assert_eq!((d.utc, d.naive, d.dates), (1, 1, 1));
    assert_eq!(d.min, 1_704_067_200_000_000);
}

#[test]
fn a_number_is_one_value_however_it_is_written() {
    let p = csv("x\n1.0\n1.00\n1\n2.5\n");
    assert_eq!(column(&p, "x").unique.value, 2);
    assert_eq!(column(&p, "x").top.values[0].count, 3);
}

#[test]
fn missing_values_are_those_of_pandas() {
    let p = csv("x,y\nNA,1\nnull,2\nnan,3\n-,4\n\"\",5\n");
    let x = column(&p, "x");
    assert_eq!((x.count, x.missing), (1, 4));
    assert_eq!(x.missing_as.iter().map(|m| m.count).sum::<u64>(), 4);
}

#[test]
fn infinities_are_counted_apart() {
    let p = csv("x,y\n1,a\ninf,a\n-inf,b\n3,b\n-Infinity,c\n");
    let n = column(&p, "x").number.clone().unwrap();
    assert_eq!(
        (n.count, n.positive_infinities, n.negative_infinities, n.mean),
        (2, 1, 2, Some(2.0))
    );
    assert!(alerts(&p).contains(&(AlertKind::Infinite, "x".into())));
}

#[test]
fn alerts_name_what_is_wrong() {
    let mut text = "id,const,copy,gone,zip\n".to_owned();
    for i in 0..100 {
        text += &format!("{i},7,{i},,0{i:04}\n");
    }
    let p = csv(text);
    let found = alerts(&p);
    for wanted in [
        (AlertKind::Constant, "const"),
        (AlertKind::DuplicateColumns, "id,copy"),
        (AlertKind::Empty, "gone"),
        (AlertKind::LeadingZeros, "zip"),
        (AlertKind::UniqueKey, "id"),
        (AlertKind::Correlated, "id,copy"),
    ] {
        assert!(
            found.contains(&(wanted.0, wanted.1.to_owned())),
            "{wanted:?} in {found:?}"
        );
    }
    assert_eq!(p.duplicates.rows, 0);
}

#[test]
fn ragged_rows_are_reported_by_line_and_the_rest_is_profiled() {
    let p = csv("a,b\n1,2\n3\n\n4,5,6\n\"x\ny\",7\n8\n");
    assert_eq!(p.rows, 5);
    let ragged: Vec<_> = p
        .findings
        .items
        .iter()
        .filter(|f| f.kind == FindingKind::Ragged)
        .map(|f| f.line)
        .collect();
    assert_eq!(ragged, [3, 5, 8]);
    assert_eq!(column(&p, "b").count, 3);
}

#[test]
fn mixed_encodings_are_reported_and_read() {
    let mut text = b"name,n\nGr\xfc\xdfe,1\n".to_vec();
    text.extend("Grüße,2\n".as_bytes());
    let p = csv(text);
    assert_eq!(p.findings.items[0].kind, FindingKind::Encoding);
    assert_eq!(p.findings.items[0].line, 2);
    assert_eq!(column(&p, "name").unique.value, 1, "both say the same");
}

#[test]
fn utf_16_is_read() {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend("a,b\n1,ü\n2,ö\n".encode_utf16().flat_map(u16::to_le_bytes));
    let p = csv(bytes);
    assert_eq!((p.rows, column(&p, "b").unique.value), (2, 2));
    assert_eq!(column(&p, "a").kind, ColumnKind::Integer);
}

#[test]
fn a_line_of_many_megabytes_is_left_out() {
    let mut text = b"a,b\n1,2\n".to_vec();
    text.extend(std::iter::repeat_n(b'9', 40 << 20));
    text.extend_from_slice(b"\n3,4\n");
    let p = csv(text);
    assert_eq!(p.rows, 2);
    assert_eq!(
        (p.findings.items[0].kind, p.findings.items[0].line),
        (FindingKind::TooLong, 3)
    );
}

#[test]
fn too_many_columns_are_cut_and_said() {
    let width = 2500;
    let header: Vec<String> = (0..width).map(|i| format!("c{i}")).collect();
    let row = vec!["1"; width].join(",");
    let p = csv(format!("{}\n{row}\n{row}\n", header.join(",")));
    assert_eq!((p.columns.len(), p.columns_left_out, p.rows), (2000, 500, 2));
    assert!(
        p.findings
            .items
            .iter()
            .any(|f| f.kind == FindingKind::TooManyColumns)
    );
    assert!(!p.findings.items.iter().any(|f| f.kind == FindingKind::Ragged));
}

#[test]
fn json_lines_become_columns() {
    let text = concat!(
        "{\"id\":1,\"name\":\"a\",\"tags\":[1,2],\"at\":{\"x\":1.5,\"y\":null}}\n",
        "{\"id\":2,\"name\":\"12\",\"tags\":[],\"more\":true}\n",
        "not json\n",
        "[1]\n",
        "\n",
        "{\"id\":3,\"id\":4,\"tags\":null}\n",
    );
    let p = state(Jsonl, text, 1).profile();
    assert_eq!(p.rows, 3);
    let kinds: Vec<_> = p
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.kind, c.count, c.missing))
        .collect();
    use ColumnKind::*;
    assert_eq!(
        kinds,
        [
            ("id", Integer, 3, 0),
            ("name", Category, 2, 1),
            ("tags", List, 2, 1),
            ("at.x", Float, 1, 2),
            ("at.y", Empty, 0, 3),
            ("more", Bool, 1, 2)
        ]
    );
    assert_eq!(column(&p, "tags").lengths.as_ref().unwrap().mean, Some(1.0));
    let bad: Vec<_> = p.findings.items.iter().map(|f| (f.kind, f.line)).collect();
    assert_eq!(bad, [(FindingKind::Malformed, 3), (FindingKind::Malformed, 4)]);
    // Text of digits stays text where the format has types.
    assert!(column(&p, "name").number.is_none());
}

#[test]
fn empty_files_are_empty_tables() {
    for text in ["", "\n\n", "a,b\n", "\u{feff}a,b\n"] {
        let p = csv(text);
        assert_eq!(p.rows, 0, "{text:?}");
    }
    assert_eq!(csv("\u{feff}a,b\n").columns[0].name, "a");
    assert_eq!(state(Jsonl, "", 1).profile().rows, 0);
}

#[test]
fn reading_can_be_cancelled() {
    let text = "a\n".repeat(3_000_000);
    let result = profile_lines(Csv, text.as_bytes(), &ReadOptions::default(), &|n| n < 1_000_000);
    assert!(matches!(result, Err(ReadError::Cancelled)));
}

fn big(rows: usize, seed: u64) -> String {
    let mut dice = Dice(seed);
    let mut text = "id,x,cat,word,day\n".to_owned();
    for i in 0..rows {
        let word = "abcdefghij"
            .chars()
            .take(1 + (dice.next() % 10) as usize)
            .collect::<String>();
        text += &format!(
            "{i},{:.4},{},{word}{},2024-{:02}-{:02}\n",
            dice.normal() * 10.0,
            ["red", "green", "blue"][(dice.next() % 3) as usize],
            dice.next() % 100_000,
            1 + dice.next() % 12,
            1 + dice.next() % 28,
        );
    }
    text
}

/// Many blocks and stripes: exact figures are exact, sketched ones within what they say.
#[test]
fn a_table_of_several_blocks_is_profiled_whole() {
    let rows = 200_000;
    let text = big(rows, 3);
    assert!(text.len() > 6 << 20);
    let p = csv(&text);
    assert_eq!(p.rows, rows as u64);
    let id = column(&p, "id").number.clone().unwrap();
    assert_eq!(
        (id.min, id.max, id.sum),
        (Some(0.0), Some(199_999.0), Some(19_999_900_000.0))
    );
    assert_eq!(id.mean, Some(99_999.5));
    let q = id.quantiles.unwrap();
    for (q, at) in [(q.p0_5, 0.005), (q.q1, 0.25), (q.median, 0.5), (q.p99_5, 0.995)] {
        assert!((q / 199_999.0 - at).abs() < 2.0 * id.rank_error, "{q} {at}");
    }
    let unique = column(&p, "id").unique;
    assert!((unique.value as f64 / rows as f64 - 1.0).abs() < 4.0 * unique.error);
    let histogram = id.histogram.unwrap();
    assert_eq!(histogram.counts.iter().sum::<u64>(), rows as u64);
    let cat = column(&p, "cat");
    assert_eq!(
        (
            cat.kind,
            cat.top.low_by,
            cat.top.values.iter().map(|v| v.count).sum::<u64>()
        ),
        (ColumnKind::Category, 0, rows as u64)
    );
    let day = column(&p, "day").time.clone().unwrap();
    assert_eq!((day.rank_error, day.cadence.unwrap().step), (0.0, 86_400_000_000));
    assert_eq!(p.duplicates.rows, 0);
    let again = csv(&text);
    assert_eq!(p, again, "the same every time");
}

fn merged(parts: &[String]) -> TableState {
    let mut states = parts
        .iter()
        .enumerate()
        .map(|(i, text)| state(Csv, text, i as u64));
    let mut whole = states.next().expect("one at least");
    states.for_each(|s| whole.merge(s));
    whole.close();
    whole
}

#[test]
fn parts_merge_to_the_whole() {
    let text = big(9_000, 4);
    let (header, body) = text.split_once('\n').unwrap();
    let lines: Vec<&str> = body.lines().collect();
    let parts: Vec<String> = lines
        .chunks(2_500)
        .map(|c| format!("{header}\n{}\n", c.join("\n")))
        .collect();
    let whole = csv(&text);
    let mut together = merged(&parts).profile();
    assert_eq!(together.files, 4);
    // The rows of the sample differ; all figures of all rows do not.
    together.correlations = whole.correlations.clone();
    (together.files, together.bytes) = (whole.files, whole.bytes);
    together.head.clone_from(&whole.head);
    for (a, b) in whole.columns.iter().zip(&together.columns) {
        assert_eq!(
            (a.kind, a.count, a.missing),
            (b.kind, b.count, b.missing),
            "{}",
            a.name
        );
        if a.unique.is_exact() {
            assert_eq!(a, b);
        }
        if let (Some(a), Some(b)) = (&a.number, &b.number) {
            assert_eq!((a.min, a.max, a.count), (b.min, b.max, b.count));
            assert!((a.mean.unwrap() - b.mean.unwrap()).abs() < 1e-9);
            assert!((a.std.unwrap() / b.std.unwrap() - 1.0).abs() < 1e-9);
        }
    }
    assert_eq!(whole.missing, together.missing);
}

#[test]
fn states_survive_storing() {
    let state = state(Csv, big(20_000, 5), 2);
    let stored = state.to_bytes().expect("it can be written");
    let back = TableState::from_bytes(&stored).expect("it can be read");
    assert_eq!(back.profile(), state.profile());
    let mut twice = back;
    twice.merge(TableState::from_bytes(&stored).unwrap());
    assert_eq!(twice.profile().rows, 40_000);
    assert!(TableState::from_bytes(&stored[..stored.len() / 2]).is_err());
    assert!(TableState::from_bytes(b"nonsense").is_err());
}

#[test]
fn tables_of_other_columns_merge_by_name() {
    let mut a = state(Csv, "x,y\n1,2\n3,4\n", 1);
    a.merge(state(Csv, "y,z\n2,5\n", 2));
    let p = a.profile();
    assert_eq!(p.rows, 3);
    let counts: Vec<_> = p
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.count, c.missing))
        .collect();
    assert_eq!(counts, [("x", 2, 1), ("y", 3, 0), ("z", 1, 2)]);
    assert_eq!(
        p.missing
            .patterns
            .iter()
            .map(|m| (m.columns.join(","), m.rows))
            .collect::<Vec<_>>(),
        [("z".to_owned(), 2), ("x".to_owned(), 1)]
    );
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        (-20..20i32).prop_map(|i| i.to_string()),
        (-2.0..2.0f64).prop_map(|x| format!("{x:.1}")),
        Just(String::new()),
        Just("NA".to_owned()),
        "[a-c]{1,2}",
        Just("2024-02-29".to_owned()),
        Just("true".to_owned()),
    ]
}

/// Which zero was met first does not show: files are merged in any order.
#[test]
fn there_is_one_zero() {
    let read = |rows: &str| {
        let options = ReadOptions {
            header: Some(true),
            ..ReadOptions::default()
        };
        profile_lines(Csv, format!("a\n{rows}").as_bytes(), &options, &|_| true).unwrap()
    };
    for rows in [["-0.0\n", "0\n0.0\n"], ["0\n0.0\n", "-0.0\n"]] {
        let mut state = read(rows[0]);
        state.merge(read(rows[1]));
        state.close();
        let column = &state.profile().columns[0];
        let top: Vec<_> = column
            .top
            .values
            .iter()
            .map(|v| (v.value.as_str(), v.count))
            .collect();
        assert_eq!(top, [("0", 3)]);
        let min = column.number.as_ref().unwrap().min.unwrap();
        assert!(min.is_sign_positive(), "{min}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// However the rows are cut into files, what is exact stays the same.
    #[test]
    fn any_cut_merges_to_the_whole(rows in prop::collection::vec((cell(), cell()), 1..60), cuts in prop::collection::vec(0usize..60, 0..3)) {
        let text = |rows: &[(String, String)]| {
            rows.iter().fold("a,b\n".to_owned(), |t, (a, b)| format!("{t}{a},\"{b}\"\n"))
        };
        let options = |seed| ReadOptions { seed, header: Some(true), ..ReadOptions::default() };
        let read = |rows: &[(String, String)], seed| {
            profile_lines(Csv, text(rows).as_bytes(), &options(seed), &|_| true).unwrap()
        };
        let whole = read(&rows, 7).profile();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(rows.len())).collect();
        cuts.extend([0, rows.len()]);
        cuts.sort_unstable();
        let mut parts = cuts.windows(2).enumerate().map(|(i, w)| read(&rows[w[0]..w[1]], i as u64));
        let mut state = parts.next().unwrap();
        parts.for_each(|p| state.merge(p));
        state.close();
        let together = state.profile();
        prop_assert_eq!(&whole.columns, &together.columns);
        prop_assert_eq!(&whole.missing, &together.missing);
        prop_assert_eq!(whole.duplicates, together.duplicates);
        prop_assert_eq!(&whole.head, &together.head);
    }

    /// No bytes make it fail or lose count of them.
    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), any::<u8>()], 0..400)) {
        let _ = state(Csv, &bytes, 1).profile();
        let _ = state(Jsonl, &bytes, 1).profile();
    }

    /// As a table of its own rows, whatever is in the cells.
    #[test]
    fn quoted_cells_come_back(cells in prop::collection::vec(prop::collection::vec("[a-z,\"\n ;é]{1,6}", 3), 1..20)) {
        let quote = |c: &String| format!("\"{}\"", c.replace('"', "\"\""));
        let rows: Vec<String> = cells.iter().map(|r| r.iter().map(quote).collect::<Vec<_>>().join(",")).collect();
        let text = format!("a,b,c\n{}\n", rows.join("\n"));
        let p = profile_lines(Csv, text.as_bytes(), &ReadOptions { header: Some(true), delimiter: Some(b','), ..ReadOptions::default() }, &|_| true).unwrap().profile();
        prop_assert_eq!(p.rows, cells.len() as u64);
        let back: Vec<Vec<String>> = p.head.iter().map(|r| r.iter().map(|c| c.clone().unwrap_or_default()).collect()).collect();
        prop_assert_eq!(back, cells);
        prop_assert_eq!(p.findings.total, 0);
    }
}
