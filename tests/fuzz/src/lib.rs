//! Shared by the fuzz targets: which panics count, and the call of [`drive`].

pub mod drive;

use std::{panic, process, sync::Once};

/// Feeds one input to a target. Ends the process on a panic in this workspace's code and on a broken guarantee.
pub fn run(target: &str, data: &[u8]) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| count_own_panics(target == "pdf"));
    if let Err(broken) = drive::drive(target, data) {
        eprintln!("{broken}");
        process::abort();
    }
}

/// Replaces libFuzzer's hook, which aborts on every panic. The PDF library may panic, which the reader catches and
/// turns into a rejection. Such a panic is not a finding, but one in this workspace's code is.
fn count_own_panics(others_may: bool) {
    let abort = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let foreign = info.location().is_some_and(|place| place.file().contains("/registry/src/"));
        if !(others_may && foreign) {
            abort(info);
        }
    }));
}
