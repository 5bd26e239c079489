//! What every command says of itself: its `--help`, a snapshot each.
//!
//! A change of a name, a default or a line of help shows here. `INSTA_UPDATE=always cargo test -p gongkai --test help` takes it
//! over.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::process::Command;

/// `gongkai` and all commands below it, each by its words.
fn commands() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut next = 0;
    while next < found.len() {
        let below: Vec<_> =
            subcommands(&help(&found[next])).map(|name| [&found[next][..], &[name]].concat()).collect();
        found.extend(below);
        next += 1;
    }
    found
}

/// As on a terminal that says nothing of itself, without the settings that help would show.
fn help(words: &[String]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gongkai"));
    let output = command.args(words).arg("--help").env_clear().output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn subcommands(help: &str) -> impl Iterator<Item = String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned)
}

#[test]
fn every_command_says_what_it_said() {
    let commands = commands();
    assert!(commands.len() > 12, "{commands:?}");
    for words in commands {
        let name = [&["gongkai".to_owned()], &words[..]].concat().join("-");
        insta::assert_snapshot!(name, help(&words));
    }
}
