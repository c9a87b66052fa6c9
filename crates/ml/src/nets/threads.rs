//! Threads of networks, behind everything else that wants to run: of those that learn as many as there are cores, of others half as many.

use limn_services::training::port::EngineError;

/// How much the system prefers others to a training: three to one on a core that both want. More would let a busy machine starve it.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// As many as there are cores.
pub(crate) fn all() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Half as many, at least one.
pub(crate) fn half() -> usize {
    (all() / 2).max(1)
}

/// Puts the current thread behind others; where the system has no such thing for a thread, nothing happens.
pub(crate) fn step_back() {
    #[cfg(target_os = "linux")]
    {
        // For the calling thread alone, on Linux.
        let _ = rustix::process::setpriority_process(None, NICE);
    }
}

/// A pool of its own, so that nothing else waits behind a training.
pub(crate) fn pool(threads: usize) -> Result<rayon::ThreadPool, EngineError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|n| format!("network-{n}"))
        .start_handler(|_| step_back())
        .build()
        .map_err(|e| EngineError::Broken(format!("The system has no threads left for a network: {e}")))
}
