//! Reads a received document: original to facts with provenance.
