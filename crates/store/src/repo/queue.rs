//! The labeling queue in the rows of items: who holds which, what comes next, what is finished.
//!
//! An item is in somebody's hands while `lease_user_id` names them and `lease_until` lies ahead. An ended lease needs no
//! clean-up: the item counts as free, and until somebody else takes it its last holder may go on. Only items to do carry
//! a lease.

mod finish;
mod lease;
mod log;
mod state;
mod take;

pub use finish::{finish, history};
pub use lease::{heartbeat, lease_one, release, release_all_of_user};
pub use log::note_finish;
pub use state::{InHand, ItemContext, QueueContext, item_context, lock_item, mine, project_context};
pub use take::{Holding, holding, take};
