//! Boundaries that turn a panic into a [`Panicked`] value.
//!
//! The process's panic hook logs panics outside such a boundary. Inside one it only records the location, and the code
//! behind the boundary logs the panic together with the message that caused it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::ops::DerefMut;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic that was caught.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("panicked: {message}")]
pub struct Panicked {
    /// Message of the panic.
    pub message: String,
    /// File and line of the panic, if the hook is installed.
    pub location: Option<String>,
}

/// Calls `f` and catches a panic.
///
/// # Errors
/// `f` panicked. Discard the data that it was working on.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Panicked> {
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    GUARDED.set(outer);
    result.map_err(|payload| Panicked { message: text(&*payload), location: LOCATION.take() })
}

/// A pinned future that resolves to `Err` if the inner future panics.
pub(crate) struct Caught<P>(pub(crate) Pin<P>);

impl<P> Future for Caught<P>
where
    P: DerefMut + Unpin,
    P::Target: Future,
{
    type Output = Result<<P::Target as Future>::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match catch(|| self.0.as_mut().poll(context)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panicked) => Poll::Ready(Err(panicked)),
        }
    }
}

/// Installs the hook that logs panics outside a boundary. Call once per process.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
        if GUARDED.get() {
            LOCATION.set(place);
        } else {
            tracing::error!(panic = text(info.payload()), place, "panicked");
        }
    }));
}

fn text(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_a_value() {
        assert_eq!(catch(|| 1), Ok(1));
        assert_eq!(catch(|| panic!("no {}", 7)).unwrap_err().message, "no 7");
        let caught = Caught(Box::pin(async { panic!("later") })).await;
        assert_eq!(caught.map(|(): ()| ()).unwrap_err().message, "later");
    }
}
