//! End-to-end tests over real servers, simulation, benches.
