//! dev only
#![allow(
    clippy::all,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason
)]
fn main() {
    let verbose = std::env::var("V").is_ok();
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).unwrap();
        let name = std::path::Path::new(&path).file_name().unwrap().to_str().unwrap().to_owned();
        let hints = gongkai_check::Hints { filename: Some(&name), ..Default::default() };
        let line = gongkai_check::check(&name, &bytes, &hints, &gongkai_check::Limits::default());
        println!(
            "== {name} {:?} {}",
            line.status,
            line.rejection.as_ref().map(|r| r.code.clone()).unwrap_or_default()
        );
        if let (true, Some(r)) = (std::env::var("T").is_ok(), &line.report) {
            println!("{}\n{}\n[pre] {}", r.agency, r.title, r.preamble);
            for s in &r.sections {
                println!("[{}] {}\n{}", s.number, s.title, s.text);
            }
        }
        for f in &line.findings {
            println!(
                "{} {} {} | {}{}",
                f.severity,
                f.rule,
                f.fingerprint.get(..4).unwrap_or(""),
                f.message,
                if verbose { format!("\n     {} | {:?}", f.message_en, f.source) } else { String::new() }
            );
        }
    }
}
