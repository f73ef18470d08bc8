//! What a start cuts off goes here and stays: moved, never deleted, never overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::layout::Layout;
use super::recovery::{OpenError, create_durably};
use super::scan::Damage;

/// Ends the name of what the operator has acknowledged.
const ACKNOWLEDGED: &str = ".acknowledged";

/// Something that was cut off the entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Where it lies now.
    pub path: PathBuf,
    /// The segment that it comes from.
    pub file: PathBuf,
    /// Where in the segment it began, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub len: u64,
    /// Why it was cut off.
    pub damage: Damage,
}

/// Cuts off everything from `damage` on. A crash at any step leaves a store whose next start does the rest.
pub(super) fn cut(
    disk: &dyn Disk,
    layout: &Layout,
    damage: &Damage,
    files: &[(u64, PathBuf)],
) -> Result<Vec<Quarantined>, OpenError> {
    let mut moved = Vec::new();
    // Later files first: the segment's own tail marks that there is something to do.
    for (_, file) in files
        .iter()
        .rev()
        .filter(|(first, file)| *first >= damage.n && *file != damage.file)
    {
        let len = fs::metadata(file)
            .map_err(|e| OpenError::io(file, e))?
            .len();
        let path = keep(disk, layout, file)?;
        moved.push(Quarantined {
            path,
            file: file.clone(),
            offset: 0,
            len,
            damage: damage.clone(),
        });
    }
    if damage.file.exists() {
        moved.extend(cut_tail(disk, layout, damage)?);
    }
    moved.reverse();
    Ok(moved)
}

/// Copies the end of a segment to the quarantine and, when the copy is durable, cuts it off.
fn cut_tail(
    disk: &dyn Disk,
    layout: &Layout,
    damage: &Damage,
) -> Result<Option<Quarantined>, OpenError> {
    let Damage {
        file: from, offset, ..
    } = damage;
    let failed = |e| OpenError::io(from, e);
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .open(from)
        .map_err(failed)?;
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(*offset)).map_err(failed)?;
    file.read_to_end(&mut tail).map_err(failed)?;
    if tail.is_empty() {
        return Ok(None);
    }
    let path = copy(
        disk,
        layout,
        &format!("{}.from-{offset}", name_of(from)),
        &tail,
    )?;
    disk.truncate(&file, *offset).map_err(failed)?;
    disk.sync_file(&file).map_err(failed)?;
    let len = tail.len() as u64;
    Ok(Some(Quarantined {
        path,
        file: from.clone(),
        offset: *offset,
        len,
        damage: damage.clone(),
    }))
}

/// Writes a new file in the quarantine and makes it durable.
fn copy(
    disk: &dyn Disk,
    layout: &Layout,
    name: &str,
    content: &[u8],
) -> Result<PathBuf, OpenError> {
    create_durably(disk, &layout.quarantine())?;
    let path = free_path(layout, name);
    let file: File = disk
        .create(&path, content)
        .map_err(|e| OpenError::io(&path, e))?;
    disk.sync_file(&file).map_err(|e| OpenError::io(&path, e))?;
    disk.sync_dir(&layout.quarantine())
        .map_err(|e| OpenError::io(&layout.quarantine(), e))?;
    Ok(path)
}

/// Moves a whole file to the quarantine.
pub(super) fn keep(disk: &dyn Disk, layout: &Layout, file: &Path) -> Result<PathBuf, OpenError> {
    create_durably(disk, &layout.quarantine())?;
    let path = free_path(layout, &name_of(file));
    disk.rename(file, &path)
        .map_err(|e| OpenError::io(file, e))?;
    let from = file.parent().unwrap_or(layout.data());
    for folder in [&layout.quarantine(), from] {
        disk.sync_dir(folder)
            .map_err(|e| OpenError::io(folder, e))?;
    }
    Ok(path)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A path in the quarantine that is not taken, acknowledged or not. The caller holds the store's lock.
fn free_path(layout: &Layout, name: &str) -> PathBuf {
    let path = |k: u64| layout.quarantine().join(format!("{name}.{k}"));
    let acknowledged = |k: u64| {
        layout
            .quarantine()
            .join(format!("{name}.{k}{ACKNOWLEDGED}"))
    };
    let k = (1..).find(|k| !path(*k).exists() && !acknowledged(*k).exists());
    path(k.unwrap_or(u64::MAX))
}

/// What lies in the quarantine and is not acknowledged, by name.
pub fn unacknowledged(layout: &Layout) -> Result<Vec<PathBuf>, OpenError> {
    let folder = layout.quarantine();
    let listing = match fs::read_dir(&folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|e| OpenError::io(&folder, e))?,
    };
    let mut found = Vec::new();
    for file in listing {
        let path = file.map_err(|e| OpenError::io(&folder, e))?.path();
        if !name_of(&path).ends_with(ACKNOWLEDGED) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Marks all that lies in the quarantine as acknowledged by the operator, by a new name.
pub fn acknowledge(layout: &Layout) -> Result<(), OpenError> {
    for path in unacknowledged(layout)? {
        let marked = layout.quarantine().join(name_of(&path) + ACKNOWLEDGED);
        fs::rename(&path, &marked).map_err(|e| OpenError::io(&path, e))?;
    }
    Ok(())
}
