"""The system calls that no submission needs and that have opened kernels before."""

import os
from typing import Final

# Names, resolved by libseccomp for the running architecture; one that it does not know is left out.
REFUSED: Final = (
    # asynchronous kernel work that goes round other filters
    "io_uring_setup", "io_uring_enter", "io_uring_register",
    # programs and probes in the kernel
    "bpf", "perf_event_open", "userfaultfd", "kexec_load", "kexec_file_load",
    "init_module", "finit_module", "delete_module",
    # the kernel's key rings, which namespaces do not divide
    "keyctl", "add_key", "request_key",
    # other processes' memory, descriptors and handles
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "open_by_handle_at",
    # new namespaces and mounts
    "unshare", "setns", "mount", "umount2", "pivot_root", "chroot",
    "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
    # the machine as a whole
    "reboot", "swapon", "swapoff", "sethostname", "setdomainname", "settimeofday", "clock_settime", "adjtimex",
    "acct", "quotactl", "syslog", "personality",
)  # fmt: skip

CLONE_NEWUSER: Final = 0x10000000


def program() -> int:
    """A file descriptor on the compiled filter, for `bwrap --seccomp`. The caller closes it."""
    import pyseccomp

    refuse = pyseccomp.ERRNO(1)  # EPERM
    accept_all_else = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for name in REFUSED:
        try:
            accept_all_else.add_rule(refuse, name)
        except (RuntimeError, OSError, ValueError):
            continue
    # A new user namespace would give back what the box took away. The flags of clone3 lie in memory,
    # out of a filter's sight: the C library falls back to clone when it hears "no such call".
    accept_all_else.add_rule(refuse, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER))
    accept_all_else.add_rule(pyseccomp.ERRNO(38), "clone3")  # ENOSYS
    descriptor = os.memfd_create("seccomp")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        accept_all_else.export_bpf(file)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def code() -> bytes:
    """The compiled filter itself."""
    with os.fdopen(program(), "rb") as file:
        return file.read()
