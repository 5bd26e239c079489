//! Parses `/metrics` as Prometheus does, and the table of METRICS.md with which it is compared.

use std::collections::{BTreeMap, BTreeSet};

/// The page that documents every metric.
const PAGE: &str = include_str!("../../services/lib/worker/METRICS.md");

/// The content of one `/metrics`: kinds by name, and the samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exposition {
    /// `counter`, `gauge` or `histogram`, by Prometheus name.
    pub kinds: BTreeMap<String, String>,
    /// Values by name and labels, as in the text: `a_total{b="c"}`.
    pub samples: BTreeMap<String, f64>,
}

// === impl Exposition ===

impl Exposition {
    /// Parses the text.
    ///
    /// # Errors
    /// The error names the line that Prometheus would reject.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut all = Self::default();
        for line in text.lines() {
            all.take(line).ok_or_else(|| format!("not Prometheus text: {line}"))?;
        }
        Ok(all)
    }

    fn take(&mut self, line: &str) -> Option<()> {
        if let Some(typed) = line.strip_prefix("# TYPE ") {
            let (name, kind) = typed.split_once(' ')?;
            let is_kind = ["counter", "gauge", "histogram"].contains(&kind);
            return (is_name(name) && is_kind)
                .then(|| drop(self.kinds.insert(name.to_owned(), kind.to_owned())));
        }
        if line.starts_with('#') {
            return line.strip_prefix("# HELP ").map(drop);
        }
        let (series, value) = line.rsplit_once(' ')?;
        let name = match series.split_once('{') {
            Some((name, labels)) => are_labels(labels.strip_suffix('}')?).then_some(name)?,
            None => series,
        };
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let is_typed = |name: &str| self.kinds.contains_key(name);
        if !is_name(name) || !(is_typed(name) || family.is_some_and(is_typed)) {
            return None;
        }
        let is_new = self.samples.insert(series.to_owned(), value.parse().ok()?).is_none();
        is_new.then_some(())
    }

    /// Returns the sum of the samples of a name whose labels contain `part`.
    #[must_use]
    pub fn sum(&self, name: &str, part: &str) -> f64 {
        let own = self
            .samples
            .iter()
            .filter(|(series, _)| series.split('{').next() == Some(name) && series.contains(part));
        own.map(|(_, value)| value).sum()
    }
}

/// Returns the Prometheus names in METRICS.md with their kinds.
#[must_use]
pub fn documented() -> BTreeMap<String, String> {
    PAGE.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<(String, String)> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?.replace('.', "_");
    let kind = *cells.get(2)?;
    let unit = match *cells.get(3)? {
        "`s`" => "_seconds",
        "`By`" => "_bytes",
        _ => "",
    };
    let (total, kind) = match kind {
        "counter" => ("_total", "counter"),
        "level" => ("", "gauge"),
        other => ("", other),
    };
    Some((format!("{name}{unit}{total}"), kind.to_owned()))
}

fn is_name(name: &str) -> bool {
    let mut all = name.chars();
    all.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == ':')
        && all.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

/// Returns true for `a="b",c="d"` with each name once. Our values contain no quotation marks or commas.
fn are_labels(labels: &str) -> bool {
    let mut names = BTreeSet::new();
    labels.split(',').all(|label| {
        let Some((name, value)) = label.split_once('=') else { return false };
        let is_quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
        is_name(name) && is_quoted && names.insert(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_nonsense_refused() {
        let text = "# HELP a_total what\n# TYPE a_total counter\na_total{b=\"c\"} 2\na_total{b=\"d\"} 3\n\
                    # TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 0.5\nh_count 1\n";
        let all = Exposition::parse(text).unwrap();
        assert_eq!((all.sum("a_total", ""), all.sum("a_total", "b=\"d\"")), (5.0, 3.0));
        assert_eq!(all.kinds.len(), 2);
        for wrong in
            ["a_total 1", "# TYPE a gauge\na{b} 1", "# TYPE a gauge\na x", "# TYPE a gauge\na 1\na 1", "# a"]
        {
            assert!(Exposition::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_table_gives_prometheus_names() {
        let all = documented();
        assert_eq!(all["gongkai_report_processing_duration_seconds"], "histogram");
        assert_eq!(all["gongkai_parse_documents_total"], "counter");
        assert_eq!(all["worker_in_work"], "gauge");
    }
}
