//! The results of one document: a finding each, with its place in the file and in the form.

use gongkai_check::{CheckLine, FactLine, FindingLine, Places, SourceLine};
use gongkai_model::Severity;
use serde_json::{Map, Value, json};

use super::{super::lang::Lang, original::Originals};

/// Name of the fingerprint. Its number changes with the meaning of the value.
const FINGERPRINT: &str = "gongkaiFinding/v1";

/// Returns a result for each finding of a document, in their order.
pub(super) fn results(line: &CheckLine, places: &Places, lang: Lang) -> Vec<Value> {
    let mut originals = Originals::new(line);
    line.findings.iter().map(|finding| result(finding, line, places, lang, &mut originals)).collect()
}

fn result(
    finding: &FindingLine,
    line: &CheckLine,
    places: &Places,
    lang: Lang,
    originals: &mut Originals<'_>,
) -> Value {
    let severity = finding.severity.parse::<Severity>().unwrap_or(Severity::Info);
    let primary = finding.cause.as_ref().and_then(|cause| operand(finding, cause));
    let primary = primary.or_else(|| finding.operands.iter().find(|fact| fact.source.is_some()));
    let source = finding.source.as_ref().or_else(|| primary.and_then(|fact| fact.source.as_ref()));
    let place = places.of(finding, line);
    let name = finding.cause.as_ref().or(finding.concept.as_ref());
    let logical = logical_location(&place, name, source);
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(severity),
        "kind": if severity == Severity::Info { "informational" } else { "fail" },
        "message": {"text": lang.choose(&finding.message, &finding.message_en)},
        "locations": [{
            "physicalLocation": originals.physical_location(source),
            "logicalLocations": [logical],
        }],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "properties": properties(finding),
    });
    let related = related_locations(finding, source, originals);
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    result
}

/// Returns the operand of a cell.
fn operand<'f>(finding: &'f FindingLine, cell: &str) -> Option<&'f FactLine> {
    finding.operands.iter().find(|fact| id(fact) == cell)
}

/// Returns the id of a cell, such as `requests.received[total]`.
fn id(fact: &FactLine) -> String {
    match &fact.applicant {
        Some(applicant) => format!("{}[{applicant}]", fact.concept),
        None => fact.concept.clone(),
    }
}

/// Returns the place in the form: a cell of a table, or a chapter.
fn logical_location(place: &str, name: Option<&String>, source: Option<&SourceLine>) -> Value {
    let is_cell = source.is_some_and(|source| source.table.is_some());
    let mut location = json!({
        "fullyQualifiedName": place,
        "kind": if is_cell { "tableCell" } else { "section" },
    });
    if let Some(name) = name {
        location["name"] = name.as_str().into();
    }
    let grid = source.map(|source| {
        let members =
            [("table", source.table), ("row", source.row), ("column", source.column), ("page", source.page)];
        members.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?.into())))
    });
    let grid: Map<String, Value> = grid.into_iter().flatten().collect();
    if !grid.is_empty() {
        location["properties"] = grid.into();
    }
    location
}

/// Returns the places of the other operands.
fn related_locations(
    finding: &FindingLine,
    primary: Option<&SourceLine>,
    originals: &mut Originals<'_>,
) -> Vec<Value> {
    let others = finding.operands.iter().filter_map(|fact| Some((fact, fact.source.as_ref()?)));
    let others = others.filter(|(_, source)| Some(*source) != primary);
    let location = |(index, (fact, source)): (usize, (&FactLine, &SourceLine))| {
        let text = format!("{} = {}", id(fact), fact.value.as_ref().unwrap_or(&fact.state));
        json!({
            "id": index,
            "message": {"text": text},
            "physicalLocation": originals.physical_location(Some(source)),
        })
    };
    others.enumerate().map(location).collect()
}

/// Returns the members of the JSON line that SARIF has no place for.
fn properties(finding: &FindingLine) -> Value {
    let texts = [
        ("severity", Some(&finding.severity)),
        ("cause", finding.cause.as_ref()),
        ("concept", finding.concept.as_ref()),
        ("formula", Some(&finding.formula)),
        ("expected", finding.expected.as_ref()),
        ("actual", finding.actual.as_ref()),
        ("legal", Some(&finding.legal)),
        ("suggestion", finding.suggestion.as_ref()),
    ];
    let present = texts.into_iter().filter_map(|(name, text)| Some((name, text?)));
    let present = present.filter(|(_, text)| !text.is_empty());
    present.map(|(name, text)| (name.to_owned(), Value::from(text.as_str()))).collect::<Map<_, _>>().into()
}

/// Returns the level of a severity. A level of `none` goes with a kind other than `fail`.
pub(super) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Review => "note",
        Severity::Info => "none",
    }
}
