//! The environment of all expressions: CEL's standard library.

use std::sync::{Arc, LazyLock};

use cel::{Context as Scope, Env, Program};

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Compiles an expression.
///
/// # Errors
/// The text is not valid CEL; the error gives the position. The author of the pack has to correct it.
pub(crate) fn compile(text: &str) -> Result<Program, (usize, String)> {
    ENV.compile(text).map_err(|errors| {
        let first = errors.errors.first();
        let line = first.and_then(|error| usize::try_from(error.pos.0).ok()).unwrap_or(1);
        let message = first.map_or_else(|| errors.to_string(), |error| error.msg.clone());
        (line.saturating_sub(1), format!("no CEL expression: {message}"))
    })
}

/// Returns a new scope over the standard library.
pub(crate) fn scope<'v>() -> Scope<'static, 'v> {
    Scope::with_env(Arc::clone(&ENV))
}
