use super::*;
use crate::polygon::{self, Mended};
use proptest::prelude::*;

mod peer;
