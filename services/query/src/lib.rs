//! The gRPC facade over the read model, and the projector that fills it.
