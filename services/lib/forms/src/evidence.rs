//! Weighs what the places of a document say about its body and its year.

use gongkai_model::{Evidence, EvidenceSource};

use crate::body_name;

/// What one place names, with its weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clue<T> {
    pub value: T,
    pub source: EvidenceSource,
    pub weight: u32,
}

/// The weight of the words before the year of a title if they are no name of a body or a place.
pub(crate) const DOUBTFUL_NAME: u32 = 3;

/// The weight of a body that a text only mentions.
pub(crate) const MENTIONED: u32 = 1;

/// The weight of a title that the text contradicts: less than that of any sentence, and enough for a doubt.
pub(crate) const DOUBTFUL_TITLE: u32 = 5;

/// Returns the weight of a place that names the body. A title outweighs any other two places.
pub(crate) fn weight_of_body(source: EvidenceSource) -> u32 {
    match source {
        EvidenceSource::Title => 12,
        EvidenceSource::Preamble => 6,
        EvidenceSource::Opening => 5,
        EvidenceSource::Contact | EvidenceSource::MetadataTable | EvidenceSource::EventTitle => 4,
        EvidenceSource::PageMetadata | EvidenceSource::Signature => 3,
        EvidenceSource::Declared => 1,
    }
}

/// Returns the weight of a place that names the year. A title outweighs the statistical period and the page's metadata
/// together.
pub(crate) fn weight_of_year(source: EvidenceSource) -> u32 {
    match source {
        EvidenceSource::Title => 10,
        EvidenceSource::Preamble => 6,
        EvidenceSource::MetadataTable | EvidenceSource::EventTitle => 4,
        EvidenceSource::PageMetadata => 3,
        EvidenceSource::Opening => 2,
        EvidenceSource::Contact | EvidenceSource::Signature | EvidenceSource::Declared => 1,
    }
}

/// Weighs the bodies that the clues name: the heaviest first, under its fullest name. Names of one body count together,
/// each place once.
pub(crate) fn bodies(clues: &[Clue<String>]) -> Vec<Evidence<String>> {
    weigh(clues, |a, b| body_name::is_same(a, b), |own, other| body_name::fuller(own, other))
}

/// Weighs the years that the clues name, the heaviest first.
pub(crate) fn years(clues: &[Clue<i32>]) -> Vec<Evidence<i32>> {
    weigh(clues, |a, b| a == b, |own, _| own)
}

fn weigh<T: Clone>(
    clues: &[Clue<T>],
    is_same: impl Fn(&T, &T) -> bool,
    join: impl Fn(T, &T) -> T,
) -> Vec<Evidence<T>> {
    let mut clues: Vec<&Clue<T>> = clues.iter().collect();
    clues.sort_by_key(|clue| clue.source);
    let mut groups: Vec<Vec<&Clue<T>>> = Vec::new();
    for clue in clues {
        let fits = |group: &&mut Vec<&Clue<T>>| group.iter().any(|other| is_same(&other.value, &clue.value));
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(clue),
            None => groups.push(vec![clue]),
        }
    }
    let mut weighed: Vec<Evidence<T>> = groups.iter().filter_map(|group| of_group(group, &join)).collect();
    weighed.sort_by_key(|evidence| (std::cmp::Reverse(evidence.weight), evidence.source));
    // A mere hint is no rival.
    let heaviest = weighed.first().map_or(0, |evidence| evidence.weight);
    weighed.retain(|evidence| evidence.weight > 2 || evidence.weight == heaviest);
    weighed
}

fn of_group<T: Clone>(group: &[&Clue<T>], join: &impl Fn(T, &T) -> T) -> Option<Evidence<T>> {
    let first = group.first()?;
    let value = group.iter().skip(1).fold(first.value.clone(), |own, other| join(own, &other.value));
    let weight_of = |source: EvidenceSource| {
        group.iter().filter(|clue| clue.source == source).map(|clue| clue.weight).max().unwrap_or(0)
    };
    let weight = EvidenceSource::ALL.iter().map(|source| weight_of(*source)).sum();
    Some(Evidence { value, source: first.source, weight })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clue(value: &str, source: EvidenceSource) -> Clue<String> {
        Clue { value: value.to_owned(), source, weight: weight_of_body(source) }
    }

    #[test]
    fn the_heavier_body_is_chosen_and_its_names_count_together() {
        let clues = [
            clue("水务局", EvidenceSource::Title),
            clue("云川市林业局", EvidenceSource::Preamble),
            clue("云川市林业局", EvidenceSource::Preamble),
            clue("云川市水务局", EvidenceSource::Contact),
        ];
        let found = bodies(&clues);
        let found: Vec<_> = found.iter().map(|e| (e.value.as_str(), e.source, e.weight)).collect();
        assert_eq!(
            found,
            [("云川市水务局", EvidenceSource::Title, 16), ("云川市林业局", EvidenceSource::Preamble, 6)]
        );
    }

    #[test]
    fn the_order_of_the_places_breaks_a_tie() {
        let of = |a, b| {
            let found = bodies(&[clue("云川市林业局", a), clue("云川市水务局", b)]);
            found.first().map(|e| e.value.clone())
        };
        let forest = Some("云川市林业局".to_owned());
        assert_eq!(of(EvidenceSource::Contact, EvidenceSource::MetadataTable), forest);
        assert_eq!(of(EvidenceSource::EventTitle, EvidenceSource::Contact), Some("云川市水务局".to_owned()));
    }
}
