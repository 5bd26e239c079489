//! Rejections: a public code and, for `NOT_A_REPORT`, the kind of look-alike.

use gongkai_model::{LookAlike, Rejection, RejectionCode};

use super::Error;
use crate::v1;

impl From<&Rejection> for v1::Rejection {
    fn from(rejection: &Rejection) -> Self {
        Self {
            code: rejection.code.to_string(),
            message: rejection.message.clone(),
            message_en: rejection.message_en.clone(),
            look_alike: rejection.look_alike.map(LookAlike::as_str).unwrap_or_default().to_owned(),
            retryable: rejection.retryable,
        }
    }
}

impl TryFrom<v1::Rejection> for Rejection {
    type Error = Error;

    fn try_from(rejection: v1::Rejection) -> Result<Self, Error> {
        let code: RejectionCode =
            rejection.code.parse().map_err(|_| Error::unknown("code", rejection.code.as_str()))?;
        Ok(Self {
            code,
            look_alike: look_alike(&rejection.look_alike)?,
            // Events of earlier versions lack the field.
            retryable: rejection.retryable || code.rests_on_resources(),
            message: rejection.message,
            message_en: rejection.message_en,
        })
    }
}

fn look_alike(name: &str) -> Result<Option<LookAlike>, Error> {
    if name.is_empty() {
        return Ok(None);
    }
    name.parse().map(Some).map_err(|_| Error::unknown("look_alike", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_and_look_alike_survives_the_wire() {
        let kinds = LookAlike::ALL.iter().map(|kind| (RejectionCode::NotAReport, Some(*kind)));
        for (code, look_alike) in RejectionCode::ALL.iter().map(|code| (*code, None)).chain(kinds) {
            let rejection = Rejection { look_alike, ..Rejection::new(code, "不是年报", "not a report") };
            assert_eq!(Rejection::try_from(v1::Rejection::from(&rejection)), Ok(rejection.clone()));
            let rejection = Rejection { retryable: true, ..rejection };
            assert_eq!(Rejection::try_from(v1::Rejection::from(&rejection)), Ok(rejection));
        }
    }

    #[test]
    fn what_was_rejected_before_it_was_said_is_as_retryable() {
        let code = |code: RejectionCode| v1::Rejection { code: code.to_string(), ..Default::default() };
        assert!(Rejection::try_from(code(RejectionCode::TooSlow)).unwrap().retryable);
        assert!(!Rejection::try_from(code(RejectionCode::TooLarge)).unwrap().retryable);
    }

    #[test]
    fn unknown_codes_and_look_alikes_are_refused() {
        let bad = v1::Rejection { code: "BORING".into(), ..Default::default() };
        assert_eq!(Rejection::try_from(bad).unwrap_err(), Error::unknown("code", "BORING"));
        let bad = v1::Rejection { code: "EMPTY".into(), look_alike: "novel".into(), ..Default::default() };
        assert_eq!(Rejection::try_from(bad).unwrap_err(), Error::unknown("look_alike", "novel"));
    }
}
