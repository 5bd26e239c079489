//! The members of the variables that expressions read.

/// The members that an expression may select from a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// A value without members.
    Plain,
    /// A value with fixed members.
    Members(&'static [(&'static str, Shape)]),
    /// A list of values of one shape.
    Elements(&'static Shape),
    /// Cells, whose names select numbers.
    Cells,
}

use Shape::{Cells, Elements, Members, Plain};

/// The variables with fixed members. Those of `params` and `quote` are the rule's own.
const VARIABLES: &[(&str, Shape)] = &[
    (
        "report",
        Members(&[
            ("agency", Plain),
            ("year", Plain),
            ("title_year", Plain),
            ("form", Plain),
            ("variant", Plain),
            ("title", Plain),
            ("preamble", Plain),
            ("period", Members(&[("from", Plain), ("to", Plain)])),
            ("sections", Elements(&Members(&[("title", Plain), ("length", Plain), ("text", Plain)]))),
        ]),
    ),
    (
        "agency",
        Members(&[
            ("name", Plain),
            ("level", Plain),
            ("kind", Plain),
            ("region", Plain),
            ("parent", Plain),
            ("site_domain", Plain),
        ]),
    ),
    (
        "event",
        Members(&[
            ("published_at", Plain),
            ("first_seen", Plain),
            ("url", Plain),
            ("site_code", Plain),
            ("site_domain", Plain),
            ("column", Plain),
        ]),
    ),
    ("neighbours", Members(&[("previous", Members(&[("year", Plain), ("cells", Cells)]))])),
];

impl Shape {
    /// Returns the shape of a variable, or `None` if it has no fixed members.
    pub(crate) fn of(variable: &str) -> Option<Self> {
        VARIABLES.iter().find(|(name, _)| *name == variable).map(|(_, shape)| *shape)
    }

    /// Returns the shape of a member.
    ///
    /// # Errors
    /// There is no such member; the text lists those that exist.
    pub(crate) fn member(self, name: &str) -> Result<Self, String> {
        let members = match self {
            Members(members) => members,
            Elements(_) | Cells => return Err("its elements are chosen in brackets".to_owned()),
            Plain => return Err("it has no members".to_owned()),
        };
        let found = members.iter().find(|(own, _)| *own == name);
        let known = || members.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        found.map(|(_, shape)| *shape).ok_or_else(|| format!("known are {}", known()))
    }
}
