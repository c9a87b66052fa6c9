//! What stays in memory of what can be read again: what was used last, within a number of bytes.

use std::sync::{Arc, Mutex, PoisonError};

/// Values by their keys. Cloning is cheap and gives the same ones.
pub(crate) struct Held<K, V> {
    /// Bytes that stay; what was used last stays alone when it is larger.
    most: usize,
    size: fn(&V) -> usize,
    /// Used last, last.
    list: Arc<Mutex<Vec<(K, V)>>>,
}

impl<K, V> Clone for Held<K, V> {
    fn clone(&self) -> Self {
        Self {
            most: self.most,
            size: self.size,
            list: Arc::clone(&self.list),
        }
    }
}

impl<K: PartialEq, V: Clone> Held<K, V> {
    pub fn new(most: usize, size: fn(&V) -> usize) -> Self {
        Self {
            most,
            size,
            list: Arc::default(),
        }
    }

    /// That of a key, if it is held; it is the one used last then.
    pub fn get(&self, key: &K) -> Option<V> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let at = list.iter().position(|(k, _)| k == key)?;
        let found = list.remove(at);
        let value = found.1.clone();
        list.push(found);
        Some(value)
    }

    /// Holds another one for a key; answers it.
    pub fn put(&self, key: K, value: V) -> V {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|(k, _)| *k != key);
        list.push((key, value.clone()));
        self.shrink(&mut list);
        value
    }

    /// That of a key, or a new one.
    pub fn get_or(&self, key: K, make: impl FnOnce() -> V) -> V {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let at = list.iter().position(|(k, _)| *k == key);
        let value = at.map_or_else(make, |at| list.remove(at).1);
        list.push((key, value.clone()));
        self.shrink(&mut list);
        value
    }

    fn shrink(&self, list: &mut Vec<(K, V)>) {
        let mut bytes = 0;
        let kept = list.iter().rev().take_while(|(_, value)| {
            bytes += (self.size)(value);
            bytes <= self.most
        });
        let gone = list.len() - kept.count().max(1);
        list.drain(..gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays() {
        let held = Held::new(10, |n: &usize| *n);
        held.put('a', 4);
        held.put('b', 4);
        assert_eq!(held.get(&'a'), Some(4));
        held.put('c', 4);
        assert_eq!((held.get(&'a'), held.get(&'b')), (Some(4), None));
        assert_eq!(held.get_or('c', || 1), 4);
        assert_eq!(held.put('a', 2), 2, "in the place of the other one");
        assert_eq!((held.get(&'a'), held.get(&'c')), (Some(2), Some(4)));
        // One that is too large stays alone.
        assert_eq!(held.get_or('d', || 11), 11);
        assert_eq!((held.get(&'a'), held.get(&'d')), (None, Some(11)));
        assert_eq!(held.clone().get(&'d'), Some(11), "the same ones");
    }
}
