//! The read model and its log, over a real server. If either is replaced, reverts to an older copy or is damaged, the
//! service never answers wrongly: within 30 s it answers rightly again or refuses.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod files;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod rebuilding;
