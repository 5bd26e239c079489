//! The agency and year that the sender of a document declares.

use gongkai_agencies::Registry;
use gongkai_model::{AgencyKey, names_nobody};
use gongkai_proto::v1::DocumentReceived;
use gongkai_reading::{ReportHints, named_in_title};

/// The sender's metadata in the form for the readers: the agency by its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declared {
    agency: Option<String>,
    year: Option<i32>,
    title: Option<String>,
}

impl Declared {
    /// Reads the metadata of an event. A code without a name means the listed agency.
    #[must_use]
    pub fn of(received: &DocumentReceived, registry: &Registry) -> Self {
        let hint = received.agency.clone().unwrap_or_default();
        let listed = || Some(registry.get(&AgencyKey::from_code(&hint.code).ok()?)?.name.clone());
        let name = Some(hint.name.clone()).filter(|name| !names_nobody(name));
        Self {
            agency: name.or_else(listed),
            year: Some(received.year).filter(|year| *year != 0),
            title: Some(received.title.clone()).filter(|title| !title.is_empty()),
        }
    }

    /// Returns the hints for the readers.
    #[must_use]
    pub fn known(&self) -> ReportHints<'_> {
        ReportHints { agency: self.agency.as_deref(), year: self.year, title: self.title.as_deref() }
    }

    /// Returns the agency's name as declared, or else as the title of the article has it.
    #[must_use]
    pub fn agency(&self) -> Option<String> {
        self.agency.clone().or_else(|| named_in_title(self.title.as_deref()?).agency)
    }

    /// Returns the year as declared, or else as the title of the article has it.
    #[must_use]
    pub fn year(&self) -> Option<i32> {
        self.year.or_else(|| named_in_title(self.title.as_deref()?).year)
    }
}

#[cfg(test)]
mod tests {
    use gongkai_agencies::read_csv;
    use gongkai_proto::v1::AgencyHint;

    use super::*;

    #[test]
    fn a_code_means_the_listed_agency_and_a_title_what_it_names() {
        let registry = read_csv("code,name\nYX-1,云溪县水务局\n".as_bytes()).unwrap();
        let of = |code: &str, name: &str, title: &str| {
            let agency = Some(AgencyHint { code: code.to_owned(), name: name.to_owned() });
            let received = DocumentReceived { agency, title: title.to_owned(), ..Default::default() };
            let said = Declared::of(&received, &registry);
            (said.known().agency.map(str::to_owned), said.agency(), said.year())
        };
        let water = Some("云溪县水务局".to_owned());
        assert_eq!(of("YX-1", "", ""), (water.clone(), water.clone(), None));
        assert_eq!(of("YX-1", "本机关", ""), (water.clone(), water.clone(), None));
        assert_eq!(of("YX-9", "", ""), (None, None, None));
        let title = "云溪县水务局2023年政府信息公开工作年度报告";
        assert_eq!(of("", "", title), (None, water, Some(2023)));
        let other = Some("云溪县林业局".to_owned());
        assert_eq!(of("", "云溪县林业局", title), (other.clone(), other, Some(2023)));
    }
}
