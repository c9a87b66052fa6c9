//! Numbered pictures as the frames of a video: the choice, and the archive they travel in.

use super::files::Picked;
use super::progress::{FileKind, kind_of};
use crate::ui::{Choice, Field, RadioCards, TextInput};
use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use limn_domain::import::Sequence;
use limn_domain::video::{RATE, RATES};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

/// More would need other headers, and is better a video file.
const BYTES_MAX: f64 = 4e9;
const FILES_MAX: usize = 65_000;

/// Whether pictures are frames, and of how many a second.
#[derive(Debug, Clone, Copy)]
pub struct SequenceChoice {
    what: RwSignal<String>,
    rate: RwSignal<String>,
}

impl SequenceChoice {
    pub fn new() -> Self {
        Self {
            what: RwSignal::new("items".to_owned()),
            rate: RwSignal::new(RATE.to_string()),
        }
    }

    fn read(self) -> Option<f64> {
        let text = self.rate.get().trim().replace(',', ".");
        text.parse().ok().filter(|r| RATES.contains(r))
    }

    /// What is wrong with the choice, if something is.
    pub fn problem(self) -> Option<String> {
        let wrong = self.what.get() == "frames" && self.read().is_none();
        wrong.then(|| {
            format!(
                "Frames a second: a number from {} to {}.",
                RATES.start(),
                RATES.end()
            )
        })
    }

    /// The choice; `None` for pictures that are items.
    pub fn chosen(self) -> Option<Sequence> {
        let frames = untrack(|| self.what.get()) == "frames";
        let rate = untrack(|| self.read()).unwrap_or(RATE);
        frames.then_some(Sequence { rate })
    }
}

/// Asks whether pictures are items or frames.
#[component]
pub fn SequenceFields(choice: SequenceChoice) -> impl IntoView {
    view! {
        <RadioCards
            value=choice.what
            name="pictures-are"
            label="Pictures are"
            choices=vec![
                Choice::new("items", "Separate images", "Each picture is an item"),
                Choice::new("frames", "Frames of a video", "The pictures of a folder or zip are one item, in the order of their names"),
            ]
        />
        <Show when=move || choice.what.get() == "frames">
            <Field name="rate" label="Frames a second" error=Signal::derive(move || choice.problem())>
                <TextInput value=choice.rate kind="text" autocomplete="off"/>
            </Field>
        </Show>
    }
}

/// Whether a file can be a frame.
fn is_frame(p: &Picked) -> bool {
    kind_of(&p.path) == FileKind::Image
}

/// The files with the pictures among them as one archive of frames, where that is wanted; first, so that labels find their video.
/// Errors as of [`pack`].
pub async fn with_frames(files: Vec<Picked>, sequence: Option<Sequence>) -> Result<Vec<Picked>, String> {
    let Some(Sequence { rate }) = sequence else {
        return Ok(files);
    };
    let (mut frames, mut rest): (Vec<Picked>, Vec<Picked>) = files.into_iter().partition(is_frame);
    for p in &mut rest {
        p.sequence = Some(rate);
    }
    if !frames.is_empty() {
        frames.sort_by(|a, b| limn_domain::video::natural_order(&a.path, &b.path));
        rest.insert(0, pack(&frames, rate).await?);
    }
    Ok(rest)
}

