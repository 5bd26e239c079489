//! Takes reports in: HTTP and gRPC to the object store and JetStream.
