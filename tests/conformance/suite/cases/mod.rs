//! What delivery hangs on, one function each, named after what holds.

mod fetching;
mod logs;
mod offsets;
mod rebalances;

use crate::fixture::MembersFixture;

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut MembersFixture<'_>),
    /// It is about a group: it runs with each protocol.
    pub(crate) group: bool,
}

macro_rules! cases {
    ($group:expr, $module:ident: $($name:ident)*) => {
        [$(Case { name: stringify!($name), run: $module::$name, group: $group }),*]
    };
}

pub(crate) fn all() -> Vec<Case> {
    let mut all = Vec::new();
    all.extend(cases!(true, rebalances:
        only_what_moves_is_given_back
        the_broker_waits_for_the_answer_to_a_revoke
        what_is_stored_before_the_answer_is_where_the_next_owner_starts
        a_commit_while_a_revoke_waits_is_taken
        partitions_come_back_when_a_member_leaves
        a_killed_member_loses_its_partitions
        a_member_that_dies_while_it_owes_an_answer_holds_up_nobody
        a_member_that_was_put_out_cannot_commit
        a_member_that_was_put_out_hears_of_its_loss_and_takes_part_again
        an_added_partition_is_given_to_somebody
    ));
    all.extend(cases!(true, offsets:
        a_committed_offset_is_where_the_next_member_starts
        committed_offsets_and_metadata_outlive_the_members
        leaving_commits_what_is_stored
        a_kill_loses_what_is_stored_and_not_committed
        what_is_not_assigned_cannot_be_stored
        a_commit_goes_where_it_is_told
    ));
    all.extend(cases!(true, fetching:
        a_paused_partition_is_not_read_and_the_others_are
        a_partition_goes_on_where_it_was_paused
        a_new_assignment_is_not_paused
        a_seek_drops_what_was_read_ahead
        a_position_below_the_log_is_out_of_range
        a_position_above_the_log_is_out_of_range
        a_position_at_the_end_waits_for_the_next_record
        aborted_records_are_passed_over
    ));
    all.extend(cases!(false, logs:
        offsets_count_up_from_zero
        a_key_chooses_its_partition_by_murmur2
        deleted_records_move_the_start_of_the_log
        a_time_is_found_in_the_log
    ));
    all
}
