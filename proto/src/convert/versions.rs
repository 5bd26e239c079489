//! Versions: field by field.

use gongkai_model::Versions;

use crate::v1;

impl From<&Versions> for v1::Versions {
    fn from(versions: &Versions) -> Self {
        Self {
            program: versions.program.clone(),
            parser: versions.parser.clone(),
            forms: versions.forms.clone(),
            rules: versions.rules.clone(),
        }
    }
}

impl From<v1::Versions> for Versions {
    fn from(versions: v1::Versions) -> Self {
        let v1::Versions { program, parser, forms, rules } = versions;
        Self { program, parser, forms, rules }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::convert::any;

    proptest! {
        #[test]
        fn versions_survive_the_wire(versions in any::versions()) {
            prop_assert_eq!(Versions::from(v1::Versions::from(&versions)), versions);
        }
    }
}
