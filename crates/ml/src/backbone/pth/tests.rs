//! Files as `torch.save` writes them, and files as nobody should.

use super::super::pickle;
use super::*;
use proptest::prelude::*;
use std::io::Write as _;
use zip::write::SimpleFileOptions;

/// A tensor to write: name, class of its storage, form, and its numbers as bytes.
pub(in crate::backbone) type Given = (String, &'static str, Vec<usize>, Vec<u8>);

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.as_bytes());
}

fn number(out: &mut Vec<u8>, n: usize) {
    if (0..=255).contains(&n) {
        out.extend([b'K', n as u8]);
    } else {
        out.push(b'J');
        out.extend((n as i32).to_le_bytes());
    }
}

fn tuple(out: &mut Vec<u8>, numbers: &[usize]) {
    out.push(b'(');
    for n in numbers {
        number(out, *n);
    }
    out.push(b't');
}

fn size(class: &str) -> usize {
    match class {
        "HalfStorage" | "BFloat16Storage" => 2,
        "LongStorage" => 8,
        _ => 4,
    }
}

/// The program of a state_dict, with one storage a tensor.
fn program(given: &[Given], legacy: bool) -> Vec<u8> {
    let mut out = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(".to_vec();
    for (n, (name, class, shape, data)) in given.iter().enumerate() {
        text(&mut out, name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage");
        out.extend(format!("ctorch\n{class}\n").bytes());
        text(&mut out, &n.to_string());
        text(&mut out, "cpu");
        number(&mut out, data.len() / size(class));
        if legacy {
            out.push(b'N');
        }
        out.extend(b"tQK\x00");
        tuple(&mut out, shape);
        let mut steps = vec![1; shape.len()];
        for at in (1..shape.len()).rev() {
            steps[at - 1] = steps[at] * shape[at];
        }
        tuple(&mut out, &steps);
        out.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    out.push(b'u');
    // As state_dicts have it: versions of the modules beside the entries.
    out.push(b'}');
    text(&mut out, "_metadata");
    out.extend(b"h\x00)Rsb.");
    out
}

fn zip_with(program: &[u8], given: &[Given], method: CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let how = SimpleFileOptions::default().compression_method(method);
    let mut add = |name: &str, bytes: &[u8]| {
        zip.start_file(format!("archive/{name}"), how).unwrap();
        zip.write_all(bytes).unwrap();
    };
    add("data.pkl", program);
    add("byteorder", b"little");
    for (n, (_, _, _, data)) in given.iter().enumerate() {
        add(&format!("data/{n}"), data);
    }
    add("version", b"3\n");
    zip.finish().unwrap().into_inner()
}

/// As `torch.save(state_dict, path)` writes it.
pub(in crate::backbone) fn saved(given: &[Given]) -> Vec<u8> {
    zip_with(&program(given, false), given, CompressionMethod::Stored)
}

/// As it wrote it before PyTorch 1.6.
pub(in crate::backbone) fn saved_before(given: &[Given]) -> Vec<u8> {
    let mut out = b"\x80\x02\x8a\x0a".to_vec();
    out.extend(MAGIC);
    out.extend(b".\x80\x02M\xe9\x03.\x80\x02}(");
    text(&mut out, "little_endian");
    out.extend(b"\x88u.");
    out.extend(program(given, true));
    out.extend(b"\x80\x02](");
    for n in 0..given.len() {
        text(&mut out, &n.to_string());
    }
    out.extend(b"e.");
    for (_, class, _, data) in given {
        out.extend(((data.len() / size(class)) as u64).to_le_bytes());
        out.extend(data);
    }
    out
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn some() -> Vec<Given> {
    let halves: Vec<u8> = [0x3c00_u16, 0xc000, 0x3555, 0x0001, 0x7bff]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let brains: Vec<u8> = [0x3f80_u16, 0xc000]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    vec![
        (
            "a.weight".to_owned(),
            "FloatStorage",
            vec![2, 3],
            floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.5]),
        ),
        ("b".to_owned(), "HalfStorage", vec![5], halves),
        ("c".to_owned(), "BFloat16Storage", vec![2, 1], brains),
        (
            "bn.num_batches_tracked".to_owned(),
            "LongStorage",
            vec![],
            7_i64.to_le_bytes().to_vec(),
        ),
    ]
}

#[test]
fn tensors_are_read_as_they_were_saved() {
    for bytes in [saved(&some()), saved_before(&some())] {
        let file = StateDict::read(&bytes).unwrap();
        assert_eq!(file.shape("a.weight"), Some(&[2, 3][..]));
        assert_eq!(
            file.floats("a.weight", &[2, 3]).unwrap(),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.5]
        );
        let halves = file.floats("b", &[5]).unwrap();
        assert_eq!(halves[..2], [1.0, -2.0]);
        assert!((halves[2] - 1.0 / 3.0).abs() < 1e-4 && halves[3] == 2_f32.powi(-24));
        assert_eq!(halves[4], 65504.0);
        assert_eq!(file.floats("c", &[2, 1]).unwrap(), [1.0, -2.0]);
        assert_eq!(file.shape("bn.num_batches_tracked"), Some(&[][..]));
        let why = file.floats("bn.num_batches_tracked", &[]).unwrap_err();
        assert!(why.contains("stored as I64"), "{why}");
        assert!(
            file.floats("a.weight", &[3, 2])
                .unwrap_err()
                .contains("has the form")
        );
        assert!(file.floats("d", &[1]).unwrap_err().contains("is missing"));
    }
}

#[test]
fn texts_of_python_2_are_texts() {
    let made = pickle::read(b"\x80\x02}(U\x01aT\x02\x00\x00\x00bcU\x00X\x01\x00\x00\x00du.").unwrap();
    let Thing::Dict(entries) = made.top() else {
        panic!("{made:?}")
    };
    let found: Vec<_> = entries
        .iter()
        .map(|(k, v)| (made.get(*k), made.get(*v)))
        .collect();
    assert!(matches!(
        found[..],
        [
            (Thing::Text("a"), Thing::Text("bc")),
            (Thing::Text(""), Thing::Text("d"))
        ]
    ));
    assert!(
        pickle::read(b"\x80\x02T\xff\xff\xff\xffa.")
            .unwrap_err()
            .contains("cut off")
    );
}

#[test]
fn a_storage_that_is_a_part_of_another_is_not_read_as_if_it_were_whole() {
    let program = |view: &[u8]| {
        let mut out = b"\x80\x02(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x06".to_vec();
        out.extend(view);
        out.extend(b"tQ.");
        out
    };
    assert!(pickle::read(&program(b"N")).is_ok());
    let part = pickle::read(&program(b"(U\x011K\x02K\x06t")).unwrap_err();
    assert!(part.contains("parts of others"), "{part}");
}

#[test]
fn a_tensor_may_be_a_view_of_its_storage() {
    let t = |shape: &[usize], steps: &[usize], offset, count| Tensor {
        storage: Storage {
            kind: Kind::F32,
            key: "0",
            count,
        },
        offset,
        shape: shape.to_vec(),
        steps: steps.to_vec(),
    };
    let of = |t: &Tensor<'_>| places(t).map(|all| all.collect::<Vec<_>>());
    // Turned on its side, and one number for many.
    assert_eq!(of(&t(&[3, 2], &[1, 3], 0, 6)).unwrap(), [0, 3, 1, 4, 2, 5]);
    assert_eq!(of(&t(&[2, 2], &[0, 0], 5, 6)).unwrap(), [5; 4]);
    assert_eq!(of(&t(&[2], &[6], 0, 6)), None);
    assert_eq!(of(&t(&[2], &[usize::MAX], 9, 6)), None);
    assert_eq!(of(&t(&[usize::MAX, 4], &[0, 0], 0, 6)), None);
    assert_eq!(of(&t(&[0], &[1], 0, 0)).unwrap(), [0; 0]);
}

fn why(bytes: &[u8]) -> String {
    StateDict::read(bytes).unwrap_err()
}

#[test]
fn nothing_of_it_is_run() {
    let given = some();
    let with = |program: &[u8]| why(&zip_with(program, &given, CompressionMethod::Stored));
    let found = with(b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R.");
    assert!(found.contains("`posix.system`, which may run code"), "{found}");
    for program in [
        &b"\x80\x02cbuiltins\neval\n."[..],
        b"\x80\x02ctorch\nload\n.",
        b"\x80\x02ctorch._utils\n_rebuild_parameter\n.",
        b"\x80\x02c__torch__.model\nNet\n.",
        b"\x80\x02cos\nFloatStorage\n.",
    ] {
        assert!(with(program).contains("may run code"));
    }
    // Instructions that make objects of classes: INST, OBJ, NEWOBJ, STACK_GLOBAL, EXT1.
    for op in [b'i', b'o', 0x81, 0x93, 0x82] {
        assert!(with(&[0x80, 2, op, b'.']).contains("nothing of it was run"));
    }
    // A dictionary is made of nothing.
    assert!(with(b"\x80\x02ccollections\nOrderedDict\nK\x01\x85R.").contains("not one that"));
}

#[test]
fn what_is_wrong_is_told() {
    let given = some();
    let whole = saved(&given);
    assert!(why(&whole[..whole.len() - 30]).contains("cut off"));
    assert!(why(&saved_before(&given)[..200]).contains("cut off"));
    let packed = zip_with(&program(&given, false), &given, CompressionMethod::Deflated);
    assert!(why(&packed).contains("is compressed"));
    let fewer = zip_with(&program(&given, false), &given[..1], CompressionMethod::Stored);
    assert!(why(&fewer).contains("has no archive/data/1"));
    assert!(why(b"\x80\x02}.").contains("none of `torch.save`"));
    assert!(why(&zip_with(b"\x80\x02K\x01.", &given, CompressionMethod::Stored)).contains("no dictionary"));
    assert!(why(&zip_with(b"\x80\x04}.", &given, CompressionMethod::Stored)).contains("protocol 4"));
    // A storage that says it has more numbers than lie there.
    let mut short = given.clone();
    let program = program(&given, false);
    short[0].3.truncate(8);
    let bytes = zip_with(&program, &short, CompressionMethod::Stored);
    let file = StateDict::read(&bytes).unwrap();
    assert!(
        file.floats("a.weight", &[2, 3])
            .unwrap_err()
            .contains("is cut off")
    );
}

#[test]
fn what_is_tied_up_ends() {
    // Tuples within each other, a million deep; a list and a dictionary within themselves; each thing twice the one before.
    let mut deep = b"\x80\x02)".to_vec();
    deep.extend(vec![0x85; 900_000]);
    deep.push(b'.');
    assert!(matches!(pickle::read(&deep).unwrap().top(), Thing::Tuple(_)));
    assert!(pickle::read(b"\x80\x02]q\x00h\x00a.").is_ok());
    assert!(pickle::read(b"\x80\x02}q\x00h\x00h\x00s.").is_ok());
    let mut twice = b"\x80\x02)q\x00".to_vec();
    for _ in 0..64 {
        twice.extend(b"h\x00h\x00\x86q\x00");
    }
    twice.push(b'.');
    assert!(pickle::read(&twice).is_ok());
    let endless = vec![b')'; 2_000_000];
    assert!(pickle::read(&endless).unwrap_err().contains("more than"));
}

/// Instructions that are known, and some that are not.
fn instruction() -> impl Strategy<Value = Vec<u8>> {
    let plain =
        prop::sample::select(b"}]()tNusaebQR.0i\x85\x86\x87\x88\x89\x93".to_vec()).prop_map(|b| vec![b]);
    let with = (
        prop::sample::select(b"qhKJMXTUrjG\x8a\x80".to_vec()),
        prop::collection::vec(0..6_u8, 0..6),
    )
        .prop_map(|(op, mut rest)| {
            rest.insert(0, op);
            rest
        });
    let named = prop::sample::select(vec![
        &b"ccollections\nOrderedDict\n"[..],
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ctorch\nFloatStorage\n",
        b"X\x07\x00\x00\x00storage",
    ])
    .prop_map(<[u8]>::to_vec);
    prop_oneof![4 => plain, 3 => with, 2 => named]
}

proptest! {
    #[test]
    fn any_program_ends(parts in prop::collection::vec(instruction(), 0..60)) {
        let _ = pickle::read(&parts.concat());
    }

    #[test]
    fn any_file_ends(
        before in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = if before { saved_before(&some()) } else { saved(&some()) };
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(at) = cut {
            bytes.truncate(at.index(bytes.len()));
        }
        if let Ok(file) = StateDict::read(&bytes) {
            for name in ["a.weight", "b", "c"] {
                let shape = file.shape(name).map(<[usize]>::to_vec);
                let small = shape.filter(|s| s.iter().try_fold(1_usize, |n, s| n.checked_mul(*s)).is_some_and(|n| n < 1_000_000));
                if let Some(shape) = small {
                    let _ = file.floats(name, &shape);
                }
            }
        }
    }
}
