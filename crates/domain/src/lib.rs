//! The vocabulary of Limn: ids, enums, transfer objects, geometry, the role x action table and validation.
//!
//! Everything here is plain data and pure functions that compile for the browser as well as for the server. It must not
//! do I/O, read clocks, or know a database, HTTP or a page.

pub mod activity;
pub mod annotation;
pub mod assist;
pub mod attribute;
pub mod authz;
pub mod catalogue;
pub mod category;
pub mod dataset;
pub mod datastore;
pub mod error;
pub mod explore;
pub mod export;
pub mod file_tag;
pub mod filter;
pub mod format;
pub mod geometry;
pub mod id;
pub mod import;
pub mod item;
pub mod item_explore;
pub mod job;
pub mod keypoint;
pub mod link;
pub mod map;
pub mod mask;
pub mod model;
pub mod page;
pub mod picture;
pub mod polygon;
pub mod profile;
pub mod project;
pub mod queue;
pub mod run;
pub mod smart;
pub mod table;
pub mod text;
pub mod time;
pub mod token;
pub mod track;
pub mod training;
pub mod turned;
pub mod upload;
pub mod user;
pub mod validate;
pub mod video;

pub use annotation::{Annotation, Shape, ShapeKind, Source};
pub use attribute::{Attribute, AttributeKind, AttributeValue, Attributes};
pub use authz::{Action, Role};
pub use error::{ApiError, Code, FieldError};
pub use geometry::{Point, Rect, Size};
pub use id::*;
pub use keypoint::{Keypoint, Skeleton, Visibility};
pub use link::{Links, Relation};
pub use mask::Mask;
pub use page::Page;
pub use time::Timestamp;
pub use track::Keyframe;
pub use turned::TurnedRect;
