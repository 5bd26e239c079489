//! Catches panics of third-party readers. No other module does.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use gongkai_model::{Rejection, RejectionCode};

/// Runs a reader. A panic inside becomes `PARSER_PANIC`.
///
/// No data of the reader outlive the call, so no inconsistent state is visible afterwards.
pub(crate) fn guarded<T>(reader: impl FnOnce() -> Result<T, Rejection>) -> Result<T, Rejection> {
    catch_unwind(AssertUnwindSafe(reader)).unwrap_or_else(|payload| {
        Err(payload.downcast::<Rejection>().map_or_else(|_| panicked(), |rejection| *rejection))
    })
}

/// Unwinds out of a third-party reader, so that [`guarded`] returns the rejection. The panic hook does not run.
pub(crate) fn give_up(rejection: Rejection) -> ! {
    resume_unwind(Box::new(rejection))
}

fn panicked() -> Rejection {
    Rejection::new(
        RejectionCode::ParserPanic,
        "读取该文件时程序内部出错，文件已留存待查；可另存为 HTML 或 DOCX 后重新提交",
        "a reader failed on this file; it is kept for us to look at; HTML or DOCX may work meanwhile",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_can_be_left_from_within() {
        let rejection = Rejection::new(RejectionCode::TooSlow, "慢", "slow");
        assert_eq!(guarded::<()>(|| give_up(rejection.clone())), Err(rejection));
    }

    #[test]
    fn a_panic_becomes_a_rejection() {
        let code = guarded(|| -> Result<(), _> { panic!("as a reader might") }).unwrap_err().code;
        assert_eq!(code, RejectionCode::ParserPanic);
        assert_eq!(guarded(|| Ok(7)), Ok(7));
    }
}
