//! Files of `torch.save`: a zip archive of a pickle and of storages as they are, or, before PyTorch 1.6, pickles one after the other with the storages
//! behind them. The pickles are read by [`pickle`]; numbers are taken from where they lie when they are asked for.

#[cfg(test)]
pub(super) mod tests;

use super::pickle::{self, Id, Kind, Made, PROGRAM_MAX, Storage, Tensor, Thing};
use super::weights::Parts;
use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;
use zip::{CompressionMethod, ZipArchive};

/// Files of an archive.
const ENTRIES_MAX: usize = 100_000;
/// What begins a file of before 1.6, least byte first, and its version.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const VERSION: i64 = 1001;
/// Under which a checkpoint keeps the weights.
const WITHIN: [&str; 3] = ["state_dict", "model_state_dict", "model"];

type Words<T> = Result<T, String>;

/// Tensors by name.
#[derive(Debug)]
pub(super) struct StateDict<'a> {
    parts: BTreeMap<&'a str, Part<'a>>,
}

#[derive(Debug)]
struct Part<'a> {
    tensor: Tensor<'a>,
    /// Of the whole storage.
    data: &'a [u8],
}

impl<'a> StateDict<'a> {
    /// Reads what the tensors are called and where their numbers lie.
    pub fn read(bytes: &'a [u8]) -> Words<Self> {
        if bytes.starts_with(b"PK") {
            zipped(bytes)
        } else {
            legacy(bytes)
        }
    }

    fn of(made: &Made<'a>, data: &dyn Fn(&Storage<'a>) -> Words<&'a [u8]>) -> Words<Self> {
        let mut parts = BTreeMap::new();
        for (name, value) in entries(made)? {
            if let Thing::Tensor(tensor) = value {
                let part = Part {
                    tensor: tensor.clone(),
                    data: data(&tensor.storage)?,
                };
                parts.insert(name, part);
            }
        }
        Ok(Self { parts })
    }
}

/// What the file's dictionary says by name, or the one within it that holds the weights.
fn entries<'m, 'a>(made: &'m Made<'a>) -> Words<Vec<(&'a str, &'m Thing<'a>)>> {
    let Thing::Dict(top) = made.top() else {
        return Err("it holds no dictionary of weights; save model.state_dict()".to_owned());
    };
    let all = named(made, top);
    for within in WITHIN {
        if let Some((_, Thing::Dict(inner))) = all.iter().find(|(name, _)| *name == within) {
            return Ok(named(made, inner));
        }
    }
    Ok(all)
}

fn named<'m, 'a>(made: &'m Made<'a>, entries: &[(Id, Id)]) -> Vec<(&'a str, &'m Thing<'a>)> {
    let entry = |(key, value): &(Id, Id)| match made.get(*key) {
        Thing::Text(name) => Some((*name, made.get(*value))),
        _ => None,
    };
    entries.iter().filter_map(entry).collect()
}

fn zipped(bytes: &[u8]) -> Words<StateDict<'_>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|_| "the archive is cut off, or is none of PyTorch's".to_owned())?;
    if archive.len() > ENTRIES_MAX {
        return Err(format!("the archive has more than {ENTRIES_MAX} files"));
    }
    // Everything lies in one folder.
    let root = archive
        .file_names()
        .filter_map(|name| name.strip_suffix("data.pkl"))
        .find(|root| root.is_empty() || root.ends_with('/') && root.matches('/').count() == 1)
        .map(str::to_owned)
        .ok_or("the archive is none of PyTorch's: it has no data.pkl")?;
    let program = stored(&mut archive, bytes, &format!("{root}data.pkl"))?;
    if program.len() > PROGRAM_MAX {
        return Err("its pickle is too large".to_owned());
    }
    let order = format!("{root}byteorder");
    if archive.index_for_name(&order).is_some() && stored(&mut archive, bytes, &order)? != b"little" {
        return Err("its numbers are written with the largest byte first".to_owned());
    }
    let made = pickle::read(program)?;
    let mut known: HashMap<&str, &[u8]> = HashMap::new();
    for storage in made.storages() {
        if !known.contains_key(storage.key) {
            let data = stored(&mut archive, bytes, &format!("{root}data/{}", storage.key))?;
            known.insert(storage.key, data);
        }
    }
    StateDict::of(&made, &|s| known.get(s.key).copied().ok_or_else(cut_off))
}

/// Where a file of the archive lies; `torch.save` compresses none.
fn stored<'a>(archive: &mut ZipArchive<Cursor<&'a [u8]>>, bytes: &'a [u8], name: &str) -> Words<&'a [u8]> {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    let missing = || format!("the archive has no {shown}");
    let at = archive.index_for_name(name).ok_or_else(missing)?;
    let file = archive.by_index_raw(at).map_err(|_| cut_off())?;
    if file.compression() != CompressionMethod::Stored || file.encrypted() {
        return Err(format!("{shown} is compressed, which `torch.save` does not do"));
    }
    let from = file.data_start().and_then(|n| usize::try_from(n).ok());
    let length = usize::try_from(file.size()).ok();
    let range = from
        .zip(length)
        .and_then(|(from, n)| Some(from..from.checked_add(n)?));
    range.and_then(|r| bytes.get(r)).ok_or_else(cut_off)
}

