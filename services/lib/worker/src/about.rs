//! What a program says about itself.

use crate::transport::Topology;

/// What a program says about itself.
#[derive(Debug, Clone)]
pub struct About {
    /// Name of the program, such as `gongkai-parse`.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// Versions of what is compiled in, such as parser, forms, rules.
    pub versions: Vec<(&'static str, String)>,
    /// Sections of the config that this program accepts without reading: its siblings'.
    pub sections: &'static [&'static str],
    /// What the broker must hold.
    pub topology: Topology,
    /// Subject prefix of dead letters; the service's name follows.
    pub dead_prefix: &'static str,
}

impl About {
    /// Program and compiled-in versions, one a line.
    #[must_use]
    pub fn versions_text(&self) -> String {
        let mut text = format!("{} {}\n", self.program, self.version);
        for (label, version) in &self.versions {
            text += &format!("{label} {version}\n");
        }
        text
    }
}
