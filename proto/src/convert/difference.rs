//! Differences between a sender and a document.

use gongkai_model::Difference;

use super::Error;
use crate::v1;

impl From<&Difference> for v1::Difference {
    fn from(difference: &Difference) -> Self {
        Self {
            field: difference.field.as_str().to_owned(),
            declared: difference.declared.clone(),
            read: difference.read.clone(),
        }
    }
}

impl TryFrom<v1::Difference> for Difference {
    type Error = Error;

    fn try_from(difference: v1::Difference) -> Result<Self, Error> {
        let field = difference.field.parse().map_err(|_| Error::unknown("field", &difference.field))?;
        Ok(Self { field, declared: difference.declared, read: difference.read })
    }
}
