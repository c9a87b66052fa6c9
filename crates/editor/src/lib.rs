//! The annotation workspace without a screen: the document with its commands and history, what lies under the pointer,
//! the tools, the view, the keys, and what has to go to the server.
//!
//! Plain data and pure functions, compiled for the browser and tested anywhere. It must not know a page, a canvas, a
//! clock or a network.

pub mod command;
pub mod document;
pub mod editor;
pub mod history;
pub mod hit;
pub mod index;
pub mod keymap;
pub mod layers;
pub mod selection;
pub mod shape;
pub mod snap;
pub mod spans;
pub mod viewport;

pub use command::{Change, Command, Edit, Kind, Order};
pub use document::Document;
pub use document::local::{Finish, LocalState};
pub use document::merge::{Annotations, Conflict, Merge, Side};
pub use editor::{
    Aim, Begun, Brush, Button, Cursor, Definition, Editor, Lane, Mods, Outline, Pointer, PointerKind,
    Proposal, Purpose, Region, SmartSettings, Stroke, Tool, Wire,
};
pub use history::History;
pub use keymap::{Action, Keymap};
pub use layers::Layers;
pub use selection::Selection;
pub use shape::Corner;
pub use viewport::Viewport;
