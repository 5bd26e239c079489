//! The message runtime every stage runs in.
