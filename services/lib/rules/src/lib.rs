//! Rule packs as data, and their evaluation: report to findings.
