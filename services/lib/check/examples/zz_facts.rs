//! dev only
#![allow(
    clippy::all,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason
)]
fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        let hints = gongkai_check::Hints { filename: Some("a.txt"), ..Default::default() };
        let r = gongkai_check::read(&bytes, &hints, &gongkai_check::Limits::default()).unwrap().report;
        for f in r
            .facts
            .iter()
            .filter(|f| f.id.to_string().contains("received[") || f.state.value().is_none())
            .take(16)
        {
            println!(
                "{} {:?} {:?} {:?}",
                f.id,
                f.state,
                f.source.as_ref().map(|s| s.cell),
                f.candidates.iter().map(|s| s.cell).collect::<Vec<_>>()
            );
        }
    }
}
