//! The ledger's own key: it signs checkpoints and nothing else.

use std::path::{Path, PathBuf};

pub use crate::files::key::{KeyFileError, read, write};

/// Where the key of the ledger in `data` lies.
pub fn path_in(data: &Path) -> PathBuf {
    data.join("ledger.key")
}
