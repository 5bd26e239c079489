//! The test cases that every back end of the store must pass. `store_test_suite!(open)` turns them into tests; `open`
//! returns an empty store.

mod erasing;
mod feed;
mod order;
mod paging;
mod reading;
mod sample;
mod waivers;

use std::any::Any;
use std::sync::Arc;

use gongkai_store::Store;

pub(crate) use erasing::*;
pub(crate) use feed::*;
pub(crate) use order::*;
pub(crate) use paging::*;
pub(crate) use reading::*;
pub(crate) use waivers::*;

/// An empty store, and a guard that must live as long as the store.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    /// The guard, such as the store's folder.
    pub(crate) keep: Box<dyn Any>,
}

/// Defines one test per case.
#[macro_export]
macro_rules! store_test_suite {
    ($open:expr) => {
        $crate::store_test_suite!(@tests $open,
            reads_back_what_was_written,
            findings_are_counted_by_severity,
            unknown_reports_are_none,
            erased_prose_is_absent_and_the_rest_stays,
            revisions_are_ranked_by_highest_arrival,
            as_of_gives_what_stood_then,
            the_same_content_again_is_one_revision,
            a_later_reading_replaces_an_earlier_one,
            a_later_rejection_ends_a_report,
            a_later_reading_may_move_a_report,
            a_moved_report_says_where_it_went_in_any_order,
            the_feed_says_where_a_report_went,
            rejected_documents_are_found_until_they_are_filed,
            a_waiver_moves_with_its_report,
            withdrawals_by_address_and_by_key,
            withdrawn_reports_are_left_out_of_wide_questions,
            any_order_and_duplication_give_the_same_state,
            pages_are_stable_while_reports_come_in,
            orders_go_both_ways,
            conditions_on_reports,
            conditions_on_findings,
            conditions_on_facts,
            a_cursor_of_another_shape_is_refused,
            every_visible_change_is_one_entry,
            the_same_event_again_adds_no_entry,
            a_feed_of_one_agency,
            tokens_of_other_lives_are_refused,
            what_is_erased_is_gone_and_stays_so,
            a_waiver_lets_its_finding_stand_until_it_ends,
            a_waiver_lapses_when_operands_change_and_survives_a_new_run,
            an_end_is_for_good_and_may_come_first,
            waivers_are_listed_newest_first_and_found_when_due,
            a_finding_is_explained_with_operands_weights_and_waivers,
        );
    };
    (@tests $open:expr, $($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                suite::$name(&$open);
            }
        )*
    };
}
