//! The blob store under crashes, repeats and races.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use bytes::Bytes;
use futures::stream;
use limn_storage::{BlobStore, Source, StorageError};
use std::path::Path;
use std::time::{Duration, SystemTime};

fn open(dir: &tempfile::TempDir) -> BlobStore {
    BlobStore::open(dir.path().join("blobs")).unwrap()
}

fn files_below(dir: &Path) -> usize {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap())
        .map(|e| {
            if e.file_type().unwrap().is_dir() {
                files_below(&e.path())
            } else {
                // What processes lock is no file of anybody's.
                usize::from(e.file_name() != "lock")
            }
        })
        .sum()
}

fn pieces(n: usize, of: usize) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::iter((0..n).map(move |i| Ok(Bytes::from(vec![i as u8; of]))))
}

#[tokio::test]
async fn equal_bytes_are_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = open(&dir);
    let a = blobs.put_bytes(Bytes::from_static(b"hello")).await.unwrap();
    let b = blobs
        .put_stream(
            stream::iter([Ok::<_, std::io::Error>("hel".into()), Ok("lo".into())]),
            5,
        )
        .await
        .unwrap();
    assert!(a.is_new && !b.is_new);
    assert_eq!(a.digest, b.digest);
    assert_eq!(a.digest.as_str(), blake3::hash(b"hello").to_hex().as_str());
    assert_eq!(files_below(dir.path()), 1);
    assert_eq!(blobs.read(&a.digest).await.unwrap(), "hello");
    assert_eq!(blobs.read_range(&a.digest, 1, 3).await.unwrap(), "ell");
    assert_eq!(blobs.read_range(&a.digest, 9, 3).await.unwrap(), "");
    assert_eq!(blobs.len(&a.digest).await.unwrap(), 5);
    let first = u8::from_str_radix(&a.digest.as_str()[..2], 16).unwrap();
    assert_eq!(
        blobs.list(first, Duration::ZERO).await.unwrap(),
        std::slice::from_ref(&a.digest)
    );
    assert!(
        blobs
            .list(first, Duration::from_mins(1))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        blobs
            .list(first.wrapping_add(1), Duration::ZERO)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn large_streams_go_through_a_file_and_limits_hold() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = open(&dir);
    let staged = blobs.stage_stream(pieces(40, 100_000), 4_000_000).await.unwrap();
    assert_eq!(staged.len(), 4_000_000);
    let Source::File(path) = staged.source() else {
        panic!("a file")
    };
    assert!(path.exists());
    let stored = blobs.commit(staged).await.unwrap();
    assert!(!path.exists());
    assert_eq!(blobs.read(&stored.digest).await.unwrap().len(), 4_000_000);

    let e = blobs
        .stage_stream(pieces(40, 100_000), 3_999_999)
        .await
        .unwrap_err();
    assert!(matches!(e, StorageError::TooLarge { limit: 3_999_999 }), "{e}");
    // Nothing is left of what was refused or dropped.
    drop(blobs.stage_stream(pieces(40, 100_000), u64::MAX).await.unwrap());
    assert_eq!(files_below(dir.path()), 1);
}

#[tokio::test]
async fn a_broken_stream_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = open(&dir);
    let broken = stream::iter(vec![
        Ok(Bytes::from(vec![1; 3 << 20])),
        Err(std::io::Error::other("gone")),
    ]);
    assert!(matches!(
        blobs.put_stream(broken, u64::MAX).await,
        Err(StorageError::Body(_))
    ));
    assert_eq!(files_below(dir.path()), 0);
}

#[tokio::test]
async fn a_crash_leaves_temporary_files_that_go_once_they_are_old() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&dir));
    let (old, young) = (
        dir.path().join("blobs/tmp/1.part"),
        dir.path().join("blobs/tmp/2.part"),
    );
    for path in [&old, &young] {
        std::fs::write(path, "half").unwrap();
    }
    let file = std::fs::File::options().write(true).open(&old).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(2))
        .unwrap();
    drop(open(&dir));
    assert!(!old.exists() && young.exists());
}

#[tokio::test]
async fn a_blob_cut_short_is_put_again() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = open(&dir);
    let stored = blobs.put_bytes(Bytes::from_static(b"whole")).await.unwrap();
    std::fs::write(blobs.path(&stored.digest), "wh").unwrap();
    assert!(
        blobs
            .put_bytes(Bytes::from_static(b"whole"))
            .await
            .unwrap()
            .is_new
    );
    assert_eq!(blobs.read(&stored.digest).await.unwrap(), "whole");
}

