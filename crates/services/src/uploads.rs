//! Resumable uploads.

use crate::{Actor, Context, Result};

#[derive(Clone)]
pub struct Uploads(pub(crate) Context);

impl Uploads {}
