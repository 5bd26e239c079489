//! The test cases that every transport must pass, and [`transport_test_suite!`](crate::transport_test_suite), which
//! turns them into tests.
//!
//! The cases run over the in-memory transport and over a real server, and so prove that the two agree; those on objects
//! also over an S3 server. A case gets a transport on which nothing is declared and waits for visible effects. Cases
//! that prove that something does *not* happen wait for a multiple of [`ACK_WAIT`].

mod delivery;
mod inspecting;
mod publishing;
mod steps;
mod storing;
mod timers;

pub use self::{delivery::*, inspecting::*, publishing::*, steps::*, storing::*, timers::*};

/// Defines one test per case.
///
/// Takes the attributes of the tests and an async function that returns a transport and a guard, such as a server. The
/// guard is dropped after the case.
///
/// ```ignore
/// transport_test_suite!(#[tokio::test(start_paused = true)] memory);
/// ```
#[macro_export]
macro_rules! transport_test_suite {
    ($(#[$attribute:meta])* $setup:path) => {
        $crate::objects_test_suite!($(#[$attribute])* $setup);
        $crate::transport_test_suite!(@cases [$(#[$attribute])*] $setup;
            a_repeated_id_keeps_the_first_sequence
            different_ids_are_different_messages
            headers_and_payload_arrive_as_sent
            sequences_count_up_and_order_is_kept
            a_message_is_read_again_by_its_sequence
            a_stream_says_since_when_it_is_and_how_far_it_reaches
            a_consumer_says_how_far_it_is
            a_consumer_counts_what_is_delivered_again
            the_first_message_after_a_sequence_is_found_by_its_subject
            a_message_over_the_limit_is_too_large
            a_subject_without_stream_is_unavailable
            declaring_twice_changes_nothing
            filters_choose_subjects
            two_consumers_each_get_everything
            two_pulls_of_one_durable_share_without_doubles
            a_nak_comes_back_after_its_delay
            an_unsettled_message_comes_back_after_ack_wait
            progress_puts_redelivery_off
            an_acknowledged_message_never_comes_back
            a_terminated_message_never_comes_back
            deliveries_have_no_limit
            max_ack_pending_bounds_what_is_out
            a_fetch_yields_no_more_than_asked
            an_empty_fetch_ends_when_it_expires
            a_waiting_fetch_sees_a_later_message
            a_dropped_fetch_loses_nothing
            a_consumer_bound_again_takes_new_settings
            a_consumer_of_no_stream_is_not_found
            a_timer_fires_on_its_target_with_what_it_holds
            a_subject_holds_one_timer
            a_timer_that_replaces_none_leaves_the_one_that_is_set
            timers_of_different_subjects_all_fire
            a_timer_may_be_set_again_after_it_fired
            a_repeated_id_sets_no_timer_even_after_the_first_fired
            a_timer_that_fired_leaves_its_subject_empty
            only_a_stream_of_timers_takes_them
            an_entry_bucket_that_is_undeclared_is_not_found
            an_entry_is_created_once
            an_update_needs_the_present_revision
            a_deleted_entry_can_be_created_again
            a_watch_sees_present_and_later_values
            a_watch_of_an_absent_entry_sees_its_creation
            a_watch_of_all_entries_says_when_it_is_at_the_present
            a_ping_is_answered
        );
    };
    (@cases $attributes:tt $setup:path; $($case:ident)*) => {
        $($crate::transport_test_suite!(@case $attributes $setup; $case);)*
    };
    (@case [$(#[$attribute:meta])*] $setup:path; $case:ident) => {
        $(#[$attribute])*
        async fn $case() {
            let (transport, _alive) = $setup().await;
            $crate::testing::transport_suite::$case(&transport).await;
        }
    };
}

/// Defines one test per case on objects, as [`transport_test_suite!`](crate::transport_test_suite) does: for a
/// transport whose objects are in another store.
#[macro_export]
macro_rules! objects_test_suite {
    ($(#[$attribute:meta])* $setup:path) => {
        $crate::transport_test_suite!(@cases [$(#[$attribute])*] $setup;
            an_object_is_read_as_written
            an_object_is_replaced
            a_deleted_object_is_gone
            an_object_of_many_chunks_is_whole
            an_undeclared_bucket_is_not_found
        );
    };
}
