//! Settings: defaults, then the TOML file, then `GONGKAI_SECTION__KEY` in the environment. An unknown key is an error.

mod sections;

pub use sections::WorkerSettings;