#[tokio::test]
async fn missing_blobs_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = open(&dir);
    let digest = limn_domain::Digest::parse(&"a".repeat(64)).unwrap();
    assert!(matches!(blobs.read(&digest).await, Err(StorageError::NotFound)));
    assert!(matches!(
        blobs.open_blob(&digest).await,
        Err(StorageError::NotFound)
    ));
    assert!(!blobs.exists(&digest).await.unwrap());
    blobs.delete(&digest).await.unwrap();
    assert!(blobs.delete_unused(&digest, Duration::ZERO).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_up_never_takes_what_was_just_put_again() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = open(&dir);
    let digest = blobs
        .put_bytes(Bytes::from_static(b"shared"))
        .await
        .unwrap()
        .digest;
    assert!(
        !blobs
            .delete_unused(&digest, Duration::from_mins(1))
            .await
            .unwrap()
    );
    let grace = Duration::from_mins(1);
    for _ in 0..50 {
        // Old and unreferred to: a clean-up and somebody who puts the same bytes meet.
        if let Ok(file) = std::fs::File::options().write(true).open(blobs.path(&digest)) {
            file.set_modified(SystemTime::now() - Duration::from_hours(1))
                .unwrap();
        }
        let (put, swept) = tokio::join!(
            blobs.put_bytes(Bytes::from_static(b"shared")),
            blobs.delete_unused(&digest, grace)
        );
        put.unwrap();
        swept.unwrap();
        assert!(blobs.exists(&digest).await.unwrap());
    }
}

/// Folders on file systems that are flushed whole, and file by file, where this machine has them.
fn places() -> Vec<tempfile::TempDir> {
    let mut places = vec![tempfile::tempdir().unwrap()];
    places.extend(tempfile::tempdir_in("/dev/shm"));
    places
}

#[tokio::test]
async fn many_blobs_are_put_as_one_by_one() {
    for dir in places() {
        let blobs = open(&dir);
        for count in [0_usize, 1, 15, 16, 17, 31, 32, 33, 300] {
            let bytes = |n: usize| Bytes::from(format!("{n} of {count}"));
            let mut staged: Vec<_> = (0..count).map(|n| blobs.stage_bytes(bytes(n)).unwrap()).collect();
            let wanted: Vec<_> = staged.iter().map(|s| (s.digest().clone(), s.len())).collect();
            if count > 2 {
                // One is there, and one was cut short.
                blobs.put_bytes(bytes(1)).await.unwrap();
                blobs.put_bytes(bytes(2)).await.unwrap();
                std::fs::write(blobs.path(&wanted[2].0), "2").unwrap();
                // The last comes twice, and one lies in a file.
                staged.push(blobs.stage_bytes(bytes(count - 1)).unwrap());
                let large = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![count as u8; 3 << 20]))]);
                staged.push(blobs.stage_stream(large, u64::MAX).await.unwrap());
            }
            let stored = blobs.commit_many(staged).await.unwrap();
            for (n, (digest, len)) in wanted.iter().enumerate() {
                assert_eq!((&stored[n].digest, stored[n].len), (digest, *len));
                assert_eq!(blobs.read(digest).await.unwrap(), bytes(n));
            }
            if count > 2 {
                assert_eq!((stored.len(), stored[1].is_new), (count + 2, false));
                // All but the one that was there; of the two that are equal each may have come first.
                let new = stored.iter().filter(|s| s.is_new).count();
                assert!(new == count || new == count + 1, "{new} of {count}");
                assert_eq!(
                    blobs.read(&stored[count + 1].digest).await.unwrap().len(),
                    3 << 20
                );
            }
            assert_eq!(files_below(&dir.path().join("blobs/tmp")), 0);
        }
    }
}

#[tokio::test]
async fn folders_that_somebody_takes_away_are_made_again() {
    for dir in places() {
        let blobs = open(&dir);
        let many = |n: usize| -> Vec<_> {
            let all = (0..n).map(|n| blobs.stage_bytes(Bytes::from(format!("{n}"))).unwrap());
            all.collect()
        };
        for count in [3, 64] {
            blobs.commit_many(many(count)).await.unwrap();
            for folder in std::fs::read_dir(dir.path().join("blobs")).unwrap() {
                let folder = folder.unwrap();
                if folder.file_type().unwrap().is_dir() && folder.file_name() != "tmp" {
                    std::fs::remove_dir_all(folder.path()).unwrap();
                }
            }
            let again = blobs.commit_many(many(count)).await.unwrap();
            assert!(again.iter().all(|s| s.is_new));
        }
    }
}

#[tokio::test]
async fn blobs_are_there_when_they_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = open(&dir);
    let (a, b) = (
        blobs.put_bytes(Bytes::from_static(b"whole")).await.unwrap(),
        blobs.put_bytes(Bytes::from_static(b"short")).await.unwrap(),
    );
    std::fs::write(blobs.path(&b.digest), "sh").unwrap();
    let none = limn_domain::Digest::parse(&"a".repeat(64)).unwrap();
    let asked = vec![(none, 5), (a.digest.clone(), 5), (b.digest, 5), (a.digest, 5)];
    assert_eq!(blobs.are_there(asked).await.unwrap(), [false, true, false, true]);
    assert!(blobs.are_there(Vec::new()).await.unwrap().is_empty());
}
