//! Groups rulings into lattices: finds which lines are connected, and which edges of the lattice they draw.

use super::drawn_page::Ruling;

/// Lines that are closer than this, in points, touch. Parallel ones are the same line.
const NEAR: f64 = 3.0;

/// Maximum distance between pieces that form one line, in points.
const SAME_PLACE: f64 = 0.8;

/// Minimum share of an edge that must be drawn to separate two cells.
const DRAWN: f64 = 0.6;

/// Maximum number of lines of a page that are examined together. Drawings have more.
const MOST_RULES: usize = 5_000;

/// Maximum number of edges of a lattice in either direction.
const MOST_EDGES: usize = 600;

/// The lines of one table.
#[derive(Debug)]
pub(super) struct Lattice {
    /// Upright edges, left to right.
    pub(super) xs: Vec<f64>,
    /// Level edges, top to bottom.
    pub(super) ys: Vec<f64>,
    rules: Vec<Ruling>,
}

/// Finds the lattices of a page, from top to bottom.
pub(super) fn lattices(rules: &[Ruling]) -> Vec<Lattice> {
    let rules = merged(rules);
    if rules.len() > MOST_RULES {
        return Vec::new();
    }
    let mut groups = Groups::new(rules.len());
    for (i, a) in rules.iter().enumerate() {
        for (j, b) in rules.iter().enumerate().take(i) {
            if touch(a, b) {
                groups.unite(i, j);
            }
        }
    }
    let mut tables: Vec<Lattice> =
        groups.members().into_iter().filter_map(|members| lattice(&members, &rules)).collect();
    tables.sort_by(|a, b| a.top().total_cmp(&b.top()));
    tables
}

/// Merges the pieces of each line.
fn merged(rules: &[Ruling]) -> Vec<Ruling> {
    let mut rules = rules.to_vec();
    rules.sort_by(|a, b| a.is_level.cmp(&b.is_level).then(a.at.total_cmp(&b.at)));
    let mut out: Vec<Ruling> = Vec::new();
    for line in rules.chunk_by_mut(|a, b| a.is_level == b.is_level && b.at - a.at <= SAME_PLACE) {
        line.sort_by(|a, b| a.from.total_cmp(&b.from));
        let first = out.len();
        for rule in line {
            match out.get_mut(first..).and_then(<[Ruling]>::last_mut) {
                Some(last) if rule.from <= last.to + NEAR => last.to = last.to.max(rule.to),
                _ => out.push(*rule),
            }
        }
    }
    out
}

fn touch(a: &Ruling, b: &Ruling) -> bool {
    let within = |at: f64, rule: &Ruling| at >= rule.from - NEAR && at <= rule.to + NEAR;
    if a.is_level == b.is_level {
        (a.at - b.at).abs() <= NEAR && a.from <= b.to + NEAR && b.from <= a.to + NEAR
    } else {
        within(b.at, a) && within(a.at, b)
    }
}

fn lattice(members: &[usize], rules: &[Ruling]) -> Option<Lattice> {
    let rules: Vec<Ruling> = members.iter().filter_map(|member| rules.get(*member)).copied().collect();
    let edges = |is_level: bool| {
        let own = rules.iter().filter(move |rule| rule.is_level == is_level).map(|rule| rule.at);
        // The table also ends where the lines across it end, even without a ruling there: open sides, and rows cut by
        // a page break.
        let across = || rules.iter().filter(move |rule| rule.is_level != is_level);
        let low = across().map(|rule| rule.from).fold(f64::MAX, f64::min);
        let high = across().map(|rule| rule.to).fold(f64::MIN, f64::max);
        clustered(own.chain([low, high]).filter(|at| at.abs() < 1e9).collect())
    };
    let (xs, ys) = (edges(false), edges(true));
    let fits = |edges: &[f64]| (2..=MOST_EDGES).contains(&edges.len());
    (fits(&xs) && fits(&ys)).then_some(Lattice { xs, ys, rules })
}

/// Merges positions that belong to one edge into their mean.
pub(super) fn clustered(mut places: Vec<f64>) -> Vec<f64> {
    places.sort_by(f64::total_cmp);
    let mut groups: Vec<Vec<f64>> = Vec::new();
    for place in places {
        match groups.last_mut() {
            Some(group) if group.last().is_some_and(|last| place - last <= NEAR) => group.push(place),
            _ => groups.push(vec![place]),
        }
    }
    let count = |group: &[f64]| group.iter().map(|_| 1.0).sum::<f64>();
    groups.iter().map(|group| group.iter().sum::<f64>() / count(group)).collect()
}

// === impl Lattice ===

impl Lattice {
    pub(super) fn top(&self) -> f64 {
        self.ys.first().copied().unwrap_or(0.0)
    }

    pub(super) fn bottom(&self) -> f64 {
        self.ys.last().copied().unwrap_or(0.0)
    }

    /// Returns true if the right side is drawn from `top` to `bottom`.
    pub(super) fn ends(&self, top: f64, bottom: f64) -> bool {
        self.is_drawn(false, self.xs.last().copied().unwrap_or(0.0), top, bottom)
    }

    /// Returns true if enough of the line from `from` to `to` is drawn.
    pub(super) fn is_drawn(&self, is_level: bool, at: f64, from: f64, to: f64) -> bool {
        let near = self.rules.iter().filter(|r| r.is_level == is_level && (r.at - at).abs() <= NEAR);
        let mut pieces: Vec<(f64, f64)> = near.map(|r| (r.from.max(from), r.to.min(to))).collect();
        pieces.retain(|(from, to)| to > from);
        pieces.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut end, mut drawn) = (from, 0.0);
        for (from, to) in pieces {
            drawn += (to - from.max(end)).max(0.0);
            end = end.max(to);
        }
        drawn >= (to - from) * DRAWN
    }
}

// === groups ===

/// A partition of numbered items into groups.
#[derive(Debug)]
pub(super) struct Groups(Vec<usize>);

impl Groups {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    pub(super) fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(slot) = self.0.get_mut(a.max(b)) {
            *slot = a.min(b);
        }
    }

    /// Returns the members of each group in ascending order. The groups are ordered by their first member.
    pub(super) fn members(mut self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = vec![Vec::new(); self.0.len()];
        for member in 0..self.0.len() {
            let root = self.root(member);
            if let Some(group) = groups.get_mut(root) {
                group.push(member);
            }
        }
        groups.retain(|group| !group.is_empty());
        groups
    }

    fn root(&mut self, member: usize) -> usize {
        let mut at = member;
        while let Some(above) = self.0.get(at).copied().filter(|above| *above != at) {
            let next = self.0.get(above).copied().unwrap_or(above);
            if let Some(slot) = self.0.get_mut(at) {
                *slot = next;
            }
            at = next;
        }
        at
    }
}
