//! The SQL, by noun. Row structs stay private; functions take a [`crate::Tx`] and answer in domain types.

pub mod activity;
pub mod annotation;
pub mod asset;
pub mod blob;
pub mod category;
pub mod invitation;
pub mod item;
pub mod job;
mod like;
pub mod member;
pub mod project;
pub mod pyramid;
pub mod queue;
pub mod search;
pub mod session;
pub mod setting;
pub mod throttle;
pub mod token;
pub mod transfer;
pub mod upload;
pub mod user;
