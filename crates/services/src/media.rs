//! Bytes of items: originals and renditions.

use crate::{Actor, Context, Result};

#[derive(Clone)]
pub struct Media(pub(crate) Context);

impl Media {}
