//! Tells the right people: alerts from findings, delivered once.
