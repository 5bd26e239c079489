//! A submission of several files as one reading.
//!
//! The main body comes first, then the attachments in the order given. The first file that is a report carries the
//! facts; other reports are compared with it; the remaining files are listed. If none is a report, the rejection is
//! the one that helps its sender most.

use gongkai_model::{FactId, Part, PartContent, Rejection, RejectionCode, Report, Source, State};

use crate::Reading;

/// Maximum number of files that run out of time or memory. The files after them are not read.
const MAX_COSTLY: usize = 2;

/// Metadata of one file of a submission before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartId {
    /// Name of an attachment; absent for the main body.
    pub name: Option<String>,
    /// Media type as declared; empty if unknown.
    pub media_type: String,
    /// SHA-256 of the file's bytes, in hex.
    pub sha256: String,
}

/// A submission as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JointReading {
    /// The report, or its rejection.
    pub result: Result<Reading, Rejection>,
    /// The files; empty if the submission is one file.
    pub parts: Vec<Part>,
    /// The file that the result comes from.
    pub decided_by: usize,
}

// === impl PartId ===

impl PartId {
    /// Creates the id of the only file of a submission.
    #[must_use]
    pub fn main() -> Self {
        Self { name: None, media_type: String::new(), sha256: String::new() }
    }

    /// Creates the id of an attachment. One without a name is named by its ordinal among the attachments, from 0.
    #[must_use]
    pub fn attachment(ordinal: usize, name: &str, media_type: &str, sha256: &str) -> Self {
        let name = if name.is_empty() { format!("附件{}", ordinal + 1) } else { name.to_owned() };
        Self { name: Some(name), media_type: media_type.to_owned(), sha256: sha256.to_owned() }
    }
}

/// Reads the files of a submission with `read`, which gets the ordinal of each, and joins the results.
///
/// A single main body is read as if there were no parts. Once two files have run out of time or memory, those after
/// them are `TOO_SLOW` without being read, so that a submission costs no more than a few documents.
///
/// # Errors
/// The errors of `read`: the submission has no result then.
///
/// # Panics
/// If there is no file.
pub fn read_parts<E>(
    ids: &[PartId],
    mut read: impl FnMut(usize) -> Result<Result<Reading, Rejection>, E>,
) -> Result<JointReading, E> {
    let mut readings = Vec::with_capacity(ids.len());
    let mut costly = 0;
    for at in 0..ids.len() {
        let reading = if costly < MAX_COSTLY { read(at)? } else { Err(unread()) };
        costly += usize::from(reading.as_ref().is_err_and(|rejection| rejection.retryable));
        readings.push(reading);
    }
    Ok(join(ids, readings))
}

fn join(ids: &[PartId], mut readings: Vec<Result<Reading, Rejection>>) -> JointReading {
    let carrier = readings.iter().position(Result::is_ok);
    let decided_by = carrier.unwrap_or_else(|| most_helpful(&readings));
    if let [PartId { name: None, .. }] = ids {
        return JointReading { result: readings.swap_remove(0), parts: Vec::new(), decided_by };
    }
    let report = carrier.and_then(|at| readings[at].as_ref().ok()).map(|reading| &reading.report);
    let content = |at: usize| match &readings[at] {
        _ if carrier == Some(at) => PartContent::Carrier,
        Ok(reading) => also_read(report, &reading.report),
        Err(rejection) => PartContent::Other(rejection.clone()),
    };
    let media_type = |at: usize| match &readings[at] {
        Ok(reading) => reading.media_type.as_str().to_owned(),
        Err(_) => ids[at].media_type.clone(),
    };
    let part = |at: usize| Part {
        name: ids[at].name.clone(),
        media_type: media_type(at),
        sha256: ids[at].sha256.clone(),
        content: content(at),
    };
    let parts: Vec<Part> = (0..ids.len()).map(part).collect();
    let is_retryable = readings.iter().any(|reading| reading.as_ref().is_err_and(|r| r.retryable));
    let name = ids[decided_by].name.as_deref();
    let result = readings.swap_remove(decided_by);
    let result = match result {
        Ok(reading) => Ok(Reading { report: of_part(reading.report, name, &parts), ..reading }),
        Err(rejection) => Err(named(Rejection { retryable: is_retryable, ..rejection }, name)),
    };
    JointReading { result, parts, decided_by }
}

/// Returns a report with the name of its attachment in all its sources.
fn of_part(mut report: Report, name: Option<&str>, parts: &[Part]) -> Report {
    report.parts = parts.to_vec();
    let Some(name) = name else { return report };
    let cells = report.facts.iter_mut().flat_map(|fact| fact.source.iter_mut().chain(&mut fact.candidates));
    let metadata = &mut report.metadata;
    let fields = metadata.fields.iter_mut().map(|field| &mut field.source);
    let contact = metadata.contact.iter_mut().map(|contact| &mut contact.source);
    let citations = metadata.citations.iter_mut().map(|citation| &mut citation.source);
    let sources: Vec<&mut Source> = cells.chain(fields).chain(contact).chain(citations).collect();
    for source in sources {
        source.part = Some(name.to_owned());
    }
    report
}

