//! Conversions between wire types and domain types: total towards the wire, fallible back.
