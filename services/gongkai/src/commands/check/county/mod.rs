//! Checks a folder as a county: every document is held against the others.

mod body;
mod records;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use futures::{StreamExt as _, stream};
use gongkai_agencies::Registry;
use gongkai_check::CheckLine;
use gongkai_model::Region;
use gongkai_reading::Reading;
use tokio::runtime::Handle;

use self::body::{County, CountySite, ReadReport};
use super::{
    ahead::{self, Ahead, Weight},
    annotate::Annotator,
    checker::Checker,
    files::{self, DocumentSource},
    joint,
    output::LineSink,
    unreadable,
};
use crate::progress;

/// About the size of an output line, while it waits to be written.
const LINE_BYTES: u64 = 256 << 10;

/// The documents of a county, and what is known of it.
pub(super) struct CountyArgs {
    /// The files and folders to check.
    pub(super) paths: Vec<PathBuf>,
    /// The reports on earlier years: compared with, but not checked.
    pub(super) previous: Option<PathBuf>,
    /// The list of agencies.
    pub(super) agencies: Option<PathBuf>,
    /// The code of the site, whose first six digits are the region.
    pub(super) site_code: Option<String>,
}

/// Reads every document, and then checks each against the others. Writes in the order of the documents.
pub(super) async fn check(
    args: CountyArgs,
    checker: &Arc<Checker>,
    annotator: Option<Arc<Annotator>>,
    output: &mut LineSink<'_>,
) -> anyhow::Result<()> {
    let county = Arc::new(County::new(registry(args.agencies.as_deref())?, site(args.site_code)?)?);
    let mut all: Vec<DocumentSource> = files::sources(args.previous.into_iter().collect()).collect();
    let first = u32::try_from(all.len())?;
    all.extend(files::sources(args.paths));
    let copies = annotator.map(|annotator| Copies { annotator, first, files: paths(&all[first as usize..]) });
    let end = add(&county, all, checker).await?;
    let second = Arc::new(SecondPass { county, checker: checker.clone(), copies });
    let ahead = Ahead::new();
    let checks = (first..end).map(|number| second.clone().check(number, &ahead));
    let mut checks = stream::iter(checks).buffered(ahead::MOST);
    while let Some(line) = checks.next().await {
        let (line, _weight) = line?;
        output.write(&line?)?;
    }
    Ok(())
}

/// Where the marked copies go, and the files of each document from number `first` on.
struct Copies {
    annotator: Arc<Annotator>,
    first: u32,
    files: Vec<Vec<PathBuf>>,
}

fn paths(documents: &[DocumentSource]) -> Vec<Vec<PathBuf>> {
    documents.iter().map(DocumentSource::paths).collect()
}

/// What the check of an added document needs.
struct SecondPass {
    county: Arc<County>,
    checker: Arc<Checker>,
    copies: Option<Copies>,
}

impl SecondPass {
    /// Checks one added document on a thread of its own, and writes its marked copy.
    async fn check(
        self: Arc<Self>,
        number: u32,
        ahead: &Ahead,
    ) -> anyhow::Result<(anyhow::Result<CheckLine>, Weight)> {
        let runtime = Handle::current();
        let work = move || {
            // The records are on the disk of this machine: nothing in it waits for long.
            let line = runtime.block_on(self.county.check(number, &self.checker.rules))?;
            if let Some(Copies { annotator, first, files }) = &self.copies {
                annotator.copy(&files[(number - first) as usize], &line)?;
            }
            Ok(line)
        };
        ahead.work(Some(LINE_BYTES), work).await
    }
}

/// Adds every document to the county. Returns their number.
async fn add(county: &County, all: Vec<DocumentSource>, checker: &Arc<Checker>) -> anyhow::Result<u32> {
    let ahead = Arc::new(Ahead::new());
    let bar = progress::bar();
    bar.set_length(u64::try_from(all.len()).unwrap_or(u64::MAX));
    let reads = all.into_iter().map(|source| read(source, checker.clone(), ahead.clone()));
    let mut reads = stream::iter(reads).buffered(ahead::MOST);
    let mut number = 0;
    while let Some(document) = reads.next().await {
        let (CountyDocument { file, result }, _weight) = document?;
        match result {
            Ok(reading) => county.add(&ReadReport { number, file: &file, reading: &reading }).await?,
            Err(line) => county.add_line(number, &line)?,
        }
        number += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(number)
}

/// A document that was read: its report, or the line that says why there is none.
struct CountyDocument {
    /// Name in the output.
    file: String,
    result: Result<Box<Reading>, Box<CheckLine>>,
}

/// Reads one source with its attachments in children.
async fn read(
    source: DocumentSource,
    checker: Arc<Checker>,
    ahead: Arc<Ahead>,
) -> anyhow::Result<(CountyDocument, Weight)> {
    let size = source.size();
    let work = move || {
        let file = source.name();
        let result = read_report(source, &file, &checker);
        CountyDocument { file, result }
    };
    ahead.work(size, work).await
}

fn read_report(
    source: DocumentSource,
    file: &str,
    checker: &Checker,
) -> Result<Box<Reading>, Box<CheckLine>> {
    let rules = &checker.rules;
    let joint = joint::read(source, &checker.readers, checker.limits)
        .map_err(|error| Box::new(unreadable::line(file, &error, rules)))?;
    match joint.result {
        Ok(reading) => Ok(Box::new(reading)),
        Err(rejection) => {
            let parts = joint.parts.iter().map(Into::into).collect();
            let line = CheckLine::of_rejection(file, &rejection, rules.versions());
            Err(Box::new(CheckLine { parts, ..line }))
        }
    }
}

fn registry(list: Option<&Path>) -> anyhow::Result<Registry> {
    let Some(path) = list else { return Ok(Registry::default()) };
    let bytes = fs::read(path).with_context(|| format!("couldn't read {}", path.display()))?;
    gongkai_agencies::read_csv(&bytes).with_context(|| format!("{} is no list of agencies", path.display()))
}

/// Returns the site of a code. A code without a region is one of a site that serves several.
fn site(code: Option<String>) -> anyhow::Result<CountySite> {
    let Some(code) = code else { return Ok(CountySite::default()) };
    anyhow::ensure!(!code.trim().is_empty(), "--site-code is empty: leave it out, or give the site's code");
    let region = code.get(..6).and_then(|digits| digits.parse().ok()).unwrap_or(Region::UNKNOWN);
    Ok(CountySite { region, code: Some(code) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_the_region_of_its_code() {
        assert_eq!(site(Some("3609820001".into())).unwrap().region.as_str(), "360982");
        assert_eq!(site(Some("N000000672".into())).unwrap().region, Region::UNKNOWN);
        assert!(site(Some(" ".into())).is_err());
    }
}
