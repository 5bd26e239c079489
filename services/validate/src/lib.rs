//! Checks a parsed report against the rule packs.
