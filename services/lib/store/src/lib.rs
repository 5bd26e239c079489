//! The read model: what queries read and the projector writes.
