//! Networks that are ready to be asked: a few, and none that nobody has asked for a while, since each may hold a gigabyte.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Networks at once.
const MOST: usize = 2;

struct One<T: ?Sized> {
    key: String,
    net: Arc<T>,
    used: Instant,
}

/// Used last, last.
pub(super) struct Ready<T: ?Sized>(Mutex<Vec<One<T>>>);

impl<T: ?Sized> Ready<T> {
    pub fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn all(&self) -> MutexGuard<'_, Vec<One<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, key: &str) -> Option<Arc<T>> {
        let mut all = self.all();
        let at = all.iter().position(|one| one.key == key)?;
        let mut found = all.remove(at);
        found.used = Instant::now();
        let net = Arc::clone(&found.net);
        all.push(found);
        Some(net)
    }

    pub fn put(&self, key: String, net: Arc<T>) {
        let mut all = self.all();
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push(One {
            key,
            net,
            used: Instant::now(),
        });
    }

    /// Lets go of those that were not asked for so long. Whether any is left.
    pub fn sweep(&self, idle: Duration) -> bool {
        let mut all = self.all();
        all.retain(|one| one.used.elapsed() < idle);
        !all.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_kept_and_none_that_nobody_asks() {
        let ready: Ready<str> = Ready::new();
        let put = |key: &str| ready.put(key.to_owned(), Arc::from(key));
        put("a");
        put("b");
        // Asked for since: the other one makes room.
        assert_eq!(ready.get("a").as_deref(), Some("a"));
        put("c");
        assert!(ready.get("b").is_none() && ready.get("a").is_some() && ready.get("c").is_some());
        assert!(ready.sweep(Duration::from_mins(1)));
        assert!(ready.get("a").is_some());
        assert!(!ready.sweep(Duration::ZERO));
        assert!(ready.get("a").is_none());
    }
}
