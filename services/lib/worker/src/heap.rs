//! Gives memory that a burst left behind back to the operating system.
//!
//! The allocator returns freed pages only when something is allocated or freed later. After a burst that may not
//! happen, and the process would keep its peak until the next one.

use std::time::Duration;

/// How often freed pages are returned. Pages that are needed again sooner stay with the process.
const INTERVAL: Duration = Duration::from_secs(10);

/// Returns freed pages to the system from time to time. Never completes.
pub(crate) async fn trim() {
    loop {
        tokio::time::sleep(INTERVAL).await;
        collect();
    }
}

/// Returns the freed pages of this thread and of all arenas to the system.
#[expect(unsafe_code, reason = "the allocator has no safe interface to this")]
fn collect() {
    // SAFETY: mi_collect may be called at any time by any thread. It only touches memory that is free. Where another
    // allocator is installed, it finds nothing to do.
    unsafe { libmimalloc_sys::mi_collect(true) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_stays() {
        let kept = vec![7_u8; 1 << 20];
        drop(vec![1_u8; 1 << 24]);
        collect();
        assert!(kept.iter().all(|byte| *byte == 7));
    }
}
