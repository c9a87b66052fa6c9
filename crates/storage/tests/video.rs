//! Videos made by ffmpeg, with times that are known, taken apart again.

#![allow(clippy::unwrap_used, reason = "tests")]

use limn_storage::video::{Decoded, VideoError, VideoLimits, decode, is_there};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMITS: VideoLimits = VideoLimits {
    frames: 1_000,
    pixels: 1_000_000,
    bytes: 1 << 30,
    time: Duration::from_mins(2),
    stall: Duration::from_secs(30),
};

/// Runs ffmpeg in a folder.
fn run(dir: &Path, arguments: &str) -> std::process::Output {
    Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y"])
        .args(arguments.split(' '))
        .current_dir(dir)
        .output()
        .expect("ffmpeg is installed (`cargo xtask setup --tests`)")
}

fn make(dir: &Path, arguments: &str) {
    let done = run(dir, arguments);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn taken(file: &Path) -> Result<(Vec<Vec<u8>>, Decoded), VideoError> {
    let mut frames = Vec::new();
    let decoded = decode(
        Path::new("ffmpeg"),
        file,
        &LIMITS,
        |jpeg| {
            frames.push(jpeg);
            Ok(())
        },
        |_, _, _| true,
    )?;
    Ok((frames, decoded))
}

fn video(dir: &Path, name: &str, arguments: &str) -> PathBuf {
    make(dir, &format!("{arguments} {name}"));
    dir.join(name)
}

#[test]
fn frames_come_with_their_true_times() {
    let dir = tempfile::tempdir().unwrap();
    // Every third frame is missing.
    let vary =
        "-f lavfi -i testsrc=size=64x48:rate=10:duration=2 -vf select=not(eq(mod(n\\,3)\\,1)) -fps_mode vfr";
    let want: Vec<i64> = (0..20).filter(|n| n % 3 != 1).map(|n| n * 100_000).collect();
    for name in ["a.mkv", "a.mp4", "a.mov", "a.webm"] {
        let (frames, decoded) = taken(&video(dir.path(), name, vary)).unwrap();
        assert_eq!(decoded.times_us, want, "{name}");
        assert_eq!(frames.len(), want.len());
        assert!(
            !decoded.is_cut_short() && decoded.complaints.is_empty(),
            "{name}: {decoded:?}"
        );
        for jpeg in &frames {
            let picture = image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg).unwrap();
            assert_eq!((picture.width(), picture.height()), (64, 48));
        }
    }
    let (frames, decoded) = taken(&video(
        dir.path(),
        "b.avi",
        "-f lavfi -i testsrc=size=64x48:rate=25:duration=1",
    ))
    .unwrap();
    assert_eq!((frames.len(), decoded.times_us[24]), (25, 960_000));
}

#[test]
fn a_turned_video_is_shown_upright() {
    let dir = tempfile::tempdir().unwrap();
    video(
        dir.path(),
        "a.mp4",
        "-f lavfi -i testsrc=size=64x48:rate=5:duration=1",
    );
    // Since 6.0 the first says it, before that the second.
    let made = [
        "-display_rotation 90 -i a.mp4 -c copy t.mp4",
        "-i a.mp4 -metadata:s:v:0 rotate=90 -c copy t.mp4",
    ]
    .iter()
    .any(|arguments| run(dir.path(), arguments).status.success());
    assert!(made);
    let (frames, _) = taken(&dir.path().join("t.mp4")).unwrap();
    let picture = image::load_from_memory(&frames[0]).unwrap();
    assert_eq!((picture.width(), picture.height()), (48, 64));
}

#[test]
fn of_a_file_cut_short_the_frames_before_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    let whole = video(
        dir.path(),
        "a.mkv",
        "-f lavfi -i testsrc2=size=320x240:rate=10:duration=6 -c:v mjpeg -q:v 3",
    );
    let bytes = std::fs::read(&whole).unwrap();
    let cut = dir.path().join("cut.mkv");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let (frames, decoded) = taken(&cut).unwrap();
    assert!((20..40).contains(&frames.len()), "{}", frames.len());
    assert!(decoded.is_cut_short(), "{decoded:?}");
    assert_eq!(decoded.says_us, Some(6_000_000));
}

#[test]
fn what_is_no_video_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret.txt");
    std::fs::write(&secret, "secret").unwrap();
    // Playlists name other files: ffmpeg must not follow them.
    make(
        dir.path(),
        "-f lavfi -i testsrc=size=64x48:rate=5:duration=1 inner.ts",
    );
    let inner = dir.path().join("inner.ts");
    let hls = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{}\n#EXT-X-ENDLIST\n",
        inner.display()
    );
    let concat = format!("ffconcat version 1.0\nfile '{}'\n", inner.display());
    for (name, bytes) in [
        ("a.mp4", b"not a video".to_vec()),
        ("empty.mp4", Vec::new()),
        ("hls.mp4", hls.into_bytes()),
        ("concat.mp4", concat.into_bytes()),
        ("-i.mp4", b"x".to_vec()),
    ] {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let e = taken(&path).unwrap_err();
        assert!(
            matches!(e, VideoError::NoVideo(_)) && e.is_refusal(),
            "{name}: {e:?}"
        );
        let told = e.to_string();
        assert!(!told.contains(&dir.path().display().to_string()), "{told}");
    }
    // Sound alone.
    let sound = video(dir.path(), "s.mp4", "-f lavfi -i sine=duration=1");
    assert!(matches!(taken(&sound), Err(VideoError::NoVideo(_))));
}

#[test]
fn limits_end_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = video(
        dir.path(),
        "a.mp4",
        "-f lavfi -i testsrc=size=640x480:rate=25:duration=4",
    );
    let with = |limits: VideoLimits, program: &str, on: bool| {
        decode(Path::new(program), &file, &limits, |_| Ok(()), |_, _, _| on)
    };
    let few = VideoLimits { frames: 10, ..LIMITS };
    assert!(matches!(
        with(few, "ffmpeg", true),
        Err(VideoError::TooManyFrames(10))
    ));
    let small = VideoLimits {
        bytes: 1_000,
        ..LIMITS
    };
    assert!(matches!(
        with(small, "ffmpeg", true),
        Err(VideoError::TooManyBytes(1_000))
    ));
    let pixels = VideoLimits {
        pixels: 1_000,
        ..LIMITS
    };
    assert!(with(pixels, "ffmpeg", true).unwrap_err().is_refusal());
    let none = with(LIMITS, "limn-no-such-program", true).unwrap_err();
    assert!(none.to_string().contains("apt install ffmpeg"), "{none}");
    // A program that does nothing for ever.
    let sleeper = dir.path().join("sleeper");
    std::fs::write(&sleeper, "#!/bin/sh\nexec sleep 60\n").unwrap();
    std::fs::set_permissions(&sleeper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let program = sleeper.to_str().unwrap();
    let stall = VideoLimits {
        stall: Duration::from_millis(300),
        ..LIMITS
    };
    assert!(matches!(with(stall, program, true), Err(VideoError::Stalled(_))));
    let time = VideoLimits {
        time: Duration::from_millis(300),
        ..LIMITS
    };
    assert!(matches!(with(time, program, true), Err(VideoError::TooLong(_))));
    assert!(matches!(with(LIMITS, program, false), Err(VideoError::Cancelled)));
}

#[test]
fn a_program_is_there_or_not() {
    assert!(is_there(Path::new("ffmpeg")));
    assert!(!is_there(Path::new("limn-no-such-program")));
}
