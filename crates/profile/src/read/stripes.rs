//! Four profiles of a file's parts at once, merged in order.

use super::blocks::{Block, Blocks};
use super::{ReadError, Watch};
use crate::table::TableState;
use std::io::Read;
use std::sync::mpsc::sync_channel;

/// Parts a file is profiled in. Not the number of processors: that would make the figures depend on it.
pub const STRIPES: usize = 4;
/// A wider table is profiled in one part: each keeps its own sketches.
pub const WIDE: usize = 256;

/// Profiles every block with `take`; each stripe starts with a table from `make`.
pub fn profile<R, M, T>(
    mut blocks: Blocks<R>,
    stripes: usize,
    watch: Watch<'_>,
    make: M,
    take: T,
) -> Result<TableState, ReadError>
where
    R: Read,
    M: Fn() -> TableState,
    T: Fn(&mut TableState, &Block) + Sync,
{
    let first = blocks.next()?;
    let mut tables: Vec<TableState> = Vec::new();
    if let Some(first) = first {
        if blocks.at_end() {
            // Small: not worth a thread.
            tables.extend((0..stripes).map(|_| make()));
            let mut block = Some(first);
            while let Some(b) = block {
                if let Some(table) = tables.get_mut(b.index as usize % stripes) {
                    take(table, &b);
                }
                block = blocks.next()?;
            }
        } else {
            tables = at_once(&mut blocks, first, stripes, watch, &make, &take)?;
        }
    }
    if !watch(blocks.read) {
        return Err(ReadError::Cancelled);
    }
    let mut parts = tables.into_iter();
    let mut whole = parts.next().unwrap_or_else(&make);
    for part in parts {
        whole.merge(part);
    }
    for (line, kind, message) in std::mem::take(&mut blocks.notes) {
        whole.note(line, kind, message);
    }
    whole.bytes = blocks.read;
    whole.close();
    Ok(whole)
}

fn at_once<R, M, T>(
    blocks: &mut Blocks<R>,
    first: Block,
    stripes: usize,
    watch: Watch<'_>,
    make: &M,
    take: &T,
) -> Result<Vec<TableState>, ReadError>
where
    R: Read,
    M: Fn() -> TableState,
    T: Fn(&mut TableState, &Block) + Sync,
{
    std::thread::scope(|scope| {
        let mut senders = Vec::new();
        let mut workers = Vec::new();
        for _ in 0..stripes {
            let (send, receive) = sync_channel::<Block>(2);
            let mut table = make();
            senders.push(send);
            workers.push(scope.spawn(move || {
                for block in receive {
                    take(&mut table, &block);
                }
                table
            }));
        }
        let mut next = Some(first);
        let mut outcome = Ok(());
        while let Some(block) = next {
            if !watch(blocks.read) {
                outcome = Err(ReadError::Cancelled);
                break;
            }
            let gone = senders
                .get(block.index as usize % stripes)
                .is_none_or(|s| s.send(block).is_err());
            if gone {
                break;
            }
            match blocks.next() {
                Ok(b) => next = b,
                Err(e) => {
                    outcome = Err(e.into());
                    break;
                }
            }
        }
        drop(senders);
        let mut tables = Vec::new();
        for worker in workers {
            tables.push(
                worker.join().map_err(|_| {
                    ReadError::Unreadable("a part of the file could not be profiled".to_owned())
                })?,
            );
        }
        outcome.map(|()| tables)
    })
}
