//! Video files become numbered frames, by ffmpeg as a separate program.
//!
//! The file is hostile: ffmpeg is started without a shell and with nothing of the environment but its path, may open only
//! the one file, through the formats of real video files (no playlists, which could name others), and is ended when it takes
//! too long, stands still or gives too much. Blocking.

mod jpegs;
mod log;

use crate::error::StorageError;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Demuxers ffmpeg may use: containers that hold their own data. Playlists (HLS, concat, DASH) and pictures are not among them.
const FORMATS: &str =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,ogg,flv,asf,h264,hevc,m4v,ivf";
/// Largest single frame, encoded.
const FRAME_BYTES: usize = 64 << 20;
/// Between two looks at whether to go on.
const LOOK: Duration = Duration::from_millis(100);

/// Bounds on one video.
#[derive(Debug, Clone, Copy)]
pub struct VideoLimits {
    pub frames: usize,
    /// Pixels of a frame.
    pub pixels: u64,
    /// Bytes of all frames, encoded.
    pub bytes: u64,
    /// Time for all of it.
    pub time: Duration,
    /// Time without a frame.
    pub stall: Duration,
}

/// What became of a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// When each frame is shown, in microseconds from the first; never falling.
    pub times_us: Vec<i64>,
    /// How long the file says it is, in microseconds.
    pub says_us: Option<i64>,
    /// What ffmpeg found wrong, its first words.
    pub complaints: Vec<String>,
    /// It ended before the end of the file.
    pub broken_off: bool,
}

impl Decoded {
    /// The end of the last frame that came, in microseconds.
    pub fn end_us(&self) -> i64 {
        let n = self.times_us.len() as i64;
        let last = self.times_us.last().copied().unwrap_or(0);
        last + if n > 1 { last / (n - 1) } else { 0 }
    }

    /// Whether frames are missing at the end: the file was cut short, or is damaged from some place on.
    pub fn is_cut_short(&self) -> bool {
        let n = (self.times_us.len() as i64).max(1);
        let slack = (2 * self.end_us() / n).max(250_000);
        self.broken_off || self.says_us.is_some_and(|says| says > self.end_us() + slack)
    }
}

/// Why a video could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum VideoError {
    #[error(
        "reading video files needs ffmpeg (5.1 or newer) on the server: install it (Debian and Ubuntu: `apt install ffmpeg`), or set video.ffmpeg to its path. A zip of numbered pictures works without it"
    )]
    NoProgram,
    #[error("this is no video file that can be read{0}")]
    NoVideo(String),
    #[error("it has more than {0} frames; cut it into shorter ones")]
    TooManyFrames(usize),
    #[error("its frames take more than {} GiB; scale it down or cut it", .0 >> 30)]
    TooManyBytes(u64),
    #[error("it took longer than {} minutes; cut it into shorter ones", .0.as_secs() / 60)]
    TooLong(Duration),
    #[error("no frame came for {} seconds: the file is damaged", .0.as_secs())]
    Stalled(Duration),
    #[error("the work was stopped")]
    Cancelled,
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("ffmpeg could not be started: {0}")]
    Start(std::io::Error),
}

impl VideoError {
    /// Whether the file is at fault, not the server.
    pub const fn is_refusal(&self) -> bool {
        !matches!(self, Self::Cancelled | Self::Storage(_) | Self::Start(_))
    }
}

/// Why ffmpeg was ended from outside.
const GOES_ON: u8 = 0;
const CANCELLED: u8 = 1;
const TOO_LONG: u8 = 2;
const STALLED: u8 = 3;

/// Whether the program can be started.
pub fn is_there(program: &Path) -> bool {
    let started = bare(program)
        .arg("-version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = started else {
        return false;
    };
    // What it says is not of interest, and it may be some other program that never ends.
    drop(child.kill());
    drop(child.wait());
    true
}

/// The program with nothing of the environment but where its own libraries are looked for.
fn bare(program: &Path) -> Command {
    let mut c = Command::new(program);
    c.env_clear();
    for name in ["PATH", "LD_LIBRARY_PATH", "SystemRoot"] {
        if let Some(value) = std::env::var_os(name) {
            c.env(name, value);
        }
    }
    c
}

