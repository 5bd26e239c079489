//! Tests of ingest through its routes and its gRPC service, over the memory transport, and of the content of a real
//! store.

#[cfg(test)]
mod acceptance;
#[cfg(test)]
mod acknowledging;
#[cfg(test)]
mod adapters;
#[cfg(test)]
mod api;
#[cfg(test)]
mod attachments;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod drafts;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod erasing;
#[cfg(test)]
mod fetched;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod idle;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod manners;
#[cfg(test)]
mod nats;
#[cfg(test)]
mod originals;
#[cfg(test)]
mod ownership;
#[cfg(test)]
mod rates;
#[cfg(test)]
mod times;
