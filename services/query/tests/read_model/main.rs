//! The read model against its log, over a real server: whichever of the two is replaced, goes back or is damaged, the service
//! is right again within 30 s or says that it is not, and never answers wrongly.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod files;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod rebuilding;
