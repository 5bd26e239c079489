//! Arbitrary values of the model for the round-trip tests.

use gongkai_model::{
    AgencyKey, AlteredLabel, Applicant, Area, CellRef, Citation, Concept, Contact, Evidence, EvidenceSource,
    Fact, FactId, Field, FieldName, Finding, FormId, Identity, LookAlike, Metadata, Note, Paragraph, Part,
    PartContent, Period, Region, Rejection, RejectionCode, Report, ReportKey, Revocation, Section, Severity,
    Source, Span, State, UnreadReason, Variant, Versions, Waiver, WaiverEnd,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use rust_decimal::Decimal;
use time::OffsetDateTime;

const TEXT: &str = "[一-龥a-z0-9 ]{0,12}";
const NAME: &str = "[一-龥a-z0-9.]{1,12}";

pub(super) fn versions() -> impl Strategy<Value = Versions> {
    ("[0-9.]{0,5}", "[0-9.]{0,5}", "[0-9.]{0,5}", "[0-9.]{0,5}")
        .prop_map(|(program, parser, forms, rules)| Versions { program, parser, forms, rules })
}

fn span() -> impl Strategy<Value = Option<Span>> {
    option::of((any::<u32>(), any::<u32>()).prop_map(|(start, end)| Span { start, end }))
}

fn source() -> impl Strategy<Value = Source> {
    let cell =
        option::of((any::<u32>(), any::<u32>(), any::<u32>()).prop_map(|(table, row, column)| CellRef {
            table,
            row,
            column,
        }));
    (TEXT, cell, option::of(1..99_u32), span(), option::of(area()), option::of(NAME))
        .prop_map(|(text, cell, page, span, area, part)| Source { text, cell, page, span, area, part })
}

fn area() -> impl Strategy<Value = Area> {
    any::<[u32; 4]>().prop_map(|[left, top, right, bottom]| Area { left, top, right, bottom })
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let field = (select(FieldName::ALL.to_vec()), any::<bool>(), TEXT, source())
        .prop_map(|(name, is_tag, value, source)| Field { name, is_tag, value, source });
    let said = || option::of(TEXT);
    let contact = (said(), said(), said(), said(), said(), source()).prop_map(
        |(body, address, telephone, postcode, email, source)| Contact {
            body,
            address,
            telephone,
            postcode,
            email,
            source,
        },
    );
    let citation = (TEXT, option::of(TEXT), source()).prop_map(|(number, title, source)| Citation {
        number,
        title,
        source,
    });
    (vec(field, 0..3), option::of(contact), vec(citation, 0..3))
        .prop_map(|(fields, contact, citations)| Metadata { fields, contact, citations })
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![
        (any::<i64>(), 0..9_u32).prop_map(|(n, scale)| State::Reported(Decimal::new(n, scale))),
        select(vec![State::Blank, State::NotApplicable, State::Missing, State::Unreadable]),
    ]
}

fn fact_id() -> impl Strategy<Value = FactId> {
    ("[a-z_.]{1,20}", option::of(select(Applicant::ALL.to_vec())))
        .prop_map(|(concept, applicant)| FactId { concept: Concept::new(&concept), applicant })
}

pub(super) fn fact() -> impl Strategy<Value = Fact> {
    let reason = option::of(select(UnreadReason::ALL.to_vec()));
    (fact_id(), state(), reason, option::of(source()), vec(source(), 0..3)).prop_map(
        |(id, state, reason, source, candidates)| {
            let unread_reason = reason.filter(|_| state == State::Unreadable);
            Fact { id, state, unread_reason, source, candidates }
        },
    )
}

pub(super) fn finding() -> impl Strategy<Value = Finding> {
    let words = ("[A-Z0-9-]{1,9}", TEXT, TEXT, "[0-9a-f]{32}", TEXT, TEXT, TEXT);
    let values = (option::of(TEXT), option::of(TEXT), option::of(source()), versions(), option::of(TEXT));
    let ids = (option::of(fact_id()), option::of("[a-z.]{1,9}"), vec(fact_id(), 0..3), "[0-9a-f]{16}");
    (words, select(Severity::ALL.to_vec()), values, ids).prop_map(|(words, severity, values, ids)| {
        let (rule, message, message_en, fingerprint, formula, legal, help) = words;
        let (expected, actual, source, versions, suggestion) = values;
        let (cause, concept, facts, operands_digest) = ids;
        let concept = concept.as_deref().map(Concept::new);
        Finding {
            rule,
            severity,
            message,
            message_en,
            fingerprint,
            cause,
            concept,
            formula,
            expected,
            actual,
            facts,
            source,
            legal,
            help,
            suggestion,
            operands_digest,
            versions,
        }
    })
}

fn paragraph() -> impl Strategy<Value = Paragraph> {
    (TEXT, span(), option::of(1..99_u32)).prop_map(|(text, span, page)| Paragraph { text, span, page })
}

fn moment() -> impl Strategy<Value = OffsetDateTime> {
    (0..4_000_000_000_i64).prop_map(|seconds| OffsetDateTime::from_unix_timestamp(seconds).unwrap())
}

pub(super) fn waiver() -> impl Strategy<Value = Waiver> {
    let ids = ("[0-9a-f]{16}", "[0-9a-f]{32}", "[0-9a-f]{16}", "[A-Z0-9-]{1,9}");
    let revoked = option::of((TEXT, TEXT).prop_map(|(person, reason)| Revocation { person, reason }));
    let end = option::of((moment(), revoked).prop_map(|(at, revoked)| WaiverEnd { at, revoked }));
    (ids, select(Severity::ALL.to_vec()), 2008..2030_i32, (TEXT, TEXT), (moment(), moment()), end).prop_map(
        |((id, fingerprint, operands_digest, rule), severity, year, (reason, person), times, end)| Waiver {
            id,
            key: ReportKey { agency: AgencyKey::provisional(&person, Region::UNKNOWN), year },
            region: Region::UNKNOWN,
            fingerprint,
            operands_digest,
            rule,
            severity,
            reason,
            person,
            created_at: times.0,
            expires_at: times.1,
            end,
        },
    )
}

fn section() -> impl Strategy<Value = Section> {
    (1..=6_u32, TEXT, span(), vec(paragraph(), 0..3), any::<bool>()).prop_map(
        |(number, title, title_span, paragraphs, has_table)| Section {
            number,
            title,
            title_span,
            paragraphs,
            has_table,
        },
    )
}

fn period() -> impl Strategy<Value = Period> {
    let day = || (2008..2030_i32, 1..=12_u8, 1..=31_u8);
    (day(), day(), span()).prop_map(|(from, to, span)| Period { from, to, span })
}

fn notes() -> impl Strategy<Value = Vec<Note>> {
    let count = || option::of(1..99_u32);
    let label = (fact_id(), source())
        .prop_map(|(id, source)| Note::AlteredLabel(AlteredLabel { concept: id.concept, source }));
    let counts = (count(), any::<bool>(), any::<bool>(), count(), count(), count(), count());
    (counts, vec(label, 0..3)).prop_map(|(counts, labels)| {
        let (pinyin, traditional, charset, replaced, changes, comments, hidden) = counts;
        let counts = [
            pinyin.map(Note::PinyinRemoved),
            traditional.then_some(Note::TraditionalConverted),
            charset.then_some(Note::CharsetMismatch),
            replaced.map(Note::ReplacementCharacters),
            changes.map(Note::TrackedChanges),
            comments.map(Note::Comments),
            hidden.map(Note::HiddenText),
        ];
        counts.into_iter().flatten().chain(labels).collect()
    })
}

fn part() -> impl Strategy<Value = Part> {
    let report = (TEXT, 2008..2030_i32, vec((fact_id(), state()), 0..3))
        .prop_map(|(agency, year, different)| PartContent::Report { agency, year, different });
    let other =
        (select(RejectionCode::ALL.to_vec()), TEXT, TEXT, option::of(select(LookAlike::ALL.to_vec())))
            .prop_map(|(code, message, message_en, look_alike)| {
                PartContent::Other(Rejection { look_alike, ..Rejection::new(code, message, message_en) })
            });
    let content = prop_oneof![Just(PartContent::Carrier), report, other];
    (option::of(NAME), TEXT, "[0-9a-f]{8}", content).prop_map(|(name, media_type, sha256, content)| Part {
        name,
        media_type,
        sha256,
        content,
    })
}

fn identity() -> impl Strategy<Value = Identity> {
    let source = || select(EvidenceSource::ALL.to_vec());
    let body =
        (NAME, source(), 1..40_u32).prop_map(|(value, source, weight)| Evidence { value, source, weight });
    let year = (2008..2030_i32, source(), 1..40_u32).prop_map(|(value, source, weight)| Evidence {
        value,
        source,
        weight,
    });
    (vec(body, 0..3), vec(year, 0..3)).prop_map(|(agency, year)| Identity { agency, year })
}

pub(super) fn report() -> impl Strategy<Value = Report> {
    let head = (TEXT, 2008..2030_i32, option::of(2008..2030_i32), option::of(period()), TEXT);
    let form = (
        select(vec![FormId::Form2021, FormId::Form2019, FormId::Form2014]),
        select(vec![Variant::Standard, Variant::SingleRowOther]),
    );
    let parts = vec(part(), 0..3);
    let body = (
        vec(paragraph(), 0..3),
        vec(section(), 0..3),
        vec(fact(), 0..4),
        notes(),
        metadata(),
        parts,
        identity(),
    );
    (head, form, body).prop_map(|(head, (form, variant), body)| {
        let (agency, year, title_year, period, title) = head;
        let (preamble, sections, facts, notes, metadata, parts, identity) = body;
        Report {
            agency,
            year,
            title_year,
            period,
            form,
            variant,
            title,
            preamble,
            sections,
            facts,
            metadata,
            notes,
            parts,
            identity,
        }
    })
}