/// Returns the content of another file that is a report too.
fn also_read(report: Option<&Report>, other: &Report) -> PartContent {
    let is_known = |state: State| !matches!(state, State::Missing | State::Unreadable);
    let differs = |id: &FactId, state: State| {
        let own = report.map_or(State::Missing, |report| report.state(id));
        is_known(own) && is_known(state) && own != state
    };
    let cells = other.facts.iter().filter(|fact| differs(&fact.id, fact.state));
    let is_same_year = report.is_some_and(|report| report.year == other.year);
    let different = cells.filter(|_| is_same_year).map(|fact| (fact.id.clone(), fact.state)).collect();
    PartContent::Report { agency: other.agency.clone(), year: other.year, different }
}

/// Returns the index of the first rejection that is closest to a report.
fn most_helpful(readings: &[Result<Reading, Rejection>]) -> usize {
    let rejections =
        readings.iter().enumerate().filter_map(|(at, reading)| Some((at, reading.as_ref().err()?)));
    rejections.min_by_key(|(at, rejection)| (distance(rejection), *at)).map_or(0, |(at, _)| at)
}

/// Returns how far a file is from a readable report. A page that only points at its attachment is farthest.
fn distance(rejection: &Rejection) -> u8 {
    use RejectionCode as Code;
    match rejection.code {
        // Readers do not return `NotYours` and `TooManyRevisions`.
        Code::NoIdentity | Code::NotYours | Code::TooManyRevisions => 0,
        Code::UnfilledForm => 1,
        Code::TooLarge
        | Code::TooDeep
        | Code::TooSlow
        | Code::ParserPanic
        | Code::BadEncoding
        | Code::Corrupt
        | Code::Encrypted
        | Code::NeedsOcr
        | Code::ChallengePage
        | Code::Erased => 2,
        Code::NotAReport if is_of_known_kind(rejection) => 3,
        Code::UnsupportedFormat => 4,
        Code::NotAReport => 5,
        Code::Empty => 6,
    }
}

fn is_of_known_kind(rejection: &Rejection) -> bool {
    use gongkai_model::LookAlike::{
        Budget, FormNotice, Infographic, RuleOfLawReport, WebsiteReport, WorkSummary,
    };
    let known = [Budget, FormNotice, Infographic, RuleOfLawReport, WebsiteReport, WorkSummary];
    rejection.look_alike.is_some_and(|kind| known.contains(&kind))
}

/// Returns the rejection with the name of its attachment.
fn named(rejection: Rejection, name: Option<&str>) -> Rejection {
    let Some(name) = name else { return rejection };
    let Rejection { message, message_en, .. } = &rejection;
    let (message, message_en) =
        (format!("附件《{name}》：{message}"), format!("attachment {name}: {message_en}"));
    Rejection { message, message_en, ..rejection }
}