/// Packs pictures into one archive, without compressing them; the browser keeps them as they are and reads them when they are
/// sent. Errors: what cannot be read, or too much.
async fn pack(frames: &[Picked], rate: f64) -> Result<Picked, String> {
    let bytes: f64 = frames.iter().map(|p| p.file.size()).sum();
    if bytes > BYTES_MAX || frames.len() > FILES_MAX {
        return Err(
            "These are too many pictures for one sequence here; make a zip of them, or a video file."
                .to_owned(),
        );
    }
    let parts = Array::new();
    let mut directory = Vec::new();
    let mut at = 0_u32;
    let mut changed = 0.0_f64;
    for p in frames {
        let unread = |_| {
            format!(
                "{}: the browser could not read it; check that it still exists.",
                p.path
            )
        };
        let buffer = JsFuture::from(p.file.array_buffer()).await.map_err(unread)?;
        let content = Uint8Array::new(&buffer).to_vec();
        let entry = Entry {
            name: &p.path,
            crc: crc32(&content),
            size: content.len() as u32,
            at,
        };
        let head = entry.local();
        at += head.len() as u32 + entry.size;
        directory.extend(entry.central());
        parts.push(&Uint8Array::from(head.as_slice()));
        parts.push(&p.file);
        changed = changed.max(p.file.last_modified());
    }
    let end = end(frames.len() as u16, directory.len() as u32, at);
    parts.push(&Uint8Array::from(directory.as_slice()));
    parts.push(&Uint8Array::from(end.as_slice()));
    let first = frames.first().map_or("", |p| p.path.as_str());
    let name = format!("{}.zip", folder_name(first));
    // With the time of the newest picture: the same folder sent again goes on where it stopped.
    let options = js_sys::Object::new();
    let set = |key: &str, value: &JsValue| drop(js_sys::Reflect::set(&options, &key.into(), value));
    set("lastModified", &changed.into());
    set("type", &"application/zip".into());
    let file = js_sys::Reflect::get(&window(), &"File".into())
        .and_then(|class| {
            let args = Array::of3(&parts, &name.as_str().into(), &options);
            js_sys::Reflect::construct(class.unchecked_ref::<js_sys::Function>(), &args)
        })
        .ok()
        .and_then(|file| file.dyn_into::<File>().ok())
        .ok_or("The browser could not pack the pictures.")?;
    Ok(Picked {
        path: name,
        file,
        sequence: Some(rate),
    })
}

/// What a sequence is called by the path of one of its frames.
fn folder_name(path: &str) -> String {
    let folder = path.split('/').next().filter(|_| path.contains('/'));
    folder.map_or_else(
        || {
            let stem = path.rsplit_once('.').map_or(path, |(s, _)| s);
            let name =
                stem.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '_' | '-' | ' ' | '.'));
            if name.is_empty() {
                "sequence".to_owned()
            } else {
                name.to_owned()
            }
        },
        str::to_owned,
    )
}

/// A file of an archive (PKWARE's APPNOTE, 4.3 and 4.4), stored.
struct Entry<'a> {
    name: &'a str,
    crc: u32,
    size: u32,
    /// Where its header begins.
    at: u32,
}

impl Entry<'_> {
    /// Version 2.0, names in UTF-8, stored, 1980-01-01; checksum and sizes, length of the name, no extra field.
    fn common(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(26);
        for v in [20_u16, 1 << 11, 0, 0, 0x21] {
            out.extend(v.to_le_bytes());
        }
        for v in [self.crc, self.size, self.size] {
            out.extend(v.to_le_bytes());
        }
        out.extend((self.name.len() as u16).to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        out
    }

    fn local(&self) -> Vec<u8> {
        let mut out = b"PK\x03\x04".to_vec();
        out.extend(self.common());
        out.extend(self.name.as_bytes());
        out
    }

    fn central(&self) -> Vec<u8> {
        let mut out = b"PK\x01\x02".to_vec();
        out.extend(20_u16.to_le_bytes());
        out.extend(self.common());
        // No comment, first disk, no attributes.
        out.extend([0; 10]);
        out.extend(self.at.to_le_bytes());
        out.extend(self.name.as_bytes());
        out
    }
}

fn end(files: u16, length: u32, at: u32) -> Vec<u8> {
    let mut out = b"PK\x05\x06".to_vec();
    out.extend([0; 4]);
    out.extend(files.to_le_bytes());
    out.extend(files.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0; 2]);
    out
}

/// The table of CRC-32 (polynomial `edb88320`), a byte at a time.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let (mut c, mut k) = (n as u32, 0);
        while k < 8 {
            c = if c & 1 == 1 {
                0xedb8_8320 ^ (c >> 1)
            } else {
                c >> 1
            };
            k += 1;
        }
        table[n] = c;
        n += 1;
    }
    table
};

fn crc32(bytes: &[u8]) -> u32 {
    !bytes
        .iter()
        .fold(!0, |c, b| TABLE[usize::from(c as u8 ^ b)] ^ (c >> 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_and_headers_are_those_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let entry = Entry {
            name: "a/1.png",
            crc: 1,
            size: 2,
            at: 3,
        };
        assert_eq!(entry.local().len(), 30 + 7);
        assert_eq!(entry.central().len(), 46 + 7);
        assert_eq!(end(1, 2, 3).len(), 22);
    }

    #[test]
    fn sequences_are_called_by_their_folder_or_what_names_share() {
        for (path, name) in [
            ("street/0001.jpg", "street"),
            ("a/b/0001.jpg", "a"),
            ("walk_0001.png", "walk"),
            ("0001.png", "sequence"),
        ] {
            assert_eq!(folder_name(path), name);
        }
    }
}
