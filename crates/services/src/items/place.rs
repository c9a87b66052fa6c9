//! Where a page of items ends, as a cursor.

use crate::{Result, cursor};
use limn_domain::Timestamp;
use limn_domain::item::{Item, ItemSort};
use limn_store::repo::item::Key;

const fn tag(sort: ItemSort) -> &'static str {
    match sort {
        ItemSort::Added => "ia",
        ItemSort::Name => "in",
        ItemSort::Updated => "iu",
        ItemSort::Annotations => "ic",
    }
}

/// The cursor that goes on after this item.
pub(super) fn encode(sort: ItemSort, last: &Item) -> String {
    let key = match Key::of(sort, last) {
        Key::Added(id) => id.to_string(),
        Key::Name(name) => name,
        Key::Updated(at, id) => format!("{}.{id}", at.0),
        Key::Annotations(n, id) => format!("{n}.{id}"),
    };
    cursor::encode(tag(sort), &key)
}

/// The place a cursor of this sort order names.
pub(super) fn decode(sort: ItemSort, text: &str) -> Result<Key> {
    let key = cursor::decode(tag(sort), text)?;
    Ok(match sort {
        ItemSort::Added => Key::Added(cursor::number(&key)?),
        ItemSort::Name => Key::Name(key),
        ItemSort::Updated => {
            let (at, id) = cursor::pair(&key)?;
            Key::Updated(Timestamp(at), id)
        }
        ItemSort::Annotations => {
            let (n, id) = cursor::pair(&key)?;
            Key::Annotations(n, id)
        }
    })
}
