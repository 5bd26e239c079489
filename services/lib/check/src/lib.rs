//! One document without a server: bytes to report to findings, and its JSON line.
