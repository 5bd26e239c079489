//! Loopback ports for processes that a test starts, and starts again on the same port.
//!
//! A port of the system's own choice (`bind` to port 0) suits a listener that stays open. Closed and handed to another
//! process, such a port may in the meantime become the local end of somebody's connection. The ports of this module lie
//! below those that the system chooses, and no two tests of a machine have the same one.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Mutex,
};

/// Linux chooses ports from 32768 upwards, unless `ip_local_port_range` says otherwise.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

/// The locks on the ports of this process. The system releases them when the process ends, however it ends.
static RESERVED: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// Reserves a loopback port for the rest of this process.
///
/// # Panics
/// If the temporary folder is not writable, or none of 22,000 ports is free.
#[must_use]
pub fn free_port() -> SocketAddr {
    let folder = std::env::temp_dir().join("gongkai-test-ports");
    std::fs::create_dir_all(&folder).expect("a test machine has a writable temporary folder");
    // Processes begin at different ports: few locks are tried in vain.
    let begin = std::process::id().wrapping_mul(97);
    for step in 0..u32::from(COUNT) {
        let offset = u16::try_from(begin.wrapping_add(step) % u32::from(COUNT)).expect("the count is a u16");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + offset));
        let lock = File::create(folder.join(address.port().to_string())).expect("the folder is writable");
        if lock.try_lock().is_ok() && TcpListener::bind(address).is_ok() {
            RESERVED.lock().expect("no holder of this lock panics").push(lock);
            return address;
        }
    }
    panic!("none of the ports {FIRST}..{} is free", FIRST + COUNT)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_port_is_handed_out_once_and_never_by_the_system() {
        let ports: BTreeSet<u16> = (0..50).map(|_| free_port().port()).collect();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| (FIRST..FIRST + COUNT).contains(port)), "{ports:?}");
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_passed_over() {
        let taken: Vec<_> = (0..20).map(|_| TcpListener::bind(free_port()).unwrap()).collect();
        let next = free_port();
        assert!(taken.iter().all(|listener| listener.local_addr().unwrap() != next));
    }
}
