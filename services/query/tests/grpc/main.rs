//! The service over real gRPC: events are published to the broker, and a tonic client reads the answers.

#[cfg(test)]
mod acknowledging;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod operating;
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
