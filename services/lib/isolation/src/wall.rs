//! The wall around a child: limits, landlock and seccomp.
//!
//! If the kernel has landlock and seccomp but they cannot be applied, nothing is read. If the kernel lacks them,
//! [`Confinement`] records that, and only the limits apply.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read as _, Seek as _},
};

use landlock::{
    ABI, Access as _, AccessFs, LandlockStatus, RestrictionStatus, Ruleset, RulesetAttr as _, RulesetError,
    RulesetStatus,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// The measures that confine a child in addition to its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Confinement {
    landlock: bool,
    seccomp: bool,
}

impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |is_applied: bool| if is_applied { "in force" } else { "not in this kernel" };
        write!(f, "landlock {}, seccomp {}", said(self.landlock), said(self.seccomp))
    }
}

/// Denies this process what reading does not need: memory above `most` bytes of address space, files, the network,
/// other processes.
///
/// # Errors
/// A limit cannot be set, or a measure that the kernel has cannot be applied.
pub(crate) fn confine(most: u64) -> io::Result<Confinement> {
    limit(Resource::As, most)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    // Read now, because landlock makes the file inaccessible.
    let has_seccomp = fs::read_to_string("/proc/self/status")?.contains("\nSeccomp:");
    let landlock = close_files().map_err(io::Error::other)?;
    if has_seccomp {
        forbid_calls().map_err(io::Error::other)?;
    }
    Ok(Confinement { landlock, seccomp: has_seccomp })
}

/// Sets a limit that cannot be raised again. Keeps a lower one.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let most = getrlimit(resource).maximum.map_or(most, |maximum| most.min(maximum));
    Ok(setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?)
}

/// Denies opening, creating and removing any file or folder. Returns false if the kernel has no landlock.
fn close_files() -> Result<bool, String> {
    let restricted = || -> Result<RestrictionStatus, RulesetError> {
        Ruleset::default().handle_access(AccessFs::from_all(ABI::V1))?.create()?.restrict_self()
    };
    let status = restricted().map_err(|error| format!("landlock could not be applied: {error}"))?;
    match (status.landlock, status.ruleset) {
        (LandlockStatus::NotEnabled | LandlockStatus::NotImplemented, _) => Ok(false),
        (LandlockStatus::Available { .. }, RulesetStatus::FullyEnforced) => Ok(true),
        _ => Err("landlock could not be applied as a whole".to_owned()),
    }
}

/// Makes each system call in [`FORBIDDEN`] end the process.
fn forbid_calls() -> Result<(), String> {
    let failed = |error: &dyn fmt::Display| format!("seccomp could not be applied: {error}");
    let target = std::env::consts::ARCH.try_into().map_err(|error| failed(&error))?;
    let rules = FORBIDDEN.iter().map(|call| (*call, Vec::new())).collect();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::KillProcess, target);
    let program = filter.and_then(BpfProgram::try_from).map_err(|error| failed(&error))?;
    seccompiler::apply_filter(&program).map_err(|error| failed(&error))
}

/// System calls that end a child: starting programs and processes, sockets, tracing, namespaces, and calls that were
/// often used to attack the kernel. A list of allowed calls would break with the next version of the C library.
const FORBIDDEN: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_clone,
    libc::SYS_clone3,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    libc::SYS_kill,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_memfd_create,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
];

/// The size of this process. The file is opened before the process is confined, and read afterwards.
pub(crate) struct ProcessSize(File);

impl ProcessSize {
    pub(crate) fn open() -> io::Result<Self> {
        File::open("/proc/self/statm").map(Self)
    }

    /// Returns the bytes of address space.
    pub(crate) fn bytes(&self) -> io::Result<u64> {
        let mut text = String::new();
        let mut file = &self.0;
        file.rewind()?;
        file.read_to_string(&mut text)?;
        let pages = text.split_whitespace().next().and_then(|pages| pages.parse::<u64>().ok());
        let page = u64::try_from(rustix::param::page_size()).unwrap_or(u64::MAX);
        pages.map(|pages| pages.saturating_mul(page)).ok_or_else(|| io::Error::other("no size in statm"))
    }
}
