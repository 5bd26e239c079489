//! Ingest from outside: its real routes and its real gRPC service over the memory transport.

#[cfg(test)]
mod acceptance;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod house;
