//! The stored form of cells: one row per concept, short and readable.

use gongkai_model::{Applicant, Concept, FactId, State};
use gongkai_proto::v1::{CellRow, ContentRecord};
use gongkai_rules::{AgencyYear, Cells, MinHash};

/// Returns the cells as rows, sorted by concept.
#[must_use]
pub fn rows(cells: &Cells) -> Vec<CellRow> {
    let mut rows: Vec<CellRow> = Vec::new();
    for (id, _) in cells.iter() {
        if rows.last().is_some_and(|row| row.concept == id.concept.as_str()) {
            continue;
        }
        let of = |applicant| word(cells.state(&FactId { concept: id.concept.clone(), applicant }));
        let words: Vec<String> = match id.applicant {
            Some(_) => Applicant::ALL.iter().map(|applicant| of(Some(*applicant))).collect(),
            None => vec![of(None)],
        };
        rows.push(CellRow { concept: id.concept.to_string(), cells: words.join(",") });
    }
    rows
}

/// Returns the cells of rows. A word that this version does not know becomes an unreadable cell.
#[must_use]
pub fn cells(rows: &[CellRow]) -> Cells {
    let cells = rows.iter().flat_map(|row| {
        let concept = Concept::new(&row.concept);
        let words: Vec<&str> = row.cells.split(',').collect();
        let applicants: Vec<Option<Applicant>> =
            if words.len() == 1 { vec![None] } else { Applicant::ALL.iter().copied().map(Some).collect() };
        let cells = applicants.into_iter().zip(words);
        let cells: Vec<(FactId, State)> = cells
            .map(|(applicant, word)| (FactId { concept: concept.clone(), applicant }, state(word)))
            .collect();
        cells
    });
    Cells::new(cells)
}

fn word(state: State) -> String {
    match state {
        State::Reported(value) => value.to_string(),
        State::Blank => "_".to_owned(),
        State::NotApplicable => "/".to_owned(),
        State::Unreadable => "?".to_owned(),
        State::Missing => "!".to_owned(),
    }
}

fn state(word: &str) -> State {
    match word {
        "_" => State::Blank,
        "/" => State::NotApplicable,
        "!" => State::Missing,
        number => number.parse().map_or(State::Unreadable, State::Reported),
    }
}

/// Returns the parts of a report's content that its neighbours use.
#[must_use]
pub fn content(year: &AgencyYear, content_hash: &str, parsed_sequence: u64) -> ContentRecord {
    ContentRecord {
        content_hash: content_hash.to_owned(),
        parsed_sequence,
        agency_name: year.agency_name.clone(),
        form: year.form.to_string(),
        rows: rows(&year.cells),
        prose_chars: year.minhash.chars,
        prose_hashes: year.minhash.hashes.clone(),
        prose_bands: year.bands.to_vec(),
        rolls_up: year.rolls_up,
        main_hash: year.main_hash.clone(),
    }
}

/// Reads the result of [`content`] back. Returns `None` if a newer version wrote it in an unknown form.
#[must_use]
pub fn agency_year(content: &ContentRecord, year: i32) -> Option<AgencyYear> {
    Some(AgencyYear {
        agency_name: content.agency_name.clone(),
        year,
        form: content.form.parse().ok()?,
        cells: cells(&content.rows),
        minhash: MinHash { chars: content.prose_chars, hashes: content.prose_hashes.clone() },
        bands: content.prose_bands.clone().try_into().ok()?,
        rolls_up: content.rolls_up,
        main_hash: content.main_hash.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_back_as_written() {
        let words = ["3", "_", "/", "?", "!", "12", "17.27"];
        let id = |concept, applicant| FactId { concept: Concept::new(concept), applicant };
        let row =
            Applicant::ALL.iter().zip(words).map(|(a, w)| (id("requests.received", Some(*a)), state(w)));
        let all = Cells::new(row.chain([(id("proactive.fees.amount", None), state("5.20"))]));
        let written = rows(&all);
        let lines: Vec<&str> = written.iter().map(|row| row.cells.as_str()).collect();
        assert_eq!(lines, ["5.20", "3,_,/,?,!,12,17.27"]);
        assert_eq!(cells(&written), all);
        assert_eq!(state("who knows"), State::Unreadable);
    }
}
