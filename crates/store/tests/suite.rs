//! What a ledger does, the same on every database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "suite/accounts.rs"]
mod accounts;
#[path = "suite/alerts.rs"]
mod alerts;
#[path = "suite/answers.rs"]
mod answers;
#[path = "suite/balance.rs"]
mod balance;
#[path = "suite/forward.rs"]
mod forward;
#[path = "suite/heartbeats.rs"]
mod heartbeats;
#[path = "suite/held.rs"]
mod held;
#[path = "suite/kept.rs"]
mod kept;
#[path = "suite/ledger.rs"]
mod ledger;
#[path = "suite/log.rs"]
mod log;
#[path = "suite/order.rs"]
mod order;
#[path = "suite/polls.rs"]
mod polls;
#[path = "suite/privacy.rs"]
mod privacy;
#[path = "suite/registry.rs"]
mod registry;
#[path = "suite/running.rs"]
mod running;
#[path = "suite/runs.rs"]
mod runs;
#[path = "suite/schema.rs"]
mod schema;
#[path = "suite/scope.rs"]
mod scope;
#[path = "suite/site_heartbeats.rs"]
mod site_heartbeats;
#[path = "suite/together.rs"]
mod together;
#[path = "suite/views.rs"]
mod views;
#[path = "suite/writing.rs"]
mod writing;

/// Makes a test on every database of each behaviour; with few sessions, which are rows, and as if they were many.
macro_rules! store_suite {
    ($($module:ident { $($behaviour:ident,)* })*) => {
        mod sqlite {
            $(mod $module { $(
                #[test]
                fn $behaviour() {
                    crate::$module::$behaviour(&mut crate::ledger::Ledger::sqlite());
                }
            )* })*
        }

        mod sqlite_in_runs {
            $(mod $module { $(
                #[test]
                fn $behaviour() {
                    crate::$module::$behaviour(&mut crate::ledger::Ledger::sqlite_in_runs());
                }
            )* })*
        }

        mod postgres {
            $(mod $module { $(
                #[test]
                fn $behaviour() {
                    crate::$module::$behaviour(&mut crate::ledger::Ledger::postgres());
                }
            )* })*
        }

        mod postgres_in_runs {
            $(mod $module { $(
                #[test]
                fn $behaviour() {
                    crate::$module::$behaviour(&mut crate::ledger::Ledger::postgres_in_runs());
                }
            )* })*
        }
    };
}

