//! What the office writes on its lists of corrections and on its notice: who sends them, to whom, until when.

use gongkai_proto::convert::timestamp::CHINA;
use gongkai_worker::Clock;
use time::{Date, macros::format_description};

/// The sender, the deadline and the contact. What is not given is left open, to be filled in by hand.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Lists and notice")]
pub(super) struct LetterArgs {
    /// Office that sends the lists of corrections and the notice (发文单位)
    #[arg(long, value_name = "NAME")]
    pub(super) office: Option<String>,
    /// Whom the notice addresses (主送); default: 各有关单位
    #[arg(long, value_name = "NAMES")]
    pub(super) to: Option<String>,
    /// Last day for the corrections (整改时限)
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(super) due: Option<Date>,
    /// Whom to ask: name and telephone (联系人)
    #[arg(long, value_name = "TEXT")]
    pub(super) contact: Option<String>,
}

fn day(text: &str) -> Result<Date, String> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| "it is no day: write YYYY-MM-DD, such as 2025-02-28".to_owned())
}

/// Returns a day as a letter has it, such as 2025年2月28日.
pub(super) fn in_words(day: Date) -> String {
    format!("{}年{}月{}日", day.year(), u8::from(day.month()), day.day())
}

/// Returns today's day in China.
pub(super) fn today() -> Date {
    Clock::system().now().to_offset(CHINA).date()
}

// === impl LetterArgs ===

impl LetterArgs {
    /// Returns the line about the deadline and the contact.
    pub(super) fn terms(&self) -> String {
        let due = self.due.map_or_else(|| "＿＿＿＿年＿＿月＿＿日".to_owned(), in_words);
        let contact = self.contact.as_deref().unwrap_or("＿＿＿＿＿＿＿＿");
        let office = self.office.as_ref().map(|office| format!("　　发文单位：{office}"));
        format!("整改时限：{due}　　联系人：{contact}{}", office.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_is_left_open() {
        assert_eq!(
            LetterArgs::default().terms(),
            "整改时限：＿＿＿＿年＿＿月＿＿日　　联系人：＿＿＿＿＿＿＿＿"
        );
        let letter = LetterArgs {
            office: Some("甲办".to_owned()),
            due: day("2025-02-08").ok(),
            contact: Some("张三 1".to_owned()),
            to: None,
        };
        assert_eq!(letter.terms(), "整改时限：2025年2月8日　　联系人：张三 1　　发文单位：甲办");
        assert!(day("2025-02-30").is_err());
    }
}
