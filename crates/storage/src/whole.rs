//! Flushing a whole file system at once, for many small files: a flush each costs more than writing them.

use crate::Result;
use std::fs::File;
use std::path::Path;

/// File systems known to write everything, files and names, when they are told to: ext4, XFS, Btrfs. Others, such as those that a program
/// of its own serves, may keep what a flush of the file itself would have brought out.
#[cfg(target_os = "linux")]
const KINDS: [u32; 3] = [0xEF53, 0x5846_5342, 0x9123_683E];
/// From this kernel on a write that failed is said by the flush.
#[cfg(target_os = "linux")]
const SINCE: (u32, u32) = (5, 8);

/// The file system of a folder. To be opened before what it shall flush is written: it tells of errors from then on.
#[derive(Debug)]
pub(crate) struct Whole(File);

impl Whole {
    /// `None` where files have to be flushed one by one.
    #[cfg(target_os = "linux")]
    pub fn of(folder: &Path) -> Option<Self> {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
        let folder = File::open(folder).ok()?;
        let kind = u32::try_from(rustix::fs::fstatfs(&folder).ok()?.f_type).ok()?;
        (version(&release)? >= SINCE && KINDS.contains(&kind)).then_some(Self(folder))
    }

    #[cfg(not(target_os = "linux"))]
    pub fn of(_folder: &Path) -> Option<Self> {
        None
    }

    /// Everything that was written and named before is on the disk when it returns.
    pub fn flush(&self) -> Result<()> {
        #[cfg(target_os = "linux")]
        rustix::fs::syncfs(&self.0).map_err(std::io::Error::from)?;
        // Also out of the disk's own cache, where there is no journal whose end would see to that.
        self.0.sync_all()?;
        Ok(())
    }
}

/// `6.1.0-13-amd64`: 6 and 1.
#[cfg(target_os = "linux")]
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_told_by_their_numbers() {
        assert_eq!(version("6.1.0-13-amd64\n"), Some((6, 1)));
        assert_eq!(version("4.18.0"), Some((4, 18)));
        assert!(version("5.10").is_some_and(|v| v >= SINCE));
        assert_eq!(version("none"), None);
    }
}