fn cut_off() -> String {
    "the archive is cut off".to_owned()
}

/// Of before 1.6: a number that says so, a version, what machine wrote it, the dictionary, the storages' keys in order, and the storages, each with its
/// length before it.
fn legacy(bytes: &[u8]) -> Words<StateDict<'_>> {
    let mut rest = bytes;
    let begins = next(&mut rest)?;
    if !matches!(begins.top(), Thing::Large(magic) if *magic == MAGIC) {
        return Err("it is a pickle, but none of `torch.save`".to_owned());
    }
    if *next(&mut rest)?.top() != Thing::Number(VERSION) {
        return Err("it is of a version of PyTorch that is not known".to_owned());
    }
    next(&mut rest)?;
    let (made, keys) = (next(&mut rest)?, next(&mut rest)?);
    let Thing::List(order) = keys.top() else {
        return Err("it is cut off".to_owned());
    };
    let kinds: HashMap<&str, Kind> = made.storages().map(|s| (s.key, s.kind)).collect();
    let mut known: HashMap<&str, &[u8]> = HashMap::new();
    for key in order {
        let Thing::Text(key) = keys.get(*key) else {
            return Err("it is cut off".to_owned());
        };
        let kind = kinds.get(key).ok_or("it has numbers that nothing asks for")?;
        let (length, behind) = rest.split_first_chunk::<8>().ok_or("it is cut off")?;
        let n = usize::try_from(u64::from_le_bytes(*length)).ok();
        let n = n.and_then(|n| n.checked_mul(kind.size()));
        let (data, behind) = n
            .and_then(|n| behind.split_at_checked(n))
            .ok_or("it is cut off")?;
        known.insert(*key, data);
        rest = behind;
    }
    StateDict::of(&made, &|s| {
        known
            .get(s.key)
            .copied()
            .ok_or_else(|| "it is cut off".to_owned())
    })
}

/// The pickle that begins here; what is behind it is left.
fn next<'a>(rest: &mut &'a [u8]) -> Words<Made<'a>> {
    let made = pickle::read(rest)?;
    *rest = rest.get(made.length..).unwrap_or_default();
    Ok(made)
}

impl Parts for StateDict<'_> {
    fn shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.parts.get(name)?.tensor.shape)
    }

    fn floats(&self, name: &str, shape: &[usize]) -> Words<Vec<f32>> {
        let part = self.parts.get(name).ok_or_else(|| format!("{name} is missing"))?;
        let t = &part.tensor;
        if t.shape != shape {
            return Err(format!("{name} has the form {:?} instead of {shape:?}", t.shape));
        }
        let number: fn(&[u8]) -> f32 = match t.storage.kind {
            Kind::F32 => |b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            Kind::F16 => |b| half(u16::from_le_bytes([b[0], b[1]])),
            Kind::Bf16 => |b| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16),
            other => return Err(format!("{name} is stored as {other:?}; store floats")),
        };
        let size = t.storage.kind.size();
        let places = places(t).ok_or_else(|| format!("{name} has another size than its form says"))?;
        let values: Option<Vec<f32>> = places
            .map(|n| part.data.get(n.checked_mul(size)?..)?.get(..size).map(number))
            .collect();
        let values = values.ok_or_else(|| format!("{name} is cut off"))?;
        if values.iter().any(|v| !v.is_finite()) {
            return Err(format!("{name} has what is no number"));
        }
        Ok(values)
    }
}

/// The places of a tensor's numbers in its storage, in the order of its form. `None` where they reach beyond what can be counted.
fn places(t: &Tensor<'_>) -> Option<impl Iterator<Item = usize>> {
    let count = t.shape.iter().try_fold(1_usize, |all, n| all.checked_mul(*n))?;
    let last = t.shape.iter().zip(&t.steps).try_fold(t.offset, |at, (n, step)| {
        at.checked_add(n.saturating_sub(1).checked_mul(*step)?)
    })?;
    if count > 0 && last >= t.storage.count {
        return None;
    }
    let sides: Vec<(usize, usize)> = t.shape.iter().copied().zip(t.steps.iter().copied()).collect();
    let offset = t.offset;
    Some((0..count).map(move |n| {
        let (mut n, mut at) = (n, offset);
        for (side, step) in sides.iter().rev() {
            at += (n % side) * step;
            n /= side;
        }
        at
    }))
}

/// A float of 16 bits: a sign, five bits of exponent, ten of fraction.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 0x1f), f32::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f32.powi(exponent - 15),
    };
    sign * size
}
