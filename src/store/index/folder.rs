//! The folder that sled lives in.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::IndexError;

/// How long a dropped index may take to close.
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// Makes the folder, its owner's alone, where there is none: records name parties.
pub(super) fn create(path: &Path) -> Result<(), IndexError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| IndexError::Io {
        path: path.to_owned(),
        source,
    })
}

/// "Before opening delete `snap.*.generating`": one left by a kill can make sled unopenable.
pub(super) fn remove_unfinished_snapshots(path: &Path) -> Result<(), IndexError> {
    let failed = |source| IndexError::Io {
        path: path.to_owned(),
        source,
    };
    let listing = match fs::read_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            return Err(IndexError::Damaged("it is no directory".to_owned()));
        }
        other => other.map_err(failed)?,
    };
    for file in listing {
        let file = file.map_err(failed)?;
        let name = file.file_name().to_string_lossy().into_owned();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(file.path()).map_err(failed)?;
        }
    }
    Ok(())
}

/// Waits until an index of this process that was dropped is closed: sled's threads let go of the file's lock a little later.
pub(super) fn await_close(path: &Path) -> Result<(), IndexError> {
    let Ok(file) = fs::File::open(path.join("db")) else {
        return Ok(());
    };
    let deadline = Instant::now() + CLOSE_WAIT;
    while file.try_lock().is_err() {
        if Instant::now() > deadline {
            return Err(IndexError::Open {
                path: path.to_owned(),
            });
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Moves a folder to `<path>.aside`, in the place of the one before: all of it can be rebuilt.
pub(super) fn move_aside(path: &Path) -> Result<PathBuf, IndexError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".aside");
    let aside = PathBuf::from(aside);
    let failed = |source| IndexError::Io {
        path: aside.clone(),
        source,
    };
    if aside.is_dir() {
        fs::remove_dir_all(&aside).map_err(failed)?;
    } else if aside.exists() {
        fs::remove_file(&aside).map_err(failed)?;
    }
    fs::rename(path, &aside).map_err(failed)?;
    Ok(aside)
}
