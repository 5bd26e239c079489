//! The in-memory transport: visible state, a fault plan.
