//! States as bytes, for keeping them by the content they describe.

use crate::table::TableState;

/// Grows whenever a state written before cannot be read, or must not be, because its figures were computed otherwise.
pub const STATE_FORMAT: u8 = 1;

/// Bytes that are no state of this version.
#[derive(Debug, thiserror::Error)]
#[error("not a profile of this version")]
pub struct BadState;

impl TableState {
    /// To be kept and merged later. Fails only out of memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BadState> {
        postcard::to_extend(self, vec![STATE_FORMAT]).map_err(|_| BadState)
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadState> {
        match bytes.split_first() {
            Some((&STATE_FORMAT, rest)) => {
                let state: Self = postcard::from_bytes(rest).map_err(|_| BadState)?;
                // What columns do not have names, or names columns, is none of ours.
                if state.names.len() == state.columns.len() {
                    Ok(state.restored())
                } else {
                    Err(BadState)
                }
            }
            _ => Err(BadState),
        }
    }
}