store_suite! {
    answers {
        an_answer_of_no_daemon_is_no_evidence_of_any,
        an_outage_does_not_hide_itself,
        coverage_tells_what_is_divided_by,
        expiries_without_seats_add_to_what_is_known,
        pools_of_one_version_expire_each_on_its_day,
        a_pool_is_that_of_the_table_however_its_version_is_printed,
        where_another_server_has_a_feature_too_its_seats_are_not_known,
    }
    scope {
        names_of_a_scope_are_enough_for_its_reports,
        seat_time_alone_is_a_figure,
        what_polls_saw_last_does_not_go_on_with_a_log,
    }
    kept {
        names_that_are_kept_are_those_that_would_be_read,
    }
    schema {
        migrating_twice_changes_nothing,
        days_of_old_pages_are_derived_anew,
        a_file_of_another_program_is_left_alone,
        a_newer_schema_is_refused,
        a_ledger_that_is_not_there_is_not_created_by_readers,
        a_backup_is_the_same_ledger,
    }
    alerts {
        alerts_are_remembered_as_they_were_written,
        of_two_processes_one_changes_an_alert,
        a_message_waits_until_it_is_taken_out,
        what_a_log_tells_of_life_and_denials_is_seen,
        what_polls_tell_of_life_and_seats_is_seen,
    }
    held {
        complete_days_are_as_derived_however_the_commits_fall,
        each_commit_leaves_days_that_agree_with_their_sessions,
        days_that_another_process_touches_are_let_go,
        late_lines_find_held_days_again,
        beside_others_who_store_days_nothing_is_held,
        deriving_all_the_while_loses_nothing,
        what_comes_when_deriving_has_begun_is_derived_with_its_evidence,
        whoever_changes_what_days_are_made_of_waits_for_who_stores_them,
    }
    heartbeats {
        a_bucket_counts_once_whoever_tells_it,
        a_person_may_use_several_features_in_one_bucket,
        adjacent_buckets_are_one_session_until_they_cease,
        sealing_changes_no_figure,
        many_persons_are_sealed_in_pieces,
        several_reads_of_one_state_see_no_change_between,
        a_batch_is_taken_in_whole_or_not_at_all,
        what_another_process_has_sealed_is_closed,
        new_users_are_told_once,
        another_calendar_moves_no_minute_of_heartbeats,
        heartbeats_and_seals_in_any_order_count_distinct_buckets,
        what_was_accepted_is_seen_by_whoever_reads,
        seats_in_use_are_those_of_open_sessions,
        what_was_accepted_is_booked_before_it_is_sealed,
    }
    writing {
        facts_and_checkpoint_are_one_transaction,
        an_overlapping_batch_of_another_input_adds_only_what_is_more,
        equal_events_of_one_run_are_separate,
        sessions_that_go_on_keep_their_rows_beside_new_ones,
        files_that_touch_in_one_second_keep_both_events_of_it,
        an_input_taken_out_and_read_anew_is_as_if_read_once,
        an_input_taken_out_leaves_what_others_said,
        a_retracted_event_is_gone,
        a_retracted_line_leaves_the_quarantine,
        two_writers_about_one_server_are_as_one,
        two_writers_that_overlap_are_as_one,
    }
    order {
        inputs_in_any_order_give_the_same_books,
        a_start_that_comes_late_closes_what_an_end_left_unmatched,
        a_restart_that_comes_late_ends_the_old_run,
        a_stop_that_comes_late_ends_the_old_run,
        a_late_file_moves_the_last_line_of_the_old_run,
        a_key_open_over_a_restart_with_late_events_is_paired_once,
        open_sessions_count_to_the_last_evidence,
        a_late_end_shortens_an_open_session_on_all_its_days,
    }
    balance {
        the_books_balance_after_each_step,
        a_corrupted_page_is_found,
        a_changed_figure_is_found,
        a_missing_day_is_found,
        a_day_too_many_is_found,
        a_changed_session_is_found,
        a_lost_session_is_found,
        dirty_days_do_not_fail,
        readers_of_a_dirty_ledger_see_what_deriving_gives,
        rebuilding_gives_the_same_bytes,
    }
    forward {
        what_a_site_tells_gives_the_books_of_reading_it,
        parts_come_once_and_in_order,
        an_input_read_anew_at_a_site_is_read_anew_everywhere,
        under_a_pseudonym_no_name_leaves_a_site,
        nothing_more_is_taken_in_than_may_wait,
        parts_that_are_not_right_are_refused,
        what_lies_ahead_is_quarantined_and_the_past_is_taken,
        a_site_that_was_set_back_is_noticed_and_goes_on_as_another_one,
        a_copy_of_a_site_is_noticed_and_goes_on_as_another_one,
        a_refused_part_parks_its_input_alone,
        who_is_forgotten_at_a_site_leaves_it_with_no_part,
    }
    site_heartbeats {
        heartbeats_of_a_site_are_buckets_of_the_central_ledger,
        what_a_site_may_still_tell_is_not_sealed,
        of_persons_a_site_tells_what_it_keeps,
        heartbeats_that_are_not_right_are_refused,
        nobody_is_accepted_where_no_more_parts_may_wait,
    }
    polls {
        a_hold_ends_at_the_first_poll_that_does_not_show_it,
        failed_polls_end_nothing_and_bound_what_nobody_saw,
        polls_far_apart_leave_a_gap,
        holds_that_one_poll_shows_alike_are_several,
        where_a_log_covers_its_sessions_count,
        polls_beside_a_log_are_compared_with_it,
        polls_taken_out_are_as_if_never_read,
        polls_taken_out_leave_what_later_ones_showed,
        days_between_logs_change_with_what_they_cover,
        a_hold_given_out_later_than_it_was_polled_held_nothing,
        seats_told_of_the_whole_server_replace_those_of_its_daemons,
        finished_uses_are_known_by_their_start,
        capacity_expiry_and_totals_are_told_as_last_heard,
        polls_in_any_order_and_any_inputs_give_the_same_books,
        polls_at_even_intervals_are_one_row_a_day,
        polls_that_come_again_and_late_count_once,
        polls_of_days_that_go_go,
        polls_of_an_older_schema_are_those_of_this_one,
        seats_in_use_are_those_that_polls_showed_last_where_no_log_tells,
    }
    running {
        a_run_is_open_while_more_is_awaited_of_it,
        states_in_any_order_give_the_same_books,
        an_event_is_taken_in_once,
        what_a_service_tells_of_its_sources_is_there_until_it_tells_otherwise,
        what_a_site_tells_of_its_sources_stands_beside_and_has_an_end,
    }
    accounts {
        users_are_found_by_their_name_as_it_is_written,
        a_user_of_a_name_that_is_taken_changes_nothing,
        a_token_is_found_by_the_hash_of_its_secret_until_it_is_removed,
        of_two_admins_who_take_each_other_out_one_is_left,
        nobody_is_added_beside_an_admin_who_is_not_there,
        the_first_admin_is_made_once,
        a_link_is_void_once_a_user_was_added_otherwise,
        links_whose_time_has_passed_are_forgotten,
        somebody_of_whom_a_provider_tells_is_logged_in_on_the_terms_of_then,
        whoever_logs_out_everywhere_logs_nobody_else_out,
    }
    together {
        parts_together_give_the_books_of_whole_inputs,
        what_a_later_part_ends_is_one_row,
        days_that_are_stored_are_known_where_a_later_part_is_the_first_to_name_their_feature,
        parts_that_were_taken_back_are_committed_when_they_are_tried_again,
        days_are_stored_once_where_a_later_part_ends_what_an_earlier_input_left_open,
        a_day_that_cannot_be_written_takes_all_back,
        whoever_waits_writes_between_two_long_transactions,
    }
    views {
        the_old_usage_table_is_what_the_report_says,
        the_old_tables_of_persons_are_views,
        views_tell_no_more_than_the_reports,
        views_go_when_nobody_wants_them,
    }
    privacy {
        under_a_pseudonym_no_name_is_stored_anywhere,
        who_keeps_persons_otherwise_is_refused,
        numbers_of_holders_that_went_are_not_remembered,
        who_was_accepted_and_not_booked_is_forgotten,
        a_key_that_changes_is_not_that_of_what_was_accepted_before,
        a_new_key_splits_no_bucket_where_organizations_are_kept,
        a_session_open_when_the_key_changes_keeps_the_old_one,
        of_closed_sessions_the_organization_alone_is_kept,
        small_organizations_are_shown_together,
        a_person_forgotten_changes_no_figure,
        what_is_too_old_goes_and_the_books_balance,
        two_features_in_a_bucket_are_sealed_as_two,
    }
    registry {
        a_calendar_that_was_changed_meanwhile_is_not_changed_again,
        the_calendar_and_the_days_are_of_one_transaction,
        another_calendar_cuts_the_days_anew,
        the_same_calendar_changes_nothing,
        the_directory_tells_who_is_one_person,
        the_catalog_says_what_changed,
    }
}

#[test]
fn both_databases_hold_equal_rows_of_equal_input() {
    let ledgers = [
        ledger::Ledger::sqlite(),
        ledger::Ledger::sqlite_in_runs(),
        ledger::Ledger::postgres(),
        ledger::Ledger::postgres_in_runs(),
    ];
    let dumps = ledgers.map(|ledger| {
        let mut process = ledger.process();
        for (name, said) in log::a_week() {
            process.read(&mut ledger.store(), name, &said);
        }
        ledger.derive();
        (ledger.rows(), ledger.books())
    });
    for other in &dumps[1..] {
        assert_eq!(dumps[0].1, other.1);
        assert_eq!(dumps[0].0, other.0);
    }
}
