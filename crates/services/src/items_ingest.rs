//! Images becoming items.

use crate::{Actor, Context, Result};

#[derive(Clone)]
pub struct Ingest(pub(crate) Context);

impl Ingest {}
