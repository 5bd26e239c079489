//! The sender's metadata of a document, and the key of the report that metadata and document determine.
//!
//! The metadata counts where the document does not state a value. Together with the document's own name it identifies
//! the listed agency. Parse and dry runs use the same function, so a draft has the key and the differences of the
//! published report.

use gongkai_agencies::{Asked, Registry};
use gongkai_forms::{NamedInTitle, ReportHints, named_in_title};
use gongkai_lifecycle::key;
use gongkai_model::{AgencyKey, Difference, Region, Report, ReportKey, names_nobody};

/// The sender's metadata as received. A missing text is empty, a missing year is 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct Statement<'a> {
    /// Code of the agency.
    pub agency_code: &'a str,
    /// Name of the agency.
    pub agency_name: &'a str,
    /// Year of the report.
    pub year: i32,
    /// Title of the article.
    pub title: &'a str,
    /// Address of the article.
    pub url: &'a str,
    /// Region of the event.
    pub region: Region,
}

/// The sender's metadata, completed by the registry and by the title.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declared {
    code: String,
    /// The name as declared, else the listed name of the code.
    agency: Option<String>,
    year: Option<i32>,
    title: Option<String>,
    in_title: NamedInTitle,
    host: String,
    region: Region,
}

// === impl Declared ===

impl Declared {
    /// Completes the metadata. A code without a name stands for the listed agency.
    #[must_use]
    pub fn new(said: &Statement<'_>, registry: &Registry) -> Self {
        let Statement { agency_code, agency_name, year, title, url, region } = *said;
        let listed = || Some(registry.get(&AgencyKey::from_code(agency_code).ok()?)?.name.clone());
        let name = Some(agency_name).filter(|name| !names_nobody(name));
        Self {
            code: agency_code.to_owned(),
            agency: name.map(str::to_owned).or_else(listed),
            year: Some(year).filter(|year| *year != 0),
            title: Some(title).filter(|title| !title.is_empty()).map(str::to_owned),
            in_title: named_in_title(title),
            host: gongkai_agencies::host(url).to_owned(),
            region,
        }
    }

    /// Returns the hints for the readers.
    #[must_use]
    pub fn known(&self) -> ReportHints<'_> {
        ReportHints { agency: self.agency.as_deref(), year: self.year, title: self.title.as_deref() }
    }

    /// Returns the query to the registry for the agency of a report. If no name is declared, the one in the title
    /// counts.
    #[must_use]
    pub fn asked<'a>(&'a self, report: &'a Report) -> Asked<'a> {
        let name = self.agency.as_deref().or(self.in_title.agency.as_deref());
        Asked {
            code: &self.code,
            name: name.unwrap_or_default(),
            document_name: &report.agency,
            region: self.region,
            host: &self.host,
            year: report.year,
        }
    }

    /// Returns the key of a report, and the differences between the sender and the document.
    #[must_use]
    pub fn identify(&self, report: &Report, registry: &Registry) -> (ReportKey, Vec<Difference>) {
        let asked = self.asked(report);
        let agency = key::agency(&asked, registry);
        // Readers reject reports without an agency, so the name is not empty here.
        let agency = agency.unwrap_or_else(|| AgencyKey::provisional(&report.agency, self.region));
        let year = self.year.or(self.in_title.year).unwrap_or_default();
        let differences = registry.differences(&asked, year, &agency);
        (ReportKey { agency, year: report.year }, differences)
    }
}

#[cfg(test)]
mod tests {
    use gongkai_agencies::read_csv;
    use gongkai_model::DeclaredField;

    use super::*;

    const WATER: &str = "云溪县水务局";
    const TITLE: &str = "云溪县水务局2023年政府信息公开工作年度报告";

    fn registry() -> Registry {
        read_csv("code,name\nYX-1,云溪县水务局\n".as_bytes()).unwrap()
    }

    /// Returns the report of a body on 2022.
    fn report(agency: &str) -> Report {
        let text = "云溪县档案局2022年政府信息公开工作年度报告\n一、总体情况\n良好。\n二、主动公开政府信息情况\n\
                    信息内容 | 本年制发件数 | 本年废止件数 | 现行有效件数 |\n规章 | 0 | 0 | 0 |\n\
                    三、收到和处理政府信息公开申请情况\n四、政府信息公开行政复议、行政诉讼情况\n\
                    五、存在的主要问题及改进情况\n无。\n六、其他需要报告的事项\n无。\n";
        let read = crate::read(text.as_bytes(), &crate::Hints::default(), &crate::Limits::default());
        Report { agency: agency.to_owned(), ..read.unwrap().report }
    }

    #[test]
    fn a_code_means_the_listed_agency_and_a_title_what_it_names() {
        let report = report("本机关");
        let of = |agency_code, agency_name, title| {
            let said = Statement { agency_code, agency_name, title, ..Statement::default() };
            let said = Declared::new(&said, &registry());
            (said.known().agency.map(str::to_owned), said.asked(&report).name.to_owned())
        };
        let water = Some(WATER.to_owned());
        assert_eq!(of("YX-1", "", ""), (water.clone(), WATER.to_owned()));
        assert_eq!(of("YX-1", "本机关", ""), (water, WATER.to_owned()));
        assert_eq!(of("YX-9", "", ""), (None, String::new()));
        assert_eq!(of("", "", TITLE), (None, WATER.to_owned()));
        let other = "云溪县林业局";
        assert_eq!(of("", other, TITLE), (Some(other.to_owned()), other.to_owned()));
    }

    #[test]
    fn the_year_of_the_title_is_the_senders_too() {
        let report = report(WATER);
        let said = |year, title| Statement { year, title, ..Statement::default() };
        let years = |said: Statement<'_>| {
            let (key, differences) = Declared::new(&said, &registry()).identify(&report, &registry());
            assert_eq!(key.to_string(), "agencies/YX-1/reports/2022");
            let of_years = differences.into_iter().filter(|d| d.field == DeclaredField::Year);
            of_years.map(|difference| difference.declared).collect::<Vec<_>>()
        };
        assert_eq!(years(said(0, TITLE)), ["2023"]);
        assert_eq!(years(said(2022, TITLE)), Vec::<String>::new());
        assert_eq!(years(said(0, "")), Vec::<String>::new());
    }
}
