//! The read model and its log, over a real server. If either is replaced, reverts to an older copy or is damaged, the
//! service never gives a wrong answer: within 30 s it gives the right one again or refuses.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod files;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod rebuilding;
