//! Pictures at the size that the network sees, kept in memory while there is room.

use crate::Picture;
use limn_services::training::port::{EngineError, Examples, SmallPicture};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of pictures that are kept; what is beyond is read again each time.
const KEPT_MAX: usize = 256 << 20;

/// A picture at the network's size: red, green and blue, one plane after the other.
pub(super) type Planes = Arc<[u8]>;

pub(super) struct Pictures<'a> {
    of: &'a dyn Examples,
    width: usize,
    height: usize,
    kept: Mutex<Kept>,
}

struct Kept {
    slots: Vec<Option<Planes>>,
    room: usize,
}

impl<'a> Pictures<'a> {
    pub(super) fn new(of: &'a dyn Examples, width: usize, height: usize) -> Self {
        Self {
            of,
            width,
            height,
            kept: Mutex::new(Kept {
                slots: vec![None; of.len()],
                room: KEPT_MAX,
            }),
        }
    }

    pub(super) fn get(&self, n: usize) -> Result<Planes, EngineError> {
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(planes) = lock().slots.get(n).and_then(Clone::clone) {
            return Ok(planes);
        }
        let planes = shrink(&self.of.picture(n)?, self.width, self.height)?;
        let mut kept = lock();
        if let Some(room) = kept.room.checked_sub(planes.len())
            && let Some(slot) = kept.slots.get_mut(n)
        {
            *slot = Some(Arc::clone(&planes));
            kept.room = room;
        }
        Ok(planes)
    }
}

/// A picture at the size `width` x `height`, its sides scaled apart.
pub(super) fn shrink(picture: &SmallPicture, width: usize, height: usize) -> Result<Planes, EngineError> {
    let picture = Picture::new(picture.width, picture.height, picture.rgb.clone())
        .ok_or_else(|| EngineError::Broken("A picture has other bytes than its size says.".to_owned()))?;
    let numbers = picture.scaled(width, height, 3);
    Ok(numbers.iter().map(|v| (v * 255.0 + 0.5) as u8).collect())
}
