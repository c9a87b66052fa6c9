//! Summaries of a stream of values in bounded memory. All of them merge: of two parts comes what the whole would give,
//! within the stated error. All are deterministic: the same parts give the same figures.

mod distinct;
mod frequent;
mod kll;
mod moments;
mod rows;
mod spread;

pub use distinct::Distinct;
pub use frequent::Frequent;
pub use kll::Kll;
pub use moments::Moments;
pub use rows::RowHashes;
pub use spread::Spread;
