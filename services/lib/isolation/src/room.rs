//! Limits how many documents are read at once: to a fixed number, or to as many as fit into the memory for all
//! children of the process.

use std::{
    sync::{Arc, Condvar, LazyLock, Mutex, PoisonError},
    thread,
};

/// Memory in bytes that all children of a process may use together if their number is not configured.
///
/// With the memory of the program itself, up to 250 MB, the total stays below 1.2 GB on any number of cores.
pub const ROOM_BYTES: u64 = 900 << 20;

/// Memory in bytes that a child uses before it reads, and that it may keep from earlier documents.
pub const CHILD_BYTES: u64 = 64 << 20;

/// One room for the whole process, because a program may have several pools.
static AUTOMATIC: LazyLock<Arc<Room>> = LazyLock::new(|| Arc::new(Room::new(ROOM_BYTES)));

/// A limit for documents that are read at once: their number or their memory.
pub(crate) struct Room {
    whole: u64,
    state: Mutex<State>,
    freed: Condvar,
}

struct State {
    free: u64,
    /// Number of documents that wait to be read alone. Others wait for them.
    alone: usize,
}

/// A part of the room, or all of it, until it is dropped.
pub(crate) struct Reservation<'r> {
    room: &'r Room,
    share: u64,
}

/// Returns the room of pools without a configured number of children, and the share of a document that may use
/// `memory_bytes`: one document for each core if they all fit, and at least one.
pub(crate) fn automatic(memory_bytes: u64) -> (Arc<Room>, u64) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    (AUTOMATIC.clone(), share(memory_bytes, u64::try_from(cores).unwrap_or(1)))
}

fn share(memory_bytes: u64, cores: u64) -> u64 {
    memory_bytes.saturating_add(CHILD_BYTES).max(ROOM_BYTES / cores).min(ROOM_BYTES)
}

// === impl Room, Reservation ===

impl Room {
    pub(crate) fn new(whole: u64) -> Self {
        Self { whole, state: Mutex::new(State { free: whole, alone: 0 }), freed: Condvar::new() }
    }

    /// Waits for a part of the room.
    pub(crate) fn reserve(&self, share: u64) -> Reservation<'_> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.freed.wait_while(state, |state| state.free < share || state.alone > 0);
        state.unwrap_or_else(PoisonError::into_inner).free -= share;
        Reservation { room: self, share }
    }

    /// Waits until no other document is read.
    pub(crate) fn whole(&self) -> Reservation<'_> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.alone += 1;
        let state = self.freed.wait_while(state, |state| state.free < self.whole);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.alone -= 1;
        state.free = 0;
        Reservation { room: self, share: self.whole }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.room.state.lock().unwrap_or_else(PoisonError::into_inner).free += self.share;
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_once(memory_bytes: u64, cores: u64) -> u64 {
        ROOM_BYTES / share(memory_bytes, cores)
    }

    #[test]
    fn as_many_read_as_there_are_cores_and_as_have_room() {
        assert_eq!([1, 2, 4, 64].map(|cores| at_once(384 << 20, cores)), [1, 2, 2, 2]);
        assert_eq!([1, 2, 4, 64].map(|cores| at_once(64 << 20, cores)), [1, 2, 4, 7]);
        assert_eq!(at_once(u64::MAX, 64), 1, "one document may always be read");
    }

    #[test]
    fn one_that_waits_to_be_alone_is_next() {
        let room = Room::new(2);
        let (first, second) = (room.reserve(1), room.reserve(1));
        thread::scope(|scope| {
            let alone = scope.spawn(|| room.whole());
            while room.state.lock().unwrap().alone == 0 {
                thread::yield_now();
            }
            drop(first);
            let third = scope.spawn(|| room.reserve(1).share);
            drop(second);
            let alone = alone.join().unwrap();
            assert!(!third.is_finished(), "it waits while another is alone");
            drop(alone);
            assert_eq!(third.join().unwrap(), 1);
        });
        assert_eq!(room.state.lock().unwrap().free, 2);
    }
}