/// The command: options first, then the one file, by the `file:` protocol so that no name is an option or an address.
fn command(program: &Path, file: &Path, limits: &VideoLimits) -> Command {
    let mut url = std::ffi::OsString::from("file:");
    url.push(file);
    let mut c = bare(program);
    c.args([
        "-nostdin",
        "-hide_banner",
        "-nostats",
        "-v",
        "level+info",
        "-threads",
        "2",
    ]);
    c.args(["-protocol_whitelist", "file", "-format_whitelist", FORMATS]);
    c.args(["-max_pixels", &limits.pixels.to_string(), "-i"]).arg(url);
    c.args(["-map", "0:v:0", "-an", "-sn", "-dn", "-map_metadata", "-1"]);
    c.args(["-vf", "showinfo=checksum=0", "-fps_mode", "passthrough"]);
    // One more than is allowed tells that there are more.
    c.args(["-frames:v", &(limits.frames + 1).to_string()]);
    c.args([
        "-c:v",
        "mjpeg",
        "-pix_fmt",
        "yuvj444p",
        "-q:v",
        "2",
        "-f",
        "image2pipe",
        "-protocol_whitelist",
        "pipe",
        "pipe:1",
    ]);
    c.stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    c
}

/// Hands over each frame of a video's first picture stream as JPEG, shown the right way round, in order. `progress` gets how
/// far it is and how long the file says it is, in microseconds, and answers whether to go on.
pub fn decode(
    program: &Path,
    file: &Path,
    limits: &VideoLimits,
    mut on_frame: impl FnMut(Vec<u8>) -> Result<(), StorageError>,
    progress: impl Fn(usize, i64, i64) -> bool + Sync,
) -> Result<Decoded, VideoError> {
    let mut child = command(program, file, limits)
        .spawn()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => VideoError::NoProgram,
            _ => VideoError::Start(e),
        })?;
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(VideoError::Start(std::io::Error::other("no pipes")));
    };
    let child = Mutex::new(child);
    let log = Mutex::new(log::Log::default());
    let (seen, why, done) = (AtomicU64::new(0), AtomicU8::new(GOES_ON), AtomicU8::new(0));
    let result = std::thread::scope(|scope| {
        scope.spawn(|| log::read(err, &log));
        scope.spawn(|| {
            let began = Instant::now();
            let (mut last, mut at) = (0, began);
            while done.load(Ordering::Acquire) == 0 {
                std::thread::sleep(LOOK);
                let now = seen.load(Ordering::Relaxed);
                if now != last {
                    (last, at) = (now, Instant::now());
                }
                let (time, says) = lock(&log).progress();
                let end = if !progress(now as usize, time, says) {
                    CANCELLED
                } else if began.elapsed() > limits.time {
                    TOO_LONG
                } else if at.elapsed() > limits.stall {
                    STALLED
                } else {
                    continue;
                };
                why.store(end, Ordering::Release);
                end_it(&child);
                return;
            }
        });
        let taken = take(out, limits, &seen, &mut on_frame);
        if taken.is_err() {
            end_it(&child);
        }
        done.store(1, Ordering::Release);
        taken
    });
    let status = child.into_inner().unwrap_or_else(PoisonError::into_inner).wait();
    match why.into_inner() {
        CANCELLED => return Err(VideoError::Cancelled),
        TOO_LONG => return Err(VideoError::TooLong(limits.time)),
        STALLED => return Err(VideoError::Stalled(limits.stall)),
        _ => {}
    }
    let n = result?;
    let log = log.into_inner().unwrap_or_else(PoisonError::into_inner);
    if n == 0 {
        return Err(VideoError::NoVideo(log.first_words()));
    }
    Ok(Decoded {
        times_us: log.times(n),
        says_us: log.says_us,
        broken_off: !status.is_ok_and(|s| s.success()),
        complaints: log.complaints,
    })
}

fn lock<T>(m: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the program; it may have ended by itself.
fn end_it(child: &Mutex<Child>) {
    drop(lock(child).kill());
}

/// Takes frames until there are no more; answers how many.
fn take(
    out: impl Read,
    limits: &VideoLimits,
    seen: &AtomicU64,
    on_frame: &mut impl FnMut(Vec<u8>) -> Result<(), StorageError>,
) -> Result<usize, VideoError> {
    let mut frames = jpegs::Jpegs::new(std::io::BufReader::with_capacity(256 << 10, out), FRAME_BYTES);
    let (mut n, mut bytes) = (0, 0_u64);
    while let Some(jpeg) = frames.next().map_err(StorageError::from)? {
        if n == limits.frames {
            return Err(VideoError::TooManyFrames(limits.frames));
        }
        bytes += jpeg.len() as u64;
        if bytes > limits.bytes {
            return Err(VideoError::TooManyBytes(limits.bytes));
        }
        on_frame(jpeg)?;
        n += 1;
        seen.store(n as u64, Ordering::Relaxed);
    }
    Ok(n)
}
