//! What the fuzz targets have in common: which panics count, and the door to [`drive`].

pub mod drive;

use std::{panic, process, sync::Once};

/// Feeds one input to a target. Ends the process on a panic of our own and on a broken promise.
pub fn run(target: &str, data: &[u8]) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| count_own_panics(target == "pdf"));
    if let Err(broken) = drive::drive(target, data) {
        eprintln!("{broken}");
        process::abort();
    }
}

/// libFuzzer's own hook aborts on every panic. The reader of PDF stands on a young library that may panic, which is
/// caught and becomes a rejection; such a panic is no finding, one in our own code is.
fn count_own_panics(others_may: bool) {
    let abort = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let foreign = info.location().is_some_and(|place| place.file().contains("/registry/src/"));
        if !(others_may && foreign) {
            abort(info);
        }
    }));
}
