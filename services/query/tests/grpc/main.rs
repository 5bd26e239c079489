//! The service over real gRPC: events go in at the broker, answers come out at a tonic client.

#[cfg(test)]
mod harness;
#[cfg(test)]
mod projecting;
#[cfg(test)]
mod questions;
#[cfg(test)]
mod surroundings;
#[cfg(test)]
mod waiving;
#[cfg(test)]
mod watching;
