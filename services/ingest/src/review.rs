//! The levels of review (三审三校) that the configuration requires of a site's articles. The event contains them, so
//! that validate applies the levels of the time of submission and needs no configuration of sites.

use std::sync::Arc;

use crate::{
    config::{Config, Site},
    submission::DeclaredMetadata,
};

/// The levels that are required of each site. Cheap to clone.
#[derive(Clone)]
pub struct ReviewLevels(Arc<[Site]>);

// === impl ReviewLevels ===

impl ReviewLevels {
    /// Reads the levels of the sites.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self(config.sites.values().filter(|site| !site.review_levels.is_empty()).cloned().collect())
    }

    /// Returns the levels that are required of the claimed site, in order; empty if there are none.
    #[must_use]
    pub fn of(&self, declared: &DeclaredMetadata) -> Vec<String> {
        let claimed = self.0.iter().find(|site| site.is_claimed(&declared.event_source, &declared.site.code));
        claimed.map(|site| site.review_levels.clone()).unwrap_or_default()
    }
}