fn unread() -> Rejection {
    Rejection::new(
        RejectionCode::TooSlow,
        "前面的附件占用了过多的处理资源，本附件未读取；请单独报送年度报告。",
        "not read, because the files before it took too much time or memory; send the report by itself",
    )
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use gongkai_extract::{Hints, Limits};
    use gongkai_model::LookAlike;

    use super::*;

    const PAGE: &str = "<h1>云溪县档案局2023年政府信息公开工作年度报告</h1><p>详见附件。</p>";

    fn report(year: i32, in_force: &str) -> String {
        format!(
            "云溪县档案局{year}年政府信息公开工作年度报告\n一、总体情况\n良好。\n二、主动公开政府信息情况\n\
             信息内容 | 本年制发件数 | 本年废止件数 | 现行有效件数 |\n规章 | 0 | 0 | 0 |\n行政规范性文件 | 1 | 0 | {in_force} |\n\
             三、收到和处理政府信息公开申请情况\n无。\n四、政府信息公开行政复议、行政诉讼情况\n无。\n\
             五、存在的主要问题及改进情况\n解读形式单一，将增加图解。\n六、其他需要报告的事项\n无。\n"
        )
    }

    /// Reads a page and its attachments, each a name and a text.
    fn joint(page: Option<&str>, attachments: &[(&str, &str)]) -> JointReading {
        let texts: Vec<&str> = page.into_iter().chain(attachments.iter().map(|(_, text)| *text)).collect();
        let page = page.map(|_| PartId { sha256: "00".to_owned(), ..PartId::main() });
        let others = attachments.iter().enumerate();
        let others = others.map(|(at, (name, _))| PartId::attachment(at, name, "text/plain", "aa"));
        let read = |at: usize| {
            let text: &str = texts[at];
            Ok::<_, Infallible>(match text.strip_prefix("!") {
                Some(code) => Err(Rejection::new(code.parse().unwrap(), "坏", "broken")),
                None => crate::read(text.as_bytes(), &Hints::default(), &Limits::default()),
            })
        };
        let ids: Vec<PartId> = page.into_iter().chain(others).collect();
        let Ok(joint) = read_parts(&ids, read);
        joint
    }

    fn cell(reading: &Reading, concept: &str) -> (State, Option<String>) {
        let fact = reading.report.facts.iter().find(|fact| fact.id.to_string() == concept).unwrap();
        (fact.state, fact.source.as_ref().and_then(|source| source.part.clone()))
    }

    const IN_FORCE: &str = "proactive.normative_documents.in_force";

    #[test]
    fn a_single_document_is_read_as_before() {
        let text = report(2023, "17");
        let alone = joint(Some(&text), &[]);
        assert_eq!(alone.result, crate::read(text.as_bytes(), &Hints::default(), &Limits::default()));
        assert_eq!((alone.parts.len(), alone.decided_by), (0, 0));
    }

    #[test]
    fn the_report_is_found_in_the_attachment_and_each_fact_says_so() {
        let read = joint(Some(PAGE), &[("说明.txt", "来源说明"), ("", &report(2023, "17"))]);
        let reading = read.result.unwrap();
        let value = State::Reported(17.into());
        assert_eq!(cell(&reading, IN_FORCE), (value, Some("附件2".to_owned())));
        assert_eq!((reading.report.part(), read.decided_by), (Some("附件2"), 2));
        let is_other = |part: &Part| matches!(&part.content, PartContent::Other(r) if r.code == RejectionCode::NotAReport);
        assert!(is_other(&read.parts[0]) && is_other(&read.parts[1]), "{:?}", read.parts);
        assert_eq!(read.parts[1].name.as_deref(), Some("说明.txt"));
        assert_eq!(reading.report.parts, read.parts);
    }

    #[test]
    fn the_page_goes_first_and_the_attachment_is_compared() {
        let attached =
            [("同.txt", report(2023, "17")), ("异.txt", report(2023, "18")), ("旧.txt", report(2022, "3"))];
        let attached: Vec<(&str, &str)> =
            attached.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let read = joint(Some(&report(2023, "17")), &attached);
        let reading = read.result.unwrap();
        assert_eq!(cell(&reading, IN_FORCE).1, None, "the main body has no part");
        let different: Vec<(i32, Vec<String>)> = read.parts[1..]
            .iter()
            .map(|part| match &part.content {
                PartContent::Report { year, different, .. } => {
                    (*year, different.iter().map(|(id, state)| format!("{id} {:?}", state.value())).collect())
                }
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(different, [(2023, vec![]), (2023, vec![format!("{IN_FORCE} Some(18)")]), (2022, vec![])]);
    }

    #[test]
    fn attachments_alone_are_a_submission() {
        let read = joint(None, &[("年报.txt", &report(2023, "17"))]);
        assert_eq!(read.result.unwrap().report.part(), Some("年报.txt"));
        assert_eq!(read.parts.len(), 1);
    }

    #[test]
    fn the_rejection_is_the_one_that_helps_most() {
        let code = |page: &str, attachments: &[&str]| {
            let named: Vec<(&str, &str)> = attachments.iter().map(|text| ("附.docx", *text)).collect();
            let rejection = joint(Some(page), &named).result.unwrap_err();
            let is_attachment = rejection.message.starts_with("附件《附.docx》：");
            assert_eq!(is_attachment, rejection.message_en.starts_with("attachment 附.docx: "));
            (rejection.code, is_attachment)
        };
        assert_eq!(code(PAGE, &["!ENCRYPTED"]), (RejectionCode::Encrypted, true));
        assert_eq!(code(PAGE, &["!UNSUPPORTED_FORMAT"]), (RejectionCode::UnsupportedFormat, true));
        assert_eq!(code(PAGE, &["!EMPTY"]), (RejectionCode::NotAReport, false));
        assert_eq!(code("2023年部门预算公开", &["!UNSUPPORTED_FORMAT"]), (RejectionCode::NotAReport, false));
        assert_eq!(code(PAGE, &["!CORRUPT", "!NO_IDENTITY"]), (RejectionCode::NoIdentity, true));
        assert_eq!(code("!CHALLENGE_PAGE", &["!NEEDS_OCR"]), (RejectionCode::ChallengePage, false));
    }

    #[test]
    fn one_file_for_want_of_time_makes_all_retryable_and_two_end_the_reading() {
        let read = joint(Some("!NO_IDENTITY"), &[("a", "!TOO_SLOW")]);
        let rejection = read.result.unwrap_err();
        assert_eq!((rejection.code, rejection.retryable), (RejectionCode::NoIdentity, true));
        let read = joint(Some("!TOO_SLOW"), &[("a", "!PARSER_PANIC"), ("b", &report(2023, "17"))]);
        assert!(read.result.is_err_and(|rejection| rejection.retryable));
        let last = &read.parts[2].content;
        assert!(matches!(last, PartContent::Other(r) if r.message_en.contains("not read")), "{last:?}");
    }

    #[test]
    fn an_index_page_is_as_far_from_a_report_as_any_other_page() {
        let other =
            |kind| Rejection { look_alike: Some(kind), ..Rejection::new(RejectionCode::NotAReport, "", "") };
        assert_eq!(distance(&other(LookAlike::IndexPage)), distance(&other(LookAlike::Other)));
        assert!(distance(&other(LookAlike::Budget)) < distance(&other(LookAlike::Other)));
    }
}
